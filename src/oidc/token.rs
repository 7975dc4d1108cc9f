//! The token endpoint (RFC 6749 section 3.2): which grant is asked for, and applications in their own name.

use serde::Serialize;
use serde_json::json;

use super::client::{ClientError, authenticate};
use super::keys::KeyError;
use super::params::Params;
use super::scopes::{self, PERSONAL};
use super::{Caller, Provider, code, issue, refresh};
use crate::audit::{self, Action, Event, Outcome};
use crate::model::{Application, AuthMethod, EndReason, Grant, GrantType};
use crate::store::{StoreError, Tx};
use crate::time::Instant;

/// A successful answer (RFC 6749 section 5.1).
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct TokenResponse {
    /// The access token.
    pub access_token: String,
    /// Always `Bearer`.
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
    /// The application may not use this grant.
    #[error("the application is not registered for this grant type")]
    UnauthorizedClient,
    /// Nobody may use this grant.
    #[error("the grant type is not supported")]
    UnsupportedGrantType,
    /// No key signs.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Answers a token request: authenticates the application, then does what `grant_type` says.
///
/// # Errors
/// [`GrantError`].
pub async fn answer_token_request(
    provider: Provider<'_>,
    caller: &Caller,
    authorization: Option<&str>,
    form: &Params,
) -> Result<TokenResponse, GrantError> {
    if form.has_repetition() {
        return Err(GrantError::InvalidRequest("a parameter is given twice"));
    }
    let app = authenticate(provider, caller, authorization, form).await?;
    let asked = form.get("grant_type").ok_or(GrantError::InvalidRequest("grant_type is missing"))?;
    let grant_type: GrantType = asked.parse().map_err(|_| GrantError::UnsupportedGrantType)?;
    if !app.settings.grant_types.contains(&grant_type) {
        return Err(GrantError::UnauthorizedClient);
    }
    match grant_type {
        GrantType::ClientCredentials => client_credentials(provider, caller, &app, form).await,
        GrantType::AuthorizationCode => code::redeem(provider, caller, &app, form).await,
        GrantType::RefreshToken => refresh::refresh(provider, caller, &app, form).await,
    }
}

/// RFC 6749 section 4.4: no refresh token, no ID token, no scope that speaks about a person.
async fn client_credentials(
    provider: Provider<'_>,
    caller: &Caller,
    app: &Application,
    form: &Params,
) -> Result<TokenResponse, GrantError> {
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
    let issued = issue::for_application(provider, app, scope.clone()).await?;
    let event = Event::new(Action::TokenIssue, Outcome::Success, format!("app:{}", app.id), format!("app:{}", app.id))
        .from_request(caller.address.to_string(), &caller.request_id)
        .with(json!({ "grant_type": GrantType::ClientCredentials, "scope": scope, "jti": issued.jti }));
    provider.broker.audit.record(event).await?;
    Ok(TokenResponse {
        access_token: issued.token,
        token_type: "Bearer",
        expires_in: issued.expires_in,
        scope,
        refresh_token: None,
        id_token: None,
    })
}

/// Tokens that are to be issued for a person.
pub(super) struct Issue<'a> {
    pub app: &'a Application,
    pub grant: &'a Grant,
    pub scope: String,
    pub nonce: Option<String>,
    pub caller: &'a Caller,
}

/// Records the issue, commits `tx`, then signs: the writer is not held while a key works.
pub(super) async fn issue(
    provider: Provider<'_>,
    mut tx: Tx,
    issue: Issue<'_>,
    grant_type: GrantType,
    refresh_token: Option<String>,
) -> Result<TokenResponse, GrantError> {
    let Issue { app, grant, scope, nonce, caller } = issue;
    let now = provider.broker.clock.now();
    let jti = provider.broker.rng.uuid(now).simple().to_string();
    let roles = match grant.user_id {
        Some(user) if scopes::has(&scope, "roles") => Some(tx.claims().roles(user).await?),
        _ => None,
    };
    let event = event(caller, app, grant, Outcome::Success)
        .with(json!({ "grant_type": grant_type, "grant": grant.id, "scope": scope, "jti": jti }));
    audit::append(&mut tx, now, &[event]).await?;
    tx.commit().await?;
    let issued = issue::for_person(provider, app, grant, &scope, roles.clone(), jti).await?;
    let id_token = if scopes::has(&scope, "openid") {
        Some(issue::id_token(provider, app, grant, nonce, &issued.token, roles).await?)
    } else {
        None
    };
    Ok(TokenResponse {
        access_token: issued.token,
        token_type: "Bearer",
        expires_in: issued.expires_in,
        scope,
        refresh_token,
        id_token,
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
