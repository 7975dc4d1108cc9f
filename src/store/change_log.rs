//! The change log: the ordered outbox.

use serde_json::Value;
use uuid::Uuid;

use super::{Json, Param, StoreError, Tx};
use crate::model::{Change, LoggedChange, ObjectKind, PlanId, RunId};
use crate::time::Instant;

/// Store functions of the change log.
#[derive(Debug)]
pub struct ChangeLog<'a>(&'a mut Tx);

impl Tx {
    /// The change log.
    pub fn change_log(&mut self) -> ChangeLog<'_> {
        ChangeLog(self)
    }
}

impl ChangeLog<'_> {
    /// Appends the changes of a plan, in order.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn append_plan(&mut self, plan: PlanId, run: RunId, at: Instant) -> Result<u64, StoreError> {
        let sql = "INSERT INTO change_log (at, run_id, kind, object_kind, object_id, before, after) \
                   SELECT $3, $2, kind, object_kind, object_id, before, after FROM plan_changes WHERE plan_id = $1 \
                   ORDER BY seq";
        self.0.run(sql, &[&plan, &run, &at]).await
    }

    /// Appends changes that no plan holds, in order.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn append(&mut self, changes: &[Change], run: RunId, at: Instant) -> Result<(), StoreError> {
        let json = |document: &Option<Value>| document.clone().map(Json);
        let documents: Vec<_> = changes.iter().map(|one| (json(&one.before), json(&one.after))).collect();
        let rows: Vec<Vec<&dyn Param>> = changes
            .iter()
            .zip(&documents)
            .map(|(c, (before, after))| -> Vec<&dyn Param> {
                vec![&at, &run, &c.kind, &c.object_kind, &c.object_id, before, after]
            })
            .collect();
        let head = "INSERT INTO change_log (at, run_id, kind, object_kind, object_id, before, after)";
        self.0.insert_rows(head, &rows, "").await.map(drop)
    }

    /// The next `limit` changes after the cursor, in order.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn list_after(&mut self, cursor: i64, limit: i64) -> Result<Vec<LoggedChange>, StoreError> {
        let sql = "SELECT * FROM change_log WHERE seq > $1 ORDER BY seq LIMIT $2";
        self.0.all(sql, &[&cursor, &limit]).await
    }

    /// What happened to one object, newest first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn list_by_object(&mut self, object: Uuid, limit: i64) -> Result<Vec<LoggedChange>, StoreError> {
        let sql = "SELECT * FROM change_log WHERE object_id = $1 ORDER BY seq DESC LIMIT $2";
        self.0.all(sql, &[&object, &limit]).await
    }

    /// How many of the source's people were disabled since `since`, those left out whose last day had come.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn count_disabled(&mut self, source: &str, since: Instant) -> Result<i64, StoreError> {
        let sql = "SELECT COUNT(*) FROM change_log c JOIN users u ON u.id = c.object_id \
                   WHERE c.kind = 'disabled' AND c.object_kind = 'user' AND c.at > $2 AND u.source = $1 \
                     AND NOT EXISTS (SELECT 1 FROM runs r WHERE r.id = c.run_id AND r.started_by = 'dates')";
        let (count,): (i64,) = self.0.one(sql, &[&source, &since]).await?;
        Ok(count)
    }

    /// Objects of the run that something else has changed since.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn changed_since(&mut self, run: RunId) -> Result<Vec<(ObjectKind, Uuid)>, StoreError> {
        let sql = "SELECT DISTINCT later.object_kind, later.object_id FROM change_log later \
                   JOIN change_log own ON own.object_id = later.object_id AND own.run_id = $1 \
                   WHERE later.seq > own.seq AND (later.run_id IS NULL OR later.run_id <> $1)";
        self.0.all(sql, &[&run]).await
    }
}
