//! What the guard's rolling windows add up: what plans did that nobody had looked at.

use super::{Param, StoreError, Tx};
use crate::model::RunId;
use crate::time::Instant;

/// Store functions of the guard's counts.
#[derive(Debug)]
pub struct GuardCounts<'a>(&'a mut Tx);

impl Tx {
    /// Counts of the guard.
    pub fn guard_counts(&mut self) -> GuardCounts<'_> {
        GuardCounts(self)
    }
}

impl GuardCounts<'_> {
    /// Notes what a run did: (what, about, how many).
    ///
    /// # Errors
    /// When the database fails.
    pub async fn insert(
        &mut self,
        run: RunId,
        source: &str,
        at: Instant,
        counts: &[(&str, String, i64)],
    ) -> Result<(), StoreError> {
        let rows: Vec<Vec<&dyn Param>> = counts
            .iter()
            .map(|(what, about, amount)| -> Vec<&dyn Param> { vec![&run, &source, &at, what, about, amount] })
            .collect();
        let head = "INSERT INTO guard_counts (run_id, source, at, what, about, amount)";
        self.0.insert_rows(head, &rows, "").await.map(drop)
    }

    /// Sums of the source: (what, about, after `day`, after `week`).
    ///
    /// # Errors
    /// When the database fails.
    pub async fn since(
        &mut self,
        source: &str,
        day: Instant,
        week: Instant,
    ) -> Result<Vec<(String, String, i64, i64)>, StoreError> {
        let sql = "SELECT what, about, CAST(SUM(CASE WHEN at > $2 THEN amount ELSE 0 END) AS BIGINT), \
                   CAST(SUM(amount) AS BIGINT) FROM guard_counts WHERE source = $1 AND at > $3 GROUP BY what, about";
        self.0.all(sql, &[&source, &day, &week]).await
    }

    /// Forgets what a run did: it was taken back.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn forget(&mut self, run: RunId) -> Result<(), StoreError> {
        self.0.run("DELETE FROM guard_counts WHERE run_id = $1", &[&run]).await.map(drop)
    }

    /// Forgets what is out of every window.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn purge(&mut self, before: Instant) -> Result<u64, StoreError> {
        self.0.run("DELETE FROM guard_counts WHERE at < $1", &[&before]).await
    }
}
