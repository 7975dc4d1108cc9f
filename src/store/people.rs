//! People as they were a moment ago: what nearly every request asks, kept for [`KEPT`] at the most.
//!
//! Never across a commit of this process that may have changed it, so what this node does counts at once; what another
//! node or the command line does counts within that time.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use moka::sync::Cache;

use super::db::changes;
use super::gather::Gather;
use super::{Db, Param, StoreError, Tx};
use crate::model::{User, UserId};

/// How old what is kept of a person may be.
const KEPT: Duration = Duration::from_secs(1);
/// People kept at the most.
const CAPACITY: u64 = 10_000;

/// What a person belongs to, as (kind, code); see [`super::Facts::list`].
pub type FactList = Vec<(String, String)>;

/// A person and what they belong to.
#[derive(Clone, PartialEq, Debug)]
pub struct Known {
    /// The person.
    pub user: User,
    /// What they belong to.
    pub facts: FactList,
}

/// People, read for all requests of the moment together. Cheap to clone.
#[derive(Clone, Debug)]
pub(super) struct People {
    kept: Cache<UserId, (u64, Arc<Known>)>,
    read: Gather<UserId, Option<Arc<Known>>>,
}

impl People {
    pub fn new(db: &Db) -> Self {
        let db = db.clone();
        let kept = Cache::builder().max_capacity(CAPACITY).time_to_live(KEPT).build();
        Self { kept, read: Gather::new(move |ids| Box::pin(read(db.clone(), ids))) }
    }

    /// A person; none where there is nobody of that id.
    pub async fn find(&self, id: UserId) -> Result<Option<Arc<Known>>, StoreError> {
        // Taken before anything is read: what is committed meanwhile makes it stale.
        let now = changes();
        if let Some((_, known)) = self.kept.get(&id).filter(|(before, _)| *before == now) {
            return Ok(Some(known));
        }
        let found = self.read.ask(id).await?;
        if let Some(known) = &found {
            self.kept.insert(id, (now, known.clone()));
        }
        Ok(found)
    }
}

async fn read(db: Db, ids: Vec<UserId>) -> Result<Vec<Option<Arc<Known>>>, StoreError> {
    let mut tx = db.read().await?;
    let mut once = ids.clone();
    once.sort_unstable();
    once.dedup();
    let params: Vec<&dyn Param> = once.iter().map(|id| -> &dyn Param { id }).collect();
    let found = people(&mut tx, &params).await?;
    Ok(ids.iter().map(|id| found.get(id).cloned()).collect())
}

async fn people(tx: &mut Tx, ids: &[&dyn Param]) -> Result<HashMap<UserId, Arc<Known>>, StoreError> {
    let users: Vec<User> = tx.all_in("SELECT * FROM users WHERE id", &[], ids, "").await?;
    let mut facts: HashMap<UserId, FactList> = HashMap::new();
    for (id, kind, code) in tx.facts().of(ids).await? {
        facts.entry(id).or_default().push((kind, code));
    }
    let known = |user: User| {
        let facts = facts.remove(&user.id).unwrap_or_default();
        (user.id, Arc::new(Known { user, facts }))
    };
    Ok(users.into_iter().map(known).collect())
}
