//! Where sources are continued from, what plans carry, references that lead nowhere, and how long leavers could get in.

use super::{Json, Param, StoreError, Tx};
use crate::model::{Lockout, PlanId, RunId, SyncPosition};
use crate::time::Instant;
use serde_json::Value;

/// Store functions of positions.
#[derive(Debug)]
pub struct SyncPositions<'a>(&'a mut Tx);

impl Tx {
    /// Positions of sources.
    pub fn sync_positions(&mut self) -> SyncPositions<'_> {
        SyncPositions(self)
    }
}

impl SyncPositions<'_> {
    /// What is known of the source.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn find(&mut self, source: &str) -> Result<Option<SyncPosition>, StoreError> {
        self.0.optional("SELECT * FROM sync_positions WHERE source = $1", &[&source]).await
    }

    /// Writes where the source is continued from; none when it cannot be.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn store(
        &mut self,
        source: &str,
        position: Option<&Value>,
        at: Instant,
        full_because: Option<String>,
    ) -> Result<(), StoreError> {
        let position = position.cloned().map(Json);
        let sql = "INSERT INTO sync_positions (source, position, taken_at, full_because) VALUES ($1, $2, $3, $4) \
                   ON CONFLICT (source) DO UPDATE SET position = excluded.position, taken_at = excluded.taken_at, \
                   full_because = excluded.full_because, blocked_by = NULL";
        self.0.run(sql, &[&source, &position, &at, &full_because]).await.map(drop)
    }

    /// Moves on from `old` after a read that brought nothing; does nothing when somebody was faster.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn go_on(&mut self, source: &str, taken_at: Instant, new: &Value, at: Instant) -> Result<(), StoreError> {
        let new = Json(new);
        let sql = "UPDATE sync_positions SET position = $3, taken_at = $4 WHERE source = $1 AND taken_at = $2";
        self.0.run(sql, &[&source, &taken_at, &new, &at]).await.map(drop)
    }

    /// Notes that increments wait for a held plan, or (none) that they do no longer.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn block(&mut self, source: &str, plan: Option<PlanId>, at: Instant) -> Result<(), StoreError> {
        let sql = "INSERT INTO sync_positions (source, taken_at, blocked_by) VALUES ($1, $3, $2) \
                   ON CONFLICT (source) DO UPDATE SET blocked_by = excluded.blocked_by";
        self.0.run(sql, &[&source, &plan, &at]).await.map(drop)
    }

    /// Keeps what a plan carries beside its changes.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn insert_carry(&mut self, plan: PlanId, carry: &Value) -> Result<(), StoreError> {
        let carry = Json(carry);
        self.0.run("INSERT INTO plan_carries (plan_id, carry) VALUES ($1, $2)", &[&plan, &carry]).await.map(drop)
    }

    /// What a plan carries.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn find_carry(&mut self, plan: PlanId) -> Result<Option<Value>, StoreError> {
        let sql = "SELECT carry FROM plan_carries WHERE plan_id = $1";
        let row: Option<(Json<Value>,)> = self.0.optional(sql, &[&plan]).await?;
        Ok(row.map(|row| row.0.0))
    }

    /// Forgets what applied and superseded plans of the source carried.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn drop_carries(&mut self, source: &str) -> Result<(), StoreError> {
        let sql = "DELETE FROM plan_carries WHERE plan_id IN \
                   (SELECT id FROM plans WHERE source = $1 AND state NOT IN ('planned', 'held'))";
        self.0.run(sql, &[&source]).await.map(drop)
    }

    /// Names that are referred to and that nobody has: all of the source.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn list_dangling(&mut self, source: &str) -> Result<Vec<(String,)>, StoreError> {
        self.0.all("SELECT dn_path FROM sync_dangling WHERE source = $1", &[&source]).await
    }

    /// Which of these names are referred to and nobody's.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn dangling_among(&mut self, source: &str, paths: &[String]) -> Result<Vec<(String,)>, StoreError> {
        let list: Vec<&dyn Param> = paths.iter().map(|path| -> &dyn Param { path }).collect();
        self.0.all_in("SELECT dn_path FROM sync_dangling WHERE source = $1 AND dn_path", &[&source], &list, "").await
    }

    /// Adds names that nobody has.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn add_dangling(&mut self, source: &str, paths: &[String]) -> Result<(), StoreError> {
        let rows: Vec<Vec<&dyn Param>> = paths.iter().map(|path| -> Vec<&dyn Param> { vec![&source, path] }).collect();
        let head = "INSERT INTO sync_dangling (source, dn_path)";
        self.0.insert_rows(head, &rows, "ON CONFLICT DO NOTHING").await.map(drop)
    }

    /// Takes names out that somebody has, or that nobody refers to any more.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn remove_dangling(&mut self, source: &str, paths: &[String]) -> Result<(), StoreError> {
        let list: Vec<&dyn Param> = paths.iter().map(|path| -> &dyn Param { path }).collect();
        self.0.run_in("DELETE FROM sync_dangling WHERE source = $1 AND dn_path", &[&source], &list, "").await.map(drop)
    }

    /// Writes how long leavers could still get in.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn insert_lockouts(&mut self, lockouts: &[Lockout]) -> Result<(), StoreError> {
        let rows: Vec<Vec<&dyn Param>> = lockouts
            .iter()
            .map(|l| -> Vec<&dyn Param> {
                vec![&l.run_id, &l.user_id, &l.source, &l.changed_at, &l.read_at, &l.committed_at, &l.millis]
            })
            .collect();
        let head = "INSERT INTO sync_lockouts (run_id, user_id, source, changed_at, read_at, committed_at, millis)";
        self.0.insert_rows(head, &rows, "").await.map(drop)
    }

    /// The last `limit` lock-outs of a source, newest first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn list_lockouts(&mut self, source: &str, limit: i64) -> Result<Vec<Lockout>, StoreError> {
        let sql = "SELECT * FROM sync_lockouts WHERE source = $1 ORDER BY committed_at DESC, user_id LIMIT $2";
        self.0.all(sql, &[&source, &limit]).await
    }

    /// Lock-outs of one run.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn lockouts_of(&mut self, run: RunId) -> Result<Vec<Lockout>, StoreError> {
        self.0.all("SELECT * FROM sync_lockouts WHERE run_id = $1 ORDER BY user_id", &[&run]).await
    }
}
