//! Back-channel logout (OpenID Connect Back-Channel Logout 1.0): applications are told that a session ended.
//!
//! What is to be told is queued with the end of the session ([`crate::store::LogoutDeliveries`]), and delivered by
//! [`super::deliver`]. After [`GIVE_UP`] it is given up. The audit log has the first failure, the success, and the giving
//! up.

use chrono::TimeDelta;
use serde::Serialize;
use serde_json::{Value, json};

use super::deliver::{AT_ONCE, TAKEN_FOR};
use super::keys::KeyError;
use super::subject::subject;
use super::{Provider, issue};
use crate::audit::{self, Action, Event, Outcome};
use crate::broker::Broker;
use crate::crypto::jwt;
use crate::model::SessionId;
use crate::net::NetError;
use crate::store::{LogoutDelivery, StoreError, Tx};
use crate::time::Instant;

/// `typ` of logout tokens (section 2.4).
const LOGOUT_TYP: &str = "logout+jwt";
/// The member of `events` that makes a token a logout token.
const EVENT: &str = "http://schemas.openid.net/event/backchannel-logout";
/// Life of a logout token: it is used at once.
const LIFE: TimeDelta = TimeDelta::minutes(2);
/// How long an application is tried.
pub const GIVE_UP: TimeDelta = TimeDelta::hours(24);
/// Waits after the first, second … failure; the last one is repeated.
const WAITS: [TimeDelta; 6] = [
    TimeDelta::seconds(5),
    TimeDelta::seconds(15),
    TimeDelta::minutes(1),
    TimeDelta::minutes(5),
    TimeDelta::minutes(15),
    TimeDelta::hours(1),
];

/// Claims of a logout token (section 2.4). There is never a `nonce`.
#[derive(Serialize)]
struct LogoutClaims {
    iss: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    sub: Option<String>,
    aud: String,
    iat: i64,
    exp: i64,
    jti: String,
    events: Value,
    sid: SessionId,
}

/// Why an application was not told.
#[derive(Debug, thiserror::Error)]
enum DeliveryError {
    /// The address cannot be called, or nobody answers.
    #[error(transparent)]
    Net(#[from] NetError),
    /// The address is none.
    #[error("`{0}` is no address")]
    Address(String),
    /// The application answers with an error.
    #[error("it answers with status {0}")]
    Status(u16),
    /// The token cannot be made.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The applications that are to be told of a session's end.
pub(super) async fn due(tx: &mut Tx, now: Instant) -> Result<Vec<String>, StoreError> {
    tx.logout_deliveries().due(now).await
}

/// Takes and delivers a few; tells whether there was anything.
pub(super) async fn deliver_batch(provider: Provider<'_>, app: &str) -> Result<bool, StoreError> {
    let broker = provider.broker;
    let now = broker.clock.now();
    let mut tx = broker.db.write().await?;
    let batch = tx.logout_deliveries().take(app, now, now + TAKEN_FOR, AT_ONCE).await?;
    tx.commit().await?;
    let told = futures_util::future::join_all(batch.iter().map(|delivery| tell(provider, delivery))).await;
    record(broker, app, &batch, told).await?;
    Ok(!batch.is_empty())
}

/// Sends one logout token; any 2xx is a yes (section 2.8).
async fn tell(provider: Provider<'_>, delivery: &LogoutDelivery) -> Result<(), DeliveryError> {
    let token = logout_token(provider, delivery).await?;
    let uri = url::Url::parse(&delivery.uri).map_err(|_| DeliveryError::Address(delivery.uri.clone()))?;
    // A JWT holds nothing that a form would escape.
    let form = format!("logout_token={token}").into_bytes();
    let answer = provider.broker.net.post(&uri, "application/x-www-form-urlencoded", form, None).await?;
    if (200..300).contains(&answer.status) { Ok(()) } else { Err(DeliveryError::Status(answer.status)) }
}

/// The token. An application that was removed since learns the session alone: how it called the person went with it.
async fn logout_token(provider: Provider<'_>, delivery: &LogoutDelivery) -> Result<String, DeliveryError> {
    let broker = provider.broker;
    let app = provider.applications.find(broker, &delivery.application_id).await?;
    let now = broker.clock.now();
    let (sub, key) = match &app {
        Some(app) => (
            Some(subject(broker, app, delivery.user_id)),
            issue::signer(provider, app, app.settings.tokens.id_token_signed_response_alg).await?,
        ),
        None => (None, provider.keys.signer(broker, broker.config.oidc.algorithm).await?),
    };
    let claims = LogoutClaims {
        iss: broker.config.server.issuer(),
        sub,
        aud: delivery.application_id.clone(),
        iat: now.timestamp(),
        exp: (now + LIFE).timestamp(),
        jti: broker.rng.uuid(now).simple().to_string(),
        events: json!({ EVENT: {} }),
        sid: delivery.session_id,
    };
    Ok(jwt::sign(&key, LOGOUT_TYP, &claims).map_err(KeyError::from)?)
}

/// Writes down how a batch went, in one transaction.
async fn record(
    broker: &Broker,
    app: &str,
    batch: &[LogoutDelivery],
    told: Vec<Result<(), DeliveryError>>,
) -> Result<(), StoreError> {
    if batch.is_empty() {
        return Ok(());
    }
    let now = broker.clock.now();
    let (mut over, mut events) = (Vec::new(), Vec::new());
    let mut tx = broker.db.write().await?;
    for (delivery, told) in batch.iter().zip(told) {
        let failed = |error: String, given_up: bool| {
            let facts = json!({ "session": delivery.session_id, "reason": delivery.reason, "attempts": delivery.attempts,
                                "error": error, "given_up": given_up });
            event(app, Outcome::Failure).with(facts)
        };
        match told {
            Ok(()) => {
                over.push(delivery.session_id);
                let facts =
                    json!({ "session": delivery.session_id, "reason": delivery.reason, "attempts": delivery.attempts });
                events.push(event(app, Outcome::Success).with(facts));
            }
            // We were too busy, not the application: that counts as no attempt.
            Err(DeliveryError::Net(error @ NetError::Busy(_))) => {
                let (due, attempts) = (now + TimeDelta::seconds(1), delivery.attempts - 1);
                tx.logout_deliveries().put_back(delivery, due, attempts, &error.to_string()).await?;
            }
            Err(error) if now - delivery.queued_at >= GIVE_UP => {
                over.push(delivery.session_id);
                events.push(failed(error.to_string(), true));
            }
            Err(error) => {
                let error = error.to_string();
                tracing::warn!(app, session = %delivery.session_id, attempts = delivery.attempts, error, "logout not delivered");
                tx.logout_deliveries()
                    .put_back(delivery, now + wait(delivery.attempts), delivery.attempts, &error)
                    .await?;
                if delivery.attempts == 1 {
                    events.push(failed(error, false));
                }
            }
        }
    }
    tx.logout_deliveries().remove(app, &over).await?;
    audit::append(&mut tx, now, &events).await?;
    tx.commit().await
}

/// How long to wait after that many attempts.
fn wait(attempts: i64) -> TimeDelta {
    let place = usize::try_from(attempts - 1).unwrap_or(0).min(WAITS.len() - 1);
    WAITS.get(place).copied().unwrap_or(TimeDelta::hours(1))
}

fn event(app: &str, outcome: Outcome) -> Event {
    Event::new(Action::LogoutDelivery, outcome, "schedule", format!("app:{app}"))
}
