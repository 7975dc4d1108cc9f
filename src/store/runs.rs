//! Runs of a sync.

use serde_json::Value;

use super::{Json, StoreError, Tx};
use crate::model::{PlanId, Run, RunId, RunState};
use crate::time::Instant;

/// Store functions of runs.
#[derive(Debug)]
pub struct Runs<'a>(&'a mut Tx);

/// A run in a chart.
#[derive(Clone, PartialEq, Eq, Debug, sqlx::FromRow)]
pub struct RunMark {
    /// The run.
    pub id: RunId,
    /// How far it came.
    pub state: RunState,
    /// When started.
    pub started_at: Instant,
    /// New people.
    pub created: i64,
    /// People that differ.
    pub changed: i64,
    /// People gone.
    pub absent: i64,
}

impl Tx {
    /// Runs.
    pub fn runs(&mut self) -> Runs<'_> {
        Runs(self)
    }
}

impl Runs<'_> {
    /// The run with this id.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn find(&mut self, id: RunId) -> Result<Option<Run>, StoreError> {
        self.0.optional("SELECT * FROM runs WHERE id = $1", &[&id]).await
    }

    /// The last `limit` runs of a source, newest first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn list_by_source(&mut self, source: &str, limit: i64) -> Result<Vec<Run>, StoreError> {
        let sql = "SELECT * FROM runs WHERE source = $1 ORDER BY started_at DESC, id DESC LIMIT $2";
        self.0.all(sql, &[&source, &limit]).await
    }

    /// The last `limit` runs of all sources, newest first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn list(&mut self, limit: i64) -> Result<Vec<Run>, StoreError> {
        let sql = "SELECT * FROM runs ORDER BY started_at DESC, id DESC LIMIT $1";
        self.0.all(sql, &[&limit]).await
    }

    /// Runs since a time, the newest first, as far as a chart needs them.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn list_since(&mut self, since: Instant, limit: i64) -> Result<Vec<RunMark>, StoreError> {
        let sql = "SELECT id, state, started_at, CAST(COALESCE(report -> 'users' ->> 'created', '0') AS BIGINT) AS created, \
                   CAST(COALESCE(report -> 'users' ->> 'changed', '0') AS BIGINT) AS changed, \
                   CAST(COALESCE(report -> 'users' ->> 'absent', '0') AS BIGINT) AS absent \
                   FROM runs WHERE started_at > $1 ORDER BY started_at DESC, id DESC LIMIT $2";
        self.0.all(sql, &[&since, &limit]).await
    }

    /// The run of the source before this one that looked at everything: what its numbers are compared with.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn find_before(&mut self, source: &str, before: Instant) -> Result<Option<Run>, StoreError> {
        let sql = "SELECT * FROM runs WHERE source = $1 AND started_at < $2 AND state IN ('applied', 'unchanged') \
                   ORDER BY started_at DESC, id DESC LIMIT 1";
        self.0.optional(sql, &[&source, &before]).await
    }

    /// Writes a new run.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn insert(&mut self, r: &Run) -> Result<(), StoreError> {
        let sql = "INSERT INTO runs (id, source, state, started_by, started_at, ended_at, plan_id, report) \
                   VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
        let params: [&dyn super::Param; 8] =
            [&r.id, &r.source, &r.state, &r.started_by, &r.started_at, &r.ended_at, &r.plan_id, &r.report];
        self.0.run(sql, &params).await.map(drop)
    }

    /// Writes how far a run came.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn update(
        &mut self,
        id: RunId,
        state: RunState,
        ended_at: Instant,
        plan: Option<PlanId>,
        report: &Json<Value>,
    ) -> Result<(), StoreError> {
        let sql = "UPDATE runs SET state = $2, ended_at = $3, plan_id = $4, report = $5 WHERE id = $1";
        self.0.run(sql, &[&id, &state, &ended_at, &plan, report]).await.map(drop)
    }

    /// Forgets old runs, a batch: none that a plan, the source's state or a finding still names. Tells how many.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn purge(&mut self, before: Instant, batch: i64) -> Result<u64, StoreError> {
        let sql = "DELETE FROM runs WHERE id IN (SELECT r.id FROM runs r WHERE r.started_at < $1 AND r.state <> 'running' \
                   AND NOT EXISTS (SELECT 1 FROM plans p WHERE p.run_id = r.id) \
                   AND NOT EXISTS (SELECT 1 FROM source_state s WHERE s.last_run_id = r.id OR s.settled_run_id = r.id) \
                   LIMIT $2)";
        self.0.run(sql, &[&before, &batch]).await
    }

    /// Takes a run back that came to nothing.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn delete(&mut self, id: RunId) -> Result<(), StoreError> {
        self.0.run("DELETE FROM runs WHERE id = $1", &[&id]).await.map(drop)
    }

    /// Marks runs of the source as failed whose process died: called by the holder of the source's lease.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn fail_interrupted(&mut self, source: &str, at: Instant) -> Result<u64, StoreError> {
        let sql = "UPDATE runs SET state = 'failed', ended_at = $2 WHERE source = $1 AND state = 'running'";
        self.0.run(sql, &[&source, &at]).await
    }
}
