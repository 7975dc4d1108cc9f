//! A lease: a name that one process holds until it gives it back, or stops renewing it.

use std::time::Duration;

use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::random::Rng;
use crate::store::{Db, StoreError};
use crate::time::{Clock, Instant};

/// A lease that is not renewed is free after this long: what a killed process leaves behind.
const LIFETIME: chrono::Duration = chrono::Duration::seconds(10);
/// How often a held lease is renewed.
const RENEW_EVERY: Duration = Duration::from_secs(3);
/// Renewals that may fail in a row before the lease counts as lost: it has not run out by then.
const MISSED: u32 = 3;

/// A held lease, renewed in the background. A lease is a courtesy, not a lock: whoever writes still checks in the
/// transaction that nobody was faster.
#[derive(Debug)]
pub struct Lease {
    db: Db,
    name: String,
    holder: String,
    renewal: JoinHandle<()>,
    lost: CancellationToken,
}

impl Lease {
    /// Takes the lease `name`; none while another process holds it.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn take(db: &Db, clock: &Clock, rng: &Rng, name: &str) -> Result<Option<Self>, StoreError> {
        let holder = rng.token();
        if !acquire(db, name, &holder, clock.now()).await? {
            return Ok(None);
        }
        let lost = CancellationToken::new();
        let own = (name.to_owned(), holder.clone());
        let renewal = tokio::spawn(renew(db.clone(), clock.clone(), own, lost.clone()));
        Ok(Some(Self { db: db.clone(), name: name.to_owned(), holder, renewal, lost }))
    }

    /// Ends when another process may have the lease: it could not be renewed for as long as it lasts.
    #[must_use]
    pub fn lost(&self) -> CancellationToken {
        self.lost.clone()
    }

    /// Gives the lease back.
    ///
    /// # Errors
    /// When the database fails; the lease runs out by itself then.
    pub async fn release(self) -> Result<(), StoreError> {
        self.renewal.abort();
        let mut tx = self.db.write().await?;
        tx.leases().release(&self.name, &self.holder).await?;
        tx.commit().await
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.renewal.abort();
    }
}

async fn acquire(db: &Db, name: &str, holder: &str, now: Instant) -> Result<bool, StoreError> {
    let mut tx = db.write().await?;
    let is_ours = tx.leases().acquire(name, holder, now, now + LIFETIME).await?;
    tx.commit().await?;
    Ok(is_ours)
}

async fn renew(db: Db, clock: Clock, (name, holder): (String, String), lost: CancellationToken) {
    let mut missed = 0;
    while missed < MISSED {
        tokio::time::sleep(RENEW_EVERY).await;
        match acquire(&db, &name, &holder, clock.now()).await {
            Ok(true) => missed = 0,
            // Somebody else took it while this process slept.
            Ok(false) => missed = MISSED,
            Err(error) => {
                missed += 1;
                tracing::warn!(%name, %error, "a lease could not be renewed");
            }
        }
    }
    lost.cancel();
}
