//! Signing out: the question, the deed, the page afterwards.

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Redirect, Response};
use minijinja::context;

use crate::http::extract::{SessionForm, SignedIn, Visit, session_cookie};
use crate::http::paths;
use crate::http::respond::page::{internal, page, security_policy, set_cookie};
use crate::http::state::App;
use crate::login;

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

/// `POST /logout`: ends this session with what was issued from it.
pub async fn sign_out(State(app): State<App>, SessionForm(visit, _): SessionForm) -> Response {
    let Some(current) = visit.session.clone() else { return leave(&app) };
    let (address, request_id) = visit.trace();
    match login::end_session(&app.broker, &current, current.session().id, (&address, &request_id)).await {
        Ok(_) => leave(&app),
        Err(error) => {
            tracing::error!(%error, request_id, "a sign-out failed");
            internal(&app, visit.language, &visit.request_id)
        }
    }
}

/// `GET /signed-out`: says that it is done.
pub async fn signed_out(visit: Visit) -> Response {
    page(&visit, StatusCode::OK, "signed_out.html", context! { login_url => paths::LOGIN }, Some(paths::SIGNED_OUT))
}

/// Takes the cookie away and shows the page afterwards.
pub(super) fn leave(app: &App) -> Response {
    let is_https = app.broker.config.server.is_https();
    let mut response = Redirect::to(paths::SIGNED_OUT).into_response();
    let cookie = set_cookie(session_cookie(is_https), "", is_https, Some(0));
    response.headers_mut().append(header::SET_COOKIE, cookie);
    response
}
