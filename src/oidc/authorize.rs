//! The authorization endpoint (RFC 6749 section 3.1, OpenID Connect Core 1.0 section 3.1.2): what becomes of a request.
//!
//! Until application and redirect URI are known, every fault is a page and nothing is sent anywhere. After that, faults
//! go to the application, but only once the person is signed in (RFC 9700 section 4.11.2), unless `prompt=none`.
//! Whether the person may use the application is a policy decision; a refusal is a page that says so, because only the
//! person can do something about it (with `prompt=none` the application is told `access_denied`).
//!
//! There is no consent page: the company decides through policy. `prompt=consent` is therefore fulfilled by the
//! decision, `prompt=select_account` shows the sign-in page like `login`. Single claims and `acr` are
//! judged in `claims` and `assurance`.

use std::sync::Arc;

use serde_json::json;

use super::code::{self, Approved, access_event};
use super::demand::{Demand, reauth_demand};
use super::params::Params;
use super::request::{Fault, Request};
use super::subject::subject;
use super::{Caller, Provider, Visitor, assurance};
use crate::access::may_sign_in;
use crate::audit::Outcome;
use crate::model::{Application, GrantDetails, RedirectUri, Session, User};
use crate::policy::Context;
use crate::store::StoreError;

/// What the browser is answered.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Answer {
    /// To the application, with 303: the whole URL.
    Redirect(String),
    /// To the sign-in page, and from there back to the authorization endpoint with these parameters.
    SignIn {
        /// The request to come back with.
        request: Params,
        /// The form is shown even to somebody signed in.
        again: bool,
    },
    /// A page: the request names nobody who could be told, or only the person can do something.
    Page(PageFault),
}

/// A fault that is shown to the person.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum PageFault {
    /// `client_id` is missing, unknown, switched off or given twice.
    UnknownApplication,
    /// `redirect_uri` is missing, not registered or given twice.
    RedirectUri,
    /// The parameters cannot be read.
    Malformed,
    /// Policy does not let the person in.
    Denied,
    /// The recovery administrator has no applications.
    Operator,
}

/// Decides about an authorization request of a browser with this session.
///
/// # Errors
/// When the database fails.
pub async fn authorize(
    provider: Provider<'_>,
    caller: &Caller,
    params: &Params,
    session: Option<Visitor>,
) -> Result<Answer, StoreError> {
    let app = match params.get("client_id").filter(|_| !params.is_repeated("client_id")) {
        Some(id) => provider.applications.find(provider.broker, id).await?,
        None => None,
    };
    let Some(app) = app else { return Ok(Answer::Page(PageFault::UnknownApplication)) };
    let redirect_uri = params.get("redirect_uri").filter(|_| !params.is_repeated("redirect_uri"));
    let is_registered = |uri: &&str| app.settings.redirect_uris.iter().any(|own| RedirectUri(own).matches(uri));
    let Some(redirect_uri) = redirect_uri.filter(is_registered) else {
        return Ok(Answer::Page(PageFault::RedirectUri));
    };
    let state = params.get("state").filter(|_| !params.is_repeated("state"));
    let back = Back { issuer: provider.broker.config.server.issuer(), redirect_uri, state };
    let request = Request::read(&app, params);
    let is_silent = request.as_ref().map_or_else(|_| params.get("prompt") == Some("none"), |request| request.is_silent);
    let (session, user) = match session {
        Some(Visitor::Person(session, user)) => (session, user),
        Some(Visitor::Operator) if !is_silent => return Ok(Answer::Page(PageFault::Operator)),
        _ if is_silent => return Ok(back.fault(request.err().unwrap_or(Fault::LOGIN_REQUIRED))),
        _ => {
            let demand = reauth_demand(provider, params).without;
            return Ok(Answer::SignIn { request: demand, again: false });
        }
    };
    let request = match request {
        Ok(request) => request,
        Err(fault) => return Ok(back.fault(fault)),
    };
    decide(provider, caller, params, Known { app, request, back, session, user }).await
}

/// A request that can be answered, and the person it is about.
struct Known<'a> {
    app: Arc<Application>,
    request: Request<'a>,
    back: Back<'a>,
    session: Box<Session>,
    user: Box<User>,
}

async fn decide(
    provider: Provider<'_>,
    caller: &Caller,
    params: &Params,
    known: Known<'_>,
) -> Result<Answer, StoreError> {
    let Known { app, request, back, session, user } = known;
    let demand: Demand = reauth_demand(provider, params);
    let age = provider.broker.clock.now() - session.auth_time;
    let hint = super::hint::read(provider, request.id_token_hint).await;
    let sub = subject(provider.broker, &app, user.id);
    let is_other = request.id_token_hint.is_some() && hint.is_none_or(|hint| hint.aud != app.id || hint.sub != sub)
        // Asking for one person is a hint that they sign in, not another (OpenID Connect Core 1.0 section 5.5.1).
        || request.claims.id_token.get("sub").is_some_and(|wanted| !wanted.accepts(&sub.as_str().into()));
    let wants_again = request.again || request.max_age.is_some_and(|max| max.is_zero() || age > max) || is_other;
    if wants_again && !demand.is_met_by(session.auth_time) {
        if request.is_silent {
            return Ok(back.fault(Fault::LOGIN_REQUIRED));
        }
        return Ok(Answer::SignIn { request: demand.with_marker(provider), again: true });
    }
    if is_other {
        return Ok(back.fault(Fault::LOGIN_REQUIRED));
    }
    let acr = match assurance::choose(&request, &session) {
        Ok(acr) => acr,
        Err(fault) => return Ok(back.fault(fault)),
    };
    let words = |text: &str| text.split(' ').filter(|word| !word.is_empty()).map(str::to_owned).collect();
    let context = Context {
        address: Some(caller.address),
        amr: words(&session.amr),
        scopes: words(&request.scope),
        client_id: None,
        ..Context::default()
    };
    let decision = may_sign_in(provider.broker, &user, &app.id, context).await?;
    let facts = json!({ "session": session.id, "scope": request.scope, "policies": decision.policies });
    if !decision.allowed {
        let event = access_event(caller, &user, &app, Outcome::Denied).with(facts);
        provider.broker.audit.record(event).await?;
        let silent = back.fault(Fault::ACCESS_DENIED);
        return Ok(if request.is_silent { silent } else { Answer::Page(PageFault::Denied) });
    }
    let approved = Approved {
        app: &app,
        user: &user,
        session: &session,
        scope: request.scope,
        redirect_uri: back.redirect_uri,
        nonce: request.nonce,
        code_challenge: request.code_challenge,
        details: GrantDetails { claims: request.claims.stored(), acr, ..GrantDetails::default() },
    };
    let event = access_event(caller, &user, &app, Outcome::Success).with(facts);
    let code = code::make(provider, approved, event).await?;
    Ok(back.with(&[("code", &code)]))
}

/// The way back to the application.
struct Back<'a> {
    issuer: String,
    redirect_uri: &'a str,
    state: Option<&'a str>,
}

impl Back<'_> {
    fn fault(&self, fault: Fault) -> Answer {
        self.with(&[("error", fault.error), ("error_description", fault.description)])
    }

    /// Appends the answer, `state` and `iss` (RFC 9207) to the redirect URI, whose own query is kept.
    fn with(&self, answer: &[(&str, &str)]) -> Answer {
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        query.extend_pairs(answer);
        if let Some(state) = self.state {
            query.append_pair("state", state);
        }
        query.append_pair("iss", &self.issuer);
        let join = if self.redirect_uri.contains('?') { '&' } else { '?' };
        Answer::Redirect(format!("{}{join}{}", self.redirect_uri, query.finish()))
    }
}
