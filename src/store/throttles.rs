//! Failed attempts, counted atomically: an attempt is counted before it is judged, so that a burst of guesses cannot
//! outrun the limit, and given back when it succeeds.

use super::{StoreError, Tx};
use crate::time::Instant;

/// Rows deleted by one statement of the purge.
const BATCH: i64 = 500;

/// Limits of one key.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Limit {
    /// Failures before the key has to wait.
    pub failures: i64,
    /// Failures are forgotten so long after the last one.
    pub window: chrono::Duration,
    /// The first wait; each further failure doubles it, up to the window.
    pub wait: chrono::Duration,
}

/// Store functions of throttles.
#[derive(Debug)]
pub struct Throttles<'a>(&'a mut Tx);

impl Tx {
    /// Throttles.
    pub fn throttles(&mut self) -> Throttles<'_> {
        Throttles(self)
    }
}

impl Throttles<'_> {
    /// Counts an attempt; `Err(until)` inside when the key has to wait, and nothing is counted then.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn attempt(&mut self, key: &str, now: Instant, limit: Limit) -> Result<Result<(), Instant>, StoreError> {
        let forget = now - limit.window;
        let sql = "INSERT INTO throttles (key, failures, window_started, blocked_until) VALUES ($1, 1, $2, NULL) \
                   ON CONFLICT (key) DO UPDATE SET blocked_until = NULL, window_started = $2, \
                   failures = CASE WHEN throttles.window_started <= $3 THEN 1 ELSE throttles.failures + 1 END \
                   WHERE throttles.blocked_until IS NULL OR throttles.blocked_until <= $2 RETURNING failures";
        let Some((failures,)) = self.0.optional::<(i64,)>(sql, &[&key, &now, &forget]).await? else {
            let sql = "SELECT blocked_until FROM throttles WHERE key = $1";
            let row: Option<(Option<Instant>,)> = self.0.optional(sql, &[&key]).await?;
            return Ok(Err(row.and_then(|(until,)| until).unwrap_or(now)));
        };
        if failures >= limit.failures {
            let doublings = u32::try_from(failures - limit.failures).unwrap_or(u32::MAX).min(16);
            let wait = limit.wait.checked_mul(1 << doublings).unwrap_or(limit.window).min(limit.window.max(limit.wait));
            let until = now + wait;
            self.0.run("UPDATE throttles SET blocked_until = $2 WHERE key = $1", &[&key, &until]).await?;
        }
        Ok(Ok(()))
    }

    /// Gives back one counted attempt, because it was no failure.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn give_back(&mut self, key: &str, limit: Limit) -> Result<(), StoreError> {
        let sql = "UPDATE throttles SET failures = failures - 1, blocked_until = CASE WHEN failures - 1 < $2 THEN NULL \
                   ELSE blocked_until END WHERE key = $1 AND failures > 0";
        self.0.run(sql, &[&key, &limit.failures]).await.map(drop)
    }

    /// Forgets every failure of the key.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn reset(&mut self, key: &str) -> Result<(), StoreError> {
        self.0.run("DELETE FROM throttles WHERE key = $1", &[&key]).await.map(drop)
    }

    /// Until when the key has to wait, where it has to.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn blocked_until(&mut self, key: &str, now: Instant) -> Result<Option<Instant>, StoreError> {
        let sql = "SELECT blocked_until FROM throttles WHERE key = $1 AND blocked_until > $2";
        Ok(self.0.optional::<(Instant,)>(sql, &[&key, &now]).await?.map(|(until,)| until))
    }

    /// Deletes one batch of keys that no longer count: the last failure is not after `forgotten`, and they need not wait
    /// at `now`; tells how many.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn purge(&mut self, forgotten: Instant, now: Instant) -> Result<u64, StoreError> {
        // The condition stands outside too: a key that is counted again while this waits for its row stays.
        let sql = "DELETE FROM throttles WHERE key IN (SELECT key FROM throttles WHERE window_started <= $1 \
                   AND (blocked_until IS NULL OR blocked_until <= $2) LIMIT $3) \
                   AND window_started <= $1 AND (blocked_until IS NULL OR blocked_until <= $2)";
        self.0.run(sql, &[&forgotten, &now, &BATCH]).await
    }
}
