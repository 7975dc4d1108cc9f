//! Standing work: something that goes on all the time, on one node.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::{Lease, Work};
use crate::random::Rng;
use crate::store::Db;
use crate::time::Clock;

/// How often a node that does not have the lease looks whether it is free.
const LOOK: Duration = Duration::from_secs(2);

/// Work that one node does as long as it lives.
pub struct Standing {
    /// Name, unique: the lease that the node holds.
    pub name: String,
    /// What; it ends when the token is cancelled, and finishes what is under way before.
    pub work: Box<dyn Fn(CancellationToken) -> Work + Send + Sync>,
}

impl std::fmt::Debug for Standing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Standing").field("name", &self.name).finish_non_exhaustive()
    }
}

/// Does the work whenever this node holds its lease, until `stop`. When the node that did it dies, another takes over
/// as soon as the lease has run out.
pub async fn on_one_node(db: Db, clock: Clock, rng: Rng, standing: Standing, stop: CancellationToken) {
    while !stop.is_cancelled() {
        match Lease::take(&db, &clock, &rng, &standing.name).await {
            Ok(Some(lease)) => {
                let (own, lost) = (stop.child_token(), lease.lost());
                let mut work = (standing.work)(own.clone());
                tokio::select! {
                    () = &mut work => {}
                    () = lost.cancelled() => {
                        tracing::warn!(job = %standing.name, "the lease is lost; another node may go on");
                        own.cancel();
                        work.await;
                    }
                }
                if let Err(error) = lease.release().await {
                    tracing::warn!(job = %standing.name, %error, "a lease could not be given back; it runs out by itself");
                }
            }
            Ok(None) => {}
            Err(error) => tracing::warn!(job = %standing.name, %error, "a lease could not be taken"),
        }
        tokio::select! {
            () = stop.cancelled() => {}
            () = tokio::time::sleep(LOOK) => {}
        }
    }
}
