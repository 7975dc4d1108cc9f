//! Pushed authorization requests (RFC 9126): an application sends its request ahead, and the browser carries only a
//! reference to it.
//!
//! The reference is random and stored hashed. It is good for one answer and for a short time; once a browser came with
//! it and was sent to sign in, it waits for as long as signing in may take. What else stands in the browser's address
//! counts for nothing.

use chrono::TimeDelta;
use serde::Serialize;

use super::authorize::back;
use super::binding::asked_key;
use super::client::{ClientError, authenticate};
use super::params::Params;
use super::request::{Fault, Request, Way};
use super::request_object::{self, Once};
use super::token::GrantError;
use super::{Caller, Presented, Provider};
use crate::model::{Application, PushedRequest};
use crate::store::StoreError;

/// What every reference begins with (RFC 9126 section 2.2).
const PREFIX: &str = "urn:ietf:params:oauth:request_uri:";
/// Purpose under which references are hashed.
const PURPOSE: &str = "pushed-request";
/// How long a request waits for somebody who signs in.
const SIGNING_IN: TimeDelta = TimeDelta::minutes(30);
/// What proves the application and is no part of the request.
const PROOFS: [&str; 3] = ["client_secret", "client_assertion", "client_assertion_type"];

/// The answer to a push (RFC 9126 section 2.2).
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Pushed {
    /// The reference.
    pub request_uri: String,
    /// How long it is good for, in seconds.
    pub expires_in: i64,
}

/// Why a request is not taken. Texts are constants of ours: nothing a caller sent is repeated.
#[derive(Debug, thiserror::Error)]
pub enum PushError {
    /// The application did not prove itself.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// The request would be refused at the authorization endpoint too.
    #[error("{description}")]
    Refused {
        /// The error code (RFC 6749 section 4.1.2.1).
        error: &'static str,
        /// What is wrong.
        description: &'static str,
    },
    /// The `DPoP` proof that came with it is not good, or not of the key that it names.
    #[error(transparent)]
    Binding(#[from] GrantError),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<Fault> for PushError {
    fn from(Fault { error, description }: Fault) -> Self {
        Self::Refused { error, description }
    }
}

/// Takes a request: the application proves itself as at the token endpoint, the request is checked as at the
/// authorization endpoint.
///
/// # Errors
/// [`PushError`].
pub async fn push(
    provider: Provider<'_>,
    caller: &Caller,
    presented: &Presented,
    form: &Params,
) -> Result<Pushed, PushError> {
    if form.has_repetition() {
        return Err(Fault::invalid("a parameter is given twice").into());
    }
    let app = authenticate(provider, caller, presented, form).await?;
    if form.get("request_uri").is_some() {
        return Err(Fault::invalid("a pushed request holds no request_uri").into());
    }
    let mut params = PROOFS.iter().fold(form.clone(), |params, name| params.without(name));
    if params.get("client_id").is_none() {
        params = params.without("client_id").with("client_id", &app.id);
    }
    let object = params.get("request").map(str::to_owned);
    let mut once = None;
    if let Some(object) = &object {
        let opened = request_object::open(provider, &app, object, &params).await?;
        (params, once) = (opened.params, opened.once);
    }
    if presented.dpop.is_some()
        && let Some(key) = asked_key(provider, presented, &app, &params).await?
    {
        params = params.without("dpop_jkt").with("dpop_jkt", &key);
    }
    let way = Way { is_pushed: true, is_signed: object.is_some() };
    let fault = Fault::invalid("redirect_uri is missing or not registered");
    let back = back(&app, &params).ok_or(fault)?;
    Request::read(provider, &app, &params, &back.redirect_uri, way)?;
    // Last, so that an object is not used up by what is refused.
    if let Some(once) = once
        && !once.take(provider, &app).await?
    {
        return Err(Once::USED.into());
    }
    store(provider, &app, &params, way).await
}

async fn store(provider: Provider<'_>, app: &Application, params: &Params, way: Way) -> Result<Pushed, PushError> {
    let broker = provider.broker;
    let now = broker.clock.now();
    let reference = format!("{PREFIX}{}", broker.rng.token());
    let life = broker.config.oidc.pushed_request_lifetime.0;
    let row = PushedRequest {
        request_hash: broker.master.token_hash(PURPOSE, &reference),
        application_id: app.id.clone(),
        parameters: params.encode(),
        is_signed: way.is_signed,
        created_at: now,
        expires_at: now + life,
        opened_at: None,
        used_at: None,
    };
    let mut tx = broker.db.write().await?;
    tx.pushed_requests().insert(&row).await?;
    tx.commit().await?;
    Ok(Pushed { request_uri: reference, expires_in: life.num_seconds() })
}

/// Whether `request_uri` is a reference of ours.
pub(super) fn is_reference(request_uri: &str) -> bool {
    request_uri.starts_with(PREFIX)
}

/// The live request of a reference, where this application pushed it.
pub(super) async fn find(
    provider: Provider<'_>,
    app: &Application,
    reference: &str,
) -> Result<Option<PushedRequest>, StoreError> {
    let hash = provider.broker.master.token_hash(PURPOSE, reference);
    let now = provider.broker.clock.now();
    let found = provider.broker.db.read().await?.pushed_requests().find(&hash).await?;
    Ok(found.filter(|row| row.application_id == app.id && row.used_at.is_none() && now < row.expires_at))
}

/// Keeps a request for a browser that was sent to sign in.
pub(super) async fn keep(provider: Provider<'_>, request: &PushedRequest) -> Result<(), StoreError> {
    if request.opened_at.is_some() {
        return Ok(());
    }
    let now = provider.broker.clock.now();
    let mut tx = provider.broker.db.write().await?;
    tx.pushed_requests().open(&request.request_hash, now, now + SIGNING_IN).await?;
    tx.commit().await
}
