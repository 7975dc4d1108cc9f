//! Clearing away sessions and throttles that are long over, in small batches, so that no statement holds the writer for
//! long.

use chrono::TimeDelta;

use crate::broker::Broker;
use crate::store::StoreError;

/// How long a session stays after its end, so that a `sid` in a log can be followed up.
const KEEP: TimeDelta = TimeDelta::days(30);

/// Deletes sessions that ended or expired more than 30 days ago (with the applications they reached, and not before the
/// last grant made from them is gone) and throttles that no longer count; tells how many rows. Each batch is a
/// transaction of its own.
///
/// # Errors
/// When the database fails; what was deleted stays deleted.
pub async fn purge(broker: &Broker) -> Result<u64, StoreError> {
    let now = broker.clock.now();
    let mut total = 0;
    loop {
        let mut tx = broker.db.write().await?;
        let mut batch = tx.sessions().purge(now - KEEP).await?;
        // Wrong device codes are counted here too, for the life of such a code.
        let window = broker.config.login.window.max(broker.config.oidc.device_code_lifetime);
        batch += tx.throttles().purge(now - window.0, now).await?;
        tx.commit().await?;
        total += batch;
        if batch == 0 {
            return Ok(total);
        }
        tokio::task::yield_now().await;
    }
}
