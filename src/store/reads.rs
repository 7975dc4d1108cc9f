//! What is read with nearly every request, for all requests of the moment in a few statements.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::gather::{Answers, Gather};
use super::people::{Known, People};
use super::{Db, Param, StoreError, Tx};
use crate::model::{AuthorizationCode, Grant, Session, UserId};
use crate::time::Instant;

/// What a code or a refresh token rests on.
#[derive(Clone, PartialEq, Debug)]
pub struct Basis {
    /// The grant.
    pub grant: Grant,
    /// Its person.
    pub person: Option<Arc<Known>>,
    /// Whether the consent that the grant rests on is still there; true for one that rests on none.
    pub has_consent: bool,
}

/// Reads that requests share. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Reads {
    people: People,
    sessions: Gather<String, Option<Session>>,
    refresh_tokens: Gather<String, Option<(Grant, bool)>>,
    codes: Gather<String, Option<(AuthorizationCode, Grant, bool)>>,
}

impl Reads {
    /// Reads of this database.
    #[must_use]
    pub fn new(db: &Db) -> Self {
        Self {
            people: People::new(db),
            sessions: gather(db, |db, hashes| Box::pin(sessions(db, hashes))),
            refresh_tokens: gather(db, |db, hashes| Box::pin(refresh_tokens(db, hashes))),
            codes: gather(db, |db, hashes| Box::pin(codes(db, hashes))),
        }
    }

    /// A person and what they belong to: as of now for what this process does, else of at most a second ago.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn person(&self, id: UserId) -> Result<Option<Arc<Known>>, StoreError> {
        self.people.find(id).await
    }

    /// The session whose cookie hashes to `token_hash`, live or not, with its person (see [`Reads::person`]); an
    /// operator's has none.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn session(&self, token_hash: String) -> Result<Option<(Session, Option<Arc<Known>>)>, StoreError> {
        let Some(session) = self.sessions.ask(token_hash).await? else { return Ok(None) };
        let person = self.of(session.user_id).await?;
        Ok(Some((session, person)))
    }

    /// What the refresh token of this hash, used or not, rests on.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn refresh_token(&self, hash: String) -> Result<Option<Basis>, StoreError> {
        let Some((grant, has_consent)) = self.refresh_tokens.ask(hash).await? else { return Ok(None) };
        let person = self.of(grant.user_id).await?;
        Ok(Some(Basis { grant, person, has_consent }))
    }

    /// The authorization code of this hash, used or not, with what it rests on.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn code(&self, hash: String) -> Result<Option<(AuthorizationCode, Basis)>, StoreError> {
        let Some((code, grant, has_consent)) = self.codes.ask(hash).await? else { return Ok(None) };
        let person = self.of(grant.user_id).await?;
        Ok(Some((code, Basis { grant, person, has_consent })))
    }

    async fn of(&self, id: Option<UserId>) -> Result<Option<Arc<Known>>, StoreError> {
        match id {
            Some(id) => self.people.find(id).await,
            None => Ok(None),
        }
    }
}

fn gather<I: Send + 'static, O: Send + 'static>(
    db: &Db,
    work: impl Fn(Db, Vec<I>) -> Answers<O> + Send + Sync + 'static,
) -> Gather<I, O> {
    let db = db.clone();
    Gather::new(move |entries| work(db.clone(), entries))
}

/// Each of `keys` once, as parameters.
fn params(keys: &[String]) -> Vec<&dyn Param> {
    let mut seen = HashSet::with_capacity(keys.len());
    keys.iter().filter(|key| seen.insert(*key)).map(|key| -> &dyn Param { key }).collect()
}

/// One answer an entry, none where nothing was found.
fn given<V: Clone>(keys: &[String], found: &HashMap<String, V>) -> Vec<Option<V>> {
    keys.iter().map(|key| found.get(key).cloned()).collect()
}

async fn sessions(db: Db, hashes: Vec<String>) -> Result<Vec<Option<Session>>, StoreError> {
    let mut tx = db.read().await?;
    let rows: Vec<Session> = tx.all_in("SELECT * FROM sessions WHERE token_hash", &[], &params(&hashes), "").await?;
    let found = rows.into_iter().map(|session| (session.token_hash.clone(), session)).collect();
    Ok(given(&hashes, &found))
}

/// A grant with the hash of what rests on it.
#[derive(sqlx::FromRow)]
struct Resting {
    hash: String,
    #[sqlx(flatten)]
    grant: Grant,
}

async fn refresh_tokens(db: Db, hashes: Vec<String>) -> Result<Vec<Option<(Grant, bool)>>, StoreError> {
    let mut tx = db.read().await?;
    let sql = "SELECT r.token_hash AS hash, g.* FROM refresh_tokens r JOIN grants g ON g.id = r.grant_id \
               WHERE r.token_hash";
    let rows: Vec<Resting> = tx.all_in(sql, &[], &params(&hashes), "").await?;
    let consents = consents(&mut tx, rows.iter().map(|row| &row.grant)).await?;
    let with_consent = |grant: Grant| {
        let has_consent = consents.has(&grant);
        (grant, has_consent)
    };
    let found = rows.into_iter().map(|row| (row.hash, with_consent(row.grant))).collect();
    Ok(given(&hashes, &found))
}

/// A code with its grant: what both call by one name has another here.
#[derive(sqlx::FromRow)]
struct Redeemable {
    code_hash: String,
    redirect_uri: String,
    nonce: Option<String>,
    code_challenge: Option<String>,
    made_at: Instant,
    good_until: Instant,
    used_at: Option<Instant>,
    #[sqlx(flatten)]
    grant: Grant,
}

impl Redeemable {
    fn parts(self) -> (AuthorizationCode, Grant) {
        let code = AuthorizationCode {
            code_hash: self.code_hash,
            grant_id: self.grant.id,
            redirect_uri: self.redirect_uri,
            nonce: self.nonce,
            code_challenge: self.code_challenge,
            created_at: self.made_at,
            expires_at: self.good_until,
            used_at: self.used_at,
        };
        (code, self.grant)
    }
}

async fn codes(db: Db, hashes: Vec<String>) -> Result<Vec<Option<(AuthorizationCode, Grant, bool)>>, StoreError> {
    let mut tx = db.read().await?;
    let sql = "SELECT c.code_hash, c.redirect_uri, c.nonce, c.code_challenge, c.created_at AS made_at, \
               c.expires_at AS good_until, c.used_at, g.* \
               FROM authorization_codes c JOIN grants g ON g.id = c.grant_id WHERE c.code_hash";
    let rows: Vec<Redeemable> = tx.all_in(sql, &[], &params(&hashes), "").await?;
    let consents = consents(&mut tx, rows.iter().map(|row| &row.grant)).await?;
    let found = rows.into_iter().map(|row| {
        let (code, grant) = row.parts();
        let has_consent = consents.has(&grant);
        (code.code_hash.clone(), (code, grant, has_consent))
    });
    Ok(given(&hashes, &found.collect()))
}

/// Consents of the people of some grants.
struct Consents(HashSet<(UserId, String)>);

impl Consents {
    fn has(&self, grant: &Grant) -> bool {
        match grant.user_id.filter(|_| grant.details.consented) {
            Some(user) => self.0.contains(&(user, grant.application_id.clone())),
            None => true,
        }
    }
}

async fn consents<'a>(tx: &mut Tx, grants: impl Iterator<Item = &'a Grant>) -> Result<Consents, StoreError> {
    let people: Vec<UserId> =
        grants.filter(|grant| grant.details.consented).filter_map(|grant| grant.user_id).collect();
    let list: Vec<&dyn Param> = people.iter().map(|id| -> &dyn Param { id }).collect();
    let sql = "SELECT user_id, application_id FROM consents WHERE user_id";
    let rows: Vec<(UserId, String)> = tx.all_in(sql, &[], &list, "").await?;
    Ok(Consents(rows.into_iter().collect()))
}
