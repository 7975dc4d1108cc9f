//! Runs of a sync.

use serde_json::Value;

use super::{Json, StoreError, Tx};
use crate::model::{PlanId, Run, RunId, RunState};
use crate::time::Instant;

/// Store functions of runs.
#[derive(Debug)]
pub struct Runs<'a>(&'a mut Tx);

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
