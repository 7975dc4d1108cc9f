//! Undo: an applied run of a source, taken back step by step, in one transaction like any other plan.
//!
//! Any run can be taken back while nothing later touched the same: the change log decides. Accounts that the run made
//! are disabled, not removed: somebody may have signed in. Sessions that it ended stay ended. The next run is held, so
//! that the source does not do at night what was undone by day.

mod clean;
mod conflicts;
mod reverse;

use crate::broker::Broker;
use crate::config::Lifetime;
use crate::model::{Change, Plan, PlanId, PlanState, RunId};
use crate::store::{Json, Tx};

use super::SyncError;
use super::apply::{Approval, apply_prepared, current_ground};
use super::plan::{digest, store};
use super::report::RunReport;
use super::run::begin;
use super::traffic;

pub use conflicts::Conflict;

/// Takes back the last applied run of the source.
///
/// # Errors
/// [`SyncError::NothingToUndo`], and those of [`undo_run`].
pub async fn undo(broker: &Broker, source: &str, by: &str) -> Result<RunReport, SyncError> {
    let begun = begin(broker, source, by).await?;
    let result = take_back(broker, (source, None), false, begun.report.clone()).await;
    begun.end(broker, result).await
}

/// Takes back any applied run of the source; `except_conflicts` leaves out what was changed by something else since,
/// where the rest fits together without.
///
/// # Errors
/// [`SyncError::NotUndoable`], [`SyncError::UndoConflicts`] with what changed since, [`SyncError::UndoUnclean`].
pub async fn undo_run(
    broker: &Broker,
    source: &str,
    run: RunId,
    except_conflicts: bool,
    by: &str,
) -> Result<RunReport, SyncError> {
    let begun = begin(broker, source, by).await?;
    let result = take_back(broker, (source, Some(run)), except_conflicts, begun.report.clone()).await;
    begun.end(broker, result).await
}

async fn take_back(
    broker: &Broker,
    (source, run): (&str, Option<RunId>),
    except_conflicts: bool,
    mut report: RunReport,
) -> Result<RunReport, SyncError> {
    let now = broker.clock.now();
    let mut tx = broker.db.read().await?;
    let last = target(&mut tx, source, run).await?;
    let conflicts = conflicts::find(&mut tx, last.run_id).await?;
    if !conflicts.is_empty() && !except_conflicts {
        return Err(SyncError::UndoConflicts(conflicts));
    }
    let changes = tx.plans().changes(last.id).await?;
    if changes.is_empty() {
        return Err(not_undoable(source, last.run_id, "its steps have been cleared away ([sync] keep_undo)"));
    }
    let whole = changes.len();
    let changes = conflicts::without(&conflicts, changes);
    let changes: Vec<Change> = changes.into_iter().rev().map(reverse::reverse).collect();
    if changes.is_empty() {
        return Err(SyncError::UndoConflicts(conflicts));
    }
    report.is_partial = changes.len() < whole;
    clean::check(&mut tx, source, &changes).await?;
    let links = reverse::links(&changes, tx.links().list_by_source(source).await?);
    report.undoes = Some(last.id);
    reverse::count(&changes, &mut report);
    traffic::describe(&mut tx, &changes, &mut report).await?;
    drop(tx);
    let plan = Plan {
        id: PlanId::new(&broker.rng, now),
        source: source.to_owned(),
        run_id: report.run_id,
        state: PlanState::Planned,
        digest: digest(&changes),
        ground: current_ground(broker, source).await?.fingerprint(),
        guard: Json(serde_json::Value::Array(Vec::new())),
        summary: Json(serde_json::Value::Null),
        findings: Json(Vec::new()),
        undoes: Some(last.id),
        created_at: now,
        expires_at: now + Lifetime::seconds(3_600).0,
        decided_at: None,
        decided_by: None,
        applied_at: None,
        settles: None,
        approved_by: None,
        approved_at: None,
        reason: None,
    };
    let by = report.started_by.clone();
    let prepared = store(broker, plan, changes, (&links, &[]), report).await?;
    apply_prepared(broker, prepared, Approval { by: &by, is_given: false }).await
}

/// The plan to take back: that of the run, or the last one.
async fn target(tx: &mut Tx, source: &str, run: Option<RunId>) -> Result<Plan, SyncError> {
    let Some(run) = run else {
        let last = tx.plans().find_last_applied(source).await?;
        let last = last.filter(|plan| plan.state == PlanState::Applied && plan.undoes.is_none());
        return last.ok_or_else(|| SyncError::NothingToUndo(source.to_owned()));
    };
    match tx.plans().find_applied(source, run).await? {
        None => Err(not_undoable(source, run, "it applied nothing")),
        Some(plan) if plan.state == PlanState::Undone => Err(not_undoable(source, run, "it was taken back already")),
        Some(plan) if plan.undoes.is_some() => {
            Err(not_undoable(source, run, "it is an undo itself; run the source again, and approve the plan"))
        }
        Some(plan) => Ok(plan),
    }
}

fn not_undoable(source: &str, run: RunId, why: &'static str) -> SyncError {
    SyncError::NotUndoable { source_name: source.to_owned(), run, why }
}
