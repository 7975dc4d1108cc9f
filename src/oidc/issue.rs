//! Writing tokens: JWT access tokens (RFC 9068) and ID tokens (OpenID Connect Core 1.0 section 2).

use std::str::FromStr as _;
use std::sync::Arc;

use chrono::TimeDelta;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::encrypt::to_application;
use super::keys::KeyError;
use super::status_list::{self, StatusClaim};
use super::subject::subject;
use super::verify::ACCESS_TYP;
use super::{Provider, lifetimes, opaque};
use crate::config::Config;
use crate::crypto::{SigningKey, jwt, left_half};
use crate::model::{Algorithm, Application, Confirmation, Grant, GrantId, SessionId, TokenFormat};
use crate::time::Instant;
use crate::verifier::Audience;

/// Claims of an access token (RFC 9068 section 2.2). Without `grant` the application speaks for itself.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(super) struct AccessClaims {
    pub iss: String,
    pub sub: String,
    pub aud: Audience,
    pub client_id: String,
    pub scope: String,
    pub iat: i64,
    pub exp: i64,
    pub jti: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub grant: Option<GrantId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sid: Option<SessionId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub auth_time: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub amr: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub acr: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cnf: Option<Confirmation>,
    /// Who acts for the subject (RFC 8693 section 4.1).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub act: Option<Value>,
    /// Who alone may act for the subject with this token (RFC 8693 section 4.4).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub may_act: Option<Value>,
    /// Ids of the tokens it was exchanged from: it dies with each of them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub derived_from: Vec<String>,
    /// What may be done, in detail (RFC 9396 section 9.1).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub authorization_details: Vec<Value>,
    /// Single claims were asked for at `UserInfo`: the grant says which. So nobody else's call costs a statement.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub more: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<StatusClaim>,
    /// What it says of the person.
    #[serde(flatten, skip_deserializing)]
    pub told: Map<String, Value>,
}

/// A signed access token.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Issued {
    pub token: String,
    pub jti: String,
    /// Seconds.
    pub expires_in: i64,
}

/// The namespace of applications that speak for themselves: no person's `sub` begins so, theirs are UUIDs.
pub(super) const APPLICATION_SUBJECT: &str = "app:";

/// `aud` of an application's access tokens: its own, else the configured one, else the issuer's `/api`.
pub(super) fn audience(config: &Config, app: &Application) -> Vec<String> {
    if !app.settings.audience.is_empty() {
        return app.settings.audience.clone();
    }
    vec![config.default_audience()]
}

/// The algorithm of an application's tokens, where it does not choose one for the use at hand.
fn algorithm(config: &Config, app: &Application) -> Algorithm {
    let chosen = app.settings.signing_algorithm.as_deref().and_then(|name| Algorithm::from_str(name).ok());
    chosen.unwrap_or(config.oidc.algorithm)
}

/// The key that signs an application's tokens; `chosen` is its `alg` for the use at hand.
pub(super) async fn signer(
    provider: Provider<'_>,
    app: &Application,
    chosen: Option<Algorithm>,
) -> Result<Arc<SigningKey>, KeyError> {
    let config = &provider.broker.config;
    provider.keys.signer(provider.broker, chosen.unwrap_or_else(|| algorithm(config, app))).await
}

/// What an access token is to say.
pub(super) struct Mint<'a> {
    pub app: &'a Application,
    /// What it rests on; without one the application speaks for itself (RFC 6749 section 4.4).
    pub grant: Option<&'a Grant>,
    pub scope: &'a str,
    pub jti: String,
    /// What it says of the person: of no reserved name.
    pub told: Map<String, Value>,
    /// What may be done, in detail.
    pub authorization_details: Vec<Value>,
    /// `aud`, where it is not the application's usual one.
    pub audience: Option<Vec<String>>,
    pub confirmation: Option<Confirmation>,
    /// For a token that was exchanged for another.
    pub derived: Option<Derived>,
}

/// What a token owes to the one it was exchanged from (RFC 8693).
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Derived {
    /// Whom it speaks for.
    pub sub: String,
    /// The end of the other.
    pub not_after: Instant,
    pub act: Option<Value>,
    /// Ids of the other and of those it came from.
    pub from: Vec<String>,
}

/// An access token. It never outlives the grant it rests on. An opaque one is written to the database here, so no
/// transaction may be open that writes.
pub(super) async fn access_token(provider: Provider<'_>, mint: Mint<'_>) -> Result<Issued, KeyError> {
    let (app, grant) = (mint.app, mint.grant);
    let (mut claims, expires_in) = access_claims(provider, mint);
    if app.settings.logout.status_list && app.settings.tokens.format == TokenFormat::Jwt {
        let end = provider.broker.clock.now() + TimeDelta::seconds(expires_in);
        claims.status = Some(status_list::take_place(provider, &app.id, grant, &claims.jti, end).await?);
    }
    let token = match app.settings.tokens.format {
        TokenFormat::Jwt => jwt::sign(&*signer(provider, app, None).await?, ACCESS_TYP, &claims)?,
        TokenFormat::Opaque => opaque::store(provider.broker, &claims).await?,
    };
    Ok(Issued { token, jti: claims.jti, expires_in })
}

/// The claims of an access token, and its life in seconds.
pub(super) fn access_claims(provider: Provider<'_>, mint: Mint<'_>) -> (AccessClaims, i64) {
    let broker = provider.broker;
    let now = broker.clock.now();
    let Mint { app, grant, .. } = mint;
    let rest = grant.map_or(i64::MAX, |grant| (grant.expires_at - now).num_seconds());
    let derived = mint.derived.as_ref();
    let rest = derived.map_or(rest, |derived| rest.min((derived.not_after - now).num_seconds()));
    let expires_in = lifetimes::access_token(&broker.config, app).num_seconds().min(rest).max(1);
    let sub = match grant {
        _ if derived.is_some() => derived.map(|derived| derived.sub.clone()).unwrap_or_default(),
        Some(grant) => grant.user_id.map(|user| subject(broker, app, user)).unwrap_or_default(),
        None => format!("{APPLICATION_SUBJECT}{}", app.id),
    };
    let claims = AccessClaims {
        iss: broker.config.server.issuer(),
        sub,
        aud: mint.audience.unwrap_or_else(|| audience(&broker.config, app)).into(),
        client_id: app.id.clone(),
        scope: mint.scope.to_owned(),
        iat: now.timestamp(),
        exp: now.timestamp() + expires_in,
        jti: mint.jti,
        grant: grant.map(|grant| grant.id),
        sid: grant.and_then(|grant| grant.session_id),
        auth_time: grant.map(|grant| grant.auth_time.timestamp()),
        amr: grant.map(amr),
        acr: grant.and_then(|grant| grant.details.acr.clone()),
        cnf: mint.confirmation,
        may_act: app.settings.grants.may_act.as_ref().map(|id| json!({ "sub": format!("{APPLICATION_SUBJECT}{id}") })),
        act: derived.and_then(|derived| derived.act.clone()),
        derived_from: mint.derived.map(|derived| derived.from).unwrap_or_default(),
        authorization_details: mint.authorization_details,
        more: grant.is_some_and(|grant| grant.details.claims.is_some()),
        status: None,
        told: mint.told,
    };
    (claims, expires_in)
}

pub(super) fn amr(grant: &Grant) -> Vec<String> {
    grant.amr.split_whitespace().map(str::to_owned).collect()
}

/// Claims of an ID token. What describes the person comes from `UserInfo`; roles are here too, and what was asked for.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(super) struct IdClaims {
    pub iss: String,
    pub sub: String,
    pub aud: String,
    pub iat: i64,
    pub exp: i64,
    pub auth_time: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nonce: Option<String>,
    pub amr: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sid: Option<SessionId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at_hash: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub acr: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub c_hash: Option<String>,
    /// What it says of the person.
    #[serde(flatten, skip_deserializing)]
    pub told: Map<String, Value>,
}

/// `typ` of ID tokens: never mistaken for an access token's.
pub(super) const ID_TYP: &str = "JWT";

/// What an ID token is to say.
pub(super) struct IdMint<'a> {
    pub app: &'a Application,
    /// The sign-in it tells of.
    pub grant: &'a Grant,
    pub nonce: Option<String>,
    /// The access token that it comes with.
    pub access_token: Option<&'a str>,
    /// The code that it comes with: only at the authorization endpoint.
    pub code: Option<&'a str>,
    /// What it says of the person.
    pub told: Map<String, Value>,
}

/// An ID token for what the grant says about the sign-in.
pub(super) async fn id_token(provider: Provider<'_>, mint: IdMint<'_>) -> Result<String, KeyError> {
    let IdMint { app, grant, nonce, access_token, code, told } = mint;
    let key = signer(provider, app, app.settings.tokens.id_token_signed_response_alg).await?;
    let at_hash = access_token.map(|token| left_half(key.algorithm(), token));
    let mut claims = id_claims(provider, app, grant, nonce, at_hash, told);
    claims.c_hash = code.map(|code| left_half(key.algorithm(), code));
    let token = jwt::sign(&key, ID_TYP, &claims)?;
    match app.settings.tokens.id_token_encryption() {
        Some(how) => to_application(provider, app, how, Some("JWT"), token.as_bytes()).await,
        None => Ok(token),
    }
}

/// The claims of an ID token.
pub(super) fn id_claims(
    provider: Provider<'_>,
    app: &Application,
    grant: &Grant,
    nonce: Option<String>,
    at_hash: Option<String>,
    told: Map<String, Value>,
) -> IdClaims {
    let broker = provider.broker;
    let now = broker.clock.now().timestamp();
    IdClaims {
        iss: broker.config.server.issuer(),
        sub: grant.user_id.map(|user| subject(broker, app, user)).unwrap_or_default(),
        aud: app.id.clone(),
        iat: now,
        exp: now + lifetimes::id_token(&broker.config, app).num_seconds(),
        auth_time: grant.auth_time.timestamp(),
        nonce,
        amr: amr(grant),
        sid: grant.session_id,
        at_hash,
        acr: grant.details.acr.clone(),
        c_hash: None,
        told,
    }
}
