//! Telling an application that a person decided (CIBA section 10.2, ping mode).
//!
//! The call is made beside the request of the person, with the guarded client: a dead application delays nobody. It is
//! tried three times; an application that was not reached may poll.

use std::time::Duration;

use serde_json::json;

use super::Provider;
use super::ciba::NOTIFICATION;
use crate::model::{BackchannelMode, DecoupledRequest};
use crate::net::Outgoing;
use crate::store::StoreError;

/// Between two attempts.
const AGAIN: Duration = Duration::from_secs(2);
/// Attempts.
const ATTEMPTS: u32 = 3;

/// Calls the application's notification endpoint, where it has one.
pub(super) async fn tell(provider: Provider<'_>, request: &DecoupledRequest) -> Result<(), StoreError> {
    let broker = provider.broker;
    let Some(sealed) = &request.details.notification else { return Ok(()) };
    let app = provider.applications.find(broker, &request.application_id).await?;
    let Some(app) = app.filter(|app| app.settings.grants.backchannel_mode == BackchannelMode::Ping) else {
        return Ok(());
    };
    let Some(url) = app.settings.grants.backchannel_notification_endpoint.clone() else { return Ok(()) };
    let opened = broker.master.open(NOTIFICATION, sealed).ok();
    let Some([id, token]) = opened.and_then(|text| serde_json::from_slice::<[String; 2]>(&text).ok()) else {
        tracing::error!(application = app.id, "a notification cannot be opened: was the master key changed?");
        return Ok(());
    };
    let body = json!({ "auth_req_id": id }).to_string().into_bytes();
    tokio::spawn(send(broker.net.clone(), url, body, format!("Bearer {token}"), app.id.clone()));
    Ok(())
}

async fn send(outgoing: Outgoing, url: url::Url, body: Vec<u8>, authorization: String, application: String) {
    let mut ticks = tokio::time::interval(AGAIN);
    for attempt in 1..=ATTEMPTS {
        ticks.tick().await;
        let answer = outgoing.post(&url, "application/json", body.clone(), Some(&authorization)).await;
        match answer {
            // Section 10.2: 204 or 200; what follows a redirect is not ours to call.
            Ok(answer) if (200..300).contains(&answer.status) => return,
            Ok(answer) => tracing::warn!(application, attempt, status = answer.status, "a ping was not taken"),
            Err(error) => tracing::warn!(application, attempt, %error, "a ping could not be delivered"),
        }
    }
}
