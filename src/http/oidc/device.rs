//! `GET` and `POST /device` (RFC 8628 section 3.3): a signed-in person types the code of a device, sees what would be
//! granted to whom, and agrees or refuses with a click. Asking for the page never decides anything.

use axum::extract::Query;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Redirect, Response};
use minijinja::value::Serde;
use minijinja::{Value, context};
use serde::Deserialize;

use crate::http::extract::{SessionForm, SignedIn, Visit};
use crate::http::paths;
use crate::http::ui::words;
use crate::login::CurrentSession;
use crate::oidc::{Caller, Decided, Decider, DeviceLookup, WaitingRequest, decide_device, find_device};
use crate::text::{Args, message};
use crate::time::Instant;

/// What the page is asked with.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Asked {
    user_code: Option<String>,
    result: Option<String>,
}

/// Shows the form for the code, or what the code stands for.
pub(super) async fn show(
    signed_in: SignedIn,
    caller: Caller,
    headers: HeaderMap,
    Query(asked): Query<Asked>,
) -> Response {
    let CurrentSession::Person(session, user) = &signed_in.current else {
        return signed_in.visit.refuse(StatusCode::FORBIDDEN, "error-operator-application");
    };
    if let Some(result @ ("approved" | "refused")) = asked.result.as_deref() {
        return page(&signed_in, result, "", None, None);
    }
    let code = asked.user_code.unwrap_or_default();
    // A foreign page cannot make a person's browser guess: it fills in the form at the most.
    let is_foreign = headers.get("sec-fetch-site").is_some_and(|site| site == "cross-site" || site == "same-site");
    if code.is_empty() || is_foreign {
        return page(&signed_in, "ask", &code, None, None);
    }
    let who = Decider { session, user };
    match find_device(signed_in.visit.app.provider(), &caller, who, &code).await {
        Ok(DeviceLookup::Found(request)) => page(&signed_in, "confirm", &code, Some(&request), None),
        Ok(DeviceLookup::Unknown) => {
            page(&signed_in, "ask", &code, None, Some((StatusCode::BAD_REQUEST, "device-unknown", None)))
        }
        Ok(DeviceLookup::Throttled(until)) => throttled(&signed_in, &code, until),
        Err(error) => signed_in.failed(&error),
    }
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
    let (code, is_agreed) = (fields.get("user_code"), fields.get("decision") == "approve");
    if !is_agreed && fields.get("decision") != "refuse" {
        return signed_in.visit.refuse(StatusCode::BAD_REQUEST, "error-bad-request");
    }
    let who = Decider { session, user };
    match decide_device(signed_in.visit.app.provider(), &caller, who, code, is_agreed).await {
        Ok(Ok(Decided::Approved)) => result("approved"),
        Ok(Ok(Decided::Refused)) => result("refused"),
        Ok(Ok(Decided::Gone)) => {
            page(&signed_in, "ask", code, None, Some((StatusCode::BAD_REQUEST, "device-unknown", None)))
        }
        Ok(Ok(Decided::Denied)) => signed_in.visit.refuse(StatusCode::FORBIDDEN, "error-access-denied"),
        Ok(Err(until)) => throttled(&signed_in, code, until),
        Err(error) => signed_in.failed(&error),
    }
}

fn result(what: &str) -> Response {
    Redirect::to(&format!("{}?result={what}", paths::DEVICE)).into_response()
}

fn throttled(signed_in: &SignedIn, code: &str, until: Instant) -> Response {
    let seconds = (until - signed_in.visit.app.broker.clock.now()).num_seconds().max(1);
    page(signed_in, "ask", code, None, Some((StatusCode::TOO_MANY_REQUESTS, "device-throttled", Some(seconds))))
}

/// What an application would get, in words: the scopes that people know, and the others by name.
pub(super) fn permissions(visit: &Visit, scopes: &[String]) -> Vec<String> {
    let say = |scope: &String| {
        let key = format!("may-{scope}");
        let text = message(visit.language, &key, &Args::new());
        if text == key {
            let mut args = Args::new();
            args.set("scope", scope.clone());
            return message(visit.language, "may-other", &args);
        }
        text
    };
    scopes.iter().map(say).collect()
}

fn page(
    signed_in: &SignedIn,
    state: &str,
    code: &str,
    request: Option<&WaitingRequest>,
    problem: Option<(StatusCode, &str, Option<i64>)>,
) -> Response {
    let visit = &signed_in.visit;
    let (language, broker) = (visit.language, &visit.app.broker);
    let mut args = Args::new();
    let seconds = problem.and_then(|(_, _, seconds)| seconds);
    args.set("minutes", (seconds.unwrap_or_default() + 59) / 60);
    // A code is shown as it was typed; nobody typed one that long.
    let code: String = code.chars().take(40).collect();
    let shown = request.map(|request| {
        serde_json::json!({
            "name": request.name,
            "permissions": permissions(visit, &request.scopes),
            "address": request.address,
            "asked": words::ago(language, broker.clock.now(), request.created_at),
        })
    });
    let values = context! {
        state,
        code => code.to_uppercase(),
        request => Value::from(Serde(shown)),
        problem => problem.map(|(_, key, _)| message(language, key, &args)),
        action => paths::DEVICE,
    };
    let mut response = signed_in.page("device.html", "device", values);
    if let Some((status, _, _)) = problem {
        *response.status_mut() = status;
    }
    if let Some(seconds) = seconds {
        response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
    }
    response
}
