//! The token endpoint (RFC 6749 section 3.2): which grant is asked for, and applications in their own name.

use serde::Serialize;
use serde_json::{Value, json};

use super::claims::{self, Granted, Told};
use super::client::{ClientError, authenticate};
use super::dpop::DpopError;
use super::issue::{IdMint, Mint};
use super::keys::KeyError;
use super::params::Params;
use super::scopes::{self, PERSONAL};
use super::{
    Caller, Presented, Provider, binding, ciba, code, details, device, exchange, issue, jwt_bearer, refresh, resources,
};
use crate::audit::{self, Action, Event, Outcome};
use crate::model::{Application, AuthMethod, Confirmation, EndReason, Grant, GrantType};
use crate::store::{StoreError, Tx};
use crate::time::Instant;

/// A successful answer (RFC 6749 section 5.1).
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct TokenResponse {
    /// The access token.
    pub access_token: String,
    /// What was given in exchange (RFC 8693 section 2.2.1).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub issued_token_type: Option<&'static str>,
    /// `Bearer`, or `DPoP` for a token bound to a key.
    pub token_type: &'static str,
    /// Life of the access token in seconds.
    pub expires_in: i64,
    /// What was granted.
    pub scope: String,
    /// The next refresh token.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refresh_token: Option<String>,
    /// The ID token, for scope `openid`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id_token: Option<String>,
    /// What may be done, in detail (RFC 9396 section 7).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub authorization_details: Vec<Value>,
}

/// Why no token is given (RFC 6749 section 5.2). Texts are constants of ours: nothing a caller sent is repeated.
#[derive(Debug, thiserror::Error)]
pub enum GrantError {
    /// The application did not prove itself.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// The request is incomplete or contradicts itself.
    #[error("{0}")]
    InvalidRequest(&'static str),
    /// The code or refresh token is unknown, used, expired, revoked or another application's.
    #[error("{0}")]
    InvalidGrant(&'static str),
    /// More is asked for than was granted.
    #[error("{0}")]
    InvalidScope(&'static str),
    /// The target service is unknown, or no token may be had for it (RFC 8707 section 2, RFC 8693 section 2.2.2).
    #[error("{0}")]
    InvalidTarget(&'static str),
    /// Nobody has decided yet (RFC 8628 section 3.5).
    #[error("the person has not decided yet")]
    AuthorizationPending,
    /// The application asks too often.
    #[error("too fast: leave more time between two requests")]
    SlowDown,
    /// The time to decide is over.
    #[error("nobody decided in time: begin again")]
    ExpiredToken,
    /// The person refused.
    #[error("the person refused")]
    AccessDenied,
    /// Authorization details that are unknown, malformed, or more than was granted (RFC 9396 section 5).
    #[error("{0}")]
    InvalidDetails(&'static str),
    /// The application may not use this grant.
    #[error("the application is not registered for this grant type")]
    UnauthorizedClient,
    /// Nobody may use this grant.
    #[error("the grant type is not supported")]
    UnsupportedGrantType,
    /// The `DPoP` proof is missing or not good.
    #[error("{0}")]
    InvalidDpopProof(&'static str),
    /// The `DPoP` proof has to carry this nonce.
    #[error("the DPoP proof has to carry the nonce that we give")]
    UseDpopNonce(String),
    /// No key signs.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<DpopError> for GrantError {
    fn from(error: DpopError) -> Self {
        match error {
            DpopError::Proof(text) | DpopError::Token(text) => Self::InvalidDpopProof(text),
            DpopError::Nonce(nonce) => Self::UseDpopNonce(nonce),
            DpopError::Store(error) => Self::Store(error),
        }
    }
}

/// A token request of an application that proved itself.
#[derive(Clone)]
pub(super) struct Asked<'a> {
    pub provider: Provider<'a>,
    pub caller: &'a Caller,
    pub app: &'a Application,
    pub form: &'a Params,
    /// What came with the request.
    pub presented: &'a Presented,
    /// What the tokens are to be bound to; none for bearer tokens.
    pub confirmation: Option<Confirmation>,
}

/// Answers a token request: authenticates the application, then does what `grant_type` says.
///
/// # Errors
/// [`GrantError`].
pub async fn answer_token_request(
    provider: Provider<'_>,
    caller: &Caller,
    presented: &Presented,
    form: &Params,
) -> Result<TokenResponse, GrantError> {
    if form.has_repetition() {
        return Err(GrantError::InvalidRequest("a parameter is given twice"));
    }
    let app = authenticate(provider, caller, presented, form).await?;
    let grant_type = form.get("grant_type").ok_or(GrantError::InvalidRequest("grant_type is missing"))?;
    let grant_type: GrantType = grant_type.parse().map_err(|_| GrantError::UnsupportedGrantType)?;
    if !app.settings.grant_types.contains(&grant_type) {
        return Err(GrantError::UnauthorizedClient);
    }
    let confirmation = binding::confirmation(provider, presented, &app).await?;
    let asked = Asked { provider, caller, app: &app, form, presented, confirmation };
    match grant_type {
        GrantType::ClientCredentials => client_credentials(&asked).await,
        GrantType::AuthorizationCode => code::redeem(&asked).await,
        GrantType::RefreshToken => refresh::refresh(&asked).await,
        GrantType::TokenExchange => exchange::exchange(&asked).await,
        GrantType::JwtBearer => jwt_bearer::redeem(&asked).await,
        GrantType::Ciba => ciba::redeem(&asked).await,
        GrantType::DeviceCode => device::redeem(&asked).await,
    }
}

/// RFC 6749 section 4.4: no refresh token, no ID token, no scope that speaks about a person.
async fn client_credentials(asked: &Asked<'_>) -> Result<TokenResponse, GrantError> {
    let Asked { provider, caller, app, form, .. } = *asked;
    if app.auth_method == AuthMethod::None {
        return Err(GrantError::UnauthorizedClient);
    }
    let own = || app.settings.scopes.iter().filter(|scope| !PERSONAL.contains(&scope.as_str()));
    let scope = match form.get("scope") {
        Some(asked) => {
            let granted = scopes::granted(app, asked);
            if granted.is_empty() || granted.iter().any(|scope| PERSONAL.contains(&scope.as_str())) {
                return Err(GrantError::InvalidScope("the application may not have these scopes in its own name"));
            }
            granted.join(" ")
        }
        None => own().map(String::as_str).collect::<Vec<_>>().join(" "),
    };
    let authorization_details = details::own(app, form)?;
    let mint = Mint {
        app,
        grant: None,
        authorization_details: authorization_details.clone(),
        scope: &scope,
        jti: new_jti(provider),
        told: serde_json::Map::new(),
        audience: resources::in_own_name(app, form)?,
        confirmation: asked.confirmation.clone(),
        derived: None,
    };
    let issued = issue::access_token(provider, mint).await?;
    let event = Event::new(Action::TokenIssue, Outcome::Success, format!("app:{}", app.id), format!("app:{}", app.id))
        .from_request(caller.address.to_string(), &caller.request_id)
        .with(json!({ "grant_type": GrantType::ClientCredentials, "scope": scope, "jti": issued.jti }));
    provider.broker.audit.record(event).await?;
    Ok(TokenResponse {
        access_token: issued.token,
        issued_token_type: None,
        token_type: token_type(asked.confirmation.as_ref()),
        expires_in: issued.expires_in,
        scope,
        refresh_token: None,
        id_token: None,
        authorization_details,
    })
}

/// How a token is shown (RFC 6750, RFC 9449 section 5). A token bound to a certificate is still a bearer token by name
/// (RFC 8705 section 3).
pub(super) fn token_type(confirmation: Option<&Confirmation>) -> &'static str {
    match confirmation {
        Some(Confirmation::Key(_)) => "DPoP",
        Some(Confirmation::Certificate(_)) | None => "Bearer",
    }
}

/// A new token id.
pub(super) fn new_jti(provider: Provider<'_>) -> String {
    provider.broker.rng.uuid(provider.broker.clock.now()).simple().to_string()
}

/// Tokens that are to be issued for a person.
pub(super) struct Issue<'a> {
    pub grant: &'a Grant,
    pub scope: String,
    pub nonce: Option<String>,
    pub grant_type: GrantType,
    pub refresh_token: Option<String>,
}

/// Tokens that may be issued: what was narrowed down, and what is recorded.
pub(super) struct Prepared {
    audience: Option<Vec<String>>,
    authorization_details: Vec<Value>,
    jti: String,
    pub event: Event,
}

/// What the tokens will be about.
///
/// # Errors
/// [`GrantError`]: more is asked for than was granted.
pub(super) fn prepare(asked: &Asked<'_>, issue: &Issue<'_>) -> Result<Prepared, GrantError> {
    let Asked { provider, caller, app, form, .. } = *asked;
    let Issue { grant, scope, grant_type, .. } = issue;
    let jti = new_jti(provider);
    let event = event(caller, app, grant, Outcome::Success)
        .with(json!({ "grant_type": grant_type, "grant": grant.id, "scope": scope, "jti": jti }));
    Ok(Prepared {
        audience: resources::narrowed(&grant.details.resources, form)?,
        authorization_details: details::narrowed(app, &grant.details.authorization_details, form)?,
        jti,
        event,
    })
}

/// Records the issue, commits `tx`, then signs: the writer is not held while a key works.
pub(super) async fn issue(asked: &Asked<'_>, mut tx: Tx, issue: Issue<'_>) -> Result<TokenResponse, GrantError> {
    let Asked { provider, app, .. } = *asked;
    let prepared = prepare(asked, &issue)?;
    let granted = Granted { app, scope: &issue.scope, details: &issue.grant.details };
    let told = match issue.grant.user_id {
        Some(user) => claims::in_tokens(&mut tx, granted, user).await?,
        None => Told::default(),
    };
    audit::append(&mut tx, provider.broker.clock.now(), std::slice::from_ref(&prepared.event)).await?;
    tx.commit().await?;
    sign(asked, issue, prepared, told).await
}

/// Signs tokens whose issue is recorded.
pub(super) async fn sign(
    asked: &Asked<'_>,
    issue: Issue<'_>,
    prepared: Prepared,
    told: Told,
) -> Result<TokenResponse, GrantError> {
    let Asked { provider, app, .. } = *asked;
    let Issue { grant, scope, nonce, refresh_token, .. } = issue;
    let mint = Mint {
        app,
        grant: Some(grant),
        scope: &scope,
        jti: prepared.jti,
        told: told.access_token,
        audience: prepared.audience,
        authorization_details: prepared.authorization_details.clone(),
        confirmation: asked.confirmation.clone(),
        derived: None,
    };
    let issued = issue::access_token(provider, mint).await?;
    let id_token = if scopes::has(&scope, "openid") {
        let told = told.id_token;
        let mint = IdMint { app, grant, nonce, access_token: Some(&issued.token), code: None, told };
        Some(issue::id_token(provider, mint).await?)
    } else {
        None
    };
    Ok(TokenResponse {
        access_token: issued.token,
        issued_token_type: None,
        token_type: token_type(asked.confirmation.as_ref()),
        expires_in: issued.expires_in,
        scope,
        refresh_token,
        id_token,
        authorization_details: prepared.authorization_details,
    })
}

/// What is recorded about tokens for a person.
pub(super) fn event(caller: &Caller, app: &Application, grant: &Grant, outcome: Outcome) -> Event {
    let subject = grant.user_id.map(|user| format!("user:{user}")).unwrap_or_default();
    Event::new(Action::TokenIssue, outcome, format!("app:{}", app.id), subject)
        .from_request(caller.address.to_string(), &caller.request_id)
}

/// A code or refresh token came twice: the grant dies with everything issued from it.
pub(super) async fn reused(
    mut tx: Tx,
    caller: &Caller,
    grant: &Grant,
    what: &'static str,
    now: Instant,
) -> Result<TokenResponse, GrantError> {
    let was_live = tx.grants().revoke(grant.id, EndReason::Reused, now).await?;
    let subject = grant.user_id.map(|user| format!("user:{user}")).unwrap_or_default();
    let event = Event::new(Action::TokenReuse, Outcome::Denied, format!("app:{}", grant.application_id), subject)
        .from_request(caller.address.to_string(), &caller.request_id)
        .with(json!({ "what": what, "grant": grant.id, "revoked": was_live }));
    audit::append(&mut tx, now, &[event]).await?;
    tx.commit().await?;
    Err(GrantError::InvalidGrant("it was used before; everything issued from this authorization is revoked"))
}
