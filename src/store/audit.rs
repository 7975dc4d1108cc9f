//! The audit log and its head.

use serde::{Deserialize, Serialize};

use super::{Param, StoreError, Tx};
use crate::model::UserId;
use crate::time::Instant;

/// One row of the log, as stored.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, sqlx::FromRow)]
pub struct AuditRow {
    /// Number in the chain, from 1 without gaps.
    pub seq: i64,
    /// When.
    pub at: Instant,
    /// What.
    pub action: String,
    /// How it ended.
    pub outcome: String,
    /// Who did it.
    pub actor: String,
    /// To whom or what.
    pub subject: String,
    /// Address it came from.
    pub address: String,
    /// Id of the request.
    pub request_id: String,
    /// Further facts: the JSON text that was hashed.
    pub details: String,
    /// Hash over this row and the one before.
    pub hash: String,
}

/// What rows are looked for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AuditSearch {
    /// Not before.
    pub since: Instant,
    /// Actor or subject, such as `user:ID`; anybody when empty.
    pub about: String,
    /// Action; any when empty.
    pub action: String,
    /// Rows at the most.
    pub limit: i64,
}

/// Writes rows; see [`values`].
pub(super) const INSERT: &str =
    "INSERT INTO audit_log (seq, at, action, outcome, actor, subject, address, request_id, details, hash)";
/// Reads the head.
pub(super) const HEAD: &str = "SELECT seq, hash FROM audit_head WHERE id = 1";

/// The values of a row.
pub(super) fn values(r: &AuditRow) -> Vec<&dyn Param> {
    vec![&r.seq, &r.at, &r.action, &r.outcome, &r.actor, &r.subject, &r.address, &r.request_id, &r.details, &r.hash]
}

/// Store functions of the audit log.
#[derive(Debug)]
pub struct AuditLog<'a>(&'a mut Tx);

impl Tx {
    /// The audit log.
    pub fn audit(&mut self) -> AuditLog<'_> {
        AuditLog(self)
    }
}

impl AuditLog<'_> {
    /// Takes `count` numbers and locks the head; gives the last number taken and the hash so far.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn lock_head(&mut self, count: i64) -> Result<(i64, String), StoreError> {
        self.0.one("UPDATE audit_head SET seq = seq + $1 WHERE id = 1 RETURNING seq, hash", &[&count]).await
    }

    /// Writes the hash of the last row into the head.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn set_head(&mut self, hash: &str) -> Result<(), StoreError> {
        self.0.run("UPDATE audit_head SET hash = $1 WHERE id = 1", &[&hash]).await.map(drop)
    }

    /// The last number and hash; none when somebody removed the head.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn head(&mut self) -> Result<Option<(i64, String)>, StoreError> {
        self.0.optional(HEAD, &[]).await
    }

    /// Rows after `after` up to `until`, in order, `limit` at the most.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn list_after(&mut self, after: i64, until: i64, limit: i64) -> Result<Vec<AuditRow>, StoreError> {
        let sql = "SELECT * FROM audit_log WHERE seq > $1 AND seq <= $2 ORDER BY seq LIMIT $3";
        self.0.all(sql, &[&after, &until, &limit]).await
    }

    /// The hash of a row, where there is such a row.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn hash_of(&mut self, seq: i64) -> Result<Option<String>, StoreError> {
        let row: Option<(String,)> = self.0.optional("SELECT hash FROM audit_log WHERE seq = $1", &[&seq]).await?;
        Ok(row.map(|(hash,)| hash))
    }

    /// The number of a row before the first or beyond the head, which nothing of ours writes. One statement, so that rows written meanwhile
    /// are not taken for one.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn first_outside(&mut self) -> Result<Option<i64>, StoreError> {
        let sql = "SELECT seq FROM audit_log WHERE seq < 1 OR seq > (SELECT seq FROM audit_head WHERE id = 1) \
                   ORDER BY seq LIMIT 1";
        let row: Option<(i64,)> = self.0.optional(sql, &[]).await?;
        Ok(row.map(|(seq,)| seq))
    }

    /// The last number before `at`: what an export since `at` begins after.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn last_before(&mut self, at: Instant) -> Result<i64, StoreError> {
        let sql = "SELECT seq FROM audit_log WHERE at < $1 ORDER BY seq DESC LIMIT 1";
        let row: Option<(i64,)> = self.0.optional(sql, &[&at]).await?;
        Ok(row.map_or(0, |(seq,)| seq))
    }

    /// The newest rows that match, newest first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn search(&mut self, search: &AuditSearch) -> Result<Vec<AuditRow>, StoreError> {
        let sql = "SELECT * FROM audit_log WHERE at >= $1 AND ($2 = '' OR subject = $2 OR actor = $2) \
                   AND ($3 = '' OR action = $3) ORDER BY seq DESC LIMIT $4";
        self.0.all(sql, &[&search.since, &search.about, &search.action, &search.limit]).await
    }

    /// Login names of people: what makes rows readable.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn logins(&mut self, users: &[UserId]) -> Result<Vec<(UserId, String)>, StoreError> {
        let list: Vec<&dyn Param> = users.iter().map(|id| -> &dyn Param { id }).collect();
        self.0.all_in("SELECT id, login FROM users WHERE id", &[], &list, "").await
    }

    /// Writes rows.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn insert(&mut self, rows: &[AuditRow]) -> Result<(), StoreError> {
        let rows: Vec<Vec<&dyn Param>> = rows.iter().map(values).collect();
        self.0.insert_rows(INSERT, &rows, "").await.map(drop)
    }
}
