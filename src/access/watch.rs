//! Watching the policies: what changes on the disk comes into force within seconds; what cannot be used is refused.

use std::time::Duration;

use serde_json::json;
use tokio_util::sync::CancellationToken;

use crate::audit::{Action, Event, Outcome};
use crate::broker::Broker;
use crate::policy::{PolicyError, Reload};

/// How often the files are looked at.
const EVERY: Duration = Duration::from_secs(1);

/// Reloads the policies when their files change, until `stop`. A set that does not parse or validate is refused, logged
/// and recorded, and the last good set stays in force.
pub async fn watch_policies(broker: Broker, stop: CancellationToken) {
    let mut refused = String::new();
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(EVERY) => {}
        }
        let policies = broker.policies.clone();
        let Ok(reload) = tokio::task::spawn_blocking(move || policies.reload()).await else { continue };
        let event = match reload {
            Ok(Reload::Unchanged) => {
                refused.clear();
                continue;
            }
            Ok(Reload::Loaded(version)) => {
                refused.clear();
                tracing::info!(version, "new policies are in force");
                event(Outcome::Success).with(json!({ "version": version }))
            }
            Err(error) if error.to_string() == refused => continue,
            Err(error) => {
                refused = error.to_string();
                tracing::error!(%error, "the policies on the disk are refused; the last good ones stay in force");
                event(Outcome::Failure)
                    .with(json!({ "problems": problems(&error), "in_force": broker.policies.version() }))
            }
        };
        if let Err(error) = broker.audit.record(event).await {
            tracing::error!(%error, "the reload of the policies could not be recorded");
        }
    }
}

fn event(outcome: Outcome) -> Event {
    Event::new(Action::PolicyLoad, outcome, "", "policies")
}

fn problems(error: &PolicyError) -> Vec<String> {
    match error {
        PolicyError::Read { .. } => vec![error.to_string()],
        PolicyError::Faults { faults, .. } => faults.iter().take(20).map(ToString::to_string).collect(),
    }
}
