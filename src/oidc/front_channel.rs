//! Front-channel logout (OpenID Connect Front-Channel Logout 1.0): what the page after signing out loads in frames.
//!
//! It works as far as the browser sends the application its cookies in a frame, which many no longer do: back-channel
//! logout is the reliable way, and an application may have both.

use url::Url;

use super::Provider;
use crate::model::SessionId;
use crate::store::StoreError;

/// The addresses to load for a session that ended: one for each application that it reached and that has one, with
/// `iss` and `sid` (section 2).
///
/// # Errors
/// When the database fails.
pub async fn front_channel(provider: Provider<'_>, session: SessionId) -> Result<Vec<String>, StoreError> {
    let broker = provider.broker;
    let reached = broker.db.read().await?.sessions().reached_by(session).await?;
    let mut frames = Vec::new();
    for id in reached {
        let Some(app) = provider.applications.find(broker, &id).await? else { continue };
        let Some(Ok(mut url)) = app.settings.logout.frontchannel_logout_uri.as_deref().map(Url::parse) else {
            continue;
        };
        let pairs = [("iss", broker.config.server.issuer()), ("sid", session.to_string())];
        url.query_pairs_mut().extend_pairs(pairs);
        frames.push(url.into());
    }
    Ok(frames)
}
