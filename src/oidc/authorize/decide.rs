//! The decision: is the person's proof fresh enough, is it the person that is meant, does policy permit it.

use serde_json::{Value, json};

use super::arrive::Arrival;
use super::{Answer, Known, PageFault, Stop};
use crate::access::may_sign_in;
use crate::audit::Outcome;
use crate::model::{Session, User};
use crate::oidc::code::access_event;
use crate::oidc::issue::IdClaims;
use crate::oidc::request::{Fault, Request};
use crate::oidc::subject::subject;
use crate::oidc::{Caller, Provider, assurance, hint};
use crate::policy::{Context, Details};

/// A request that policy permits.
pub(in crate::oidc) struct Decided {
    pub request: Request,
    pub session: Box<Session>,
    pub user: Box<User>,
    /// How strongly the person has proved who they are.
    pub acr: Option<String>,
    /// What the audit log is told of the decision.
    pub facts: Value,
}

pub(super) async fn decide(
    provider: Provider<'_>,
    caller: &Caller,
    arrival: &Arrival,
    known: Known,
) -> Result<Decided, Stop> {
    let Known { request, session, user } = known;
    check_proof(provider, arrival, &request, &session, &user).await?;
    let acr = match assurance::choose(&request, &session) {
        Ok(acr) => acr,
        Err(fault) => return Err(arrival.refuse(provider, fault).await),
    };
    let words = |text: &str| text.split(' ').filter(|word| !word.is_empty()).map(str::to_owned).collect();
    let context = Context {
        address: Some(caller.address),
        amr: words(&session.amr),
        scopes: words(&request.scope),
        authorization_details: Details::of(&request.details),
        ..Context::default()
    };
    let decision = may_sign_in(provider.broker, &user, &arrival.app.id, context).await?;
    let facts = json!({ "session": session.id, "scope": request.scope, "policies": decision.policies });
    if decision.allowed {
        return Ok(Decided { request, session, user, acr, facts });
    }
    let event = access_event(caller, &user, &arrival.app, Outcome::Denied).with(facts);
    provider.broker.audit.record(event).await?;
    if request.is_silent {
        return Err(arrival.refuse(provider, Fault::ACCESS_DENIED).await);
    }
    Err(Stop::Answer(Answer::Page(PageFault::Denied)))
}

/// Whether the person has to prove themselves again, and whether the hint is theirs.
async fn check_proof(
    provider: Provider<'_>,
    arrival: &Arrival,
    request: &Request,
    session: &Session,
    user: &User,
) -> Result<(), Stop> {
    let demand = arrival.demand(provider);
    let age = provider.broker.clock.now() - session.auth_time;
    let hint = hint::read(provider, request.id_token_hint.as_deref()).await;
    let sub = subject(provider.broker, &arrival.app, user.id);
    let is_wrong = |hint: IdClaims| hint.aud != arrival.app.id || hint.sub != sub;
    let is_other = request.id_token_hint.is_some() && hint.is_none_or(is_wrong)
        // Asking for one person is a hint that they sign in, not another (OpenID Connect Core 1.0 section 5.5.1).
        || request.claims.id_token.get("sub").is_some_and(|wanted| !wanted.accepts(&sub.as_str().into()));
    let wants_again = request.again || request.max_age.is_some_and(|max| max.is_zero() || age > max) || is_other;
    if wants_again && !demand.is_met_by(session.auth_time) {
        if request.is_silent {
            return Err(arrival.refuse(provider, Fault::LOGIN_REQUIRED).await);
        }
        return Err(arrival.sign_in(demand.with_marker(provider), true));
    }
    if is_other {
        return Err(arrival.refuse(provider, Fault::LOGIN_REQUIRED).await);
    }
    Ok(())
}
