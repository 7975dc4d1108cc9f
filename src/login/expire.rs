//! Ending sessions that ran out, so that the applications they reached are told.

use serde_json::json;

use crate::audit::{self, Action, Event, Outcome};
use crate::broker::Broker;
use crate::model::EndReason;
use crate::store::StoreError;

/// Ends every session that ran out, with the grants made from it (but not those with `offline_access`); tells how many.
/// A session that is idle at the broker stands while an application goes on refreshing tokens of it: the person is at
/// work there. Each batch is a transaction of its own.
///
/// # Errors
/// When the database fails; what was ended stays ended.
pub async fn end_expired(broker: &Broker) -> Result<u64, StoreError> {
    let mut total = 0;
    loop {
        let now = broker.clock.now();
        let mut tx = broker.db.write().await?;
        let ended = tx.sessions().end_expired(now, now - broker.config.session.idle.0).await?;
        if ended > 0 {
            let event = Event::new(Action::SignOut, Outcome::Success, "schedule", "")
                .with(json!({ "sessions": ended, "reason": EndReason::Expired }));
            audit::append(&mut tx, now, &[event]).await?;
            tx.commit().await?;
        }
        total += ended;
        if ended == 0 {
            return Ok(total);
        }
        tokio::task::yield_now().await;
    }
}
