//! Telling people what came of a sync: by mail and webhook, after runs or at set times.
//!
//! What is untold follows from the runs themselves, so that nothing is lost with a process: each look queues, in one
//! transaction, a delivery for every occasion that has none, and notes on the run what was told of it. Deliveries are
//! taken by one node, tried again for a day, and carry an id by which a receiver knows a repetition.

mod deliver;
mod summary;

use std::time::Duration;

use serde_json::json;
use tokio_util::sync::CancellationToken;

use crate::broker::Broker;
use crate::config::{ReportConfig, ReportOn};
use crate::jobs::Schedule;
use crate::model::{Run, RunState};
use crate::store::{Json, ReportDelivery, StoreError};
use crate::time::Instant;

use super::SyncError;
use super::report::RunReport;

pub use deliver::deliver_due;

/// How often it is looked for what is untold.
const TICK: Duration = Duration::from_secs(5);
/// Runs that one look tells of.
const BATCH: i64 = 100;

/// Queues and delivers until `stop`. Every node does it: an occasion is queued once, a delivery taken by one.
pub async fn tell(broker: Broker, stop: CancellationToken) {
    while !stop.is_cancelled() {
        for done in [queue_untold(&broker).await, queue_scheduled(&broker).await, deliver_due(&broker).await] {
            if let Err(error) = done {
                tracing::error!(%error, "reports could not be queued or delivered");
            }
        }
        tokio::select! {
            () = stop.cancelled() => {}
            () = tokio::time::sleep(TICK) => {}
        }
    }
}

/// Queues what is untold of runs; tells how many deliveries.
///
/// # Errors
/// [`SyncError`].
pub async fn queue_untold(broker: &Broker) -> Result<u64, SyncError> {
    let runs = broker.db.read().await?.report_deliveries().untold(BATCH).await?;
    if runs.is_empty() {
        return Ok(0);
    }
    let mut queued = Vec::new();
    for run in &runs {
        let Some(report) = read(run) else { continue };
        let about = broker.config.reports.iter().filter(|wish| is_wanted(wish, &report));
        for wish in about {
            let last = broker.db.read().await?.runs().find_before(&run.source, run.started_at).await?;
            let last = last.as_ref().and_then(read);
            let occasion = format!("{} {}", run.id, run.state);
            queued.extend(deliveries(broker, wish, &occasion, &[(report.clone(), last)]));
        }
    }
    let mut tx = broker.db.write().await?;
    let count = tx.report_deliveries().queue(&queued).await?;
    for run in &runs {
        tx.report_deliveries().told(run.id, run.state).await?;
    }
    tx.commit().await?;
    Ok(count)
}

/// Queues the reports whose time has come; tells how many deliveries.
///
/// # Errors
/// [`SyncError`].
pub async fn queue_scheduled(broker: &Broker) -> Result<u64, SyncError> {
    let mut count = 0;
    for wish in broker.config.reports.iter().filter(|wish| wish.on == ReportOn::Schedule) {
        let Some(expression) = &wish.schedule else { continue };
        let Ok(schedule) = Schedule::new(expression, wish.time_zone) else { continue };
        let now = broker.clock.now();
        let last = broker.db.read().await?.report_deliveries().last_due(&wish.name).await?;
        let Some(last) = last else {
            // Seen for the first time: counts from now.
            set_due(broker, wish, now, &[]).await?;
            continue;
        };
        let Some(due) = latest(&schedule, last, now) else { continue };
        let runs = between(broker, wish, last, due).await?;
        count +=
            set_due(broker, wish, due, &deliveries(broker, wish, &format!("due {}", due.to_rfc3339()), &runs)).await?;
    }
    Ok(count)
}

async fn set_due(
    broker: &Broker,
    wish: &ReportConfig,
    due: Instant,
    queued: &[ReportDelivery],
) -> Result<u64, StoreError> {
    let mut tx = broker.db.write().await?;
    let count = tx.report_deliveries().queue(queued).await?;
    tx.report_deliveries().set_due(&wish.name, due).await?;
    tx.commit().await?;
    Ok(count)
}

/// The last due time in `(last, now]`.
fn latest(schedule: &Schedule, last: Instant, now: Instant) -> Option<Instant> {
    let mut due = schedule.next_after(last).filter(|due| *due <= now)?;
    // A broker that was off for a year makes up for it once.
    for _ in 0..10_000 {
        match schedule.next_after(due).filter(|next| *next <= now) {
            Some(next) => due = next,
            None => break,
        }
    }
    Some(due)
}

/// The last run of each source that ended in `[from, to)`, with the one before: by its end, so that one that was under
/// way at a due time is told of at the next.
async fn between(
    broker: &Broker,
    wish: &ReportConfig,
    from: Instant,
    to: Instant,
) -> Result<Vec<(RunReport, Option<RunReport>)>, StoreError> {
    let mut all = Vec::new();
    for source in broker.config.sources.iter().filter(|source| is_about(wish, &source.name)) {
        let mut tx = broker.db.read().await?;
        let runs = tx.runs().list_by_source(&source.name, BATCH).await?;
        let Some(run) = runs.iter().find(|run| run.ended_at.is_some_and(|ended| (from..to).contains(&ended))) else {
            continue;
        };
        let last = tx.runs().find_before(&source.name, run.started_at).await?;
        all.extend(read(run).map(|report| (report, last.as_ref().and_then(read))));
    }
    Ok(all)
}

/// The report of a run, in the state that the run has come to.
fn read(run: &Run) -> Option<RunReport> {
    let report = serde_json::from_value::<RunReport>(run.report.0.clone()).ok()?;
    Some(RunReport { state: run.state, ..report })
}

fn is_about(wish: &ReportConfig, source: &str) -> bool {
    wish.sources.is_empty() || wish.sources.iter().any(|name| name == source)
}

fn is_wanted(wish: &ReportConfig, report: &RunReport) -> bool {
    let is_trouble = matches!(report.state, RunState::Held | RunState::Failed);
    let is_due = match wish.on {
        ReportOn::Trouble => is_trouble,
        ReportOn::EachRun => is_trouble || matches!(report.state, RunState::Applied | RunState::Unchanged),
        ReportOn::Schedule => false,
    };
    is_due && is_about(wish, &report.source)
}

/// One delivery for each channel.
fn deliveries(
    broker: &Broker,
    wish: &ReportConfig,
    occasion: &str,
    runs: &[(RunReport, Option<RunReport>)],
) -> Vec<ReportDelivery> {
    let now = broker.clock.now();
    let (subject, texts) = summary::write(broker, wish, runs);
    let reports: Vec<&RunReport> = runs.iter().map(|(report, _)| report).collect();
    let body = json!({
        "type": "yaopai.sync.report",
        "report": wish.name,
        "occasion": occasion,
        "subject": subject,
        "text": texts,
        "runs": reports,
    });
    let channels = [("mail", !wish.mail_to.is_empty()), ("webhook", wish.webhook.is_some())];
    let wanted = channels.into_iter().filter(|(_, is_wanted)| *is_wanted);
    wanted
        .map(|(channel, _)| ReportDelivery {
            id: broker.rng.uuid(now),
            report: wish.name.clone(),
            channel: channel.to_owned(),
            occasion: occasion.to_owned(),
            body: Json(body.clone()),
            created_at: now,
            due_at: now,
            attempts: 0,
            last_error: None,
            done_at: None,
        })
        .collect()
}
