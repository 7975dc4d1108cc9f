//! Refresh tokens: replaced at each use; a second use kills the grant (RFC 9700 section 4.14.2).
//!
//! The successor of a token is derived from it with the master key. So two requests that use one token at the same
//! moment (browser tabs) get the **same successor** within `oidc.refresh_grace`, as long as the successor is unused:
//! there is never a second family. Within the grace a used successor is answered with `invalid_grant` alone; after it,
//! a second use revokes the grant with all its access tokens.

use serde_json::json;

use super::token::{self, Asked, GrantError, TokenResponse};
use super::{Provider, binding, lifetimes, scopes};
use crate::access::may_sign_in;
use crate::audit::Outcome;
use crate::model::{Application, Grant, GrantType, RefreshToken, Status, User};
use crate::policy::{Context, Details};
use crate::store::{StoreError, Tx};
use crate::time::Instant;

/// Purpose under which refresh tokens are hashed.
pub(super) const PURPOSE: &str = "refresh-token";
/// Purpose under which successors are derived.
const SUCCESSOR: &str = "refresh-token-successor";

const UNKNOWN: &str = "the refresh token is unknown, used, expired, revoked or another application's";

/// The first refresh token of a grant, where the application may have one, and what it is bound to.
pub(super) async fn first(
    asked: &Asked<'_>,
    tx: &mut Tx,
    grant: &mut Grant,
    now: Instant,
) -> Result<Option<String>, StoreError> {
    let Asked { provider, app, .. } = *asked;
    binding::bind_refresh_tokens(tx, grant, app, asked.confirmation.as_ref()).await?;
    if !app.settings.grant_types.contains(&GrantType::RefreshToken) {
        return Ok(None);
    }
    let token = provider.broker.rng.token();
    insert(provider, app, tx, grant, &token, now).await?;
    Ok(Some(token))
}

/// Writes a refresh token of `grant`.
async fn insert(
    provider: Provider<'_>,
    app: &Application,
    tx: &mut Tx,
    grant: &Grant,
    token: &str,
    now: Instant,
) -> Result<(), StoreError> {
    let row = RefreshToken {
        token_hash: provider.broker.master.token_hash(PURPOSE, token),
        grant_id: grant.id,
        created_at: now,
        expires_at: (now + lifetimes::refresh_idle(&provider.broker.config, app)).min(grant.expires_at),
        used_at: None,
    };
    tx.refresh_tokens().insert(&row).await
}

/// New tokens for a refresh token: scopes as granted or fewer, roles as they are now, the sign-in as it was.
pub(super) async fn refresh(asked: &Asked<'_>) -> Result<TokenResponse, GrantError> {
    let Asked { provider, caller, app, form, .. } = *asked;
    let broker = provider.broker;
    let token = form.get("refresh_token").ok_or(GrantError::InvalidRequest("refresh_token is missing"))?;
    let now = broker.clock.now();
    let hash = broker.master.token_hash(PURPOSE, token);
    let (grant, user) = find(provider, app, &hash).await?;
    if binding::binds_refresh_tokens(app) && !binding::may_redeem(&grant, asked.confirmation.as_ref()) {
        return Err(GrantError::InvalidGrant("the refresh token is bound to another key"));
    }
    let scope = narrowed(&grant, form.get("scope"))?;
    let context = Context {
        address: Some(caller.address),
        amr: grant.amr.split(' ').map(str::to_owned).collect(),
        scopes: scope.split(' ').map(str::to_owned).collect(),
        authorization_details: Details::of(&grant.details.authorization_details),
        ..Context::default()
    };
    let decision = may_sign_in(broker, &user, &app.id, context).await?;
    if !decision.allowed {
        let event = token::event(caller, app, &grant, Outcome::Denied).with(json!({ "policies": decision.policies }));
        broker.audit.record(event).await?;
        return Err(GrantError::InvalidGrant("the person may not use this application any more"));
    }
    let successor = broker.master.token_hash(SUCCESSOR, token);
    let mut tx = broker.db.write().await?;
    let consumed = tx.refresh_tokens().consume(&hash, now).await?;
    if consumed.is_none() {
        let used_at = tx.refresh_tokens().find(&hash).await?.and_then(|row| row.used_at).unwrap_or(now);
        if now - used_at > broker.config.oidc.refresh_grace.0 {
            return token::reused(tx, caller, &grant, "refresh_token", now).await;
        }
        let next = tx.refresh_tokens().find(&broker.master.token_hash(PURPOSE, &successor)).await?;
        if next.is_none_or(|next| next.used_at.is_some()) {
            return Err(GrantError::InvalidGrant(UNKNOWN));
        }
    }
    // What may have changed since it was read: whether grant and person still live. The rest of a grant never changes.
    let state = tx.grants().liveness(grant.id, "").await?.ok_or(GrantError::InvalidGrant(UNKNOWN))?;
    if state.revoked_at.is_some() || now >= state.expires_at {
        return Err(GrantError::InvalidGrant(UNKNOWN));
    }
    if state.status != Some(Status::Active) {
        return Err(GrantError::InvalidGrant("the person may not sign in any more"));
    }
    if let Some(row) = consumed {
        if now >= row.expires_at {
            return Err(GrantError::InvalidGrant(UNKNOWN));
        }
        insert(provider, app, &mut tx, &grant, &successor, now).await?;
    }
    let grant_type = GrantType::RefreshToken;
    let issue = token::Issue { grant: &grant, scope, nonce: None, grant_type, refresh_token: Some(successor) };
    token::issue(asked, tx, issue).await
}

/// The grant of a refresh token and its person; another application's token is as unknown as none.
async fn find(provider: Provider<'_>, app: &Application, hash: &str) -> Result<(Grant, User), GrantError> {
    let mut tx = provider.broker.db.read().await?;
    let row = tx.refresh_tokens().find(hash).await?.ok_or(GrantError::InvalidGrant(UNKNOWN))?;
    let grant = tx.grants().find(row.grant_id).await?.filter(|grant| grant.application_id == app.id);
    let grant = grant.ok_or(GrantError::InvalidGrant(UNKNOWN))?;
    if let Some(user) = grant.user_id.filter(|_| grant.details.consented)
        && tx.consents().find(user, &app.id).await?.is_none()
    {
        return Err(GrantError::InvalidGrant(UNKNOWN));
    }
    let user = match grant.user_id {
        Some(user) => tx.users().find(user).await?,
        None => None,
    };
    Ok((grant, user.ok_or(GrantError::InvalidGrant(UNKNOWN))?))
}

/// What is asked for, when all of it was granted (RFC 6749 section 6).
fn narrowed(grant: &Grant, asked: Option<&str>) -> Result<String, GrantError> {
    let Some(asked) = asked else { return Ok(grant.scope.clone()) };
    let asked: Vec<&str> = asked.split(' ').filter(|scope| !scope.is_empty()).collect();
    if asked.is_empty() || !asked.iter().all(|scope| scopes::has(&grant.scope, scope)) {
        return Err(GrantError::InvalidScope("more is asked for than was granted"));
    }
    Ok(asked.join(" "))
}
