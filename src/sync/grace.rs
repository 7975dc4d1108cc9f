//! After the grace period: who has been gone for long enough is deleted, and what is personal is forgotten.
//!
//! What stays is what a re-hire and the record need: our id, the employee number, the link's id at the source, the times.
//! Names, login, addresses, attributes, place, groups, roles and what other sources said go. The change log, plans and the
//! audit log keep what they recorded, for as long as they are kept themselves.

use crate::audit::{self, Action, Event, Outcome};
use crate::broker::Broker;
use crate::model::{Change, ChangeKind, EndReason, ObjectKind, RunState, Status, UserId};

use super::plan::{current_ground, finish, write_report};
use super::report::{HeldReason, RunReport};
use super::run::begin;
use super::{SyncError, source_config};

/// Deletes the people of a source whose grace period is over. More than `grace.max_deleted` at once want `is_approved`:
/// without it nobody is deleted, and the report is held.
///
/// # Errors
/// [`SyncError`]: nobody was deleted.
pub async fn delete_due(broker: &Broker, source: &str, by: &str, is_approved: bool) -> Result<RunReport, SyncError> {
    let config = source_config(broker, source)?;
    let Some(after) = config.grace.delete_after else { return Err(SyncError::NoGrace(source.to_owned())) };
    let begun = begin(broker, source, by).await?;
    let before = broker.clock.now() - after.0;
    let due = async { Ok::<_, SyncError>(broker.db.read().await?.users().list_due(source, before).await?) }.await;
    let result = match due {
        Ok(due) => {
            let due: Vec<UserId> = due.into_iter().map(|(id,)| id).collect();
            let count = i64::try_from(due.len()).unwrap_or(i64::MAX);
            let is_held = count > config.grace.max_deleted && !is_approved;
            let mut report = begun.report.clone();
            if is_held {
                let limit = config.grace.max_deleted;
                report.state = RunState::Held;
                let (code, about) = ("deleted".to_owned(), String::new());
                report.held = vec![HeldReason { code, actual: count, limit, about, key: String::new() }];
                note(broker, report, Outcome::Denied).await
            } else if due.is_empty() {
                report.state = RunState::Unchanged;
                note(broker, report, Outcome::Success).await
            } else {
                delete(broker, source, &due, report).await
            }
        }
        Err(error) => Err(error),
    };
    begun.end(broker, result).await
}

/// Notes a look that deleted nobody.
async fn note(broker: &Broker, mut report: RunReport, outcome: Outcome) -> Result<RunReport, SyncError> {
    let now = broker.clock.now();
    finish(&mut report, now);
    let mut tx = broker.db.write().await?;
    write_report(&mut tx, &report).await?;
    if outcome == Outcome::Denied {
        let details = serde_json::json!({ "run": report.run_id, "held": report.held });
        let event = Event::new(Action::Sync, outcome, &report.started_by, format!("source:{}", report.source));
        audit::append(&mut tx, now, &[event.with(details)]).await?;
    }
    tx.commit().await?;
    Ok(report)
}

async fn delete(broker: &Broker, source: &str, due: &[UserId], mut report: RunReport) -> Result<RunReport, SyncError> {
    let config = source_config(broker, source)?;
    let now = broker.clock.now();
    let mut tx = broker.db.read().await?;
    let state = tx.source_states().find(source).await?;
    let version = current_ground(broker, config, &mut tx, state.as_ref()).await?.version;
    drop(tx);
    let mut tx = broker.db.write().await?;
    // Plans that were made before know these people otherwise: their ground has moved.
    if !tx.source_states().advance(source, version, report.run_id, now).await? {
        return Err(SyncError::Busy(source.to_owned()));
    }
    let changes: Vec<Change> = due
        .iter()
        .map(|id| Change {
            kind: ChangeKind::Deleted,
            object_kind: ObjectKind::User,
            object_id: id.0,
            before: None,
            after: Some(serde_json::json!({ "status": Status::Deleted }).into()),
        })
        .collect();
    tx.users().reduce(due, now).await?;
    tx.contributions().forget(due).await?;
    tx.links().forget_names(source, due).await?;
    tx.change_log().append(&changes, report.run_id, now).await?;
    tx.revoke_people(due, EndReason::Disabled, now).await?;
    report.state = RunState::Applied;
    report.deleted = u64::try_from(due.len()).unwrap_or(u64::MAX);
    report.changes = report.deleted;
    finish(&mut report, broker.clock.now());
    let by = &report.started_by;
    let details = serde_json::json!({ "run": report.run_id, "deleted": report.deleted });
    let mut events = vec![Event::new(Action::Sync, Outcome::Success, by, format!("source:{source}")).with(details)];
    events.extend(due.iter().map(|id| {
        let details = serde_json::json!({ "run": report.run_id, "change": ChangeKind::Deleted });
        Event::new(Action::Sync, Outcome::Success, by, format!("user:{id}")).with(details)
    }));
    audit::append(&mut tx, now, &events).await?;
    write_report(&mut tx, &report).await?;
    tx.commit().await?;
    Ok(report)
}
