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
    let answered = match app.broker.db.read().await {
        Ok(mut tx) => tx.one::<(i64,)>("SELECT seq FROM audit_head WHERE id = 1", &[]).await,
        Err(error) => Err(error),
    };
    match answered {
        Ok(_) => (StatusCode::OK, "up\n"),
        Err(error) => {
            tracing::error!(%error, "the database does not answer");
            (StatusCode::SERVICE_UNAVAILABLE, "down\n")
        }
    }
}
