//! A run: one at a time for each source, from the first entry to the report.

use crate::audit::{self, Action, Event, Outcome};
use crate::broker::Broker;
use crate::config::{SourceConfig, crash_point};
use crate::jobs::Lease;
use crate::model::{PlanState, Run, RunId, RunKind, RunState};
use crate::source::{self, Position, Read, Snapshot, SourceError};
use crate::store::Json;
use crate::text::Fault;

use super::apply::{Approval, apply_prepared, summary};
use super::dates::keep_dates;
use super::delta::Note;
use super::document::value;
use super::ownership::configured;
use super::plan::{Looked, Nothing, finish, make, write_report};
use super::report::{FullReason, RunReport};
use super::settled::{self, Settled};
use super::{SyncError, source_config};

/// How far a run has come, for a person who waits.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Progress {
    /// Entries read so far.
    Reading(u64),
    /// The snapshot is sealed; it is mapped and compared.
    Comparing(u64),
    /// The plan is applied: so many steps.
    Applying(u64),
}

/// Where progress is told.
pub type Report<'a> = &'a mut (dyn FnMut(Progress) + Send);

/// Reads the source and stores a plan; nothing of it is applied.
///
/// # Errors
/// [`SyncError`]: nothing was concluded.
pub async fn plan(broker: &Broker, source: &str, by: &str, progress: Report<'_>) -> Result<RunReport, SyncError> {
    let begun = begin(broker, source, by).await?;
    let result = Box::pin(read(broker, source, begun.report.clone(), false, progress)).await;
    begun.end(broker, result).await
}

/// Reads the source, plans, and applies the plan unless the guard holds it.
///
/// # Errors
/// [`SyncError`]: nothing was concluded.
pub async fn run(broker: &Broker, source: &str, by: &str, progress: Report<'_>) -> Result<RunReport, SyncError> {
    // What has come by its date is no business of this plan, nor of its guard.
    Box::pin(keep_dates(broker, source)).await?;
    run_because(broker, source, by, None, progress).await
}

/// Like [`run`], where an increment was meant and cannot do.
pub(super) async fn run_because(
    broker: &Broker,
    source: &str,
    by: &str,
    because: Option<(FullReason, Option<Fault>)>,
    progress: Report<'_>,
) -> Result<RunReport, SyncError> {
    let mut begun = begin(broker, source, by).await?;
    if let Some((reason, fault)) = because {
        begun.report.because = Some(reason);
        begun.report.refused = fault.map(Box::new);
    }
    let result = Box::pin(read(broker, source, begun.report.clone(), true, progress)).await;
    begun.end(broker, result).await
}

/// Plans from a snapshot that was read already; `is_applied` applies the plan unless the guard holds it.
///
/// # Errors
/// [`SyncError`]: nothing was concluded.
pub async fn take_snapshot(
    broker: &Broker,
    snapshot: &Snapshot,
    by: &str,
    is_applied: bool,
) -> Result<RunReport, SyncError> {
    let begun = begin(broker, &snapshot.source, by).await?;
    let result = Box::pin(look(broker, snapshot.clone(), None, begun.report.clone(), is_applied, &mut |_| {})).await;
    begun.end(broker, result).await
}

/// Reads the source, and looks at what was read unless it is what left nothing to do the last time.
async fn read(
    broker: &Broker,
    source: &str,
    report: RunReport,
    is_applied: bool,
    progress: Report<'_>,
) -> Result<RunReport, SyncError> {
    let config = source_config(broker, source)?;
    let settled = Settled::find(broker, config).await?;
    let stored = broker.db.read().await?.sync_positions().find(source).await?;
    let is_wanted = stored.as_ref().is_none_or(|stored| stored.position.is_none() || stored.full_because.is_some());
    let folder = &broker.config.folder;
    // Taken before the first entry is read, so that nothing in between is missed.
    let position = position(config, folder).await?;
    let old = stored.and_then(|stored| serde_json::from_value::<Note>(stored.position?.0).ok());
    if let Some(url) = position.as_ref().zip(old.as_ref()).and_then(|(new, old)| new.behind(&old.position)) {
        return Err(SourceError::Behind { url }.into());
    }
    // A new position needs entries that it goes with: they are read even where nothing differs.
    let known = settled.as_ref().map(|settled| settled.content.clone());
    let known = known.filter(|_| report.because.is_none() && (position.is_none() || !is_wanted));
    let mut told = |read: source::Progress| progress(Progress::Reading(read.entries));
    let snapshot = match source::read_unless(config, folder, known, &mut told).await? {
        Read::Whole(snapshot) => *snapshot,
        Read::Same => {
            if let Some(settled) = settled
                && let Some(report) = settled.again(broker, report.clone(), is_applied).await?
            {
                return Ok(report);
            }
            // A plan was applied while this was read: everything is looked at.
            source::read(config, folder, &mut told).await?
        }
    };
    let position = position.filter(|position| position.goes_with(&snapshot));
    let position = position.map(|position| match &old {
        Some(old) => position.remembering(&old.position),
        None => position,
    });
    Box::pin(look(broker, snapshot, position, report, is_applied, progress)).await
}

/// Where the source stands; none where it cannot tell. Who cannot tell may still be read, but not with a password that was
/// refused: a directory that counts failures would count two for each run.
async fn position(config: &SourceConfig, folder: &std::path::Path) -> Result<Option<Position>, SyncError> {
    match source::position(config, folder).await {
        Err(error @ (SourceError::Bind { .. } | SourceError::Kerberos { .. })) => Err(error.into()),
        Err(error) => {
            tracing::warn!(source = %config.name, %error, "where the source stands could not be asked");
            Ok(None)
        }
        Ok(position) => Ok(position),
    }
}

pub(super) async fn look(
    broker: &Broker,
    snapshot: Snapshot,
    position: Option<Position>,
    report: RunReport,
    is_applied: bool,
    progress: Report<'_>,
) -> Result<RunReport, SyncError> {
    crash_point("read");
    let config = source_config(broker, &snapshot.source)?;
    for warning in &snapshot.warnings {
        tracing::warn!(source = %snapshot.source, "{warning}");
    }
    progress(Progress::Comparing(u64::try_from(snapshot.users.len()).unwrap_or(0)));
    let looked = make(broker, config, snapshot, position, report).await?;
    act(broker, looked, is_applied, progress).await
}

/// Applies what was found, unless the guard holds it.
pub(super) async fn act(
    broker: &Broker,
    looked: Looked,
    is_applied: bool,
    progress: Report<'_>,
) -> Result<RunReport, SyncError> {
    match looked {
        Looked::Nothing(nothing) => unchanged(broker, *nothing, is_applied).await,
        Looked::Plan(prepared) if is_applied && prepared.plan.state == PlanState::Planned => {
            progress(Progress::Applying(prepared.report.changes));
            let by = prepared.report.started_by.clone();
            apply_prepared(broker, *prepared, Approval { by: &by, is_given: false }).await
        }
        Looked::Plan(prepared) => Ok(prepared.report),
    }
}

/// Notes a run that found nothing to do.
async fn unchanged(broker: &Broker, nothing: Nothing, is_applied: bool) -> Result<RunReport, SyncError> {
    let Nothing { mut report, findings, ground, settles, carry } = nothing;
    let now = broker.clock.now();
    finish(&mut report, now);
    let mut tx = broker.db.write().await?;
    if is_applied {
        carry.write(&mut tx, &report.source, report.run_id, &findings, now).await?;
        if carry.kind == RunKind::Full {
            let seen = i64::try_from(report.users.read).unwrap_or(i64::MAX);
            tx.source_states().describe(&report.source, &ground.scope_digest, &ground.roles_digest, seen).await?;
            settled::note(&mut tx, &report.source, &ground, settles.as_deref(), report.run_id).await?;
        }
        let subject = format!("source:{}", report.source);
        let event = Event::new(Action::Sync, Outcome::Success, &report.started_by, subject).with(summary(&report));
        audit::append(&mut tx, now, &[event]).await?;
    }
    write_report(&mut tx, &report).await?;
    tx.commit().await?;
    Ok(report)
}

/// A run under way: it holds the source's lease.
pub(super) struct Begun {
    lease: Lease,
    pub report: RunReport,
}

/// Takes the source's lease and notes the run.
pub(super) async fn begin(broker: &Broker, source: &str, by: &str) -> Result<Begun, SyncError> {
    configured(broker, source).await?;
    begin_any(broker, source, by).await
}

/// The same of a source that may no longer be configured.
pub(super) async fn begin_any(broker: &Broker, source: &str, by: &str) -> Result<Begun, SyncError> {
    let name = format!("sync:{source}");
    let Some(lease) = Lease::take(&broker.db, &broker.clock, &broker.rng, &name).await? else {
        return Err(SyncError::Busy(source.to_owned()));
    };
    crash_point("leased");
    let now = broker.clock.now();
    let report = RunReport::new(RunId::new(&broker.rng, now), source, by, now);
    let run = Run {
        id: report.run_id,
        source: source.to_owned(),
        state: RunState::Running,
        started_by: by.to_owned(),
        started_at: now,
        ended_at: None,
        plan_id: None,
        report: Json(value(&report)),
    };
    let mut tx = broker.db.write().await?;
    tx.runs().fail_interrupted(source, now).await?;
    tx.runs().insert(&run).await?;
    tx.commit().await?;
    crash_point("begun");
    Ok(Begun { lease, report })
}

impl Begun {
    /// Ends a run that found somebody else had done its work: it leaves no trace.
    pub async fn forget(self, broker: &Broker) -> Result<(), SyncError> {
        let mut tx = broker.db.write().await?;
        tx.runs().delete(self.report.run_id).await?;
        tx.commit().await?;
        self.lease.release().await?;
        Ok(())
    }

    /// Gives the lease back; a failed run is noted with its reason. A database that fails at that too hides nothing: what
    /// the run came to is what counts, an unnoted run is found by the next one, and a lease runs out by itself.
    pub async fn end(self, broker: &Broker, result: Result<RunReport, SyncError>) -> Result<RunReport, SyncError> {
        if let Err(error) = &result
            && let Err(cause) = note_failure(broker, self.report, error).await
        {
            tracing::error!(%cause, "the failed run could not be noted");
        }
        if let Err(cause) = self.lease.release().await {
            tracing::warn!(%cause, "the lease of the run could not be given back; it runs out by itself");
        }
        crash_point("released");
        result
    }
}

async fn note_failure(broker: &Broker, mut report: RunReport, error: &SyncError) -> Result<(), SyncError> {
    report.state = RunState::Failed;
    report.error = Some(error.to_string());
    report.fault = Some(Box::new(error.fault()));
    let now = broker.clock.now();
    finish(&mut report, now);
    let subject = format!("source:{}", report.source);
    let details = serde_json::json!({ "run": report.run_id, "error": report.error });
    let event = Event::new(Action::Sync, Outcome::Failure, &report.started_by, subject).with(details);
    let mut tx = broker.db.write().await?;
    write_report(&mut tx, &report).await?;
    audit::append(&mut tx, now, &[event]).await?;
    tx.commit().await?;
    Ok(())
}
