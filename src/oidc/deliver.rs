//! Telling applications what they are to know at once: that a session ended, that a person decided.
//!
//! What is to be told is in the database, written with what happened. Each node looks for what is due; each application
//! has a task of its own for each kind, so that a dead one delays nobody. What is taken belongs to its node for
//! [`TAKEN_FOR`]: what a killed node had in hand is due again then, so an application may be told twice, but never not
//! at all.

use std::collections::HashMap;
use std::time::Duration;

use chrono::TimeDelta;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::{Applications, KeyRing, Provider, StatusLists, backchannel, ping};
use crate::broker::Broker;
use crate::store::StoreError;

/// How often each node looks for what is due.
const LOOK_EVERY: Duration = Duration::from_millis(250);
/// How long something belongs to the node that took it.
pub(super) const TAKEN_FOR: TimeDelta = TimeDelta::seconds(30);
/// Calls of one application at once: what the outgoing client allows to one host.
pub(super) const AT_ONCE: i64 = 4;

/// What an application is told.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
enum News {
    /// Sessions ended (back-channel logout).
    Logouts,
    /// People decided (CIBA).
    Decisions,
}

/// What a task needs.
#[derive(Clone)]
struct Node {
    broker: Broker,
    keys: KeyRing,
    applications: Applications,
    stop: CancellationToken,
}

/// Tells applications what is due until `stop`; what is under way then is finished.
pub async fn tell_applications(broker: Broker, keys: KeyRing, applications: Applications, stop: CancellationToken) {
    let node = Node { broker, keys, applications, stop };
    let mut workers: HashMap<(News, String), JoinHandle<()>> = HashMap::new();
    while !node.stop.is_cancelled() {
        workers.retain(|_, worker| !worker.is_finished());
        match due(&node.broker).await {
            Ok(due) => {
                for work in due.into_iter().filter(|work| !workers.contains_key(work)).collect::<Vec<_>>() {
                    workers.insert(work.clone(), tokio::spawn(tell(node.clone(), work)));
                }
            }
            Err(error) => tracing::error!(%error, "what applications are to be told could not be read"),
        }
        tokio::select! {
            () = node.stop.cancelled() => {}
            () = tokio::time::sleep(LOOK_EVERY) => {}
        }
    }
    for ((news, app), worker) in workers {
        if let Err(error) = worker.await {
            tracing::error!(%error, app, ?news, "an application was not told to the end");
        }
    }
}

async fn due(broker: &Broker) -> Result<Vec<(News, String)>, StoreError> {
    let now = broker.clock.now();
    let mut tx = broker.db.read().await?;
    let logouts = backchannel::due(&mut tx, now).await?;
    let decisions = ping::due(&mut tx, now).await?;
    let of = |news| move |app| (news, app);
    Ok(logouts.into_iter().map(of(News::Logouts)).chain(decisions.into_iter().map(of(News::Decisions))).collect())
}

/// Works off what is due for one application.
async fn tell(node: Node, (news, app): (News, String)) {
    let status = StatusLists::default();
    let Node { broker, keys, applications, stop } = &node;
    let provider = Provider { broker, keys, applications, status: &status };
    while !stop.is_cancelled() {
        let told = match news {
            News::Logouts => backchannel::deliver_batch(provider, &app).await,
            News::Decisions => ping::deliver_batch(provider, &app).await,
        };
        match told {
            Ok(true) => {}
            Ok(false) => return,
            Err(error) => return tracing::error!(%error, app, ?news, "an application could not be told"),
        }
    }
}
