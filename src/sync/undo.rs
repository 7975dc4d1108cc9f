//! Undo: the last applied plan of a source, taken back step by step, in one transaction like any other plan.
//!
//! Accounts that the plan made are disabled, not removed: somebody may have signed in. Sessions that it ended stay
//! ended. The next run is held, so that the source does not do at night what was undone by day.

use std::collections::HashSet;

use crate::broker::Broker;
use crate::config::Lifetime;
use crate::model::{Change, ChangeKind, Link, ObjectKind, Plan, PlanId, PlanState, PlannedLink};
use crate::store::Json;

use super::SyncError;
use super::apply::{Approval, apply_prepared, current_ground};
use super::diff::UNDONE;
use super::plan::{digest, store};
use super::report::{Counts, RunReport};
use super::run::begin;

/// Takes back the last applied plan of the source.
///
/// # Errors
/// [`SyncError::NothingToUndo`], [`SyncError::UndoConflicts`] with what was changed by something else since.
pub async fn undo(broker: &Broker, source: &str, by: &str) -> Result<RunReport, SyncError> {
    let begun = begin(broker, source, by).await?;
    let result = take_back(broker, source, by, begun.report.clone()).await;
    begun.end(broker, result).await
}

async fn take_back(broker: &Broker, source: &str, by: &str, mut report: RunReport) -> Result<RunReport, SyncError> {
    let now = broker.clock.now();
    let mut tx = broker.db.read().await?;
    let last = tx.plans().find_last_applied(source).await?;
    let Some(last) = last.filter(|plan| plan.state == PlanState::Applied && plan.undoes.is_none()) else {
        return Err(SyncError::NothingToUndo(source.to_owned()));
    };
    let conflicts = tx.change_log().changed_since(last.run_id).await?;
    if !conflicts.is_empty() {
        return Err(SyncError::UndoConflicts(conflicts.into_iter().map(|(kind, id)| format!("{kind} {id}")).collect()));
    }
    let changes: Vec<Change> = tx.plans().changes(last.id).await?.into_iter().rev().map(reverse).collect();
    let links = links(&changes, tx.links().list_by_source(source).await?);
    drop(tx);
    report.undoes = Some(last.id);
    count(&changes, &mut report);
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
    };
    let prepared = store(broker, plan, changes, (&links, &[]), report).await?;
    apply_prepared(broker, prepared, Approval { by, is_given: false }).await
}

/// The step back.
fn reverse(change: Change) -> Change {
    let kind = match change.kind {
        ChangeKind::Created => return withdraw(change),
        ChangeKind::Disabled => ChangeKind::Enabled,
        ChangeKind::Enabled => ChangeKind::Disabled,
        ChangeKind::MemberAdded => ChangeKind::MemberRemoved,
        ChangeKind::MemberRemoved => ChangeKind::MemberAdded,
        ChangeKind::RoleGranted => ChangeKind::RoleRevoked,
        ChangeKind::RoleRevoked => ChangeKind::RoleGranted,
        ChangeKind::Changed | ChangeKind::Moved | ChangeKind::Deleted => change.kind,
    };
    Change { kind, before: change.after, after: change.before, ..change }
}

/// What was made is taken out of use, with the reason `undone`.
fn withdraw(change: Change) -> Change {
    let mut after = change.after.clone();
    if let Some(document) = after.as_mut().and_then(serde_json::Value::as_object_mut) {
        document.insert("status".to_owned(), "disabled".into());
        if change.object_kind == ObjectKind::User {
            document.insert("status_reason".to_owned(), UNDONE.into());
        }
    }
    Change { kind: ChangeKind::Disabled, before: change.after, after, ..change }
}

/// Links of the touched objects lose their digests: the next run compares them with the source again.
fn links(changes: &[Change], links: Vec<Link>) -> Vec<PlannedLink> {
    let touched: HashSet<uuid::Uuid> = changes.iter().map(|change| change.object_id).collect();
    let touched = links.into_iter().filter(|link| touched.contains(&link.object_id));
    touched
        .map(|link| PlannedLink {
            kind: link.kind,
            external_id: link.external_id,
            object_id: link.object_id,
            dn: link.dn,
            digest: String::new(),
            password: None,
        })
        .collect()
}

/// Counts the steps back.
fn count(changes: &[Change], report: &mut RunReport) {
    let mut seen = HashSet::new();
    for change in changes {
        let counts: &mut Counts = match change.object_kind {
            ObjectKind::User => &mut report.users,
            ObjectKind::Department => &mut report.departments,
            ObjectKind::Position => &mut report.positions,
            ObjectKind::Group => &mut report.groups,
        };
        match change.kind {
            ChangeKind::MemberAdded => report.members.added += 1,
            ChangeKind::MemberRemoved => report.members.removed += 1,
            ChangeKind::RoleGranted | ChangeKind::RoleRevoked => {
                let is_granted = change.kind == ChangeKind::RoleGranted;
                let document = if is_granted { &change.after } else { &change.before };
                let role = document.as_ref().and_then(|document| document.get("role")?.as_str()).unwrap_or_default();
                let role = report.roles.entry(role.to_owned()).or_default();
                role.granted += u64::from(is_granted);
                role.revoked += u64::from(!is_granted);
            }
            kind => {
                counts.moved += u64::from(kind == ChangeKind::Moved);
                counts.enabled += u64::from(kind == ChangeKind::Enabled);
                counts.locked_out += u64::from(kind == ChangeKind::Disabled);
                if seen.insert((change.object_kind, change.object_id)) {
                    counts.changed += 1;
                    counts.read += 1;
                }
            }
        }
    }
}
