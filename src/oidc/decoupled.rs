//! What devices (RFC 8628) and CIBA share: a person decides on one screen, the application polls from another.
//!
//! What is polled with is stored as a keyed hash. A decision counts once, by one statement; so do the tokens. Nothing is
//! approved by asking for a page: the person clicks, signed in, on a form of ours.

use std::sync::Arc;

use chrono::TimeDelta;
use serde_json::json;

use super::client::authenticate;
use super::code::{access_event, active, end};
use super::params::Params;
use super::token::{self, Asked, GrantError, TokenResponse};
use super::{Caller, Presented, Provider, assurance, refresh, scopes};
use crate::access::may_sign_in;
use crate::audit::{self, Outcome};
use crate::broker::Broker;
use crate::model::{
    Application, DecoupledDetails, DecoupledId, DecoupledKind, DecoupledRequest, DecoupledState, Grant, GrantDetails,
    GrantId, GrantType, Session, User,
};
use crate::policy::Context;
use crate::store::{Json, StoreError};

/// Seconds between two polls, unless the application polled too fast.
pub(super) const POLL_SECONDS: i64 = 5;
/// What a poll that came too early adds (RFC 8628 section 3.5).
const SLOW_DOWN: i64 = 5;
/// What a poll may come early by: a network is no clock.
const EARLY: TimeDelta = TimeDelta::milliseconds(500);

/// A request as the person sees it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct WaitingRequest {
    /// Its id.
    pub id: DecoupledId,
    /// Client id of who asks.
    pub application: String,
    /// Its name.
    pub name: String,
    /// What would be granted.
    pub scopes: Vec<String>,
    /// Address that asked.
    pub address: String,
    /// What both screens show.
    pub binding_message: Option<String>,
    /// When asked.
    pub created_at: crate::time::Instant,
    /// Dead after that.
    pub expires_at: crate::time::Instant,
}

/// What became of a decision.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Decided {
    /// The application gets its tokens.
    Approved,
    /// The application learns that the person refused.
    Refused,
    /// It was decided before, or its time is over.
    Gone,
    /// Policy does not let the person into the application.
    Denied,
}

/// Whoever decides: the person, in a browser with this session.
#[derive(Clone, Copy, Debug)]
pub struct Decider<'a> {
    /// The session.
    pub session: &'a Session,
    /// The person.
    pub user: &'a User,
}

/// Who asks with a request that a person is to decide about: an application that proved itself and has this grant.
pub(super) async fn asking(
    provider: Provider<'_>,
    caller: &Caller,
    presented: &Presented,
    form: &Params,
    grant_type: GrantType,
) -> Result<Arc<Application>, GrantError> {
    if form.has_repetition() {
        return Err(GrantError::InvalidRequest("a parameter is given twice"));
    }
    let app = authenticate(provider, caller, presented, form).await?;
    if app.settings.grant_types.contains(&grant_type) { Ok(app) } else { Err(GrantError::UnauthorizedClient) }
}

/// What is granted of what is asked for.
pub(super) fn wanted(app: &Application, asked: &str) -> Result<String, GrantError> {
    let scope = scopes::granted(app, asked).join(" ");
    if scope.is_empty() {
        return Err(GrantError::InvalidScope("no scope that this application may ask for"));
    }
    Ok(scope)
}

/// A request that waits to be decided about, for whoever types its code or is named in it; dead after `life`.
pub(super) fn waiting(
    broker: &Broker,
    caller: &Caller,
    app: &Application,
    (kind, scope, life): (DecoupledKind, &str, TimeDelta),
    secret_hash: String,
) -> DecoupledRequest {
    let now = broker.clock.now();
    DecoupledRequest {
        secret_hash,
        id: DecoupledId::new(&broker.rng, now),
        kind,
        user_code_hash: None,
        user_id: None,
        application_id: app.id.clone(),
        scope: scope.to_owned(),
        details: Json(DecoupledDetails::default()),
        state: DecoupledState::Pending,
        grant_id: None,
        address: caller.address.to_string(),
        poll_seconds: POLL_SECONDS,
        polled_at: None,
        created_at: now,
        expires_at: now + life,
        decided_at: None,
    }
}

/// The request as the person sees it; none when its application is gone.
pub(super) async fn shown(
    provider: Provider<'_>,
    request: &DecoupledRequest,
) -> Result<Option<WaitingRequest>, StoreError> {
    let app = provider.applications.find(provider.broker, &request.application_id).await?;
    Ok(app.map(|app| WaitingRequest {
        id: request.id,
        application: app.id.clone(),
        name: app.name.clone(),
        scopes: request.scope.split(' ').filter(|scope| !scope.is_empty()).map(str::to_owned).collect(),
        address: request.address.clone(),
        binding_message: request.details.binding_message.clone(),
        created_at: request.created_at,
        expires_at: request.expires_at,
    }))
}

/// Writes the person's decision: a grant made from their session, or a refusal.
pub(super) async fn decide(
    provider: Provider<'_>,
    caller: &Caller,
    who: Decider<'_>,
    request: &DecoupledRequest,
    is_agreed: bool,
) -> Result<Decided, StoreError> {
    let broker = provider.broker;
    let Some(app) = provider.applications.find(broker, &request.application_id).await? else {
        return Ok(Decided::Gone);
    };
    let facts = json!({ "session": who.session.id, "scope": request.scope, "by": request.kind, "request": request.id });
    if is_agreed {
        let words = |text: &str| text.split(' ').filter(|word| !word.is_empty()).map(str::to_owned).collect();
        let context = Context {
            address: Some(caller.address),
            amr: words(&who.session.amr),
            scopes: words(&request.scope),
            ..Context::default()
        };
        let decision = may_sign_in(broker, who.user, &app.id, context).await?;
        if !decision.allowed {
            let event = access_event(caller, who.user, &app, Outcome::Denied).with(facts);
            broker.audit.record(event).await?;
            return Ok(Decided::Denied);
        }
    }
    let now = broker.clock.now();
    let mut tx = broker.db.write().await?;
    let (decided, outcome) = if is_agreed {
        let grant = grant(provider, &app, who, request);
        tx.grants().insert(&grant).await?;
        tx.sessions().reached(who.session.id, &app.id, now).await?;
        (tx.decoupled().approve(request.id, who.user.id, grant.id, now).await?, Outcome::Success)
    } else {
        (tx.decoupled().refuse(request.id, who.user.id, now).await?, Outcome::Denied)
    };
    if decided.is_none() {
        return Ok(Decided::Gone);
    }
    audit::append(&mut tx, now, &[access_event(caller, who.user, &app, outcome).with(facts)]).await?;
    tx.commit().await?;
    Ok(if is_agreed { Decided::Approved } else { Decided::Refused })
}

fn grant(provider: Provider<'_>, app: &Application, who: Decider<'_>, request: &DecoupledRequest) -> Grant {
    let broker = provider.broker;
    let now = broker.clock.now();
    Grant {
        id: GrantId::new(&broker.rng, now),
        application_id: app.id.clone(),
        user_id: Some(who.user.id),
        session_id: Some(who.session.id),
        expires_at: end(provider, app, who.session, &request.scope, request.expires_at),
        scope: request.scope.clone(),
        auth_time: who.session.auth_time,
        amr: who.session.amr.clone(),
        created_at: now,
        revoked_at: None,
        revoked_reason: None,
        details: Json(GrantDetails {
            acr: assurance::preferred(request.details.acr_values.as_deref(), who.session),
            ..GrantDetails::default()
        }),
    }
}

/// Answers a poll (RFC 8628 section 3.5, CIBA section 11).
pub(super) async fn poll(
    asked: &Asked<'_>,
    (kind, grant_type): (DecoupledKind, GrantType),
    hash: &str,
) -> Result<TokenResponse, GrantError> {
    let Asked { provider, caller, app, .. } = *asked;
    let broker = provider.broker;
    let now = broker.clock.now();
    let mut tx = broker.db.write().await?;
    let found = tx.decoupled().find(hash).await?;
    let found = found.filter(|request| request.kind == kind && request.application_id == app.id);
    let found = found.ok_or(GrantError::InvalidGrant(UNKNOWN))?;
    match found.state {
        DecoupledState::Used => return Err(GrantError::InvalidGrant(UNKNOWN)),
        DecoupledState::Refused => return Err(GrantError::AccessDenied),
        _ if now >= found.expires_at => return Err(GrantError::ExpiredToken),
        DecoupledState::Pending => {
            let seconds = TimeDelta::try_seconds(found.poll_seconds).unwrap_or(TimeDelta::MAX);
            let is_early = found.polled_at.is_some_and(|polled| now - polled + EARLY < seconds);
            let seconds = if is_early { found.poll_seconds + SLOW_DOWN } else { found.poll_seconds };
            tx.decoupled().polled(hash, now, seconds).await?;
            tx.commit().await?;
            return Err(if is_early { GrantError::SlowDown } else { GrantError::AuthorizationPending });
        }
        DecoupledState::Approved => {}
    }
    let taken = tx.decoupled().consume(hash).await?.and_then(|request| request.grant_id);
    let taken = taken.ok_or(GrantError::InvalidGrant(UNKNOWN))?;
    let grant = tx.grants().find(taken).await?.filter(|grant| grant.is_live(now));
    let mut grant = grant.ok_or(GrantError::InvalidGrant("what the person agreed to was revoked"))?;
    if let Err(error) = active(&mut tx, &grant).await {
        let event = token::event(caller, app, &grant, Outcome::Denied).with(json!({ "error": error.to_string() }));
        audit::append(&mut tx, now, &[event]).await?;
        tx.commit().await?;
        return Err(error);
    }
    let refresh_token = refresh::first(asked, &mut tx, &mut grant, now).await?;
    let scope = grant.scope.clone();
    let issue = token::Issue { grant: &grant, scope, nonce: None, grant_type, refresh_token };
    token::issue(asked, tx, issue).await
}

const UNKNOWN: &str = "what was asked with is unknown, used or another application's";
