//! The audit log and its head.

use serde::Serialize;

use super::{Param, StoreError, Tx};
use crate::time::Instant;

/// One row of the log, as stored.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, sqlx::FromRow)]
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

    /// Writes rows.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn insert(&mut self, rows: &[AuditRow]) -> Result<(), StoreError> {
        let rows: Vec<Vec<&dyn Param>> = rows
            .iter()
            .map(|r| -> Vec<&dyn Param> {
                vec![
                    &r.seq,
                    &r.at,
                    &r.action,
                    &r.outcome,
                    &r.actor,
                    &r.subject,
                    &r.address,
                    &r.request_id,
                    &r.details,
                    &r.hash,
                ]
            })
            .collect();
        let head =
            "INSERT INTO audit_log (seq, at, action, outcome, actor, subject, address, request_id, details, hash)";
        self.0.insert_rows(head, &rows, "").await.map(drop)
    }
}
