//! One step of keeping a source up to date: an increment, or a full run where an increment cannot do.

use crate::broker::Broker;
use crate::config::SourceConfig;
use crate::model::{PlanId, RunKind, RunState, SyncPosition};
use crate::source::{self, Changes, Delta};
use crate::store::StoreError;
use crate::text::Fault;
use crate::time::Instant;

use super::super::apply::current_ground;
use super::super::plan::make_part;
use super::super::report::{FullReason, RunReport};
use super::super::run::{Begun, Progress, Report, act, begin, run_because};
use super::super::settled;
use super::super::{SyncError, source_config};
use super::Note;
use super::known::Linked;

/// Why nothing was read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Waiting {
    /// The first run is by schedule or by hand.
    FirstRun,
    /// The source cannot tell what changes.
    NotPossible,
    /// A plan is held; nothing is read past it.
    Held(PlanId),
}

/// What a step came to.
#[derive(Clone, PartialEq, Debug)]
pub enum Increment {
    /// Nothing changed at the source.
    Nothing,
    /// Nothing was read.
    Waits(Waiting),
    /// Something was planned and, unless held, applied; the last of these says whether more is to do.
    Ran(Vec<RunReport>),
}

/// Reads what changed at the source and applies it unless the guard holds it; where that is not enough, a full run follows
/// or takes its place.
///
/// # Errors
/// [`SyncError`]: nothing was concluded, the next step tries again.
pub async fn increment(broker: &Broker, source: &str, by: &str, progress: Report<'_>) -> Result<Increment, SyncError> {
    let first = step(broker, source, by, progress).await?;
    let Increment::Ran(mut reports) = first else { return Ok(first) };
    if reports.last().is_some_and(|report| !report.full_follows.is_empty())
        && let Increment::Ran(more) = step(broker, source, by, progress).await?
    {
        reports.extend(more);
    }
    Ok(Increment::Ran(reports))
}

/// One increment, or one full run.
pub(super) async fn step(
    broker: &Broker,
    source: &str,
    by: &str,
    progress: Report<'_>,
) -> Result<Increment, SyncError> {
    let config = source_config(broker, source)?;
    let stored = broker.db.read().await?.sync_positions().find(source).await?;
    let (stored, note) = match begin_with(broker, config, stored).await? {
        Start::Waits(why) => return Ok(Increment::Waits(why)),
        Start::Full(reason) => return full(broker, source, by, (reason, None), progress).await,
        Start::From(stored, note) => (*stored, *note),
    };
    let known = Linked { db: broker.db.clone(), source: source.to_owned() };
    let folder = &broker.config.folder;
    let mut told = |read: source::Progress| progress(Progress::Reading(read.entries));
    let read_at = broker.clock.now();
    match source::read_changes(config, folder, &note.position, &known, &mut told).await? {
        Changes::FullNeeded { why } => {
            full(broker, source, by, (FullReason::Refused, Some(why.fault())), progress).await
        }
        Changes::Delta(delta) if delta.is_empty() => {
            if delta.position != note.position {
                let new = super::super::document::value(&Note { position: delta.position, ground: note.ground });
                let mut tx = broker.db.write().await?;
                tx.sync_positions().go_on(source, stored.taken_at, &new, broker.clock.now()).await?;
                tx.commit().await?;
            }
            Ok(Increment::Nothing)
        }
        Changes::Delta(delta) => {
            let begun = begin_increment(broker, source, by, RunKind::Incremental).await?;
            let now = broker.db.read().await?.sync_positions().find(source).await?;
            if now.is_none_or(|now| now.taken_at != stored.taken_at) {
                // Somebody else went on from here meanwhile: what was read is read again from there.
                return begun.forget(broker).await.map(|()| Increment::Nothing);
            }
            Ok(Increment::Ran(vec![Box::pin(conclude(broker, config, (&delta, read_at), begun)).await?]))
        }
    }
}

/// Where a step begins.
enum Start {
    Waits(Waiting),
    Full(FullReason),
    From(Box<SyncPosition>, Box<Note>),
}

async fn begin_with(broker: &Broker, config: &SourceConfig, stored: Option<SyncPosition>) -> Result<Start, SyncError> {
    let state = broker.db.read().await?.source_states().find(&config.name).await?;
    let Some(state) = state else { return Ok(Start::Waits(Waiting::FirstRun)) };
    let Some(stored) = stored else { return Ok(Start::Full(FullReason::NoPosition)) };
    if let Some(plan) = stored.blocked_by {
        return Ok(Start::Waits(Waiting::Held(plan)));
    }
    if let Some(reason) = stored.full_because.as_deref() {
        return Ok(Start::Full(reason.parse().unwrap_or(FullReason::NoPosition)));
    }
    let Some(note) = stored.position.clone() else { return Ok(Start::Waits(Waiting::NotPossible)) };
    let ground = current_ground(broker, &config.name).await?;
    let are_same = state.scope_digest == ground.scope_digest && state.roles_digest == ground.roles_digest;
    match serde_json::from_value::<Note>(note.0) {
        Ok(note) if are_same && note.ground == settled::way(&ground) => {
            Ok(Start::From(Box::new(stored), Box::new(note)))
        }
        _ => Ok(Start::Full(FullReason::SettingsChanged)),
    }
}

async fn full(
    broker: &Broker,
    source: &str,
    by: &str,
    because: (FullReason, Option<Fault>),
    progress: Report<'_>,
) -> Result<Increment, SyncError> {
    let report = Box::pin(run_because(broker, source, by, Some(because), progress)).await?;
    block_if_held(broker, &report).await?;
    Ok(Increment::Ran(vec![report]))
}

/// Plans from a delta that was read already, and applies the plan unless the guard holds it. `kind` is how it came.
///
/// # Errors
/// [`SyncError`]: nothing was concluded.
pub async fn take_delta(broker: &Broker, delta: &Delta, by: &str, kind: RunKind) -> Result<RunReport, SyncError> {
    let config = source_config(broker, &delta.source)?;
    let begun = begin_increment(broker, &delta.source, by, kind).await?;
    let read_at = begun.report.started_at;
    Box::pin(conclude(broker, config, (delta, read_at), begun)).await
}

async fn begin_increment(broker: &Broker, source: &str, by: &str, kind: RunKind) -> Result<Begun, SyncError> {
    let mut begun = begin(broker, source, by).await?;
    begun.report.kind = kind;
    Ok(begun)
}

async fn conclude(
    broker: &Broker,
    config: &SourceConfig,
    (delta, read_at): (&Delta, Instant),
    begun: Begun,
) -> Result<RunReport, SyncError> {
    for warning in &delta.warnings {
        tracing::warn!(source = %delta.source, "{warning}");
    }
    let result = async {
        let looked = Box::pin(make_part(broker, config, delta, read_at, begun.report.clone())).await?;
        act(broker, looked, true, &mut |_| {}).await
    };
    let result = result.await;
    let report = begun.end(broker, result).await?;
    block_if_held(broker, &report).await?;
    Ok(report)
}

/// Nothing is read past a held plan: what it holds back would be held again every few seconds.
async fn block_if_held(broker: &Broker, report: &RunReport) -> Result<(), StoreError> {
    if report.state != RunState::Held {
        return Ok(());
    }
    let mut tx = broker.db.write().await?;
    tx.sync_positions().block(&report.source, report.plan_id, broker.clock.now()).await?;
    tx.commit().await
}
