//! What an application would be told of a person: the same code that issues tokens, without issuing any.

use serde::Serialize;
use serde_json::{Map, Value, json};

use super::claims::{self, ClaimsRequest, Granted};
use super::issue::{self, Mint};
use super::subject::subject;
use super::{Provider, scopes, token};
use crate::access::may_sign_in;
use crate::model::{Acr, Application, ConsentRule, Grant, GrantDetails, GrantId, Session, User};
use crate::policy::Context;
use crate::store::{Json, StoreError};

/// What this person's tokens would hold.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Preview {
    /// The application.
    pub application: String,
    /// Login name of the person.
    pub login: String,
    /// Whether policy lets the person in.
    pub allowed: bool,
    /// The policies that decided so.
    pub policies: Vec<String>,
    /// Whether the person would be asked to agree.
    pub consent: ConsentRule,
    /// What would be granted.
    pub scope: String,
    /// What was asked for, and the application may not have.
    pub not_granted: Vec<String>,
    /// Claims of the ID token; none without the scope `openid`.
    pub id_token: Option<Value>,
    /// Claims of the access token.
    pub access_token: Value,
    /// What `UserInfo` would answer; none without the scope `openid`.
    pub userinfo: Option<Value>,
}

/// Why there is nothing to show.
#[derive(Debug, thiserror::Error)]
pub enum PreviewError {
    /// The `claims` parameter cannot be read.
    #[error("{0}")]
    Claims(&'static str),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What `app` would be told of `user`, who signed in with this session, or signs in with a password now. `scope` is what it asks for, everything it may
/// have when none; `claims` is the `claims` parameter.
///
/// # Errors
/// [`PreviewError`].
pub async fn preview(
    provider: Provider<'_>,
    app: &Application,
    user: &User,
    session: Option<&Session>,
    scope: Option<&str>,
    claims: Option<&str>,
) -> Result<Preview, PreviewError> {
    let everything = app.settings.scopes.join(" ");
    let asked = scope.unwrap_or(&everything);
    let granted = scopes::granted(app, asked);
    let not_granted = asked.split(' ').filter(|scope| !scope.is_empty() && !granted.iter().any(|have| have == scope));
    let not_granted = not_granted.map(str::to_owned).collect();
    let scope = granted.join(" ");
    let wanted = claims.map_or(Ok(ClaimsRequest::default()), ClaimsRequest::read).map_err(PreviewError::Claims)?;
    let context =
        Context { scopes: granted.into_iter().collect(), amr: ["pwd".to_owned()].into(), ..Context::default() };
    let decision = may_sign_in(provider.broker, user, &app.id, context).await?;
    let grant = grant(provider, app, (user, session), scope.clone(), &wanted);
    let told = {
        let mut tx = provider.broker.db.read().await?;
        let granted = Granted { app, scope: &scope, details: &grant.details };
        let tokens = claims::in_tokens(&mut tx, granted, user.id).await?;
        drop(tx);
        (tokens, claims::at_userinfo(provider.broker, granted, user).await?)
    };
    let (tokens, mut userinfo) = told;
    userinfo.insert("sub".to_owned(), subject(provider.broker, app, user.id).into());
    let is_openid = scopes::has(&scope, "openid");
    let id_claims = issue::id_claims(provider, app, &grant, None, None, tokens.id_token);
    let mint = Mint {
        app,
        grant: Some(&grant),
        scope: &scope,
        jti: token::new_jti(provider),
        told: tokens.access_token,
        audience: None,
        confirmation: None,
        derived: None,
        authorization_details: Vec::new(),
    };
    let (access, _) = issue::access_claims(provider, mint);
    let document = |claims: Result<Value, serde_json::Error>| claims.unwrap_or_else(|_| json!({}));
    Ok(Preview {
        application: app.id.clone(),
        login: user.login.clone(),
        allowed: decision.allowed,
        policies: decision.policies,
        consent: app.settings.identity.consent,
        not_granted,
        id_token: is_openid.then(|| document(serde_json::to_value(&id_claims))),
        access_token: document(serde_json::to_value(&access)),
        userinfo: is_openid.then(|| Value::Object(Map::from_iter(userinfo))),
        scope,
    })
}

/// A grant as a sign-in of now would make it; it is not stored.
fn grant(
    provider: Provider<'_>,
    app: &Application,
    (user, session): (&User, Option<&Session>),
    scope: String,
    wanted: &ClaimsRequest,
) -> Grant {
    let now = provider.broker.clock.now();
    let amr = session.map_or("pwd", |session| &session.amr);
    let acr = Acr::held(amr).first().map(ToString::to_string);
    let details = GrantDetails { claims: wanted.stored(), acr, ..GrantDetails::default() };
    Grant {
        id: GrantId::new(&provider.broker.rng, now),
        application_id: app.id.clone(),
        user_id: Some(user.id),
        session_id: session.map(|session| session.id),
        scope,
        auth_time: session.map_or(now, |session| session.auth_time),
        amr: amr.to_owned(),
        created_at: now,
        expires_at: now + provider.broker.config.oidc.refresh_absolute.0,
        revoked_at: None,
        revoked_reason: None,
        details: Json(details),
    }
}
