//! Every route on one page.

use axum::Router;
use axum::routing::get;

use super::state::App;
use super::{health, layers, oidc, paths};

/// The router of the broker's listener.
pub fn router(app: App) -> Router {
    let router = Router::new()
        .route(paths::HEALTH, get(health::live))
        .route(paths::READY, get(health::ready))
        .merge(oidc::routes(&app));
    layers::wrap(router, &app).with_state(app)
}
