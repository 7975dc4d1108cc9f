//! The change log: the ordered outbox.

use uuid::Uuid;

use super::{Param, StoreError, Tx};
use crate::model::{Change, ChangeKind, LoggedChange, ObjectKind, PlanId, RunId};
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
        let rows: Vec<Vec<&dyn Param>> = changes
            .iter()
            .map(|c| -> Vec<&dyn Param> { vec![&at, &run, &c.kind, &c.object_kind, &c.object_id, &c.before, &c.after] })
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

    /// What else happened since to what the run changed: to the same attributes, the same membership, the same role.
    /// Runs that were taken back whole, and the runs that did so, cancel each other out and are passed over.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn later_than(&mut self, run: RunId) -> Result<Vec<LaterChange>, StoreError> {
        let sql = "WITH facets AS (SELECT seq, at, run_id, kind, object_kind, object_id, CASE \
                       WHEN kind IN ('member_added', 'member_removed') THEN COALESCE(after, before) ->> 'member_id' \
                       WHEN kind IN ('role_granted', 'role_revoked') \
                       THEN (COALESCE(after, before) ->> 'role') || ' ' || (COALESCE(after, before) ->> 'rule') \
                       || ' ' || COALESCE(COALESCE(after, before) ->> 'scope', '') \
                       ELSE '' END AS facet FROM change_log \
                       WHERE object_id IN (SELECT object_id FROM change_log WHERE run_id = $1)) \
                   SELECT DISTINCT later.object_kind, later.object_id, later.facet, later.kind, later.run_id, later.at, \
                   later.seq FROM facets later JOIN facets own ON own.object_id = later.object_id AND own.facet = later.facet \
                   AND own.run_id = $1 WHERE later.seq > own.seq AND (later.run_id IS NULL OR later.run_id <> $1 \
                   AND later.run_id NOT IN (SELECT run_id FROM plans WHERE state = 'undone') \
                   AND later.run_id NOT IN (SELECT u.run_id FROM plans u JOIN plans p ON p.id = u.undoes \
                   WHERE u.applied_at IS NOT NULL AND p.state = 'undone')) ORDER BY later.seq";
        self.0.all(sql, &[&run]).await
    }
}

/// Something that happened later to what a run had changed.
#[derive(Clone, PartialEq, Eq, Debug, sqlx::FromRow)]
pub struct LaterChange {
    /// Kind of object.
    pub object_kind: ObjectKind,
    /// The object.
    pub object_id: Uuid,
    /// Empty for the object's own attributes; the member's id, or role and rule, for a membership or a role.
    pub facet: String,
    /// What happened.
    pub kind: ChangeKind,
    /// By which run; none when by no run.
    pub run_id: Option<RunId>,
    /// When.
    pub at: Instant,
}
