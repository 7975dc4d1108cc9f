//! What is read with nearly every request, for all requests of the moment in a few statements.

use std::collections::{HashMap, HashSet};
use std::hash::Hash;

use super::gather::{Answers, Gather};
use super::{Db, Param, StoreError, Tx};
use crate::model::{AuthorizationCode, Grant, GrantId, RefreshToken, Session, User, UserId};

/// What a person belongs to, as (kind, code); see [`super::Facts::list`].
pub type FactList = Vec<(String, String)>;

/// What a code or a refresh token rests on.
#[derive(Clone, PartialEq, Debug)]
pub struct Basis {
    /// The grant.
    pub grant: Grant,
    /// Its person.
    pub user: Option<User>,
    /// What the person belongs to.
    pub facts: FactList,
    /// Whether the consent that the grant rests on is still there; true for one that rests on none.
    pub has_consent: bool,
}

/// Reads that requests share. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Reads {
    users: Gather<UserId, Option<User>>,
    facts: Gather<UserId, FactList>,
    sessions: Gather<String, Option<(Session, Option<User>)>>,
    refresh_tokens: Gather<String, Option<(RefreshToken, Basis)>>,
    codes: Gather<String, Option<(AuthorizationCode, Basis)>>,
}

impl Reads {
    /// Reads of this database.
    #[must_use]
    pub fn new(db: &Db) -> Self {
        Self {
            users: gather(db, |db, ids| {
                Box::pin(async move { users(&mut db.read().await?, &ids).await.map(given(ids)) })
            }),
            facts: gather(db, |db, ids| {
                Box::pin(async move { facts(&mut db.read().await?, &ids).await.map(listed(ids)) })
            }),
            sessions: gather(db, |db, hashes| Box::pin(sessions(db, hashes))),
            refresh_tokens: gather(db, |db, hashes| Box::pin(refresh_tokens(db, hashes))),
            codes: gather(db, |db, hashes| Box::pin(codes(db, hashes))),
        }
    }

    /// A person.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn user(&self, id: UserId) -> Result<Option<User>, StoreError> {
        self.users.ask(id).await
    }

    /// What a person belongs to.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn facts(&self, id: UserId) -> Result<FactList, StoreError> {
        self.facts.ask(id).await
    }

    /// The session whose cookie hashes to `token_hash`, live or not, with its person; an operator's has none.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn session(&self, token_hash: String) -> Result<Option<(Session, Option<User>)>, StoreError> {
        self.sessions.ask(token_hash).await
    }

    /// The refresh token of this hash, used or not, with what it rests on.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn refresh_token(&self, hash: String) -> Result<Option<(RefreshToken, Basis)>, StoreError> {
        self.refresh_tokens.ask(hash).await
    }

    /// The authorization code of this hash, used or not, with what it rests on.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn code(&self, hash: String) -> Result<Option<(AuthorizationCode, Basis)>, StoreError> {
        self.codes.ask(hash).await
    }
}

fn gather<I: Send + 'static, O: Send + 'static>(
    db: &Db,
    work: impl Fn(Db, Vec<I>) -> Answers<O> + Send + Sync + 'static,
) -> Gather<I, O> {
    let db = db.clone();
    Gather::new(move |entries| work(db.clone(), entries))
}

/// One answer an entry, none where nothing was found.
fn given<K: Eq + Hash, V: Clone>(keys: Vec<K>) -> impl FnOnce(HashMap<K, V>) -> Vec<Option<V>> {
    move |found| keys.iter().map(|key| found.get(key).cloned()).collect()
}

/// One answer an entry, an empty one where nothing was found.
fn listed<K: Eq + Hash, V: Clone + Default>(keys: Vec<K>) -> impl FnOnce(HashMap<K, V>) -> Vec<V> {
    move |found| keys.iter().map(|key| found.get(key).cloned().unwrap_or_default()).collect()
}

/// Each of `keys` once, as parameters.
fn params<K: Param + Eq + Hash>(keys: &[K]) -> Vec<&dyn Param> {
    let mut seen = HashSet::with_capacity(keys.len());
    keys.iter().filter(|key| seen.insert(*key)).map(|key| -> &dyn Param { key }).collect()
}

async fn users(tx: &mut Tx, ids: &[UserId]) -> Result<HashMap<UserId, User>, StoreError> {
    let rows: Vec<User> = tx.all_in("SELECT * FROM users WHERE id", &[], &params(ids), "").await?;
    Ok(rows.into_iter().map(|user| (user.id, user)).collect())
}

async fn facts(tx: &mut Tx, ids: &[UserId]) -> Result<HashMap<UserId, FactList>, StoreError> {
    let mut all: HashMap<UserId, FactList> = HashMap::new();
    for (id, kind, code) in tx.facts().of(&params(ids)).await? {
        all.entry(id).or_default().push((kind, code));
    }
    Ok(all)
}

async fn sessions(db: Db, hashes: Vec<String>) -> Result<Vec<Option<(Session, Option<User>)>>, StoreError> {
    let mut tx = db.read().await?;
    let rows: Vec<Session> = tx.all_in("SELECT * FROM sessions WHERE token_hash", &[], &params(&hashes), "").await?;
    let owners: Vec<UserId> = rows.iter().filter_map(|session| session.user_id).collect();
    let users = users(&mut tx, &owners).await?;
    let found: HashMap<String, (Session, Option<User>)> = rows
        .into_iter()
        .map(|session| {
            let user = session.user_id.and_then(|id| users.get(&id).cloned());
            (session.token_hash.clone(), (session, user))
        })
        .collect();
    Ok(given(hashes)(found))
}

async fn refresh_tokens(db: Db, hashes: Vec<String>) -> Result<Vec<Option<(RefreshToken, Basis)>>, StoreError> {
    let mut tx = db.read().await?;
    let rows: Vec<RefreshToken> =
        tx.all_in("SELECT * FROM refresh_tokens WHERE token_hash", &[], &params(&hashes), "").await?;
    let grants: Vec<GrantId> = rows.iter().map(|row| row.grant_id).collect();
    let bases = bases(&mut tx, &grants).await?;
    let found: HashMap<String, (RefreshToken, Basis)> = rows
        .into_iter()
        .filter_map(|row| Some((row.token_hash.clone(), (row.clone(), bases.get(&row.grant_id)?.clone()))))
        .collect();
    Ok(given(hashes)(found))
}

async fn codes(db: Db, hashes: Vec<String>) -> Result<Vec<Option<(AuthorizationCode, Basis)>>, StoreError> {
    let mut tx = db.read().await?;
    let rows: Vec<AuthorizationCode> =
        tx.all_in("SELECT * FROM authorization_codes WHERE code_hash", &[], &params(&hashes), "").await?;
    let grants: Vec<GrantId> = rows.iter().map(|row| row.grant_id).collect();
    let bases = bases(&mut tx, &grants).await?;
    let found: HashMap<String, (AuthorizationCode, Basis)> = rows
        .into_iter()
        .filter_map(|row| Some((row.code_hash.clone(), (row.clone(), bases.get(&row.grant_id)?.clone()))))
        .collect();
    Ok(given(hashes)(found))
}

async fn bases(tx: &mut Tx, ids: &[GrantId]) -> Result<HashMap<GrantId, Basis>, StoreError> {
    let grants: Vec<Grant> = tx.all_in("SELECT * FROM grants WHERE id", &[], &params(ids), "").await?;
    let people: Vec<UserId> = grants.iter().filter_map(|grant| grant.user_id).collect();
    let users = users(tx, &people).await?;
    let facts = facts(tx, &people).await?;
    let consented: Vec<UserId> =
        grants.iter().filter(|grant| grant.details.consented).filter_map(|grant| grant.user_id).collect();
    let sql = "SELECT user_id, application_id FROM consents WHERE user_id";
    let consents: Vec<(UserId, String)> = tx.all_in(sql, &[], &params(&consented), "").await?;
    let consents: HashSet<(UserId, String)> = consents.into_iter().collect();
    let basis = |grant: Grant| {
        let user = grant.user_id.and_then(|id| users.get(&id).cloned());
        let has_consent = match grant.user_id.filter(|_| grant.details.consented) {
            Some(user) => consents.contains(&(user, grant.application_id.clone())),
            None => true,
        };
        let facts = grant.user_id.and_then(|id| facts.get(&id).cloned()).unwrap_or_default();
        (grant.id, Basis { user, facts, has_consent, grant })
    };
    Ok(grants.into_iter().map(basis).collect())
}
