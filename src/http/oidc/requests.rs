//! `GET` and `POST /requests`: sign-ins that applications asked for in a person's name (CIBA); the person agrees or
//! refuses with a click.

use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect, Response};
use minijinja::value::Serde;
use minijinja::{Value, context};

use super::device::permissions;
use crate::http::extract::{SessionForm, SignedIn};
use crate::http::paths;
use crate::http::ui::words;
use crate::login::CurrentSession;
use crate::oidc::{Caller, Decided, Decider, WaitingRequest, decide_request, waiting_requests};

/// The requests that wait for the person.
pub(super) async fn show(signed_in: SignedIn) -> Response {
    let CurrentSession::Person(_, user) = &signed_in.current else {
        return signed_in.visit.refuse(StatusCode::FORBIDDEN, "error-operator-application");
    };
    match waiting_requests(signed_in.visit.app.provider(), user).await {
        Ok(requests) => {
            let rows: Vec<serde_json::Value> = requests.iter().map(|request| row(&signed_in, request)).collect();
            let values = context! { rows => Value::from(Serde(rows)), action => paths::REQUESTS };
            signed_in.page("requests.html", "requests", values)
        }
        Err(error) => signed_in.failed(&error),
    }
}

fn row(signed_in: &SignedIn, request: &WaitingRequest) -> serde_json::Value {
    let (language, broker) = (signed_in.visit.language, &signed_in.visit.app.broker);
    serde_json::json!({
        "id": request.id,
        "name": request.name,
        "message": request.binding_message,
        "permissions": permissions(&signed_in.visit, &request.scopes),
        "address": request.address,
        "asked": words::ago(language, broker.clock.now(), request.created_at),
    })
}

/// The person's decision.
pub(super) async fn submit(caller: Caller, SessionForm(visit, fields): SessionForm) -> Response {
    let signed_in = match SignedIn::of(visit).await {
        Ok(signed_in) => signed_in,
        Err(response) => return response,
    };
    let CurrentSession::Person(session, user) = &signed_in.current else {
        return signed_in.visit.refuse(StatusCode::FORBIDDEN, "error-operator-application");
    };
    let is_agreed = match fields.get("decision") {
        "approve" => true,
        "refuse" => false,
        _ => return signed_in.visit.refuse(StatusCode::BAD_REQUEST, "error-bad-request"),
    };
    let Ok(id) = fields.get("request").parse() else {
        return signed_in.visit.refuse(StatusCode::NOT_FOUND, "error-no-request");
    };
    let who = Decider { session, user };
    match decide_request(signed_in.visit.app.provider(), &caller, who, id, is_agreed).await {
        Ok(Decided::Approved | Decided::Refused) => Redirect::to(paths::REQUESTS).into_response(),
        Ok(Decided::Gone) => signed_in.visit.refuse(StatusCode::NOT_FOUND, "error-no-request"),
        Ok(Decided::Denied) => signed_in.visit.refuse(StatusCode::FORBIDDEN, "error-access-denied"),
        Err(error) => signed_in.failed(&error),
    }
}
