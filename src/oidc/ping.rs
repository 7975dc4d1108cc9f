//! Telling an application that a person decided (CIBA section 10.2, ping mode).
//!
//! That it is to be told is written with the decision, and done by [`super::deliver`]. It is tried until the request's
//! time is over; an application that was not reached may poll.

use chrono::TimeDelta;
use serde_json::json;

use super::Provider;
use super::ciba::NOTIFICATION;
use super::deliver::{AT_ONCE, TAKEN_FOR};
use crate::model::DecoupledRequest;
use crate::net::NetError;
use crate::store::{StoreError, Tx};
use crate::time::Instant;

/// Waits after the first, second … failure; the last one is repeated.
const WAITS: [TimeDelta; 4] =
    [TimeDelta::seconds(2), TimeDelta::seconds(5), TimeDelta::seconds(15), TimeDelta::minutes(1)];

/// Why an application was not told.
#[derive(Debug, thiserror::Error)]
enum PingError {
    /// It is gone, has no address, or nobody can open what was to be told: trying again changes nothing.
    #[error("{0}")]
    Hopeless(&'static str),
    /// The address cannot be called, or nobody answers.
    #[error(transparent)]
    Net(#[from] NetError),
    /// The application answers with an error.
    #[error("it answers with status {0}")]
    Status(u16),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The applications that are to be told of a decision.
pub(super) async fn due(tx: &mut Tx, now: Instant) -> Result<Vec<String>, StoreError> {
    tx.decoupled().pings_due(now).await
}

/// Takes a few decisions and tells the application; says whether there was anything.
pub(super) async fn deliver_batch(provider: Provider<'_>, app: &str) -> Result<bool, StoreError> {
    let broker = provider.broker;
    let now = broker.clock.now();
    let mut tx = broker.db.write().await?;
    let batch = tx.decoupled().take_pings(app, now, now + TAKEN_FOR, AT_ONCE).await?;
    tx.commit().await?;
    let told = futures_util::future::join_all(batch.iter().map(|(request, _)| tell(provider, request))).await;
    let now = broker.clock.now();
    let mut tx = broker.db.write().await?;
    for ((request, attempts), told) in batch.iter().zip(told) {
        let next = match told {
            Ok(()) => None,
            Err(error) => {
                let next = now + wait(*attempts);
                let gives_up = matches!(error, PingError::Hopeless(_)) || next >= request.expires_at;
                tracing::warn!(app, request = %request.id, attempts, gives_up, %error, "a ping was not delivered");
                Some(next).filter(|_| !gives_up)
            }
        };
        tx.decoupled().pinged(request.id, next).await?;
    }
    tx.commit().await?;
    Ok(!batch.is_empty())
}

/// Calls the application's notification endpoint.
async fn tell(provider: Provider<'_>, request: &DecoupledRequest) -> Result<(), PingError> {
    let broker = provider.broker;
    if broker.clock.now() >= request.expires_at {
        return Err(PingError::Hopeless("the request's time is over"));
    }
    let app = provider.applications.find(broker, &request.application_id).await?;
    let url = app.and_then(|app| app.settings.grants.backchannel_notification_endpoint.clone());
    let url = url.ok_or(PingError::Hopeless("the application has no address for it any more"))?;
    let sealed = request.details.notification.as_deref().unwrap_or_default();
    let opened = broker.master.open(NOTIFICATION, sealed).ok();
    let opened = opened.and_then(|text| serde_json::from_slice::<[String; 2]>(&text).ok());
    let [id, token] = opened.ok_or(PingError::Hopeless("it cannot be opened: was the master key changed?"))?;
    let body = json!({ "auth_req_id": id }).to_string().into_bytes();
    let answer = broker.net.post(&url, "application/json", body, Some(&format!("Bearer {token}"))).await?;
    // Section 10.2: 204 or 200; what follows a redirect is not ours to call.
    if (200..300).contains(&answer.status) { Ok(()) } else { Err(PingError::Status(answer.status)) }
}

/// How long to wait after that many attempts.
fn wait(attempts: i64) -> TimeDelta {
    let place = usize::try_from(attempts - 1).unwrap_or(0);
    WAITS.get(place).copied().unwrap_or(TimeDelta::minutes(1))
}
