//! Following a source: what changes comes within moments.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Notify, mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::changes::{read_changes, reader};
use super::delta::{Changes, DeltaRefusal, KnownIds, Position};
use super::error::SourceError;
use super::ldap;
use crate::config::SourceConfig;

/// Without a word from the server changes are looked for this often: a bell may be broken and not know it.
const ANYWAY: Duration = Duration::from_mins(1);
/// Several changes at once are read together.
const SETTLE: Duration = Duration::from_millis(50);
/// How long to wait after a failure, at first and at most.
const WAITS: (Duration, Duration) = (Duration::from_secs(1), Duration::from_mins(1));
/// A position that moved without a change that matters is told this often, so that a restart begins near the present.
const REMEMBER: Duration = Duration::from_mins(5);

/// Follows the source: what changes comes within moments, as deltas that each begin where the last one ended. Errors come
/// between; after one the connection is made anew, ever more slowly. Ends after [`Changes::FullNeeded`], and when nobody
/// listens any more.
///
/// A delta that the listener does not store is not sent again: whoever loses one follows anew from the position that was
/// stored.
pub async fn follow(
    config: &SourceConfig,
    folder: &Path,
    mut since: Position,
    known: Arc<dyn KnownIds>,
    sink: mpsc::Sender<Result<Changes, SourceError>>,
) {
    let (notify, place) = (Arc::new(Notify::new()), watch::Sender::new(since.clone()));
    let mut bell = JoinSet::new();
    match reader(config, folder) {
        Ok(Some(reader)) => {
            bell.spawn(ldap::ring(reader, place.subscribe(), notify.clone()));
        }
        Ok(None) => {
            let _ = sink.send(Ok(Changes::FullNeeded { why: DeltaRefusal::NotSupported })).await;
            return;
        }
        Err(error) => {
            let _ = sink.send(Err(error)).await;
            return;
        }
    }
    let (mut wait, mut told) = (WAITS.0, Instant::now());
    loop {
        let pause = match read_changes(config, folder, &since, known.as_ref(), &mut |_| {}).await {
            Ok(Changes::Delta(delta)) => {
                wait = WAITS.0;
                let is_news = !delta.is_empty() || (delta.position != since && told.elapsed() >= REMEMBER);
                since = delta.position.clone();
                place.send_replace(since.clone());
                if is_news {
                    told = Instant::now();
                    if sink.send(Ok(Changes::Delta(delta))).await.is_err() {
                        return;
                    }
                }
                Pause::Bell
            }
            Ok(full) => {
                // Whoever listens has gone: nobody misses the answer.
                let _ = sink.send(Ok(full)).await;
                return;
            }
            Err(error) => {
                if sink.send(Err(error)).await.is_err() {
                    return;
                }
                let pause = Pause::For(wait);
                wait = (wait * 2).min(WAITS.1);
                pause
            }
        };
        tokio::select! {
            () = pause.over(&notify) => {}
            () = sink.closed() => return,
        }
    }
}

/// How long to wait before the next look.
enum Pause {
    /// Until the bell rings, or for a while.
    Bell,
    /// After a failure.
    For(Duration),
}

impl Pause {
    async fn over(self, bell: &Notify) {
        match self {
            Self::For(wait) => tokio::time::sleep(wait).await,
            Self::Bell => {
                if tokio::time::timeout(ANYWAY, bell.notified()).await.is_ok() {
                    tokio::time::sleep(SETTLE).await;
                }
            }
        }
    }
}
