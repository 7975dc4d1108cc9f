//! The judgement of a call: route, method, caller, scope, role, policy, in this order; recorded before it is answered.

use std::net::IpAddr;
use std::sync::Arc;

use super::caller::{Caller, Credentials, Proof, identify};
use super::record::{Trail, record};
use super::route::{call_host, find};
use super::{CallPath, Refusal};
use crate::access;
use crate::broker::Broker;
use crate::config::RouteConfig;
use crate::model::{Acr, Status};
use crate::oidc::{AccessToken, KeyRing, Shown};
use crate::policy::{Action, Context, Details, Principal, Request, Resource};

/// A call, as it came from outside.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Call {
    /// HTTP method, exactly as sent.
    pub method: String,
    /// The `Host`; none when there is none, or more than one.
    pub host: Option<String>,
    /// Path and query, exactly as sent.
    pub target: String,
    /// What proves who calls.
    pub credentials: Credentials,
    /// `Origin` of a browser's call.
    pub origin: Option<String>,
    /// `Sec-Fetch-Site` of a browser's call.
    pub fetch_site: Option<String>,
    /// Address of the caller.
    pub address: IpAddr,
    /// Id of the request.
    pub request_id: String,
}

/// A call that may go on. Only [`judge`] makes one.
#[derive(Clone, Debug)]
pub struct Permit<'a> {
    route: &'a RouteConfig,
    path: CallPath,
    caller: Caller,
}

impl<'a> Permit<'a> {
    /// The route.
    #[must_use]
    pub fn route(&self) -> &'a RouteConfig {
        self.route
    }

    /// Path and query to serve: the one that was judged.
    #[must_use]
    pub fn path(&self) -> &CallPath {
        &self.path
    }

    /// Who calls.
    #[must_use]
    pub fn caller(&self) -> &Caller {
        &self.caller
    }
}

/// Judges a call and records the judgement.
///
/// # Errors
/// [`Refusal`]. A permit that cannot be recorded is refused too.
pub async fn judge<'a>(broker: &'a Broker, keys: &KeyRing, call: &Call) -> Result<Permit<'a>, Refusal> {
    let mut trail = Trail::default();
    let judged = decide(broker, keys, call, &mut trail).await;
    let recorded = record(broker, call, trail, judged.as_ref().err()).await;
    match (judged, recorded) {
        (Ok(_), Err(error)) => Err(Refusal::Store(error)),
        (judged, _) => judged,
    }
}

async fn decide<'a>(broker: &'a Broker, keys: &KeyRing, call: &Call, trail: &mut Trail) -> Result<Permit<'a>, Refusal> {
    let host = call_host(call.host.as_deref().ok_or(Refusal::Host)?)?;
    let path = CallPath::parse(&call.target)?;
    path.path().clone_into(&mut trail.path);
    let route = find(&broker.config.routes, &host, &path)?;
    trail.route.clone_from(&route.name);
    // CONNECT and TRACE mean something else than a call, whatever a route says.
    if !route.methods.contains(&call.method) || matches!(call.method.as_str(), "CONNECT" | "TRACE") {
        return Err(Refusal::Method(route.methods.clone()));
    }
    let proof =
        identify(broker, keys, &call.credentials, shown(broker, route, call, &path).as_ref(), route.sessions).await?;
    trail.proven(&proof);
    match &proof {
        Proof::Token(token) => check_token(broker, route, token)?,
        Proof::Session(..) => check_origin(call, &host)?,
    }
    check_assurance(broker, route, &proof)?;
    let caller = gather(broker, proof).await?;
    trail.found(&caller);
    let departments = match &route.department {
        None => Vec::new(),
        code => access::department_above(&mut broker.db.read().await?, code.as_deref()).await?,
    };
    check_roles(route, &caller.principal, &departments)?;
    let request = Request {
        principal: caller.principal.clone(),
        action: Action::Call,
        resource: Resource::Route { name: route.name.clone() },
        context: Context { departments, ..context(call, &path, &caller) },
    };
    let decision = broker.policies.decide(&request);
    trail.policies.clone_from(&decision.policies);
    if decision.allowed { Ok(Permit { route, path, caller }) } else { Err(Refusal::Policy(decision)) }
}

/// The proofs of a call and what they have to be about: its public address, by configuration (RFC 9449 section 4.3).
fn shown(broker: &Broker, route: &RouteConfig, call: &Call, path: &CallPath) -> Option<Shown> {
    if call.credentials.proofs.is_empty() {
        return None;
    }
    let public = &broker.config.server.public_url;
    let port = public.port().map(|port| format!(":{port}")).unwrap_or_default();
    let host = route.host.as_deref().or_else(|| public.host_str()).unwrap_or_default();
    let address = format!("{}://{host}{port}{}", public.scheme(), path.path());
    Some(Shown { proofs: call.credentials.proofs.clone(), method: call.method.clone(), addresses: vec![address] })
}

/// Audience (RFC 9068 section 4) and scope (RFC 6750 section 3.1).
fn check_token(broker: &Broker, route: &RouteConfig, token: &AccessToken) -> Result<(), Refusal> {
    let audience = route.audience.clone().unwrap_or_else(|| broker.config.default_audience());
    if !token.aud.contains(&audience) {
        return Err(Refusal::Audience);
    }
    if !route.scopes.is_empty() && !route.scopes.iter().any(|scope| token.has_scope(scope)) {
        return Err(Refusal::Scope(route.scopes.clone()));
    }
    Ok(())
}

/// Strength and age of the person's proof (RFC 9470). A service in its own name has none.
fn check_assurance(broker: &Broker, route: &RouteConfig, proof: &Proof) -> Result<(), Refusal> {
    let (held, at, may_sign_in) = match proof {
        _ if route.acr.is_none() && route.max_age.is_none() => return Ok(()),
        Proof::Token(token) => (token.acr.as_deref().and_then(|acr| acr.parse().ok()), token.auth_time, false),
        Proof::Session(_, amr, at) => (Acr::held(&amr.join(" ")).first().copied(), Some(*at), true),
    };
    let is_strong = route.acr.is_none_or(|wanted| held.is_some_and(|held: Acr| held.is_at_least(wanted)));
    let now = broker.clock.now();
    let is_fresh = route.max_age.is_none_or(|max_age| at.is_some_and(|at| now - at <= max_age.0));
    if is_strong && is_fresh {
        return Ok(());
    }
    let max_age = route.max_age.map(|max_age| max_age.0.num_seconds());
    Err(Refusal::Assurance { acr: route.acr, max_age, may_sign_in })
}

/// A browser sends its session with what any page makes it send: only a page of the same origin may change anything.
fn check_origin(call: &Call, host: &str) -> Result<(), Refusal> {
    if matches!(call.method.as_str(), "GET" | "HEAD" | "OPTIONS") {
        return Ok(());
    }
    let is_same = match (&call.fetch_site, &call.origin) {
        (Some(site), _) => site == "same-origin" || site == "none",
        (None, Some(origin)) => {
            let of_origin = origin.split_once("://").and_then(|(_, rest)| call_host(rest).ok());
            of_origin.as_deref() == Some(host)
        }
        (None, None) => true,
    };
    if is_same { Ok(()) } else { Err(Refusal::CrossSite) }
}

fn check_roles(route: &RouteConfig, principal: &Principal, departments: &[String]) -> Result<(), Refusal> {
    let has_one = route.roles.iter().any(|role| principal.has_role(role, departments));
    if route.roles.is_empty() || has_one { Ok(()) } else { Err(Refusal::Role(route.roles.clone())) }
}

/// The facts of the caller.
async fn gather(broker: &Broker, proof: Proof) -> Result<Caller, Refusal> {
    let (token, id, amr) = match proof {
        Proof::Session(user, amr, _) => (None, user.id, amr),
        Proof::Token(token) => match token.user_id {
            None => {
                // Of an exchanged token, not who exchanged it counts, but who it speaks for.
                let id = token.sub.strip_prefix("app:").unwrap_or(&token.client_id).to_owned();
                let principal = Principal::Application { id };
                return Ok(Caller { known: None, token: Some(token), amr: Vec::new(), principal });
            }
            Some(id) => (Some(token), id, Vec::new()),
        },
    };
    let known = broker.reads.person(id).await?.filter(|known| known.user.status == Status::Active);
    let known = known.ok_or(Refusal::Token)?;
    let principal = access::principal_of(&known.user, &known.facts);
    Ok(Caller { known: Some(known), token, amr, principal })
}

fn context(call: &Call, path: &CallPath, caller: &Caller) -> Context {
    let token: Option<&Arc<AccessToken>> = caller.token.as_ref();
    Context {
        address: Some(call.address),
        method: Some(call.method.clone()),
        path: Some(path.path().to_owned()),
        scopes: token.map(|token| token.scopes.iter().cloned().collect()).unwrap_or_default(),
        client_id: token.map(|token| token.client_id.clone()),
        actor: token.and_then(|token| token.current_actor().map(str::to_owned)),
        amr: caller.amr.iter().cloned().collect(),
        departments: Vec::new(),
        authorization_details: token.and_then(|token| Details::of(&token.authorization_details)),
    }
}
