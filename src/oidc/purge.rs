//! Clearing away what has expired, in small batches, so that no statement holds the writer for long.

use chrono::TimeDelta;

use super::keys::longest_life;
use crate::broker::Broker;
use crate::store::StoreError;

/// How long a dead code, refresh token or grant stays, so that a late second use is still recognised.
const KEEP: TimeDelta = TimeDelta::days(1);

/// How long the place of an expired token stays on its status list: clocks of others may be late.
const KEEP_PLACE: TimeDelta = TimeDelta::minutes(5);

/// How long an application known by its document is kept that nobody uses.
const KEEP_UNUSED: TimeDelta = TimeDelta::days(30);

/// Deletes expired codes, pushed requests, refresh tokens, grants, revoked tokens, revocations and status lists; tells how many rows. Each batch is a transaction
/// of its own.
///
/// # Errors
/// When the database fails; what was deleted stays deleted.
pub async fn purge(broker: &Broker) -> Result<u64, StoreError> {
    let now = broker.clock.now();
    let before = now - KEEP;
    let longest = longest_life(broker, &mut broker.db.read().await?).await?;
    let mut total = 0;
    loop {
        let mut tx = broker.db.write().await?;
        let mut batch = tx.authorization_codes().purge(before).await?;
        batch += tx.grants().purge_assertions(before).await?;
        batch += tx.registrations().purge(before).await?;
        batch += tx.decoupled().purge(before).await?;
        batch += tx.access_tokens().purge(before).await?;
        batch += tx.refresh_tokens().purge(before).await?;
        batch += tx.grants().purge(before).await?;
        batch += tx.pushed_requests().purge(broker.clock.now()).await?;
        batch += tx.grants().purge_revoked_tokens(before).await?;
        // What is left of a revocation is for those who check tokens offline: none of that time lives any more.
        batch += tx.revocations().purge(now - longest).await?;
        batch += tx.status_lists().purge(now - KEEP_PLACE, now - longest).await?;
        batch += tx.applications().purge_documents(now - KEEP_UNUSED).await?;
        batch += tx.proofs().purge(broker.clock.now()).await?;
        batch += tx.proofs().forget_old_secrets(now).await?;
        tx.commit().await?;
        total += batch;
        if batch == 0 {
            return Ok(total);
        }
        tokio::task::yield_now().await;
    }
}
