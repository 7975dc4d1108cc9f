//! The endpoints of the OpenID provider: parse, call one function of `oidc`, answer.

mod authorize;
mod backchannel;
mod consent;
mod cors;
mod device;
mod device_authorization;
mod discovery;
mod feed;
mod introspect;
mod jwks;
mod logout;
mod par;
mod registration;
mod requests;
mod revoke;
mod status_list;
mod token;
mod userinfo;

use axum::Router;
use axum::middleware;
use axum::routing::{get, post};

use super::extract::Visit;
use super::paths;
use super::state::App;
use crate::login::CurrentSession;
use crate::oidc::Visitor;

/// The routes of the provider.
pub(super) fn routes(app: &App) -> Router<App> {
    let cors = || middleware::from_fn_with_state(app.clone(), cors::allow_known_origins);
    Router::new()
        .route(paths::OPENID_CONFIGURATION, get(discovery::show).options(cors::preflight).layer(cors()))
        .route(paths::OAUTH_METADATA, get(discovery::show).options(cors::preflight).layer(cors()))
        .route(paths::JWKS, get(jwks::show).options(cors::preflight).layer(cors()))
        .route(paths::AUTHORIZE, get(authorize::show).post(authorize::again_by_get))
        .route(paths::PAR, post(par::answer).options(cors::preflight).layer(cors()))
        .route(paths::CONSENT, post(consent::submit))
        .route(paths::END_SESSION, get(logout::show).post(logout::again_by_get))
        .route(paths::STATUS_LISTS, get(status_list::list).options(cors::preflight).layer(cors()))
        .route(paths::STATUS_LIST, get(status_list::show).options(cors::preflight).layer(cors()))
        .route(paths::REVOCATION_EVENTS, get(feed::follow))
        .route(paths::INTROSPECT, post(introspect::answer))
        .route(paths::DEVICE_AUTHORIZATION, post(device_authorization::answer).options(cors::preflight).layer(cors()))
        .route(paths::BACKCHANNEL, post(backchannel::answer))
        .route(paths::REQUESTS, get(requests::show).post(requests::submit))
        .route(paths::REGISTER, post(registration::register))
        .route(paths::REGISTRATION, get(registration::show).put(registration::replace).delete(registration::remove))
        .route(paths::DEVICE, get(device::show).post(device::submit))
        .route(paths::REVOKE, post(revoke::answer).options(cors::preflight).layer(cors()))
        .route(paths::USERINFO, get(userinfo::answer).post(userinfo::answer).options(cors::preflight).layer(cors()))
        .route(paths::TOKEN, post(token::answer).options(cors::preflight).layer(cors()))
}

/// Whose session a visit has, as the provider knows it.
fn visitor(visit: &Visit) -> Option<Visitor> {
    match visit.session.clone()? {
        CurrentSession::Person(session, user) => Some(Visitor::Person(Box::new(session), user)),
        CurrentSession::Operator(..) => Some(Visitor::Operator),
    }
}
