//! Introspection (RFC 7662): a service asks whether a token is good.
//!
//! A service sees tokens that are meant for it, and no others: those issued to itself, those whose `aud` names it, and
//! those whose `aud` is an audience of its own tokens (the API it belongs to). For every other token, and for every
//! dead, unknown or malformed one, the answer is exactly `{"active":false}`.

use std::sync::Arc;

use bytes::Bytes;
use serde::Serialize;
use serde_json::Value;

use super::client::{ClientError, authenticate};
use super::keys::{KeyError, KeyRing};
use super::params::Params;
use super::subject::subject;
use super::verified::Verified;
use super::verify::{AccessToken, TokenError, is_access_token, verified};
use super::{Caller, Presented, Provider, issue, refresh};
use crate::broker::Broker;
use crate::crypto::{SigningError, jwt};
use crate::model::{Application, AuthMethod, Confirmation, SessionId, Status};
use crate::store::StoreError;

/// The answer.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize)]
pub struct Introspection {
    /// Whether the token is good.
    pub active: bool,
    /// What follows is there for a good token only.
    #[serde(flatten)]
    pub about: Option<About>,
}

/// What is told about a good token.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct About {
    /// Whom it speaks for.
    pub sub: String,
    /// The application it was issued to.
    pub client_id: String,
    /// What it allows.
    pub scope: String,
    /// When it ends.
    pub exp: i64,
    /// When it was issued.
    pub iat: i64,
    /// The issuer.
    pub iss: String,
    /// `Bearer` or `DPoP`, for access tokens.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token_type: Option<&'static str>,
    /// What the token is bound to (RFC 9449 section 6.2, RFC 8705 section 3.2).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cnf: Option<Confirmation>,
    /// Whom it is meant for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub aud: Vec<String>,
    /// What it allows, in detail (RFC 9396 section 9.2).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub authorization_details: Vec<Value>,
    /// Its id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub jti: Option<String>,
    /// Who acts for the subject (RFC 8693 section 4.1).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub act: Option<serde_json::Value>,
    /// The session it was issued from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sid: Option<SessionId>,
}

/// All that is told of any other.
const DEAD: Introspection = Introspection { active: false, about: None };

/// Why no answer is given.
#[derive(Debug, thiserror::Error)]
pub enum IntrospectError {
    /// The service did not prove itself, or is a public application.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// The request is incomplete or contradicts itself.
    #[error("{0}")]
    InvalidRequest(&'static str),
    /// No key signs.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Answers an introspection request, as JSON. Services ask about the same token again and again, so what they are told of
/// a living one is written once.
///
/// # Errors
/// [`IntrospectError`].
pub async fn introspect(
    provider: Provider<'_>,
    caller: &Caller,
    presented: &Presented,
    form: &Params,
) -> Result<Bytes, IntrospectError> {
    let (app, token) = asked(provider, caller, presented, form).await?;
    if !is_access_token(token) {
        return written(&look(provider, &app, token).await?);
    }
    let Some(verified) = living(provider.broker, provider.keys, token).await? else { return written(&DEAD) };
    if let Some(told) = verified.told(&app) {
        return Ok(told);
    }
    let about = about(provider.broker, &app, &verified.token);
    let told = written(&Introspection { active: about.is_some(), about })?;
    verified.tell(&app, &told);
    Ok(told)
}

fn written(answer: &Introspection) -> Result<Bytes, IntrospectError> {
    Ok(serde_json::to_vec(answer).map_err(|_| KeyError::from(SigningError::Claims))?.into())
}

/// The same, signed for the service that asks (RFC 9701 section 5).
///
/// # Errors
/// [`IntrospectError`].
pub async fn introspect_signed(
    provider: Provider<'_>,
    caller: &Caller,
    presented: &Presented,
    form: &Params,
) -> Result<String, IntrospectError> {
    let (app, token) = asked(provider, caller, presented, form).await?;
    let answer = look(provider, &app, token).await?;
    let key = issue::signer(provider, &app, app.settings.tokens.introspection_signed_response_alg).await?;
    let claims = serde_json::json!({
        "iss": provider.broker.config.server.issuer(),
        "aud": app.id,
        "iat": provider.broker.clock.now().timestamp(),
        "token_introspection": answer,
    });
    Ok(jwt::sign(&key, "token-introspection+jwt", &claims).map_err(KeyError::from)?)
}

/// Who asks, and about what.
async fn asked<'a>(
    provider: Provider<'_>,
    caller: &Caller,
    presented: &Presented,
    form: &'a Params,
) -> Result<(Arc<Application>, &'a str), IntrospectError> {
    if form.has_repetition() {
        return Err(IntrospectError::InvalidRequest("a parameter is given twice"));
    }
    let app = authenticate(provider, caller, presented, form).await?;
    if app.auth_method == AuthMethod::None {
        return Err(ClientError::Refused.into());
    }
    let token = form.get("token").ok_or(IntrospectError::InvalidRequest("token is missing"))?;
    Ok((app, token))
}

async fn look(provider: Provider<'_>, app: &Application, token: &str) -> Result<Introspection, IntrospectError> {
    // Whatever token_type_hint says: the two kinds cannot be taken for each other.
    let about = if is_access_token(token) {
        let verified = living(provider.broker, provider.keys, token).await?;
        verified.and_then(|verified| about(provider.broker, app, &verified.token))
    } else {
        refreshing(provider.broker, app, token).await?
    };
    Ok(Introspection { active: about.is_some(), about })
}

/// The access token, where it is good.
async fn living(broker: &Broker, keys: &KeyRing, token: &str) -> Result<Option<Arc<Verified>>, StoreError> {
    match verified(broker, keys, token).await {
        Ok(token) => Ok(Some(token)),
        Err(TokenError::Store(error)) => Err(error),
        Err(TokenError::Jwt(_) | TokenError::Issuer | TokenError::Expired | TokenError::Revoked) => Ok(None),
    }
}

/// What `app` is told of a good access token; none when it is not meant for that one.
fn about(broker: &Broker, app: &Application, token: &AccessToken) -> Option<About> {
    let own = issue::audience(&broker.config, app);
    let is_meant = token.client_id == app.id || token.aud.iter().any(|aud| *aud == app.id || own.contains(aud));
    is_meant.then(|| About {
        sub: token.sub.clone(),
        client_id: token.client_id.clone(),
        scope: token.scopes.join(" "),
        exp: token.exp.timestamp(),
        iat: token.iat.timestamp(),
        iss: broker.config.server.issuer(),
        token_type: Some(super::token::token_type(token.confirmation.as_ref())),
        cnf: token.confirmation.clone(),
        aud: token.aud.clone(),
        authorization_details: token.authorization_details.clone(),
        jti: Some(token.jti.clone()),
        act: token.actor.clone(),
        sid: token.session_id,
    })
}

async fn refreshing(broker: &Broker, app: &Application, token: &str) -> Result<Option<About>, StoreError> {
    let now = broker.clock.now();
    let hash = broker.master.token_hash(refresh::PURPOSE, token);
    let mut tx = broker.db.read().await?;
    let Some(row) = tx.refresh_tokens().find(&hash).await? else { return Ok(None) };
    let Some(grant) = tx.grants().find(row.grant_id).await? else { return Ok(None) };
    let is_usable = row.used_at.is_none() && now < row.expires_at && grant.is_live(now);
    let (Some(user), true) = (grant.user_id, is_usable && grant.application_id == app.id) else { return Ok(None) };
    if tx.users().find(user).await?.is_none_or(|user| user.status != Status::Active) {
        return Ok(None);
    }
    Ok(Some(About {
        sub: subject(broker, app, user),
        client_id: app.id.clone(),
        scope: grant.scope,
        exp: row.expires_at.timestamp(),
        iat: row.created_at.timestamp(),
        iss: broker.config.server.issuer(),
        token_type: None,
        cnf: grant.details.0.confirmation,
        aud: Vec::new(),
        authorization_details: Vec::new(),
        jti: None,
        act: None,
        sid: grant.session_id,
    }))
}
