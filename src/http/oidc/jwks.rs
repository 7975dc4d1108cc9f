//! `GET /oauth2/jwks`: every published key.

use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};

use crate::http::state::App;

/// The set. Clients may keep it for an hour at the most, and never as long as a key waits before it signs.
pub(super) async fn show(State(app): State<App>) -> Response {
    let ahead = app.broker.config.oidc.key_publish_ahead.0.num_seconds();
    let keep = format!("public, max-age={}", (ahead / 2).min(3_600));
    let jwks = app.keys.jwks(&app.broker).await;
    ([(header::CONTENT_TYPE, "application/json".to_owned()), (header::CACHE_CONTROL, keep)], jwks.to_string())
        .into_response()
}
