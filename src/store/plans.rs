//! Plans, their changes and their links.

use uuid::Uuid;

use super::{PORTION, Param, StoreError, Tx};
use crate::model::{Change, ChangeKind, Document, ObjectKind, Plan, PlanId, PlanState, PlannedLink, RunId, StepGroup};
use crate::time::Instant;

/// A row of `plan_changes` without its number.
type ChangeRow = (ChangeKind, ObjectKind, Uuid, Option<Document>, Option<Document>);

/// Store functions of plans.
#[derive(Debug)]
pub struct Plans<'a>(&'a mut Tx);

impl Tx {
    /// Plans.
    pub fn plans(&mut self) -> Plans<'_> {
        Plans(self)
    }
}

impl Plans<'_> {
    /// The plan with this id.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn find(&mut self, id: PlanId) -> Result<Option<Plan>, StoreError> {
        self.0.optional("SELECT * FROM plans WHERE id = $1", &[&id]).await
    }

    /// The newest plan of the source that may still be applied or approved.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn find_waiting(&mut self, source: &str, now: Instant) -> Result<Option<Plan>, StoreError> {
        let sql = "SELECT * FROM plans WHERE source = $1 AND state IN ('planned', 'held') AND expires_at > $2 \
                   ORDER BY created_at DESC, id DESC LIMIT 1";
        self.0.optional(sql, &[&source, &now]).await
    }

    /// The plan of the source that was applied last.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn find_last_applied(&mut self, source: &str) -> Result<Option<Plan>, StoreError> {
        let sql = "SELECT p.* FROM plans p JOIN source_state s ON s.source = p.source AND s.last_run_id = p.run_id \
                   WHERE p.source = $1 AND p.applied_at IS NOT NULL";
        self.0.optional(sql, &[&source]).await
    }

    /// The applied plan of a run, where it was applied and not taken back.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn find_applied(&mut self, source: &str, run: RunId) -> Result<Option<Plan>, StoreError> {
        let sql = "SELECT * FROM plans WHERE source = $1 AND run_id = $2 AND applied_at IS NOT NULL";
        self.0.optional(sql, &[&source, &run]).await
    }

    /// Notes the first of two approvals; tells whether it was the first, and the plan still waits.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn approve_first(&mut self, plan: PlanId, by: &str, now: Instant) -> Result<bool, StoreError> {
        let sql = "UPDATE plans SET approved_by = $2, approved_at = $3 \
                   WHERE id = $1 AND state = 'held' AND approved_by IS NULL AND expires_at > $3";
        Ok(self.0.run(sql, &[&plan, &by, &now]).await? > 0)
    }

    /// Rejects a waiting plan; tells whether it still waited. Its links are forgotten, its changes can be looked at.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn reject(&mut self, plan: PlanId, by: &str, reason: &str, now: Instant) -> Result<bool, StoreError> {
        let sql = "UPDATE plans SET state = 'rejected', decided_by = $2, reason = $3, decided_at = $4 \
                   WHERE id = $1 AND state IN ('planned', 'held')";
        let is_rejected = self.0.run(sql, &[&plan, &by, &reason, &now]).await? > 0;
        if is_rejected {
            self.0.run("DELETE FROM plan_links WHERE plan_id = $1", &[&plan]).await?;
        }
        Ok(is_rejected)
    }

    /// Writes a new plan.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn insert(&mut self, p: &Plan) -> Result<(), StoreError> {
        let sql = "INSERT INTO plans (id, source, run_id, state, digest, ground, guard, summary, findings, undoes, \
                   created_at, expires_at, settles) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)";
        let params: [&dyn Param; 13] = [
            &p.id,
            &p.source,
            &p.run_id,
            &p.state,
            &p.digest,
            &p.ground,
            &p.guard,
            &p.summary,
            &p.findings,
            &p.undoes,
            &p.created_at,
            &p.expires_at,
            &p.settles,
        ];
        self.0.run(sql, &params).await.map(drop)
    }

    /// Writes the changes of a plan, in order.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn insert_changes(&mut self, plan: PlanId, changes: &[Change]) -> Result<(), StoreError> {
        let head = "INSERT INTO plan_changes (plan_id, seq, kind, object_kind, object_id, before, after, step)";
        let mut numbers = 1..;
        for portion in changes.chunks(PORTION) {
            let steps: Vec<(i64, StepGroup)> = numbers.by_ref().zip(portion.iter().map(StepGroup::of)).collect();
            let rows: Vec<Vec<&dyn Param>> = portion
                .iter()
                .zip(&steps)
                .map(|(c, (seq, step))| -> Vec<&dyn Param> {
                    vec![&plan, seq, &c.kind, &c.object_kind, &c.object_id, &c.before, &c.after, step]
                })
                .collect();
            self.0.insert_rows(head, &rows, "").await?;
        }
        Ok(())
    }

    /// The changes of a plan, in order.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn changes(&mut self, plan: PlanId) -> Result<Vec<Change>, StoreError> {
        let sql =
            "SELECT kind, object_kind, object_id, before, after FROM plan_changes WHERE plan_id = $1 ORDER BY seq";
        let rows: Vec<ChangeRow> = self.0.all(sql, &[&plan]).await?;
        Ok(rows.into_iter().map(change).collect())
    }

    /// How many changes a plan has of each group of steps.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn count_steps(&mut self, plan: PlanId) -> Result<Vec<(StepGroup, i64)>, StoreError> {
        let sql = "SELECT step, COUNT(*) FROM plan_changes WHERE plan_id = $1 AND step <> '' GROUP BY step";
        self.0.all(sql, &[&plan]).await
    }

    /// Changes of one group of steps, in order, a page of them.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn list_step(
        &mut self,
        plan: PlanId,
        step: StepGroup,
        (limit, offset): (i64, i64),
    ) -> Result<Vec<Change>, StoreError> {
        let sql = "SELECT kind, object_kind, object_id, before, after FROM plan_changes \
                   WHERE plan_id = $1 AND step = $2 ORDER BY seq LIMIT $3 OFFSET $4";
        let rows: Vec<ChangeRow> = self.0.all(sql, &[&plan, &step, &limit, &offset]).await?;
        Ok(rows.into_iter().map(change).collect())
    }

    /// Changes of these objects, each object's in order.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn list_of(&mut self, plan: PlanId, objects: &[Uuid]) -> Result<Vec<Change>, StoreError> {
        let list: Vec<&dyn Param> = objects.iter().map(|id| -> &dyn Param { id }).collect();
        let head =
            "SELECT kind, object_kind, object_id, before, after FROM plan_changes WHERE plan_id = $1 AND object_id";
        let rows: Vec<ChangeRow> = self.0.all_in(head, &[&plan], &list, "ORDER BY seq").await?;
        Ok(rows.into_iter().map(change).collect())
    }

    /// Writes the links as they will be once the plan is applied; `paths` are those of their names (`source::Dn::path`),
    /// one a link.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn insert_links(
        &mut self,
        plan: PlanId,
        links: &[PlannedLink],
        paths: &[String],
    ) -> Result<(), StoreError> {
        let rows: Vec<Vec<&dyn Param>> = links
            .iter()
            .zip(paths)
            .map(|(l, path)| -> Vec<&dyn Param> {
                vec![&plan, &l.kind, &l.external_id, &l.object_id, &l.dn, &l.digest, &l.password, path]
            })
            .collect();
        let head = "INSERT INTO plan_links (plan_id, kind, external_id, object_id, dn, digest, password, dn_path)";
        self.0.insert_rows(head, &rows, "").await.map(drop)
    }

    /// New password hashes of a plan: (our id, hash).
    ///
    /// # Errors
    /// When the database fails.
    pub async fn passwords(&mut self, plan: PlanId) -> Result<Vec<(Uuid, String)>, StoreError> {
        let sql = "SELECT object_id, password FROM plan_links WHERE plan_id = $1 AND password IS NOT NULL";
        self.0.all(sql, &[&plan]).await
    }

    /// Takes a plan for applying: tells whether it was still waiting. One caller gets it.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn consume(
        &mut self,
        plan: PlanId,
        decided_by: Option<String>,
        now: Instant,
    ) -> Result<bool, StoreError> {
        let sql = "UPDATE plans SET state = 'applied', applied_at = $2, decided_by = $3, \
                   decided_at = CASE WHEN $3 IS NULL THEN NULL ELSE $2 END \
                   WHERE id = $1 AND state IN ('planned', 'held') AND expires_at > $2";
        Ok(self.0.run(sql, &[&plan, &now, &decided_by]).await? > 0)
    }

    /// Sets what became of a plan.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn set_state(&mut self, plan: PlanId, state: PlanState) -> Result<(), StoreError> {
        self.0.run("UPDATE plans SET state = $2 WHERE id = $1", &[&plan, &state]).await.map(drop)
    }

    /// Forgets steps of plans that were decided before (or expired before), a batch. Tells how many.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn purge_changes(&mut self, before: Instant, batch: i64) -> Result<u64, StoreError> {
        let sql = "DELETE FROM plan_changes WHERE (plan_id, seq) IN (SELECT c.plan_id, c.seq FROM plan_changes c \
                   JOIN plans p ON p.id = c.plan_id WHERE COALESCE(p.applied_at, p.decided_at, p.expires_at) < $1 LIMIT $2)";
        self.0.run(sql, &[&before, &batch]).await
    }

    /// Forgets old plans whose steps are gone, a batch; the one that the source stands on is kept. Tells how many.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn purge(&mut self, before: Instant, batch: i64) -> Result<u64, StoreError> {
        let old = "SELECT p.id FROM plans p WHERE COALESCE(p.applied_at, p.decided_at, p.expires_at) < $1 \
                   AND NOT EXISTS (SELECT 1 FROM plan_changes c WHERE c.plan_id = p.id) \
                   AND NOT EXISTS (SELECT 1 FROM source_state s WHERE s.last_run_id = p.run_id) LIMIT $2";
        let ids: Vec<(PlanId,)> = self.0.all(old, &[&before, &batch]).await?;
        let list: Vec<&dyn Param> = ids.iter().map(|(id,)| -> &dyn Param { id }).collect();
        self.0.run_in("DELETE FROM plan_links WHERE plan_id", &[], &list, "").await?;
        self.0.run_in("DELETE FROM plans WHERE id", &[], &list, "").await
    }

    /// Other waiting plans of the source lose their turn; their links and changes are forgotten.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn supersede(&mut self, source: &str, keep: PlanId) -> Result<(), StoreError> {
        let sql =
            "UPDATE plans SET state = 'superseded' WHERE source = $1 AND id <> $2 AND state IN ('planned', 'held')";
        self.0.run(sql, &[&source, &keep]).await?;
        let sql = "DELETE FROM plan_links WHERE plan_id IN \
                   (SELECT id FROM plans WHERE source = $1 AND state NOT IN ('planned', 'held'))";
        self.0.run(sql, &[&source]).await?;
        let sql = "DELETE FROM plan_changes WHERE plan_id IN \
                   (SELECT id FROM plans WHERE source = $1 AND state IN ('superseded', 'undone'))";
        self.0.run(sql, &[&source]).await.map(drop)
    }
}

fn change((kind, object_kind, object_id, before, after): ChangeRow) -> Change {
    Change { kind, object_kind, object_id, before, after }
}
