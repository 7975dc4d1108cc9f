//! Every route on one page.

use axum::Router;
use axum::routing::get;

use super::state::App;
use super::{health, layers, paths};

/// The router of the broker's listener.
pub fn router(app: App) -> Router {
    let router = Router::new().route(paths::HEALTH, get(health::live)).route(paths::READY, get(health::ready));
    layers::wrap(router, &app).with_state(app)
}
