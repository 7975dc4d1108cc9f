//! Clearing away what is old: runs, steps of applied plans, resolved findings, told reports; in small batches. What an
//! undo still needs is kept.

use chrono::Duration;

use crate::broker::Broker;
use crate::store::StoreError;

/// Rows of one batch.
const BATCH: i64 = 5_000;
/// How long the guard's counts and told reports are kept: longer than any rolling window.
const COUNTS: Duration = Duration::days(8);

/// Deletes what is older than `[retention]` says; tells how many rows. Each batch is a transaction of its own.
///
/// # Errors
/// When the database fails; what was deleted stays deleted.
pub async fn purge(broker: &Broker) -> Result<u64, StoreError> {
    let (now, keep) = (broker.clock.now(), &broker.config.retention);
    let mut total = 0;
    loop {
        let mut tx = broker.db.write().await?;
        let mut batch = tx.plans().purge_changes(now - keep.undo.0, BATCH).await?;
        batch += tx.plans().purge(now - keep.runs.0, BATCH).await?;
        batch += tx.runs().purge(now - keep.runs.0, BATCH).await?;
        batch += tx.findings().purge(now - keep.findings.0, BATCH).await?;
        batch += tx.guard_counts().purge(now - COUNTS).await?;
        batch += tx.report_deliveries().purge(now - COUNTS).await?;
        tx.commit().await?;
        total += batch;
        if batch == 0 {
            return Ok(total);
        }
        tokio::task::yield_now().await;
    }
}
