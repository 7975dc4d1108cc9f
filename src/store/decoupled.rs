//! Sign-ins asked for in one place and approved in another.

use super::{StoreError, Tx};
use crate::model::{DecoupledId, DecoupledRequest, GrantId, UserId};
use crate::time::Instant;

/// Rows deleted by one statement of the purge.
const BATCH: i64 = 500;
/// Requests that one person is shown at the most.
const SHOWN: i64 = 50;

/// A request whose application is to be told.
#[derive(sqlx::FromRow)]
struct Ping {
    #[sqlx(flatten)]
    request: DecoupledRequest,
    ping_attempts: i64,
}

/// Store functions of decoupled sign-ins.
#[derive(Debug)]
pub struct Decoupled<'a>(&'a mut Tx);

impl Tx {
    /// Decoupled sign-ins.
    pub fn decoupled(&mut self) -> Decoupled<'_> {
        Decoupled(self)
    }
}

impl Decoupled<'_> {
    /// The request that is polled with this hash.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn find(&mut self, secret_hash: &str) -> Result<Option<DecoupledRequest>, StoreError> {
        self.0.optional("SELECT * FROM decoupled_requests WHERE secret_hash = $1", &[&secret_hash]).await
    }

    /// The pending request with this user code.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn find_by_code(&mut self, hash: &str, now: Instant) -> Result<Option<DecoupledRequest>, StoreError> {
        let sql =
            "SELECT * FROM decoupled_requests WHERE user_code_hash = $1 AND state = 'pending' AND expires_at > $2";
        self.0.optional(sql, &[&hash, &now]).await
    }

    /// The pending request of this id that is meant for `user`.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn find_waiting(
        &mut self,
        id: DecoupledId,
        user: UserId,
        now: Instant,
    ) -> Result<Option<DecoupledRequest>, StoreError> {
        let sql = "SELECT * FROM decoupled_requests WHERE id = $1 AND user_id = $2 AND kind = 'ciba' \
                   AND state = 'pending' AND expires_at > $3";
        self.0.optional(sql, &[&id, &user, &now]).await
    }

    /// The requests that wait for a decision of `user`, newest first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn list_waiting(&mut self, user: UserId, now: Instant) -> Result<Vec<DecoupledRequest>, StoreError> {
        let sql = "SELECT * FROM decoupled_requests WHERE user_id = $1 AND kind = 'ciba' AND state = 'pending' \
                   AND expires_at > $2 ORDER BY created_at DESC LIMIT $3";
        self.0.all(sql, &[&user, &now, &SHOWN]).await
    }

    /// Writes a new request.
    ///
    /// # Errors
    /// When the database fails, [`StoreError::Conflict`] when the user code is taken.
    pub async fn insert(&mut self, r: &DecoupledRequest) -> Result<(), StoreError> {
        let sql = "INSERT INTO decoupled_requests (secret_hash, id, kind, user_code_hash, user_id, application_id, \
                   scope, details, state, address, poll_seconds, created_at, expires_at) \
                   VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)";
        let row: [&dyn super::Param; 13] = [
            &r.secret_hash,
            &r.id,
            &r.kind,
            &r.user_code_hash,
            &r.user_id,
            &r.application_id,
            &r.scope,
            &r.details,
            &r.state,
            &r.address,
            &r.poll_seconds,
            &r.created_at,
            &r.expires_at,
        ];
        self.0.run(sql, &row).await.map(drop)
    }

    /// Notes a poll, and the interval from now on.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn polled(&mut self, secret_hash: &str, now: Instant, seconds: i64) -> Result<(), StoreError> {
        let sql = "UPDATE decoupled_requests SET polled_at = $2, poll_seconds = $3 WHERE secret_hash = $1";
        self.0.run(sql, &[&secret_hash, &now, &seconds]).await.map(drop)
    }

    /// Approves a pending request, for the first caller only.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn approve(
        &mut self,
        id: DecoupledId,
        user: UserId,
        grant: GrantId,
        now: Instant,
    ) -> Result<Option<DecoupledRequest>, StoreError> {
        let sql = "UPDATE decoupled_requests SET state = 'approved', user_id = $2, grant_id = $3, decided_at = $4, \
                   ping_due_at = CASE WHEN details ->> 'notification' IS NOT NULL THEN $4 END \
                   WHERE id = $1 AND state = 'pending' AND expires_at > $4 RETURNING *";
        self.0.optional(sql, &[&id, &user, &grant, &now]).await
    }

    /// Refuses a pending request, for the first caller only.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn refuse(
        &mut self,
        id: DecoupledId,
        user: UserId,
        now: Instant,
    ) -> Result<Option<DecoupledRequest>, StoreError> {
        let sql = "UPDATE decoupled_requests SET state = 'refused', user_id = $2, decided_at = $3, \
                   ping_due_at = CASE WHEN details ->> 'notification' IS NOT NULL THEN $3 END \
                   WHERE id = $1 AND state = 'pending' AND expires_at > $3 RETURNING *";
        self.0.optional(sql, &[&id, &user, &now]).await
    }

    /// Takes the tokens of an approved request, for the first caller only.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn consume(&mut self, secret_hash: &str) -> Result<Option<DecoupledRequest>, StoreError> {
        let sql = "UPDATE decoupled_requests SET state = 'used', ping_due_at = NULL WHERE secret_hash = $1 \
                   AND state = 'approved' RETURNING *";
        self.0.optional(sql, &[&secret_hash]).await
    }

    /// The applications that are to be told of a decision.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn pings_due(&mut self, now: Instant) -> Result<Vec<String>, StoreError> {
        let sql = "SELECT DISTINCT application_id FROM decoupled_requests WHERE ping_due_at <= $1";
        let rows: Vec<(String,)> = self.0.all(sql, &[&now]).await?;
        Ok(rows.into_iter().map(|row| row.0).collect())
    }

    /// Takes up to `limit` decided requests, of which the application is to be told, until `until`: each goes to one
    /// caller. Tells how often each was tried, this time included.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn take_pings(
        &mut self,
        application: &str,
        now: Instant,
        until: Instant,
        limit: i64,
    ) -> Result<Vec<(DecoupledRequest, i64)>, StoreError> {
        // The outer condition is looked at again after waiting for another node's row.
        let sql = "UPDATE decoupled_requests SET ping_due_at = $3, ping_attempts = ping_attempts + 1 \
                   WHERE application_id = $1 AND ping_due_at <= $2 AND secret_hash IN (SELECT secret_hash \
                   FROM decoupled_requests WHERE application_id = $1 AND ping_due_at <= $2 ORDER BY ping_due_at \
                   LIMIT $4) RETURNING *";
        let rows: Vec<Ping> = self.0.all(sql, &[&application, &now, &until, &limit]).await?;
        Ok(rows.into_iter().map(|row| (row.request, row.ping_attempts)).collect())
    }

    /// Writes when the application is told next: never, where it was told or nothing is left to tell.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn pinged(&mut self, id: DecoupledId, next: Option<Instant>) -> Result<(), StoreError> {
        // Whoever has the tokens meanwhile is told nothing.
        let sql = "UPDATE decoupled_requests SET ping_due_at = $2 WHERE id = $1 AND ping_due_at IS NOT NULL";
        self.0.run(sql, &[&id, &next]).await.map(drop)
    }

    /// Deletes one batch of requests that expired before `before`; tells how many.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn purge(&mut self, before: Instant) -> Result<u64, StoreError> {
        let sql = "DELETE FROM decoupled_requests WHERE secret_hash IN \
                   (SELECT secret_hash FROM decoupled_requests WHERE expires_at < $1 LIMIT $2)";
        self.0.run(sql, &[&before, &BATCH]).await
    }
}
