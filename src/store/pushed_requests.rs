//! Pushed authorization requests.

use super::{StoreError, Tx};
use crate::model::PushedRequest;
use crate::time::Instant;

/// Rows deleted by one statement of the purge.
const BATCH: i64 = 500;

/// Store functions of pushed authorization requests.
#[derive(Debug)]
pub struct PushedRequests<'a>(&'a mut Tx);

impl Tx {
    /// Pushed authorization requests.
    pub fn pushed_requests(&mut self) -> PushedRequests<'_> {
        PushedRequests(self)
    }
}

impl PushedRequests<'_> {
    /// The request with this hash, used or not.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn find(&mut self, request_hash: &str) -> Result<Option<PushedRequest>, StoreError> {
        self.0.optional("SELECT * FROM pushed_requests WHERE request_hash = $1", &[&request_hash]).await
    }

    /// Writes a new request.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn insert(&mut self, r: &PushedRequest) -> Result<(), StoreError> {
        let sql = "INSERT INTO pushed_requests (request_hash, application_id, parameters, is_signed, created_at, \
                   expires_at) VALUES ($1, $2, $3, $4, $5, $6)";
        let row: [&dyn super::Param; 6] =
            [&r.request_hash, &r.application_id, &r.parameters, &r.is_signed, &r.created_at, &r.expires_at];
        self.0.run(sql, &row).await.map(drop)
    }

    /// Notes that a browser was sent to a page of ours at `at`, and lets the request live until `until`; the first
    /// time only.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn open(&mut self, request_hash: &str, at: Instant, until: Instant) -> Result<(), StoreError> {
        let sql = "UPDATE pushed_requests SET opened_at = $2, expires_at = $3 \
                   WHERE request_hash = $1 AND opened_at IS NULL AND used_at IS NULL";
        self.0.run(sql, &[&request_hash, &at, &until]).await.map(drop)
    }

    /// Takes the request, for the first answer only.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn consume(&mut self, request_hash: &str, at: Instant) -> Result<Option<PushedRequest>, StoreError> {
        let sql = "UPDATE pushed_requests SET used_at = $2 WHERE request_hash = $1 AND used_at IS NULL RETURNING *";
        self.0.optional(sql, &[&request_hash, &at]).await
    }

    /// Deletes one batch of requests that expired before `before`; tells how many.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn purge(&mut self, before: Instant) -> Result<u64, StoreError> {
        let sql = "DELETE FROM pushed_requests WHERE request_hash IN \
                   (SELECT request_hash FROM pushed_requests WHERE expires_at < $1 LIMIT $2)";
        self.0.run(sql, &[&before, &BATCH]).await
    }
}
