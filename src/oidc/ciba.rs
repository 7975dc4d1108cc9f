//! Client-initiated backchannel authentication (OpenID Connect CIBA Core 1.0): an application names a person, and the
//! person approves on a page of ours, wherever they are signed in. Poll and ping; no push, no user codes, no signed
//! requests. Whom nobody knows, who may not sign in and whom policy keeps out of the application are one answer.

use chrono::TimeDelta;
use serde::Serialize;
use serde_json::{Value, json};

use super::client_keys::{ClientKeyError, verify_by_application};
use super::decoupled::{self, Decided, Decider, POLL_SECONDS, WaitingRequest};
use super::keys::KeyError;
use super::params::Params;
use super::token::{Asked, GrantError, TokenResponse};
use super::{Caller, Presented, Provider, hint, scopes};
use crate::access::may_sign_in;
use crate::audit::{Action, Event, Outcome};
use crate::broker::Broker;
use crate::crypto::foreign::{Rules, read};
use crate::model::{
    Application, AuthMethod, BackchannelMode, DecoupledDetails, DecoupledId, DecoupledKind, DecoupledRequest,
    GrantType, ProofAlgorithm, User,
};
use crate::policy::Context;
use crate::store::{Json, StoreError};
use crate::text::{fold, is_plain};

/// Purpose under which `auth_req_id`s are hashed.
const PURPOSE: &str = "auth-req-id";
/// Purpose under which what a ping needs is sealed.
pub(super) const NOTIFICATION: &str = "ciba-notification";
/// Characters of a binding message at the most: it has to be compared by eye.
const LONGEST_MESSAGE: usize = 64;
/// Requests that may wait for one person from one application.
const WAITING: usize = 5;
/// Bytes of a notification token at the most (section 7.1).
const LONGEST_TOKEN: usize = 1_024;
/// Bytes of `acr_values` at the most.
const LONGEST_ACR: usize = 1_024;
/// The shortest life that may be asked for, in seconds.
const SHORTEST: i64 = 30;

/// The answer (section 7.3).
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct BackchannelAnswer {
    /// What the application polls with.
    pub auth_req_id: String,
    /// Seconds until it is dead.
    pub expires_in: i64,
    /// Seconds between two polls.
    pub interval: i64,
}

/// Why nobody is asked (section 13).
#[derive(Debug, thiserror::Error)]
pub enum BackchannelError {
    /// As at the token endpoint.
    #[error(transparent)]
    Grant(#[from] GrantError),
    /// The hints name nobody who could be asked.
    #[error("the hint names nobody who can be asked")]
    UnknownUser,
    /// The `login_hint_token` is past its end.
    #[error("the hint token has expired")]
    ExpiredHint,
    /// The binding message cannot be shown.
    #[error("the binding message is too long or holds characters that cannot be shown")]
    BindingMessage,
}

impl From<StoreError> for BackchannelError {
    fn from(error: StoreError) -> Self {
        Self::Grant(error.into())
    }
}

const fn invalid(text: &'static str) -> BackchannelError {
    BackchannelError::Grant(GrantError::InvalidRequest(text))
}

/// Answers a backchannel authentication request (section 7.1).
///
/// # Errors
/// [`BackchannelError`].
pub async fn authorize_backchannel(
    provider: Provider<'_>,
    caller: &Caller,
    presented: &Presented,
    form: &Params,
) -> Result<BackchannelAnswer, BackchannelError> {
    let app = decoupled::asking(provider, caller, presented, form, GrantType::Ciba).await?;
    if app.auth_method == AuthMethod::None {
        return Err(GrantError::UnauthorizedClient.into());
    }
    if form.get("request").is_some() {
        return Err(invalid("signed authentication requests are not supported"));
    }
    let scope = decoupled::wanted(&app, form.get("scope").unwrap_or_default())?;
    if !scopes::has(&scope, "openid") {
        return Err(invalid("scope must hold openid"));
    }
    let details = DecoupledDetails {
        binding_message: binding_message(form.get("binding_message"))?,
        acr_values: acr_values(form.get("acr_values"))?,
        ..DecoupledDetails::default()
    };
    let token = notification_token(&app, form)?;
    let life = life(provider.broker, form.get("requested_expiry"))?;
    let user = person(provider, caller, &app, &scope, form).await?;
    Ok(insert(provider, caller, &app, &user, (scope, details, token, life)).await?)
}

fn binding_message(text: Option<&str>) -> Result<Option<String>, BackchannelError> {
    match text {
        Some(text) if text.chars().count() > LONGEST_MESSAGE || !is_plain(text) => {
            Err(BackchannelError::BindingMessage)
        }
        text => Ok(text.map(str::to_owned)),
    }
}

fn acr_values(text: Option<&str>) -> Result<Option<String>, BackchannelError> {
    match text {
        Some(text) if text.len() > LONGEST_ACR => Err(invalid("acr_values is longer than 1024 bytes")),
        text => Ok(text.map(str::to_owned)),
    }
}

/// The bearer token of a ping: demanded of an application that is told, of no use to others.
fn notification_token(app: &Application, form: &Params) -> Result<Option<String>, BackchannelError> {
    if app.settings.grants.backchannel_mode == BackchannelMode::Poll {
        return Ok(None);
    }
    let is_token = |text: &&str| {
        text.len() <= LONGEST_TOKEN
            && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~+/=".contains(&byte))
    };
    let token = form.get("client_notification_token").filter(is_token);
    token.map(|token| Some(token.to_owned())).ok_or(invalid("client_notification_token is missing or malformed"))
}

fn life(broker: &Broker, asked: Option<&str>) -> Result<i64, BackchannelError> {
    let longest = broker.config.oidc.backchannel_lifetime.0.num_seconds();
    match asked.map(str::parse::<i64>) {
        None => Ok(longest),
        Some(Ok(seconds)) if seconds > 0 => Ok(seconds.clamp(SHORTEST.min(longest), longest)),
        Some(_) => Err(invalid("requested_expiry is no positive number of seconds")),
    }
}

/// The person that exactly one hint names, when they may sign in to the application.
async fn person(
    provider: Provider<'_>,
    caller: &Caller,
    app: &Application,
    scope: &str,
    form: &Params,
) -> Result<User, BackchannelError> {
    let hints = ["login_hint", "id_token_hint", "login_hint_token"].map(|name| form.get(name));
    let user = match hints {
        [Some(login), None, None] => by_login(provider.broker, login).await?,
        [None, Some(token), None] => by_id_token(provider, app, token).await?,
        [None, None, Some(token)] => by_hint_token(provider, app, token).await?,
        _ => return Err(invalid("give exactly one of login_hint, id_token_hint and login_hint_token")),
    };
    let user = user.ok_or(BackchannelError::UnknownUser)?;
    let context = Context {
        address: Some(caller.address),
        scopes: scope.split(' ').map(str::to_owned).collect(),
        ..Context::default()
    };
    let decision = may_sign_in(provider.broker, &user, &app.id, context).await?;
    if decision.allowed { Ok(user) } else { Err(BackchannelError::UnknownUser) }
}

async fn by_login(broker: &Broker, login: &str) -> Result<Option<User>, StoreError> {
    if login.len() > 1_024 {
        return Ok(None);
    }
    broker.db.read().await?.users().find_by_login(&fold(login)).await
}

/// An ID token of ours for this application; where its `sub` is pairwise, the session in it tells who that is.
async fn by_id_token(provider: Provider<'_>, app: &Application, token: &str) -> Result<Option<User>, StoreError> {
    let Some(claims) = hint::read(provider, Some(token)).await.filter(|claims| claims.aud == app.id) else {
        return Ok(None);
    };
    let mut tx = provider.broker.db.read().await?;
    let user = match (claims.sub.parse().ok(), claims.sid) {
        (Some(user), _) => Some(user),
        (None, Some(session)) => tx.sessions().find(session).await?.and_then(|session| session.user_id),
        (None, None) => None,
    };
    match user {
        Some(user) => tx.users().find(user).await,
        None => Ok(None),
    }
}

/// A JWT that the application signed: `iss` is its client id, `aud` our issuer, `login_hint` a login name.
async fn by_hint_token(
    provider: Provider<'_>,
    app: &Application,
    token: &str,
) -> Result<Option<User>, BackchannelError> {
    let broken = || invalid("login_hint_token is not believed");
    let rules = Rules { algorithms: ProofAlgorithm::ASYMMETRIC, types: &["", "JWT", "login-hint+jwt"] };
    let unverified = read(token, &rules).map_err(|_| broken())?;
    let claims = match verify_by_application(provider, app, unverified).await {
        Ok(claims) => claims,
        Err(error @ (ClientKeyError::Net(_) | ClientKeyError::Status(_) | ClientKeyError::Waiting)) => {
            tracing::warn!(application = app.id, %error, "a hint token could not be checked");
            return Err(broken());
        }
        Err(ClientKeyError::None | ClientKeyError::Malformed | ClientKeyError::Token(_)) => return Err(broken()),
    };
    let issuer = provider.broker.config.server.issuer();
    if claims.get("iss").and_then(Value::as_str) != Some(&app.id)
        || claims.get("aud").and_then(Value::as_str) != Some(&issuer)
    {
        return Err(broken());
    }
    match claims.get("exp").and_then(Value::as_i64) {
        Some(exp) if exp > provider.broker.clock.now().timestamp() => {}
        Some(_) => return Err(BackchannelError::ExpiredHint),
        None => return Err(broken()),
    }
    let login = claims.get("login_hint").and_then(Value::as_str).ok_or_else(broken)?;
    Ok(by_login(provider.broker, login).await?)
}

async fn insert(
    provider: Provider<'_>,
    caller: &Caller,
    app: &Application,
    user: &User,
    (scope, details, token, life): (String, DecoupledDetails, Option<String>, i64),
) -> Result<BackchannelAnswer, GrantError> {
    let broker = provider.broker;
    let now = broker.clock.now();
    let auth_req_id = broker.rng.token();
    // Stored readable for nobody: sealed, and only for an application that wants to be told its own id.
    let notification = token.map(|token| -> Result<String, GrantError> {
        let text = json!([auth_req_id, token]).to_string();
        let sealed = broker.master.seal(&broker.rng, NOTIFICATION, text.as_bytes());
        Ok(sealed.map_err(KeyError::Sealed)?)
    });
    let notification = notification.transpose()?;
    let hash = broker.master.token_hash(PURPOSE, &auth_req_id);
    let what = (DecoupledKind::Ciba, scope.as_str(), TimeDelta::seconds(life));
    let row = DecoupledRequest {
        user_id: Some(user.id),
        details: Json(DecoupledDetails { notification, ..details }),
        ..decoupled::waiting(broker, caller, app, what, hash)
    };
    let mut tx = broker.db.write().await?;
    let waiting = tx.decoupled().list_waiting(user.id, now).await?;
    // Whoever is asked without end agrees in the end, to be left in peace.
    if waiting.iter().filter(|request| request.application_id == app.id).count() >= WAITING {
        return Err(GrantError::SlowDown);
    }
    tx.decoupled().insert(&row).await?;
    let event =
        Event::new(Action::ApplicationAccess, Outcome::Success, format!("app:{}", app.id), format!("user:{}", user.id))
            .from_request(caller.address.to_string(), &caller.request_id)
            .with(json!({ "by": DecoupledKind::Ciba, "request": row.id, "scope": row.scope, "asked": true }));
    crate::audit::append(&mut tx, now, &[event]).await?;
    tx.commit().await?;
    Ok(BackchannelAnswer { auth_req_id, expires_in: life, interval: POLL_SECONDS })
}

/// The requests that wait for the person.
///
/// # Errors
/// When the database fails.
pub async fn waiting_requests(provider: Provider<'_>, user: &User) -> Result<Vec<WaitingRequest>, StoreError> {
    let rows = {
        let mut tx = provider.broker.db.read().await?;
        tx.decoupled().list_waiting(user.id, provider.broker.clock.now()).await?
    };
    let mut waiting = Vec::new();
    for row in rows {
        waiting.extend(decoupled::shown(provider, &row).await?);
    }
    Ok(waiting)
}

/// Writes the person's decision about a request that waits for them; somebody else's is as if it were not there.
///
/// # Errors
/// When the database fails.
pub async fn decide_request(
    provider: Provider<'_>,
    caller: &Caller,
    who: Decider<'_>,
    id: DecoupledId,
    is_agreed: bool,
) -> Result<Decided, StoreError> {
    let broker = provider.broker;
    let request = broker.db.read().await?.decoupled().find_waiting(id, who.user.id, broker.clock.now()).await?;
    let Some(request) = request else { return Ok(Decided::Gone) };
    decoupled::decide(provider, caller, who, &request, is_agreed).await
}

/// The application polls (section 10.1).
pub(super) async fn redeem(asked: &Asked<'_>) -> Result<TokenResponse, GrantError> {
    let id = asked.form.get("auth_req_id").ok_or(GrantError::InvalidRequest("auth_req_id is missing"))?;
    let hash = asked.provider.broker.master.token_hash(PURPOSE, id);
    decoupled::poll(asked, (DecoupledKind::Ciba, GrantType::Ciba), &hash).await
}
