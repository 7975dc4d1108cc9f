//! Logouts on their way to applications.
//!
//! The trigger `sessions_ended` writes a row for each application that an ended session reached and that wants to be
//! told, in the transaction that ends the session. A row is taken by moving its `due_at` ahead, so that of two nodes one
//! delivers it, and what a killed node had taken is due again.

use super::{Param, StoreError, Tx};
use crate::model::{EndReason, SessionId, UserId};
use crate::time::Instant;

/// A session's end that an application is to be told of.
#[derive(Clone, PartialEq, Eq, Debug, sqlx::FromRow)]
pub struct LogoutDelivery {
    /// The session that ended.
    pub session_id: SessionId,
    /// The application, which may have been removed since.
    pub application_id: String,
    /// Whose session it was.
    pub user_id: UserId,
    /// Where the logout token goes.
    pub uri: String,
    /// Why the session ended.
    pub reason: EndReason,
    /// When it ended.
    pub queued_at: Instant,
    /// When it is tried next.
    pub due_at: Instant,
    /// How often it was tried, this time included.
    pub attempts: i64,
    /// Why it failed last.
    pub last_error: Option<String>,
}

/// What waits for one application.
#[derive(Clone, PartialEq, Eq, Debug, sqlx::FromRow)]
pub struct Backlog {
    /// Which.
    pub application_id: String,
    /// How many logouts.
    pub waiting: i64,
    /// Since when the oldest waits.
    pub since: Instant,
    /// Why the last one failed; one of several.
    pub last_error: Option<String>,
}

/// Store functions of logouts on their way.
#[derive(Debug)]
pub struct LogoutDeliveries<'a>(&'a mut Tx);

impl Tx {
    /// Logouts on their way.
    pub fn logout_deliveries(&mut self) -> LogoutDeliveries<'_> {
        LogoutDeliveries(self)
    }
}

impl LogoutDeliveries<'_> {
    /// Queues a logout for each live session that reached the application: it is about to be removed.
    ///
    /// # Errors
    /// When the database fails.
    pub(super) async fn queue_of_application(&mut self, id: &str, at: Instant) -> Result<u64, StoreError> {
        let sql = "INSERT INTO logout_deliveries (session_id, application_id, user_id, uri, reason, queued_at, due_at) \
                   SELECT s.id, a.id, s.user_id, a.settings -> 'logout' ->> 'backchannel_logout_uri', $3, $2, $2 \
                   FROM session_applications r JOIN applications a ON a.id = r.application_id \
                   JOIN sessions s ON s.id = r.session_id \
                   WHERE r.application_id = $1 AND s.user_id IS NOT NULL AND s.ended_at IS NULL AND s.expires_at > $2 \
                   AND a.settings -> 'logout' ->> 'backchannel_logout_uri' IS NOT NULL ON CONFLICT DO NOTHING";
        self.0.run(sql, &[&id, &at, &EndReason::ApplicationRemoved]).await
    }

    /// The applications for which something is due.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn due(&mut self, now: Instant) -> Result<Vec<String>, StoreError> {
        let sql = "SELECT DISTINCT application_id FROM logout_deliveries WHERE due_at <= $1";
        let rows: Vec<(String,)> = self.0.all(sql, &[&now]).await?;
        Ok(rows.into_iter().map(|row| row.0).collect())
    }

    /// Takes up to `limit` due logouts of the application until `until`: each goes to one caller.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn take(
        &mut self,
        application: &str,
        now: Instant,
        until: Instant,
        limit: i64,
    ) -> Result<Vec<LogoutDelivery>, StoreError> {
        // The outer condition is looked at again after waiting for another node's row.
        let sql = "UPDATE logout_deliveries SET due_at = $3, attempts = attempts + 1 \
                   WHERE application_id = $1 AND due_at <= $2 AND session_id IN (SELECT session_id \
                   FROM logout_deliveries WHERE application_id = $1 AND due_at <= $2 ORDER BY due_at LIMIT $4) RETURNING *";
        self.0.all(sql, &[&application, &now, &until, &limit]).await
    }

    /// Takes these logouts off the queue: delivered, or given up.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn remove(&mut self, application: &str, sessions: &[SessionId]) -> Result<u64, StoreError> {
        let list: Vec<&dyn Param> = sessions.iter().map(|id| -> &dyn Param { id }).collect();
        let head = "DELETE FROM logout_deliveries WHERE application_id = $1 AND session_id";
        self.0.run_in(head, &[&application], &list, "").await
    }

    /// Puts a logout back, to be tried again at `due`. `attempts` counts as given.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn put_back(
        &mut self,
        delivery: &LogoutDelivery,
        due: Instant,
        attempts: i64,
        error: &str,
    ) -> Result<(), StoreError> {
        let sql = "UPDATE logout_deliveries SET due_at = $3, attempts = $4, last_error = $5 \
                   WHERE session_id = $1 AND application_id = $2";
        let row: [&dyn Param; 5] = [&delivery.session_id, &delivery.application_id, &due, &attempts, &error];
        self.0.run(sql, &row).await.map(drop)
    }

    /// What failed at least once and waits, by application.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn backlog(&mut self) -> Result<Vec<Backlog>, StoreError> {
        let sql = "SELECT application_id, COUNT(*) AS waiting, MIN(queued_at) AS since, MAX(last_error) AS last_error \
                   FROM logout_deliveries WHERE last_error IS NOT NULL GROUP BY application_id ORDER BY application_id";
        self.0.all(sql, &[]).await
    }
}
