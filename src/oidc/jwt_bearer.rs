//! Assertions of trusted issuers as grants (RFC 7521, RFC 7523 section 2.1): a token for whom another party vouches.
//!
//! Who is trusted, for which applications, and what `sub` names stands in the configuration (`[[trusted_issuer]]`).
//! Beyond that policy decides, as for an exchange: the principal is who is vouched for, the actor the issuer
//! (`issuer:https://…`). An assertion counts once, on whatever node. There is no refresh token: who still needs one
//! brings another assertion.

use std::sync::Arc;

use chrono::TimeDelta;
use serde_json::{Map, Value, json};

use super::client_keys::{ClientKeyError, issuer_keys};
use super::issue::{self, APPLICATION_SUBJECT, Derived, Mint};
use super::token::{self, Asked, GrantError, TokenResponse, new_jti, token_type};
use super::{lifetimes, scopes};
use crate::access::{self, may_sign_in};
use crate::audit::{Action, Event, Outcome};
use crate::config::{SubjectKind, TrustedIssuer};
use crate::crypto::foreign::{Rules, read};
use crate::crypto::sha256_hex;
use crate::model::{Application, Grant, GrantDetails, GrantId, GrantType, ProofAlgorithm, Status, User};
use crate::policy::{self, Context, Principal, Resource};
use crate::store::Json;
use crate::text::fold;
use crate::time::Instant;

/// How far the clocks of others may differ.
const SKEW: TimeDelta = TimeDelta::seconds(30);
/// Bytes of a `jti` at the most.
const LONGEST_ID: usize = 256;

const UNTRUSTED: &str = "the assertion is not of a trusted issuer, or not for this application";
const UNKNOWN: &str = "the assertion names nobody for whom a token may be had";

/// Who is vouched for.
enum Subject {
    Person(Box<User>),
    Application(Arc<Application>),
}

/// A token for an assertion.
pub(super) async fn redeem(asked: &Asked<'_>) -> Result<TokenResponse, GrantError> {
    let Asked { provider, app, form, .. } = *asked;
    let assertion = form.get("assertion").ok_or(GrantError::InvalidRequest("assertion is missing"))?;
    let rules = Rules { algorithms: ProofAlgorithm::ASYMMETRIC, types: &["", "JWT", "authorization-grant+jwt"] };
    let unverified = read(assertion, &rules).map_err(|_| GrantError::InvalidGrant("the assertion is malformed"))?;
    let claimed = unverified.claims.get("iss").and_then(Value::as_str).unwrap_or_default();
    let trusted = provider.broker.config.trusted_issuers.iter().find(|trusted| trusted.issuer == claimed);
    let trusted = trusted.filter(|trusted| trusted.applications.contains(&app.id));
    let trusted = trusted.ok_or(GrantError::InvalidGrant(UNTRUSTED))?;
    let keys =
        issuer_keys(provider, trusted.jwks.as_ref(), trusted.jwks_uri.as_ref(), |keys| unverified.fits_one_of(keys));
    let keys = keys.await.map_err(|error| not_read(trusted, &error))?;
    let claims = unverified.verify(keys.iter());
    let claims = claims.map_err(|_| GrantError::InvalidGrant("the assertion is not signed by its issuer"))?;
    let (id, end) = check(asked, trusted, &claims)?;
    let subject = subject(asked, trusted, &claims).await?;
    let scope = scope(asked)?;
    judge(asked, trusted, &subject, &scope).await?;
    // Last of all: what is refused for another reason may be corrected and come again.
    let digest = sha256_hex(json!([trusted.issuer, id]).to_string().as_bytes());
    let mut tx = provider.broker.db.write().await?;
    if !tx.grants().note_assertion(&digest, end + SKEW).await? {
        return Err(GrantError::InvalidGrant("the assertion was used before"));
    }
    match subject {
        Subject::Person(user) => {
            let grant = grant(asked, &user, scope.clone());
            tx.grants().insert(&grant).await?;
            let issue = token::Issue {
                grant: &grant,
                scope,
                nonce: None,
                grant_type: GrantType::JwtBearer,
                refresh_token: None,
            };
            token::issue(asked, tx, issue).await
        }
        Subject::Application(subject) => {
            tx.commit().await?;
            speak(asked, &subject, scope, (trusted, end)).await
        }
    }
}

fn not_read(trusted: &TrustedIssuer, error: &ClientKeyError) -> GrantError {
    tracing::warn!(issuer = trusted.issuer, %error, "the keys of a trusted issuer are not to be had");
    GrantError::InvalidGrant("the keys of the assertion's issuer are not to be had")
}

/// RFC 7523 section 3: audience, times, id. Gives `jti` and the end.
fn check<'c>(
    asked: &Asked<'_>,
    trusted: &TrustedIssuer,
    claims: &'c Map<String, Value>,
) -> Result<(&'c str, Instant), GrantError> {
    let broker = asked.provider.broker;
    let now = broker.clock.now();
    let wanted = trusted.audience.clone().unwrap_or_else(|| broker.config.server.issuer());
    // One audience, as a string: an assertion that names others too could be used there as well.
    if claims.get("aud").and_then(Value::as_str) != Some(&wanted) {
        return Err(GrantError::InvalidGrant("the assertion is for another audience"));
    }
    let time = |name: &str| match claims.get(name) {
        None => Ok(None),
        Some(value) => {
            let at = value.as_i64().and_then(|seconds| Instant::from_timestamp(seconds, 0));
            at.map(Some).ok_or(GrantError::InvalidGrant("a time of the assertion is malformed"))
        }
    };
    let end = time("exp")?.ok_or(GrantError::InvalidGrant("the assertion has no end"))?;
    if now >= end + SKEW || end > now + trusted.longest_life.0 + SKEW {
        return Err(GrantError::InvalidGrant("the assertion has expired, or lives too long"));
    }
    if [time("nbf")?, time("iat")?].into_iter().flatten().any(|at| at > now + SKEW) {
        return Err(GrantError::InvalidGrant("the assertion is of the future"));
    }
    let id = claims.get("jti").and_then(Value::as_str).filter(|id| !id.is_empty() && id.len() <= LONGEST_ID);
    Ok((id.ok_or(GrantError::InvalidGrant("the assertion has no id, so that it could come twice"))?, end))
}

async fn subject(
    asked: &Asked<'_>,
    trusted: &TrustedIssuer,
    claims: &Map<String, Value>,
) -> Result<Subject, GrantError> {
    let unknown = || GrantError::InvalidGrant(UNKNOWN);
    let name = claims.get(&trusted.claim).and_then(Value::as_str).filter(|name| name.len() <= 1_024);
    let name = name.ok_or_else(unknown)?;
    let broker = asked.provider.broker;
    if trusted.subject == SubjectKind::Application {
        let id = trusted.subjects.get(name).ok_or_else(unknown)?;
        return asked.provider.applications.find(broker, id).await?.map(Subject::Application).ok_or_else(unknown);
    }
    let user = broker.db.read().await?.users().find_by_login(&fold(name)).await?;
    let user = user.filter(|user| user.status == Status::Active).ok_or_else(unknown)?;
    Ok(Subject::Person(Box::new(user)))
}

/// What is granted of what is asked for. Nothing here lives on when its owner is away.
fn scope(asked: &Asked<'_>) -> Result<String, GrantError> {
    let wanted = asked.form.get("scope").unwrap_or("openid");
    let granted = scopes::granted(asked.app, wanted).into_iter().filter(|scope| scope != "offline_access");
    let granted = granted.collect::<Vec<_>>().join(" ");
    if granted.is_empty() {
        return Err(GrantError::InvalidScope("no scope that this application may ask for"));
    }
    Ok(granted)
}

/// A person must be let into the application, and policy must take this issuer's word for the subject.
async fn judge(asked: &Asked<'_>, trusted: &TrustedIssuer, subject: &Subject, scope: &str) -> Result<(), GrantError> {
    let broker = asked.provider.broker;
    let context = Context {
        address: Some(asked.caller.address),
        scopes: scope.split(' ').map(str::to_owned).collect(),
        ..Context::default()
    };
    let (principal, name, may_enter) = match subject {
        Subject::Person(user) => {
            let decision = may_sign_in(broker, user, &asked.app.id, context.clone()).await?;
            let principal = access::principal_now(broker, user).await?;
            (principal, format!("user:{}", user.id), decision.allowed)
        }
        Subject::Application(app) => {
            (Principal::Application { id: app.id.clone() }, format!("{APPLICATION_SUBJECT}{}", app.id), true)
        }
    };
    let decision = broker.policies.decide(&policy::Request {
        principal,
        action: policy::Action::Exchange,
        resource: Resource::Application { id: asked.app.id.clone() },
        context: Context {
            client_id: Some(asked.app.id.clone()),
            actor: Some(format!("issuer:{}", trusted.issuer)),
            ..context
        },
    });
    if may_enter && decision.allowed {
        return Ok(());
    }
    let event = Event::new(Action::TokenIssue, Outcome::Denied, format!("app:{}", asked.app.id), name)
        .from_request(asked.caller.address.to_string(), &asked.caller.request_id)
        .with(json!({ "grant_type": GrantType::JwtBearer, "issuer": trusted.issuer, "scope": scope,
                      "policies": decision.policies }));
    broker.audit.record(event).await?;
    Err(GrantError::InvalidGrant(UNKNOWN))
}

fn grant(asked: &Asked<'_>, user: &User, scope: String) -> Grant {
    let broker = asked.provider.broker;
    let now = broker.clock.now();
    Grant {
        id: GrantId::new(&broker.rng, now),
        application_id: asked.app.id.clone(),
        user_id: Some(user.id),
        session_id: None,
        scope,
        auth_time: now,
        amr: String::new(),
        created_at: now,
        expires_at: now + lifetimes::access_token(&broker.config, asked.app),
        revoked_at: None,
        revoked_reason: None,
        details: Json(GrantDetails::default()),
    }
}

/// A token that speaks for an application.
async fn speak(
    asked: &Asked<'_>,
    subject: &Application,
    scope: String,
    (trusted, end): (&TrustedIssuer, Instant),
) -> Result<TokenResponse, GrantError> {
    let Asked { provider, app, .. } = *asked;
    let (jti, sub) = (new_jti(provider), format!("{APPLICATION_SUBJECT}{}", subject.id));
    let event = Event::new(Action::TokenIssue, Outcome::Success, format!("app:{}", app.id), &sub)
        .from_request(asked.caller.address.to_string(), &asked.caller.request_id)
        .with(json!({ "grant_type": GrantType::JwtBearer, "issuer": trusted.issuer, "scope": scope, "jti": jti }));
    provider.broker.audit.record(event).await?;
    let not_after = end.max(provider.broker.clock.now() + TimeDelta::seconds(1));
    let mint = Mint {
        app,
        grant: None,
        scope: &scope,
        // Named as what it came from, so that it dies when the application it speaks for is switched off.
        derived: Some(Derived { sub, not_after, act: None, from: vec![format!("assertion:{jti}")] }),
        jti,
        told: Map::new(),
        audience: None,
        confirmation: asked.confirmation.clone(),
        authorization_details: Vec::new(),
    };
    let issued = issue::access_token(provider, mint).await?;
    Ok(TokenResponse {
        access_token: issued.token,
        issued_token_type: None,
        token_type: token_type(asked.confirmation.as_ref()),
        expires_in: issued.expires_in,
        scope,
        refresh_token: None,
        id_token: None,
        authorization_details: Vec::new(),
    })
}
