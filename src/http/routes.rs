//! Every route on one page.

use axum::Router;
use axum::routing::get;

use super::state::App;
use super::{assets, health, layers, login, oidc, paths, respond::page};

/// The router of the broker's listener.
pub fn router(app: App) -> Router {
    let router = Router::new()
        .route(paths::HEALTH, get(health::live))
        .route(paths::READY, get(health::ready))
        .route(paths::LOGIN, get(login::show).post(login::submit))
        .route(paths::LANGUAGE, get(login::switch))
        .route(paths::ASSETS, get(assets::serve))
        .merge(oidc::routes(&app))
        .fallback(page::not_found)
        .method_not_allowed_fallback(page::wrong_method);
    layers::wrap(router, &app).with_state(app)
}
