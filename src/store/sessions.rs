//! Sessions.

use std::collections::BTreeSet;

use super::{Param, StoreError, Tx};
use crate::model::{EndReason, Session, SessionId, UserId};
use crate::time::Instant;

/// Sessions deleted by one statement of the purge.
const BATCH: i64 = 500;

/// Notes what sessions reached; see [`reached_values`].
pub(super) const REACHED: &str = "INSERT INTO session_applications (session_id, application_id, first_at, last_at)";
/// What follows the values.
pub(super) const REACHED_AGAIN: &str =
    "ON CONFLICT (session_id, application_id) DO UPDATE SET last_at = EXCLUDED.last_at";

/// The values of an application that a session reached.
pub(super) fn reached_values<'p>(
    (session, application): &'p (SessionId, &'p str),
    now: &'p Instant,
) -> Vec<&'p dyn Param> {
    vec![session, application, now, now]
}

/// Store functions of sessions.
#[derive(Debug)]
pub struct Sessions<'a>(&'a mut Tx);

impl Tx {
    /// Sessions.
    pub fn sessions(&mut self) -> Sessions<'_> {
        Sessions(self)
    }
}

impl Sessions<'_> {
    /// The session whose cookie hashes to `token_hash`, live or not.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn find_by_token(&mut self, token_hash: &str) -> Result<Option<Session>, StoreError> {
        self.0.optional("SELECT * FROM sessions WHERE token_hash = $1", &[&token_hash]).await
    }

    /// The session with this id, live or not.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn find(&mut self, id: SessionId) -> Result<Option<Session>, StoreError> {
        self.0.optional("SELECT * FROM sessions WHERE id = $1", &[&id]).await
    }

    /// A person's live sessions, newest first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn list_live(&mut self, user: UserId, now: Instant) -> Result<Vec<Session>, StoreError> {
        let sql = "SELECT * FROM sessions WHERE user_id = $1 AND ended_at IS NULL AND idle_expires_at > $2 \
                   AND expires_at > $2 ORDER BY created_at DESC";
        self.0.all(sql, &[&user, &now]).await
    }

    /// Writes a new session.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn insert(&mut self, s: &Session) -> Result<(), StoreError> {
        let sql = "INSERT INTO sessions (id, token_hash, user_id, operator_id, auth_time, amr, address, user_agent, \
                   created_at, last_seen_at, idle_expires_at, expires_at) \
                   VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)";
        self.0
            .run(
                sql,
                &[
                    &s.id,
                    &s.token_hash,
                    &s.user_id,
                    &s.operator_id,
                    &s.auth_time,
                    &s.amr,
                    &s.address,
                    &s.user_agent,
                    &s.created_at,
                    &s.last_seen_at,
                    &s.idle_expires_at,
                    &s.expires_at,
                ],
            )
            .await
            .map(drop)
    }

    /// Puts the fresh proof `fresh` into the person's session with the token hash `old`: id, `created_at` and what hangs
    /// on the session stay, all else is that of `fresh`. Gives the session as it is now; none when it has ended, is
    /// another's, or has another token by now.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn renew(&mut self, old: &str, fresh: &Session) -> Result<Option<Session>, StoreError> {
        self.0.invalidates();
        let sql = "UPDATE sessions SET token_hash = $3, auth_time = $4, amr = $5, address = $6, user_agent = $7, \
                   last_seen_at = $8, idle_expires_at = $9, expires_at = $10 \
                   WHERE token_hash = $1 AND user_id = $2 AND ended_at IS NULL RETURNING *";
        self.0
            .optional(
                sql,
                &[
                    &old,
                    &fresh.user_id,
                    &fresh.token_hash,
                    &fresh.auth_time,
                    &fresh.amr,
                    &fresh.address,
                    &fresh.user_agent,
                    &fresh.last_seen_at,
                    &fresh.idle_expires_at,
                    &fresh.expires_at,
                ],
            )
            .await
    }

    /// Notes that the session was used.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn touch(&mut self, id: SessionId, now: Instant, idle_expires_at: Instant) -> Result<(), StoreError> {
        let sql = "UPDATE sessions SET last_seen_at = $2, idle_expires_at = $3 WHERE id = $1 AND ended_at IS NULL";
        self.0.run(sql, &[&id, &now, &idle_expires_at]).await.map(drop)
    }

    /// Ends the session with the grants made from it (but not those with `offline_access`, which outlive it by
    /// design); tells whether it was live.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn end(&mut self, id: SessionId, reason: EndReason, now: Instant) -> Result<bool, StoreError> {
        self.0.invalidates();
        let sql = "UPDATE sessions SET ended_at = $2, ended_reason = $3 WHERE id = $1 AND ended_at IS NULL";
        let ended = self.0.run(sql, &[&id, &now, &reason]).await?;
        let sql = "UPDATE grants SET revoked_at = $2, revoked_reason = $3 WHERE session_id = $1 AND revoked_at IS NULL \
                   AND ' ' || scope || ' ' NOT LIKE '% offline_access %'";
        self.0.run(sql, &[&id, &now, &reason]).await?;
        Ok(ended > 0)
    }

    /// Ends every live session of the person but `keep`, with their grants; tells how many sessions.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn end_others(
        &mut self,
        user: UserId,
        keep: SessionId,
        reason: EndReason,
        now: Instant,
    ) -> Result<u64, StoreError> {
        self.0.invalidates();
        let sql = "UPDATE grants SET revoked_at = $3, revoked_reason = $4 WHERE user_id = $1 AND revoked_at IS NULL \
                   AND session_id IN (SELECT id FROM sessions WHERE user_id = $1 AND id <> $2 AND ended_at IS NULL)";
        self.0.run(sql, &[&user, &keep, &now, &reason]).await?;
        let sql = "UPDATE sessions SET ended_at = $3, ended_reason = $4 WHERE user_id = $1 AND id <> $2 \
                   AND ended_at IS NULL";
        self.0.run(sql, &[&user, &keep, &now, &reason]).await
    }

    /// Ends one batch of sessions that ran out by `now`, with the grants made from them; tells how many. A session that
    /// was not used at the broker for too long (`idle_since` is when) stands while an application refreshes tokens of it.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn end_expired(&mut self, now: Instant, idle_since: Instant) -> Result<u64, StoreError> {
        // Two questions, each with an index of its own: with OR, every live session would be looked at.
        let sql = "SELECT s.id FROM sessions s WHERE s.ended_at IS NULL AND s.expires_at <= $1 \
                   UNION SELECT s.id FROM sessions s WHERE s.ended_at IS NULL AND s.idle_expires_at <= $1 \
                   AND NOT EXISTS (SELECT 1 FROM grants g JOIN refresh_tokens r ON r.grant_id = g.id \
                   WHERE g.session_id = s.id AND g.revoked_at IS NULL AND r.created_at > $2) LIMIT $3";
        let over: Vec<(SessionId,)> = self.0.all(sql, &[&now, &idle_since, &BATCH]).await?;
        if over.is_empty() {
            return Ok(0);
        }
        self.0.invalidates();
        let list: Vec<&dyn Param> = over.iter().map(|(id,)| -> &dyn Param { id }).collect();
        let reason = EndReason::Expired;
        let head = "UPDATE grants SET revoked_at = $1, revoked_reason = $2 WHERE revoked_at IS NULL \
                    AND ' ' || scope || ' ' NOT LIKE '% offline_access %' AND session_id";
        self.0.run_in(head, &[&now, &reason], &list, "").await?;
        let head = "UPDATE sessions SET ended_at = $1, ended_reason = $2 WHERE ended_at IS NULL AND id";
        self.0.run_in(head, &[&now, &reason], &list, "").await
    }

    /// The applications that a session reached, live or not.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn reached_by(&mut self, id: SessionId) -> Result<Vec<String>, StoreError> {
        let sql =
            "SELECT application_id FROM session_applications WHERE session_id = $1 ORDER BY first_at, application_id";
        let rows: Vec<(String,)> = self.0.all(sql, &[&id]).await?;
        Ok(rows.into_iter().map(|row| row.0).collect())
    }

    /// Notes that the session reached an application: what single logout has to tell, and what people see.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn reached(&mut self, id: SessionId, application: &str, now: Instant) -> Result<(), StoreError> {
        self.reached_all(&BTreeSet::from([(id, application)]), now).await
    }

    /// Notes which sessions reached which applications.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn reached_all(&mut self, reached: &BTreeSet<(SessionId, &str)>, now: Instant) -> Result<(), StoreError> {
        let rows: Vec<Vec<&dyn Param>> = reached.iter().map(|reached| reached_values(reached, &now)).collect();
        self.0.insert_rows(REACHED, &rows, REACHED_AGAIN).await.map(drop)
    }

    /// The applications that the person's live sessions reached, by session.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn list_reached(&mut self, user: UserId) -> Result<Vec<(SessionId, String)>, StoreError> {
        let sql = "SELECT a.session_id, a.application_id FROM session_applications a \
                   JOIN sessions s ON s.id = a.session_id WHERE s.user_id = $1 AND s.ended_at IS NULL \
                   ORDER BY a.first_at, a.application_id";
        self.0.all(sql, &[&user]).await
    }

    /// Deletes one batch of sessions that ended or expired before `before`, with the applications they reached, once no
    /// grant names them any more (ending "all other sessions" finds grants by their session); tells how many rows.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn purge(&mut self, before: Instant) -> Result<u64, StoreError> {
        // What was over before then was opened before then: the index on `created_at` spares the live sessions.
        let sql = "SELECT s.id FROM sessions s WHERE s.created_at < $1 \
                   AND (s.ended_at < $1 OR s.idle_expires_at < $1 OR s.expires_at < $1) \
                   AND NOT EXISTS (SELECT 1 FROM grants g WHERE g.session_id = s.id) ORDER BY s.created_at LIMIT $2";
        let dead: Vec<(SessionId,)> = self.0.all(sql, &[&before, &BATCH]).await?;
        let list: Vec<&dyn Param> = dead.iter().map(|(id,)| -> &dyn Param { id }).collect();
        let reached = self.0.run_in("DELETE FROM session_applications WHERE session_id", &[], &list, "").await?;
        Ok(reached + self.0.run_in("DELETE FROM sessions WHERE id", &[], &list, "").await?)
    }
}
