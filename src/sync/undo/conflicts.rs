//! What happened later to what a run had changed, and is in the way of taking it back.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::fmt;

use serde::Serialize;
use serde_json::Value;
use uuid::Uuid;

use crate::model::{Change, ChangeKind, Document, ObjectKind, RunId};
use crate::store::{StoreError, Tx};
use crate::time::Instant;

/// Something that was changed by something else since.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Conflict {
    /// Kind of object.
    pub object_kind: ObjectKind,
    /// The object.
    pub object_id: Uuid,
    /// What it is called.
    pub name: String,
    /// What happened to it.
    pub kind: ChangeKind,
    /// By which run; none when by no run.
    pub run_id: Option<RunId>,
    /// When.
    pub at: Instant,
    /// Empty for the object's own attributes; the member's id, or role and rule, for a membership or a role.
    #[serde(skip)]
    facet: String,
}

impl fmt::Display for Conflict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let by = self.run_id.map_or_else(|| "by no run".to_owned(), |run| format!("by run {run}"));
        write!(f, "{} {} ({} {by}, {})", self.object_kind, self.name, self.kind, self.at.format("%Y-%m-%d %H:%M"))
    }
}

/// What is in the way of taking the run back, the first of each object.
pub(super) async fn find(tx: &mut Tx, run: RunId) -> Result<Vec<Conflict>, StoreError> {
    let later = tx.change_log().later_than(run).await?;
    let ids: BTreeSet<Uuid> = later.iter().map(|change| change.object_id).collect();
    let ids: Vec<Uuid> = ids.into_iter().collect();
    let names: HashMap<Uuid, String> =
        tx.names().of(&ids).await?.into_iter().map(|(id, short, long)| (id, called(short, &long))).collect();
    let mut seen = BTreeSet::new();
    Ok(later
        .into_iter()
        .filter(|change| seen.insert((change.object_id, change.facet.clone())))
        .map(|change| Conflict {
            object_kind: change.object_kind,
            object_id: change.object_id,
            name: names.get(&change.object_id).cloned().unwrap_or_else(|| change.object_id.to_string()),
            kind: change.kind,
            run_id: change.run_id,
            at: change.at,
            facet: change.facet,
        })
        .collect())
}

fn called(short: String, long: &str) -> String {
    if short == long { short } else { format!("{short} {long}") }
}

/// Changes that nothing is in the way of.
pub(super) fn without(conflicts: &[Conflict], changes: Vec<Change>) -> Vec<Change> {
    let touched: HashSet<(Uuid, &str)> =
        conflicts.iter().map(|conflict| (conflict.object_id, conflict.facet.as_str())).collect();
    changes.into_iter().filter(|change| !touched.contains(&(change.object_id, facet(change).as_str()))).collect()
}

fn text<'a>(document: &'a Value, key: &str) -> &'a str {
    document.get(key).and_then(Value::as_str).unwrap_or_default()
}

/// The same as the change log's: what of an object a change is about.
fn facet(change: &Change) -> String {
    let document = || change.after.as_ref().or(change.before.as_ref()).map(Document::value).unwrap_or_default();
    match change.kind {
        ChangeKind::MemberAdded | ChangeKind::MemberRemoved => text(&document(), "member_id").to_owned(),
        ChangeKind::RoleGranted | ChangeKind::RoleRevoked => {
            let document = document();
            format!("{} {} {}", text(&document, "role"), text(&document, "rule"), text(&document, "scope"))
        }
        _ => String::new(),
    }
}
