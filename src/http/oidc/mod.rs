//! The endpoints of the OpenID provider: parse, call one function of `oidc`, answer.

mod cors;
mod discovery;
mod jwks;
mod token;

use axum::Router;
use axum::middleware;
use axum::routing::{get, post};

use super::paths;
use super::state::App;

/// The routes of the provider.
pub(super) fn routes(app: &App) -> Router<App> {
    let cors = || middleware::from_fn_with_state(app.clone(), cors::allow_known_origins);
    Router::new()
        .route(paths::OPENID_CONFIGURATION, get(discovery::show).layer(cors()))
        .route(paths::OAUTH_METADATA, get(discovery::show).layer(cors()))
        .route(paths::JWKS, get(jwks::show).layer(cors()))
        .route(paths::TOKEN, post(token::answer).layer(cors()))
}
