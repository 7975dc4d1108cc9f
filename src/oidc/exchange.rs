//! Token exchange (RFC 8693): a service trades a token it was given for one that another service accepts.
//!
//! With an `actor_token` the new token says who acts for whom (`act`, delegation); without one the service speaks as the
//! subject (impersonation). Nothing is exchanged unless a policy permits it: who may be spoken for, by whom, towards
//! which application, with which scopes. The new token never allows more than the subject's, never outlives it, and dies
//! with it: with its grant, with itself, with whatever it was itself exchanged from, within the bound of `verify`.
//! People who administer are never impersonated; recovery administrators have no tokens at all.
//!
//! A token that is bound to a key or certificate is exchanged only by who proves that key or certificate in the same
//! request: else whoever stole it would trade it for one that is bound to nothing. A service that passes on what others
//! sent cannot prove their keys; it is switched to `exchanges_bound_tokens` when it checks their proofs itself.

use serde_json::{Value, json};
use std::sync::Arc;

use super::code::active;
use super::issue::{self, APPLICATION_SUBJECT, Derived, Mint};
use super::subject::subject;
use super::token::{Asked, GrantError, TokenResponse, new_jti, token_type};
use super::verify::{AccessToken, TokenError, verify_access_token};
use super::{claims, scopes};
use crate::access;
use crate::audit::{self, Action, Event, Outcome};
use crate::model::{Application, AuthMethod, Confirmation, Grant, GrantDetails, GrantType, User};
use crate::policy::{self, Context, Decision, Principal, Resource};
use crate::verifier::is_proved;

/// The type of token that is taken and given (RFC 8693 section 3).
pub(super) const ACCESS_TOKEN: &str = "urn:ietf:params:oauth:token-type:access_token";
/// Actors in one chain at the most.
const DEPTH: usize = 8;

const UNUSABLE: &str =
    "the subject token is unknown, expired, revoked, of another kind or not meant for this application";
const UNUSABLE_ACTOR: &str =
    "the actor token is unknown, expired, revoked, of another kind or not meant for this application";
const UNPROVED: &str =
    "the token is bound to a key or certificate: prove it in the same request, with a DPoP proof or in TLS";
/// One answer for a target that is not there and for one that policy keeps closed.
const CLOSED: &str = "no token may be had for this target";

/// What an exchange is about, once both tokens are known to be good.
struct Exchange<'a> {
    subject: &'a AccessToken,
    /// The person of the subject token with the grant it rests on; none for an application.
    person: Option<(User, Grant)>,
    actor: Option<String>,
    target: Arc<Application>,
    audience: Vec<String>,
    scope: String,
}

/// Answers an exchange.
pub(super) async fn exchange(asked: &Asked<'_>) -> Result<TokenResponse, GrantError> {
    let Asked { app, form, .. } = *asked;
    if app.auth_method == AuthMethod::None {
        return Err(GrantError::UnauthorizedClient);
    }
    if !matches!(form.get("requested_token_type"), None | Some(ACCESS_TOKEN)) {
        return Err(GrantError::InvalidRequest("only access tokens are given in exchange"));
    }
    let subject = shown(asked, "subject_token", "subject_token_type", UNUSABLE).await?;
    let subject = subject.ok_or(GrantError::InvalidRequest("subject_token and subject_token_type are missing"))?;
    let actor = shown(asked, "actor_token", "actor_token_type", UNUSABLE_ACTOR).await?;
    let (target, audience) = target(asked).await?;
    let scope = scope(asked, &subject)?;
    let acting = actor.as_ref().map(|actor| actor.sub.clone());
    // Who acts already is not forgotten: a token with a chain is handed on with the application that hands it on.
    let own = || format!("{APPLICATION_SUBJECT}{}", app.id);
    let acting = acting.or_else(|| subject.actor.is_some().then(own));
    may_act(&subject, acting.as_deref().unwrap_or(&own()))?;
    let act = chain(&subject, acting.as_deref())?;
    let person = person(asked, &subject).await?;
    let exchange = Exchange { subject: &subject, person, actor: acting, target, audience, scope };
    judge(asked, &exchange).await?;
    give(asked, exchange, act).await
}

/// A token of the request with its type: both or neither.
async fn shown(
    asked: &Asked<'_>,
    name: &str,
    kind: &str,
    unusable: &'static str,
) -> Result<Option<Arc<AccessToken>>, GrantError> {
    let Asked { provider, app, form, .. } = *asked;
    let token = match (form.get(name), form.get(kind)) {
        (None, None) => return Ok(None),
        (Some(token), Some(ACCESS_TOKEN)) => token,
        (Some(_), Some(_)) => {
            return Err(GrantError::InvalidRequest("only access tokens of this issuer are exchanged"));
        }
        _ => return Err(GrantError::InvalidRequest("a token and its type go together")),
    };
    let token = match verify_access_token(provider.broker, provider.keys, token).await {
        Ok(token) => token,
        Err(TokenError::Store(error)) => return Err(error.into()),
        Err(_) => return Err(GrantError::InvalidRequest(unusable)),
    };
    // A token that came to the wrong place buys nothing there. The default audience is everybody's, so it does not count.
    let is_meant = token.client_id == app.id
        || token.aud.iter().any(|aud| *aud == app.id || app.settings.audience.iter().any(|own| own == aud));
    if !is_meant {
        return Err(GrantError::InvalidRequest(unusable));
    }
    if proves(asked, &token) { Ok(Some(token)) } else { Err(GrantError::InvalidRequest(UNPROVED)) }
}

/// Whether the request proves what the token is bound to: by its `DPoP` proof, which was checked before, or by its
/// certificate.
fn proves(asked: &Asked<'_>, token: &AccessToken) -> bool {
    let is_own = token.client_id == asked.app.id;
    let Some(bound) = &token.confirmation else { return true };
    if !is_own && asked.app.settings.grants.exchanges_bound_tokens {
        return true;
    }
    let key = match &asked.confirmation {
        Some(Confirmation::Key(key)) => Some(key.as_str()),
        Some(Confirmation::Certificate(_)) | None => None,
    };
    let certificate = asked.presented.certificate.as_ref().map(|certificate| certificate.thumbprint());
    is_proved(bound, key, certificate.as_deref())
}

/// The application that the new token is for, and its `aud`: `audience` is a client id or an audience, `resource` an
/// absolute URI without fragment (RFC 8707 section 2). The application itself, when neither is given.
async fn target(asked: &Asked<'_>) -> Result<(Arc<Application>, Vec<String>), GrantError> {
    let Asked { provider, app, form, .. } = *asked;
    let broker = provider.broker;
    let named = match (form.get("audience"), form.get("resource")) {
        (None, None) => {
            let own = provider.applications.find(broker, &app.id).await?;
            return own.map(|own| (own, issue::audience(&broker.config, app))).ok_or(GrantError::InvalidTarget(CLOSED));
        }
        (Some(_), Some(_)) => return Err(GrantError::InvalidTarget("name one target: audience or resource")),
        (None, Some(_)) if form.is_repeated("resource") => {
            return Err(GrantError::InvalidTarget("name one target: audience or resource"));
        }
        (Some(name), None) => {
            if let Some(target) = provider.applications.find(broker, name).await? {
                let audience = issue::audience(&broker.config, &target);
                return Ok((target, audience));
            }
            name
        }
        (None, Some(uri)) => match url::Url::parse(uri) {
            Ok(parsed) if parsed.fragment().is_none() => uri,
            _ => return Err(GrantError::InvalidTarget("resource is no absolute URI, or has a fragment")),
        },
    };
    let target = provider.applications.serving(broker, named).await?.ok_or(GrantError::InvalidTarget(CLOSED))?;
    Ok((target, vec![named.to_owned()]))
}

/// What both the subject token and the application may have, or of that what is asked for.
fn scope(asked: &Asked<'_>, subject: &AccessToken) -> Result<String, GrantError> {
    // A new sign-in is not part of the bargain: nothing here refreshes, and no ID token is made.
    let own = scopes::granted(asked.app, &subject.scopes.join(" "));
    let own = own.into_iter().filter(|scope| scope != "offline_access");
    let Some(wanted) = asked.form.get("scope") else { return Ok(own.collect::<Vec<_>>().join(" ")) };
    let own: Vec<String> = own.collect();
    let wanted: Vec<&str> = wanted.split(' ').filter(|scope| !scope.is_empty()).collect();
    if wanted.is_empty() || !wanted.iter().all(|scope| own.iter().any(|own| own == scope)) {
        return Err(GrantError::InvalidScope("more is asked for than the subject token or the application may have"));
    }
    Ok(wanted.join(" "))
}

/// RFC 8693 section 4.4: a token that names who may act for its subject is of no use to others.
fn may_act(subject: &AccessToken, actor: &str) -> Result<(), GrantError> {
    match &subject.may_act {
        Some(named) if named.get("sub").and_then(Value::as_str) != Some(actor) => {
            Err(GrantError::InvalidRequest("the subject token names another party that may act"))
        }
        _ => Ok(()),
    }
}

/// `act` of the new token: who acts now, and within it who did before (RFC 8693 section 4.1).
fn chain(subject: &AccessToken, acting: Option<&str>) -> Result<Option<Value>, GrantError> {
    let Some(acting) = acting else { return Ok(None) };
    let mut depth = 1;
    let mut before = subject.actor.as_ref();
    while let Some(one) = before {
        depth += 1;
        before = one.get("act");
    }
    if depth > DEPTH || subject.derived_from.len() >= DEPTH {
        return Err(GrantError::InvalidRequest("too many act for each other"));
    }
    Ok(Some(match &subject.actor {
        Some(before) => json!({ "sub": acting, "act": before }),
        None => json!({ "sub": acting }),
    }))
}

/// The person behind the subject token, as they are now.
async fn person(asked: &Asked<'_>, token: &AccessToken) -> Result<Option<(User, Grant)>, GrantError> {
    let (Some(user), Some(grant)) = (token.user_id, token.grant_id) else { return Ok(None) };
    let broker = asked.provider.broker;
    let mut tx = broker.db.read().await?;
    let user = tx.users().find(user).await?;
    let grant = tx.grants().find(grant).await?.filter(|grant| grant.is_live(broker.clock.now()));
    match (user, grant) {
        (Some(user), Some(grant)) => {
            active(&mut tx, &grant).await?;
            Ok(Some((user, grant)))
        }
        _ => Err(GrantError::InvalidRequest(UNUSABLE)),
    }
}

/// Asks policy, and records a refusal with everybody in it.
async fn judge(asked: &Asked<'_>, exchange: &Exchange<'_>) -> Result<(), GrantError> {
    let broker = asked.provider.broker;
    let principal = if let Some((user, _)) = &exchange.person {
        access::principal_now(broker, user).await?
    } else {
        let id = exchange.subject.sub.strip_prefix(APPLICATION_SUBJECT).unwrap_or_default();
        Principal::Application { id: id.to_owned() }
    };
    let amr = exchange.person.as_ref().map(|(_, grant)| grant.amr.as_str()).unwrap_or_default();
    let words = |text: &str| text.split(' ').filter(|word| !word.is_empty()).map(str::to_owned).collect();
    let context = Context {
        address: Some(asked.caller.address),
        scopes: words(&exchange.scope),
        client_id: Some(asked.app.id.clone()),
        amr: words(amr),
        actor: exchange.actor.clone(),
        ..Context::default()
    };
    let is_protected = exchange.actor.is_none()
        && matches!(principal, Principal::User { .. } | Principal::Operator { .. })
        && access::may_administer(broker, principal.clone(), Context { actor: None, ..context.clone() }).allowed;
    let decision = if is_protected {
        Decision::denied(vec!["an administrator is not impersonated".to_owned()])
    } else {
        broker.policies.decide(&policy::Request {
            principal,
            action: policy::Action::Exchange,
            resource: Resource::Application { id: exchange.target.id.clone() },
            context,
        })
    };
    if decision.allowed {
        return Ok(());
    }
    let facts = json!({ "policies": decision.policies, "reasons": decision.errors });
    broker.audit.record(event(asked, exchange, Outcome::Denied, facts)).await?;
    Err(GrantError::InvalidTarget(CLOSED))
}

/// What is recorded: who asked, who is spoken for, who acts, towards whom.
fn event(asked: &Asked<'_>, exchange: &Exchange<'_>, outcome: Outcome, more: Value) -> Event {
    let subject = match &exchange.person {
        Some((user, _)) => format!("user:{}", user.id),
        None => exchange.subject.sub.clone(),
    };
    let mut facts = json!({
        "grant_type": GrantType::TokenExchange,
        "mode": if exchange.actor.is_some() { "delegation" } else { "impersonation" },
        "subject_client": exchange.subject.client_id,
        "subject_jti": exchange.subject.jti,
        "actor": exchange.actor,
        "target": exchange.target.id,
        "scope": exchange.scope,
    });
    if let (Some(facts), Value::Object(more)) = (facts.as_object_mut(), more) {
        facts.extend(more);
    }
    Event::new(Action::TokenIssue, outcome, format!("app:{}", asked.app.id), subject)
        .from_request(asked.caller.address.to_string(), &asked.caller.request_id)
        .with(facts)
}

/// Records the exchange, then makes the token.
async fn give(asked: &Asked<'_>, exchange: Exchange<'_>, act: Option<Value>) -> Result<TokenResponse, GrantError> {
    let Asked { provider, app, .. } = *asked;
    let broker = provider.broker;
    let jti = new_jti(provider);
    let mut tx = broker.db.write().await?;
    let details = GrantDetails::default();
    let granted = claims::Granted { app, scope: &exchange.scope, details: &details };
    let told = match &exchange.person {
        Some((user, _)) => claims::in_tokens(&mut tx, granted, user.id).await?.access_token,
        None => serde_json::Map::new(),
    };
    let facts = json!({ "jti": jti, "grant": exchange.person.as_ref().map(|(_, grant)| grant.id) });
    audit::append(&mut tx, broker.clock.now(), &[event(asked, &exchange, Outcome::Success, facts)]).await?;
    tx.commit().await?;
    let sub = match &exchange.person {
        Some((user, _)) => subject(broker, &exchange.target, user.id),
        None => exchange.subject.sub.clone(),
    };
    let from = exchange.subject.derived_from.iter().chain([&exchange.subject.jti]).cloned().collect();
    let mint = Mint {
        app,
        grant: exchange.person.as_ref().map(|(_, grant)| grant),
        scope: &exchange.scope,
        jti,
        told,
        audience: Some(exchange.audience),
        // Details were agreed on for other hands: they do not travel on.
        authorization_details: Vec::new(),
        confirmation: asked.confirmation.clone(),
        derived: Some(Derived { sub, not_after: exchange.subject.exp, act, from }),
    };
    let issued = issue::access_token(provider, mint).await?;
    Ok(TokenResponse {
        access_token: issued.token,
        issued_token_type: Some(ACCESS_TOKEN),
        token_type: token_type(asked.confirmation.as_ref()),
        expires_in: issued.expires_in,
        scope: exchange.scope,
        refresh_token: None,
        id_token: None,
        authorization_details: Vec::new(),
    })
}
