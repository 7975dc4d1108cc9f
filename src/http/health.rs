//! Health: up or down, nothing else.

use axum::extract::State;
use axum::http::StatusCode;

use super::state::App;

/// `GET /health`: the process answers.
pub async fn live() -> &'static str {
    "up\n"
}

/// `GET /ready`: the database answers too.
pub async fn ready(State(app): State<App>) -> (StatusCode, &'static str) {
    match app.broker.db.answers().await {
        Ok(()) => (StatusCode::OK, "up\n"),
        Err(error) => {
            tracing::error!(%error, "the database does not answer");
            (StatusCode::SERVICE_UNAVAILABLE, "down\n")
        }
    }
}
