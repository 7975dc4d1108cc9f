//! Keeping a source up to date: increments at an interval, or live as the server tells them. One node does it.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::broker::Broker;
use crate::config::SourceConfig;
use crate::model::{RunKind, RunState};
use crate::source::{self, Changes};

use super::super::report::RunReport;
use super::super::{SyncError, source_config};
use super::Note;
use super::known::Linked;
use super::step::{Increment, Waiting, increment, take_delta};

/// Who does it, as audited.
const ACTOR: &str = "schedule";
/// How long a source that cannot be continued, or waits for somebody, is left alone.
const IDLE: Duration = Duration::from_secs(30);
/// The longest pause after failures.
const PATIENCE: Duration = Duration::from_secs(300);
/// How long to wait for another run of the same source.
const BUSY: Duration = Duration::from_millis(200);
/// Deltas that the server is ahead of us.
const AHEAD: usize = 16;

/// Whether the configuration wants the source to be kept up to date between its full runs.
#[must_use]
pub fn can_follow(config: &SourceConfig) -> bool {
    config.interval().is_some() || config.is_live()
}

/// Keeps the source up to date until `stop`; an increment under way is finished.
pub async fn keep_up(broker: Broker, source: String, stop: CancellationToken) {
    let Ok(config) = source_config(&broker, &source) else { return };
    let interval = config.interval().unwrap_or(IDLE);
    let mut failures = 0u32;
    while !stop.is_cancelled() {
        let (pause, is_open) = match increment(&broker, &source, ACTOR, &mut |_| {}).await {
            Ok(Increment::Waits(why)) => {
                if failures == 0 {
                    tracing::info!(source, ?why, "increments wait");
                }
                failures = failures.saturating_add(1);
                (if why == Waiting::NotPossible { PATIENCE } else { IDLE.min(interval * 10) }, false)
            }
            Ok(Increment::Nothing) => (settle(&source, &mut failures, interval), true),
            Ok(Increment::Ran(reports)) => {
                reports.iter().for_each(tell);
                (settle(&source, &mut failures, interval), true)
            }
            Err(SyncError::Busy(_)) => (BUSY, false),
            Err(error) => (give_up(&source, &error, &mut failures, interval), false),
        };
        if is_open && config.is_live() {
            live(&broker, config, &stop).await;
        }
        tokio::select! {
            () = stop.cancelled() => {}
            () = tokio::time::sleep(pause) => {}
        }
    }
}

/// What worked again is said once.
fn settle(source: &str, failures: &mut u32, interval: Duration) -> Duration {
    if std::mem::take(failures) > 1 {
        tracing::info!(source, "increments go on");
    }
    interval
}

/// Ever longer pauses; the first failure is a warning, the others are details.
fn give_up(source: &str, error: &SyncError, failures: &mut u32, interval: Duration) -> Duration {
    *failures = failures.saturating_add(1);
    if *failures == 1 {
        tracing::warn!(source, %error, "what changed could not be read; it is tried again");
    } else {
        tracing::debug!(source, %error, failures, "what changed could not be read");
    }
    interval.saturating_mul(2u32.saturating_pow((*failures).min(10))).min(PATIENCE)
}

fn tell(report: &RunReport) {
    let (state, changes, kind) = (report.state, report.changes, report.kind);
    let because = report.because.map(|reason| reason.as_str());
    if report.state == RunState::Held {
        tracing::warn!(source = %report.source, run = %report.run_id, %kind, changes, "a plan is held by the guard");
    } else {
        tracing::info!(source = %report.source, run = %report.run_id, %kind, %state, changes, because, "kept up");
    }
}

/// Takes what the server tells until it ends, a full run is due, or `stop`.
async fn live(broker: &Broker, config: &SourceConfig, stop: &CancellationToken) {
    let Ok(Some(note)) = position(broker, &config.name).await else { return };
    let (sender, mut receiver) = mpsc::channel(AHEAD);
    let known = Arc::new(Linked { db: broker.db.clone(), source: config.name.clone() });
    let (own, folder) = (config.clone(), broker.config.folder.clone());
    let following = tokio::spawn(async move { source::follow(&own, &folder, note.position, known, sender).await });
    loop {
        let told = tokio::select! {
            () = stop.cancelled() => break,
            told = receiver.recv() => told,
        };
        let is_open = match told {
            Some(Ok(Changes::Delta(delta))) => take(broker, &delta).await,
            Some(Ok(Changes::FullNeeded { .. })) | None => false,
            Some(Err(error)) => {
                tracing::warn!(source = %config.name, %error, "the live connection was lost; it is made anew");
                true
            }
        };
        if !is_open {
            break;
        }
    }
    following.abort();
}

async fn position(broker: &Broker, source: &str) -> Result<Option<Note>, SyncError> {
    let stored = broker.db.read().await?.sync_positions().find(source).await?;
    let open = stored.filter(|stored| stored.full_because.is_none() && stored.blocked_by.is_none());
    Ok(open.and_then(|stored| serde_json::from_value(stored.position?.0).ok()))
}

/// Applies a delta; false when something is due that only a step can do, or the delta has to be read again.
async fn take(broker: &Broker, delta: &source::Delta) -> bool {
    if delta.is_empty() {
        return true;
    }
    loop {
        match take_delta(broker, delta, ACTOR, RunKind::Live).await {
            Ok(report) => {
                tell(&report);
                return report.state != RunState::Held && report.full_follows.is_empty();
            }
            Err(SyncError::Busy(_)) => tokio::time::sleep(BUSY).await,
            Err(error) => {
                tracing::warn!(source = %delta.source, %error, "a change could not be applied; it is read again");
                return false;
            }
        }
    }
}
