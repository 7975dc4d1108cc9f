//! Applications that do not take their logout tokens.

use super::finding::Finding;
use crate::store::{Db, StoreError};
use crate::time::Instant;

/// One warning for each application for which logouts wait after a failure.
pub(super) async fn check(db: &Db, now: Instant) -> Result<Vec<Finding>, StoreError> {
    let backlog = db.read().await?.logout_deliveries().backlog().await?;
    let remedy = "see that its address answers, and that outgoing.allowed_networks names its network";
    Ok(backlog
        .into_iter()
        .map(|waits| {
            let minutes = (now - waits.since).num_minutes();
            let message = format!(
                "application `{}`: {} wait, the oldest for {minutes} minutes: {}",
                waits.application_id,
                waits.waiting,
                waits.last_error.unwrap_or_default()
            );
            Finding::warning("logouts", message, remedy)
        })
        .collect())
}
