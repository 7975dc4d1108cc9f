//! Ending sessions from the list: one, all others, all.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect, Response};

use super::sign_out::{leave, leave_session};
use crate::http::extract::{SessionForm, Visit};
use crate::http::paths;
use crate::http::respond::page::internal;
use crate::http::state::App;
use crate::login;
use crate::store::StoreError;

/// `POST /sessions/end`: ends one session of the person.
pub async fn end_one(State(app): State<App>, SessionForm(visit, fields): SessionForm) -> Response {
    let Some(current) = visit.session.clone() else { return leave(&app) };
    let Ok(id) = fields.get("session").parse() else {
        return visit.refuse(StatusCode::NOT_FOUND, "error-no-session");
    };
    let (address, request_id) = visit.trace();
    match login::end_session(&app.broker, &current, id, (&address, &request_id)).await {
        Ok(true) if id == current.session().id => leave_session(&visit, id, None).await,
        Ok(true) => Redirect::to(paths::SESSIONS).into_response(),
        // Somebody else's session is answered like one that does not exist.
        Ok(false) => visit.refuse(StatusCode::NOT_FOUND, "error-no-session"),
        Err(error) => failed(&visit, &error),
    }
}

/// `POST /sessions/end-others`: ends every session of the person but this one.
pub async fn end_others(State(app): State<App>, SessionForm(visit, _): SessionForm) -> Response {
    let Some(current) = visit.session.clone() else { return leave(&app) };
    let (address, request_id) = visit.trace();
    match login::end_others(&app.broker, &current, (&address, &request_id)).await {
        Ok(_) => Redirect::to(paths::SESSIONS).into_response(),
        Err(error) => failed(&visit, &error),
    }
}

/// `POST /sessions/end-all`: signs out everywhere: every session and every grant.
pub async fn end_everywhere(State(app): State<App>, SessionForm(visit, _): SessionForm) -> Response {
    let Some(current) = visit.session.clone() else { return leave(&app) };
    let (address, request_id) = visit.trace();
    match login::sign_out_everywhere(&app.broker, &current, (&address, &request_id)).await {
        Ok(()) => leave_session(&visit, current.session().id, None).await,
        Err(error) => failed(&visit, &error),
    }
}

fn failed(visit: &Visit, error: &StoreError) -> Response {
    tracing::error!(%error, request_id = visit.request_id, "a session could not be ended");
    internal(&visit.app, visit.language, &visit.request_id)
}
