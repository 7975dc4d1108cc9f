//! Small writes that many requests make at the same moment, all of them in one transaction, with their rows of the audit
//! log.
//!
//! Each is decided by the database itself, in the statement that does it: what has been used, revoked or ended in the
//! meantime is left as it is, and its request is told so.

use std::collections::{BTreeSet, HashSet};

use sqlx::{Column as _, Row as _};

use super::joined::{Joined, JoinedTx};
use super::{Db, Param, StoreError, Tx, audit, authorization_codes, grants, refresh_tokens, sessions};
use crate::model::{AuthorizationCode, Grant, RefreshToken, SessionId};
use crate::time::Instant;

/// A write of one request.
#[derive(Clone, Debug)]
pub enum Write {
    /// None: an event alone.
    Nothing,
    /// A refresh token is used, and replaced by `successor`.
    Refresh {
        /// Hash of the token.
        hash: String,
        /// The next one.
        successor: RefreshToken,
    },
    /// A person goes to an application: grant and code, noted with the session.
    Code {
        /// The grant.
        grant: Box<Grant>,
        /// The code.
        code: Box<AuthorizationCode>,
        /// The session.
        session: SessionId,
    },
    /// A code is redeemed.
    Redeem {
        /// Hash of the code.
        hash: String,
        /// The first refresh token of its grant.
        refresh: Option<RefreshToken>,
    },
}

/// Uses what can still be used of some refresh tokens.
const TAKE_TOKENS: (&str, &str) = (
    "UPDATE refresh_tokens SET used_at = $1 WHERE used_at IS NULL AND expires_at > $1 \
     AND EXISTS (SELECT 1 FROM grants g JOIN users u ON u.id = g.user_id \
       WHERE g.id = refresh_tokens.grant_id AND g.revoked_at IS NULL AND g.expires_at > $1 \
       AND u.status = 'active') AND token_hash",
    "RETURNING token_hash AS hash",
);

/// The same of codes.
const TAKE_CODES: (&str, &str) = (
    "UPDATE authorization_codes SET used_at = $1 WHERE used_at IS NULL AND expires_at > $1 \
     AND EXISTS (SELECT 1 FROM grants g JOIN users u ON u.id = g.user_id \
       WHERE g.id = authorization_codes.grant_id AND g.revoked_at IS NULL AND g.expires_at > $1 \
       AND u.status = 'active') AND code_hash",
    "RETURNING code_hash AS hash",
);

/// Makes rows of the audit log: of what was done, after the row with that number and hash.
pub trait Log: FnOnce(&[bool], i64, String) -> Vec<audit::AuditRow> + Send {}
impl<F: FnOnce(&[bool], i64, String) -> Vec<audit::AuditRow> + Send> Log for F {}

impl Db {
    /// Does what is still possible of `writes` and appends to the audit log; tells of each write whether it was done.
    ///
    /// # Errors
    /// When the database fails: nothing was written then.
    pub async fn write_together(
        &self,
        writes: &[&Write],
        now: Instant,
        log: impl Log,
    ) -> Result<Vec<bool>, StoreError> {
        match self {
            Self::Sqlite { writer, .. } => joined(JoinedTx::on(writer).await?, writes, now, log).await,
            Self::Postgres(_) => {
                let mut tx = self.write().await?;
                tx.leaves_people_alone();
                let done = tx.write_together(writes, now).await?;
                let count = i64::try_from(done.iter().filter(|is_done| **is_done).count()).unwrap_or(i64::MAX);
                if count > 0 {
                    let (last, hash) = tx.audit().lock_head(count).await?;
                    let rows = log(&done, last - count, hash);
                    tx.audit().insert(&rows).await?;
                    tx.audit().set_head(rows.last().map_or("", |row| &row.hash)).await?;
                }
                tx.commit().await?;
                Ok(done)
            }
        }
    }
}

/// In SQLite: what decides goes first, all else after it.
async fn joined(mut tx: JoinedTx, writes: &[&Write], now: Instant, log: impl Log) -> Result<Vec<bool>, StoreError> {
    let mut first = Joined::default();
    first.add("BEGIN IMMEDIATE");
    for ((head, tail), hashes) in [(TAKE_TOKENS, tokens(writes)), (TAKE_CODES, codes(writes))] {
        if !hashes.is_empty() {
            let list: Vec<&dyn Param> = hashes.iter().map(|hash| -> &dyn Param { hash }).collect();
            first.add_in(head, &[&now], &list, tail)?;
        }
    }
    first.add(audit::HEAD);
    let (mut taken, mut head) = (HashSet::new(), None);
    for row in tx.run(first).await? {
        if row.columns().first().is_some_and(|column| column.name() == "hash") {
            taken.insert(row.try_get::<String, _>(0)?);
        } else {
            head = Some((row.try_get::<i64, _>(0)?, row.try_get::<String, _>(1)?));
        }
    }
    let (last, hash) = head.ok_or(sqlx::Error::RowNotFound)?;
    let done = done(writes, taken);
    let rows = log(&done, last, hash);
    // Each text comes in a few lengths, so that it stays prepared.
    for inserts in Made::of(writes, &done).inserts(&now)? {
        if !inserts.is_empty() {
            tx.run(inserts).await?;
        }
    }
    let mut end = Joined::default();
    if let Some(newest) = rows.last() {
        end.add_rows(audit::INSERT, &rows.iter().map(audit::values).collect::<Vec<_>>(), "")?;
        end.add_with("UPDATE audit_head SET seq = $1, hash = $2 WHERE id = 1", &[&newest.seq, &newest.hash])?;
    }
    tx.finish(end).await?;
    Ok(done)
}

fn tokens(writes: &[&Write]) -> BTreeSet<String> {
    let used = |write: &&Write| if let Write::Refresh { hash, .. } = write { Some(hash.clone()) } else { None };
    writes.iter().filter_map(used).collect()
}

fn codes(writes: &[&Write]) -> BTreeSet<String> {
    let used = |write: &&Write| if let Write::Redeem { hash, .. } = write { Some(hash.clone()) } else { None };
    writes.iter().filter_map(used).collect()
}

/// What was done, when `taken` could still be taken. Of two that show the same, the first has it; a hash of a token is
/// never that of a code.
fn done(writes: &[&Write], mut taken: HashSet<String>) -> Vec<bool> {
    let is_done = |write: &&Write| match write {
        Write::Nothing | Write::Code { .. } => true,
        Write::Refresh { hash, .. } | Write::Redeem { hash, .. } => taken.remove(hash),
    };
    writes.iter().map(is_done).collect()
}

/// The rows of what was done.
struct Made<'a> {
    grants: Vec<&'a Grant>,
    codes: Vec<&'a AuthorizationCode>,
    reached: BTreeSet<(SessionId, &'a str)>,
    tokens: Vec<&'a RefreshToken>,
}

impl<'a> Made<'a> {
    fn of(writes: &[&'a Write], done: &[bool]) -> Self {
        let mut made = Self { grants: Vec::new(), codes: Vec::new(), reached: BTreeSet::new(), tokens: Vec::new() };
        for (write, _) in writes.iter().zip(done).filter(|(_, is_done)| **is_done) {
            match write {
                Write::Nothing => {}
                Write::Refresh { successor, .. } => made.tokens.push(successor),
                Write::Redeem { refresh, .. } => made.tokens.extend(refresh),
                Write::Code { grant, code, session } => {
                    made.grants.push(grant);
                    made.codes.push(code);
                    made.reached.insert((*session, grant.application_id.as_str()));
                }
            }
        }
        made
    }

    fn inserts(&self, now: &Instant) -> Result<[Joined; 2], StoreError> {
        let (mut codes, mut tokens) = (Joined::default(), Joined::default());
        let rows: Vec<_> = self.grants.iter().map(|grant| grants::values(grant)).collect();
        codes.add_rows(grants::INSERT, &rows, "")?;
        let rows: Vec<_> = self.codes.iter().map(|code| authorization_codes::values(code)).collect();
        codes.add_rows(authorization_codes::INSERT, &rows, "")?;
        let rows: Vec<_> = self.reached.iter().map(|reached| sessions::reached_values(reached, now)).collect();
        codes.add_rows(sessions::REACHED, &rows, sessions::REACHED_AGAIN)?;
        let rows: Vec<_> = self.tokens.iter().map(|token| refresh_tokens::values(token)).collect();
        tokens.add_rows(refresh_tokens::INSERT, &rows, "")?;
        Ok([codes, tokens])
    }
}

impl Tx {
    async fn write_together(&mut self, writes: &[&Write], now: Instant) -> Result<Vec<bool>, StoreError> {
        let mut taken = self.take(TAKE_TOKENS, &tokens(writes), now).await?;
        taken.extend(self.take(TAKE_CODES, &codes(writes), now).await?);
        let done = done(writes, taken);
        let made = Made::of(writes, &done);
        self.grants().insert_all(&made.grants).await?;
        self.authorization_codes().insert_all(&made.codes).await?;
        self.sessions().reached_all(&made.reached, now).await?;
        self.refresh_tokens().insert_all(&made.tokens).await?;
        Ok(done)
    }

    /// Uses what can still be used, in one order; tells what that was.
    async fn take(
        &mut self,
        (sql, returning): (&'static str, &'static str),
        hashes: &BTreeSet<String>,
        now: Instant,
    ) -> Result<HashSet<String>, StoreError> {
        let list: Vec<&dyn Param> = hashes.iter().map(|hash| -> &dyn Param { hash }).collect();
        let taken: Vec<(String,)> = self.all_in(sql, &[&now], &list, returning).await?;
        Ok(taken.into_iter().map(|(hash,)| hash).collect())
    }
}
