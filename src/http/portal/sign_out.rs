//! Signing out: the question, the deed, the page afterwards.

use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Redirect, Response};
use minijinja::context;

use crate::http::extract::{Fields, SessionForm, SignedIn, Visit, session_cookie};
use crate::http::paths;
use crate::http::respond::page::{framing_policy, internal, page, security_policy, set_cookie};
use crate::http::state::App;
use crate::login;
use crate::model::SessionId;
use crate::oidc::{front_channel, return_address};

/// Seconds that the frames of the page after signing out have to load before the browser goes on.
const FRAMES_LOAD: u32 = 3;

/// `GET /logout`: asks, because a mere link must not sign anybody out.
pub async fn ask(signed_in: SignedIn) -> Response {
    confirm_sign_out(&signed_in, paths::LOGOUT, &[], &[])
}

/// The page that asks whether to sign out. The form goes to `action` with these hidden fields and the session's CSRF
/// token (read it with [`SessionForm`]); `destinations` are origins that the redirects after it may lead to.
#[must_use]
pub fn confirm_sign_out(
    signed_in: &SignedIn,
    action: &str,
    fields: &[(String, String)],
    destinations: &[String],
) -> Response {
    let fields: Vec<Vec<String>> = fields.iter().map(|(name, value)| vec![name.clone(), value.clone()]).collect();
    let values = context! { name => signed_in.name(), action, fields, home => paths::PORTAL };
    let mut response = page(&signed_in.visit, StatusCode::OK, "sign_out.html", values, None);
    response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, security_policy(destinations));
    response
}

/// `POST /logout`: ends this session with what was issued from it, and goes on to the application that asked for it.
pub async fn sign_out(State(app): State<App>, SessionForm(visit, fields): SessionForm) -> Response {
    let Some(current) = visit.session.clone() else { return leave(&app) };
    let (address, request_id) = visit.trace();
    match login::end_session(&app.broker, &current, current.session().id, (&address, &request_id)).await {
        Ok(_) => {
            let then = return_address(app.provider(), |name| field(&fields, name)).await;
            let then = then.unwrap_or_else(|error| {
                tracing::error!(%error, request_id, "the way back to an application could not be looked up");
                None
            });
            leave_session(&visit, current.session().id, then.as_deref()).await
        }
        Err(error) => {
            tracing::error!(%error, request_id, "a sign-out failed");
            internal(&app, visit.language, &visit.request_id)
        }
    }
}

fn field(fields: &Fields, name: &str) -> Option<String> {
    Some(fields.get(name)).filter(|value| !value.is_empty()).map(str::to_owned)
}

/// `GET /signed-out`: says that it is done.
pub async fn signed_out(visit: Visit) -> Response {
    signed_out_page(&visit, &[], None)
}

/// The page after signing out. It loads `frames` (front-channel logout) and then goes on to `then`, where that is given.
#[must_use]
pub fn signed_out_page(visit: &Visit, frames: &[String], then: Option<&str>) -> Response {
    let values = context! { login_url => paths::LOGIN, frames => frames.to_vec(), then };
    let mut response = page(visit, StatusCode::OK, "signed_out.html", values, Some(paths::SIGNED_OUT));
    if !frames.is_empty() {
        response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, framing_policy(frames));
    }
    // No script runs on our pages: the browser goes on by itself once the frames have had time to load.
    if let Some(Ok(value)) = then.map(|then| HeaderValue::from_str(&format!("{FRAMES_LOAD}; url={then}"))) {
        response.headers_mut().insert(header::REFRESH, value);
    }
    response
}

/// Takes the cookie of an ended session away, and shows the page that tells its applications in frames, or goes on to
/// `then`.
pub(super) async fn leave_session(visit: &Visit, session: SessionId, then: Option<&str>) -> Response {
    let frames = match front_channel(visit.app.provider(), session).await {
        Ok(frames) => frames,
        Err(error) => {
            // Signed out all the same: applications learn it by the back channel, or when their tokens end.
            tracing::error!(%error, request_id = visit.request_id, "applications could not be told in frames");
            Vec::new()
        }
    };
    if frames.is_empty() {
        return without_cookie(&visit.app, Redirect::to(then.unwrap_or(paths::SIGNED_OUT)).into_response());
    }
    without_cookie(&visit.app, signed_out_page(visit, &frames, then))
}

/// Takes the cookie away and shows the page afterwards.
pub(super) fn leave(app: &App) -> Response {
    without_cookie(app, Redirect::to(paths::SIGNED_OUT).into_response())
}

fn without_cookie(app: &App, mut response: Response) -> Response {
    let is_https = app.broker.config.server.is_https();
    let cookie = set_cookie(session_cookie(is_https), "", is_https, Some(0));
    response.headers_mut().append(header::SET_COOKIE, cookie);
    response
}
