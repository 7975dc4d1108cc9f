//! What was revoked before its end: the source of the change feed.
//!
//! Triggers write a row for each revoked grant and token, in the transaction that revokes it. A row has no number until
//! it is published; numbers are given in one place at a time, so that a follower who has seen number n has seen all before.

use super::{StoreError, Tx};
use crate::model::GrantId;
use crate::time::Instant;

/// Rows published by one statement.
const BATCH: i64 = 1_000;

/// Something that was revoked: exactly one of the three is there.
#[derive(Clone, PartialEq, Eq, Debug, sqlx::FromRow)]
pub struct Revocation {
    /// Its number in the feed.
    pub seq: i64,
    /// Since when; for a single token, the end of the token.
    pub at: Instant,
    /// A grant, with every token that names it.
    pub grant_id: Option<GrantId>,
    /// A single token.
    pub jti: Option<String>,
    /// An application, with every token issued to it before.
    pub application_id: Option<String>,
}

/// Store functions of revocations.
#[derive(Debug)]
pub struct Revocations<'a>(&'a mut Tx);

impl Tx {
    /// Revocations.
    pub fn revocations(&mut self) -> Revocations<'_> {
        Revocations(self)
    }
}

impl Revocations<'_> {
    /// Notes that every token of an application is dead.
    ///
    /// # Errors
    /// When the database fails.
    pub(super) async fn note_application(&mut self, id: &str, at: Instant) -> Result<(), StoreError> {
        self.0.run("INSERT INTO revocations (at, application_id) VALUES ($1, $2)", &[&at, &id]).await.map(drop)
    }

    /// The last number given, and 1 when something waits for its number, else 0.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn head(&mut self) -> Result<(i64, i64), StoreError> {
        let sql = "SELECT seq, (SELECT COUNT(*) FROM (SELECT id FROM revocations WHERE seq IS NULL LIMIT 1) AS one) \
                   FROM revocation_head WHERE id = 1";
        self.0.one(sql, &[]).await
    }

    /// Gives one batch of rows their numbers; tells the last number given. One caller at a time: the head's row is locked.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn publish(&mut self) -> Result<i64, StoreError> {
        let (last,): (i64,) =
            self.0.one("UPDATE revocation_head SET seq = seq WHERE id = 1 RETURNING seq", &[]).await?;
        let sql = "UPDATE revocations SET seq = n.place FROM (SELECT id AS row_id, ROW_NUMBER() OVER (ORDER BY id) + $1 \
                   AS place FROM (SELECT id FROM revocations WHERE seq IS NULL ORDER BY id LIMIT $2) AS batch) AS n \
                   WHERE revocations.id = n.row_id";
        let count = self.0.run(sql, &[&last, &BATCH]).await?;
        let now_last = last + i64::try_from(count).unwrap_or(0);
        self.0.run("UPDATE revocation_head SET seq = $1 WHERE id = 1", &[&now_last]).await?;
        Ok(now_last)
    }

    /// The next `limit` published rows after number `after`, in order.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn list_after(&mut self, after: i64, limit: i64) -> Result<Vec<Revocation>, StoreError> {
        let sql = "SELECT seq, at, grant_id, jti, application_id FROM revocations WHERE seq > $1 ORDER BY seq LIMIT $2";
        self.0.all(sql, &[&after, &limit]).await
    }

    /// Deletes one batch of what was revoked before `before`, when no token of that time lives any more; tells how many.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn purge(&mut self, before: Instant) -> Result<u64, StoreError> {
        let sql = "DELETE FROM revocations WHERE id IN (SELECT id FROM revocations WHERE at < $1 LIMIT $2)";
        self.0.run(sql, &[&before, &BATCH]).await
    }
}
