//! Refresh tokens: replaced at each use; a second use kills the grant (RFC 9700 section 4.14.2).
//!
//! The successor of a token is derived from it with the master key. So two requests that use one token at the same
//! moment (browser tabs) get the **same successor** within `oidc.refresh_grace`, as long as the successor is unused:
//! there is never a second family. Within the grace a used successor is answered with `invalid_grant` alone; after it,
//! a second use revokes the grant with all its access tokens.

use std::sync::Arc;

use serde_json::json;

use super::claims::{self, Granted};
use super::token::{self, Asked, GrantError, TokenResponse};
use super::{Provider, binding, lifetimes, scopes};
use crate::access::{may_enter, principal_of};
use crate::audit::Outcome;
use crate::model::{Application, Grant, GrantType, RefreshToken, Status};
use crate::policy::{Context, Details};
use crate::store::{Known, StoreError, Tx, Write};
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
    tx.refresh_tokens().insert(&row(provider, app, grant, &token, now)).await?;
    Ok(Some(token))
}

/// A refresh token of `grant`, as it is stored.
pub(super) fn row(provider: Provider<'_>, app: &Application, grant: &Grant, token: &str, now: Instant) -> RefreshToken {
    RefreshToken {
        token_hash: provider.broker.master.token_hash(PURPOSE, token),
        grant_id: grant.id,
        created_at: now,
        expires_at: (now + lifetimes::refresh_idle(&provider.broker.config, app)).min(grant.expires_at),
        used_at: None,
    }
}

/// New tokens for a refresh token: scopes as granted or fewer, roles as they are now, the sign-in as it was.
///
/// What is read and written for it is read and written together with that of other requests; only a token that turns
/// out to be used, or whose grant or person came to an end meanwhile, has a transaction of its own.
pub(super) async fn refresh(asked: &Asked<'_>) -> Result<TokenResponse, GrantError> {
    let Asked { provider, app, form, .. } = *asked;
    let broker = provider.broker;
    let token = form.get("refresh_token").ok_or(GrantError::InvalidRequest("refresh_token is missing"))?;
    let now = broker.clock.now();
    let hash = broker.master.token_hash(PURPOSE, token);
    let (grant, person) = find(provider, app, &hash).await?;
    if binding::binds_refresh_tokens(app) && !binding::may_redeem(&grant, asked.confirmation.as_ref()) {
        return Err(GrantError::InvalidGrant("the refresh token is bound to another key"));
    }
    let scope = narrowed(&grant, form.get("scope"))?;
    judge(asked, &grant, &person, &scope).await?;
    let successor = broker.master.token_hash(SUCCESSOR, token);
    let issue = token::Issue {
        grant: &grant,
        scope,
        nonce: None,
        grant_type: GrantType::RefreshToken,
        refresh_token: Some(successor.clone()),
    };
    let prepared = token::prepare(asked, &issue)?;
    let write = Write::Refresh { hash: hash.clone(), successor: row(provider, app, &grant, &successor, now) };
    if broker.audit.write(write, prepared.event.clone()).await? {
        let granted = Granted { app, scope: &issue.scope, details: &grant.details };
        let told = claims::in_tokens_of(broker, granted, &person).await?;
        return token::sign(asked, issue, prepared, told).await;
    }
    let mut tx = broker.db.write().await?;
    match again(asked, &mut tx, &grant, (&hash, &successor), now).await? {
        Again::Granted => token::issue(asked, tx, issue).await,
        Again::Reused => token::reused(tx, asked.caller, &grant, "refresh_token", now).await,
    }
}

/// Policy's word on the person, as they are now.
async fn judge(asked: &Asked<'_>, grant: &Grant, person: &Known, scope: &str) -> Result<(), GrantError> {
    let Asked { provider, caller, app, .. } = *asked;
    let context = Context {
        address: Some(caller.address),
        amr: grant.amr.split(' ').map(str::to_owned).collect(),
        scopes: scope.split(' ').map(str::to_owned).collect(),
        authorization_details: Details::of(&grant.details.authorization_details),
        ..Context::default()
    };
    let decision = may_enter(provider.broker, principal_of(&person.user, &person.facts), &app.id, context);
    if person.user.status == Status::Active && decision.allowed {
        return Ok(());
    }
    let event = token::event(caller, app, grant, Outcome::Denied).with(json!({ "policies": decision.policies }));
    provider.broker.audit.record(event).await?;
    Err(GrantError::InvalidGrant("the person may not use this application any more"))
}

/// What becomes of a token that was used before.
enum Again {
    /// A moment ago: the same successor is given.
    Granted,
    /// Long ago: a thief has it, or had it.
    Reused,
}

/// What becomes of a token that could not be taken: somebody did within the grace, and gets the same successor; or it is
/// used a second time; or what it rests on has ended.
async fn again(
    asked: &Asked<'_>,
    tx: &mut Tx,
    grant: &Grant,
    (hash, successor): (&str, &str),
    now: Instant,
) -> Result<Again, GrantError> {
    let broker = asked.provider.broker;
    let row = tx.refresh_tokens().find(hash).await?.ok_or(GrantError::InvalidGrant(UNKNOWN))?;
    let state = tx.grants().liveness(grant.id, "").await?.ok_or(GrantError::InvalidGrant(UNKNOWN))?;
    let Some(used_at) = row.used_at else {
        if state.status != Some(Status::Active) {
            return Err(GrantError::InvalidGrant("the person may not sign in any more"));
        }
        return Err(GrantError::InvalidGrant(UNKNOWN));
    };
    if now - used_at > broker.config.oidc.refresh_grace.0 {
        return Ok(Again::Reused);
    }
    let next = tx.refresh_tokens().find(&broker.master.token_hash(PURPOSE, successor)).await?;
    if next.is_none_or(|next| next.used_at.is_some()) || state.revoked_at.is_some() || now >= state.expires_at {
        return Err(GrantError::InvalidGrant(UNKNOWN));
    }
    if state.status != Some(Status::Active) {
        return Err(GrantError::InvalidGrant("the person may not sign in any more"));
    }
    Ok(Again::Granted)
}

/// The grant of a refresh token and its person with what they belong to; another application's token is as unknown as
/// none.
async fn find(provider: Provider<'_>, app: &Application, hash: &str) -> Result<(Grant, Arc<Known>), GrantError> {
    let found = provider.broker.reads.refresh_token(hash.to_owned()).await?;
    let basis = found.ok_or(GrantError::InvalidGrant(UNKNOWN))?;
    if basis.grant.application_id != app.id || !basis.has_consent {
        return Err(GrantError::InvalidGrant(UNKNOWN));
    }
    Ok((basis.grant, basis.person.ok_or(GrantError::InvalidGrant(UNKNOWN))?))
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
