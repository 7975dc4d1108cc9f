//! Revocation (RFC 7009): an application gives a token back.
//!
//! A refresh token takes its whole grant with it, every access token included. An access token dies alone; its refresh
//! token lives on, because applications drop access tokens when they have done with one service. Another application's
//! token is refused and lives on; an unknown or dead one is answered like a revoked one.

use serde_json::json;

use super::client::{ClientError, authenticate};
use super::params::Params;
use super::verify::{TokenError, check_signature, is_access_token};
use super::{Caller, Presented, Provider, refresh};
use crate::audit::{self, Action, Event, Outcome};
use crate::model::{Application, EndReason};
use crate::store::StoreError;

/// Why nothing was revoked.
#[derive(Debug, thiserror::Error)]
pub enum RevokeError {
    /// The application did not prove itself.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// The request is incomplete or contradicts itself.
    #[error("{0}")]
    InvalidRequest(&'static str),
    /// The token is another application's.
    #[error("the token was issued to another application")]
    Foreign,
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Revokes a token of the application that asks.
///
/// # Errors
/// [`RevokeError`].
pub async fn revoke(
    provider: Provider<'_>,
    caller: &Caller,
    presented: &Presented,
    form: &Params,
) -> Result<(), RevokeError> {
    if form.has_repetition() {
        return Err(RevokeError::InvalidRequest("a parameter is given twice"));
    }
    let app = authenticate(provider, caller, presented, form).await?;
    let token = form.get("token").ok_or(RevokeError::InvalidRequest("token is missing"))?;
    let event = Event::new(Action::TokenRevoke, Outcome::Success, format!("app:{}", app.id), "")
        .from_request(caller.address.to_string(), &caller.request_id);
    // Whatever token_type_hint says: the two kinds cannot be taken for each other.
    if is_access_token(token) {
        access(provider, &app, token, event).await
    } else {
        grant(provider, &app, token, event).await
    }
}

async fn access(provider: Provider<'_>, app: &Application, token: &str, mut event: Event) -> Result<(), RevokeError> {
    let broker = provider.broker;
    let token = match check_signature(broker, provider.keys, token).await {
        Ok(token) => token,
        Err(TokenError::Store(error)) => return Err(error.into()),
        Err(TokenError::Jwt(_) | TokenError::Issuer | TokenError::Expired | TokenError::Revoked) => return Ok(()),
    };
    if token.client_id != app.id {
        return Err(RevokeError::Foreign);
    }
    let now = broker.clock.now();
    if now >= token.exp {
        return Ok(());
    }
    event.subject = token.user_id.map_or_else(|| token.sub.clone(), |user| format!("user:{user}"));
    let mut tx = broker.db.write().await?;
    tx.grants().revoke_token(&token.jti, token.exp).await?;
    audit::append(&mut tx, now, &[event.with(json!({ "jti": token.jti }))]).await?;
    tx.commit().await?;
    Ok(())
}

async fn grant(provider: Provider<'_>, app: &Application, token: &str, mut event: Event) -> Result<(), RevokeError> {
    let broker = provider.broker;
    let now = broker.clock.now();
    let hash = broker.master.token_hash(refresh::PURPOSE, token);
    let mut tx = broker.db.write().await?;
    let Some(row) = tx.refresh_tokens().find(&hash).await? else { return Ok(()) };
    let Some(grant) = tx.grants().find(row.grant_id).await? else { return Ok(()) };
    if grant.application_id != app.id {
        return Err(RevokeError::Foreign);
    }
    if tx.grants().revoke(grant.id, EndReason::ApplicationRevoked, now).await? {
        event.subject = grant.user_id.map(|user| format!("user:{user}")).unwrap_or_default();
        audit::append(&mut tx, now, &[event.with(json!({ "grant": grant.id }))]).await?;
    }
    tx.commit().await?;
    Ok(())
}
