//! `POST /login`: the form comes back.

use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Redirect, Response};

use super::show::form;
use crate::http::extract::{SignInForm, Visit, device_cookie, session_cookie};
use crate::http::respond::page::{internal, set_cookie};
use crate::http::state::App;
use crate::login::{Attempt, ReturnTo, SignInError, SignedIn, sign_in};
use crate::text::{Args, message};
use crate::time::Instant;

/// How long a browser is remembered as one that signed in: half a year, in seconds.
const DEVICE_AGE: i64 = 180 * 86_400;

/// Signs in and sends the browser on with 303 (RFC 9700 section 4.12), or shows the form again with the reason.
pub async fn submit(State(app): State<App>, SignInForm(mut visit, fields): SignInForm) -> Response {
    // The page stays in the language it was shown in.
    visit.prefer(&format!("ui_locales={}", fields.get("ui_locales")));
    let return_to = ReturnTo::parse(fields.get("return_to")).unwrap_or_else(ReturnTo::portal);
    let origin = visit.origin("pwd");
    let attempt = Attempt {
        login: fields.get("login"),
        password: fields.get("password"),
        device: visit.device.as_deref(),
        replaces: visit.session_token.as_deref(),
        origin: &origin,
        request_id: &visit.request_id,
    };
    match sign_in(&app.broker, &app.hasher, &attempt).await {
        Ok(signed_in) => send_on(&app, &signed_in, &return_to),
        Err(error) => refuse(&visit, &error, &return_to, fields.get("reauth") == "1", attempt.login).await,
    }
}

fn send_on(app: &App, signed_in: &SignedIn, return_to: &ReturnTo) -> Response {
    let is_https = app.broker.config.server.is_https();
    let mut response = Redirect::to(return_to.as_str()).into_response();
    let headers = response.headers_mut();
    headers.append(header::SET_COOKIE, set_cookie(session_cookie(is_https), &signed_in.token, is_https, None));
    let device = set_cookie(device_cookie(is_https), &signed_in.device, is_https, Some(DEVICE_AGE));
    headers.append(header::SET_COOKIE, device);
    response
}

async fn refuse(visit: &Visit, error: &SignInError, return_to: &ReturnTo, is_again: bool, login: &str) -> Response {
    let say = |key: &str, args: &Args<'_>| message(visit.language, key, args);
    let none = Args::new();
    let (status, problem, retry) = match error {
        SignInError::Empty => (StatusCode::BAD_REQUEST, say("problem-empty", &none), None),
        SignInError::TooLong => (StatusCode::BAD_REQUEST, say("problem-too-long", &none), None),
        SignInError::Wrong { wait: None } => (StatusCode::FORBIDDEN, say("problem-wrong", &none), None),
        SignInError::Wrong { wait: Some(until) } => {
            let (args, seconds) = wait(visit, *until);
            (StatusCode::FORBIDDEN, say("problem-wrong-wait", &args), Some(seconds))
        }
        SignInError::Throttled { until } => {
            let (args, seconds) = wait(visit, *until);
            (StatusCode::TOO_MANY_REQUESTS, say("problem-throttled", &args), Some(seconds))
        }
        SignInError::MustChange => (StatusCode::FORBIDDEN, say("problem-must-change", &none), None),
        SignInError::DirectoryDown => (StatusCode::SERVICE_UNAVAILABLE, say("problem-directory", &none), Some(60)),
        SignInError::Busy => (StatusCode::TOO_MANY_REQUESTS, say("problem-busy", &none), Some(5)),
        SignInError::Store(error) => {
            tracing::error!(%error, request_id = visit.request_id, "a sign-in failed");
            return internal(&visit.app, visit.language, &visit.request_id);
        }
    };
    let mut response = form(visit, status, return_to, is_again, login, Some(problem)).await;
    if let Some(seconds) = retry {
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    response
}

/// How long to wait: in whole minutes for people, in seconds for `Retry-After`.
fn wait(visit: &Visit, until: Instant) -> (Args<'static>, i64) {
    let seconds = (until - visit.app.broker.clock.now()).num_seconds().max(1);
    let mut args = Args::new();
    args.set("minutes", (seconds + 59) / 60);
    (args, seconds)
}
