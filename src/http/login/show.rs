//! `GET /login`: the sign-in page.

use axum::extract::Query;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Redirect, Response};
use minijinja::context;
use serde::Deserialize;

use crate::http::extract::Visit;
use crate::http::paths;
use crate::http::respond::page::{page, security_policy};
use crate::login::ReturnTo;

/// What the sign-in page is asked with.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Asked {
    return_to: Option<String>,
    reauth: Option<String>,
}

/// Shows the form; who is signed in already is sent on, unless the application wants a fresh proof.
pub async fn show(visit: Visit, Query(asked): Query<Asked>) -> Response {
    let return_to = asked.return_to.as_deref().and_then(ReturnTo::parse).unwrap_or_else(ReturnTo::portal);
    let is_again = asked.reauth.as_deref() == Some("1");
    if visit.session.is_some() && !is_again {
        return Redirect::to(return_to.as_str()).into_response();
    }
    let login = return_to.parameter("login_hint").unwrap_or_default();
    let login = if login.chars().count() > 256 { String::new() } else { login };
    form(&visit, StatusCode::OK, &return_to, is_again, &login, None)
}

/// The page with the form, and the problem of the attempt before.
pub(super) fn form(
    visit: &Visit,
    status: StatusCode,
    return_to: &ReturnTo,
    is_again: bool,
    login: &str,
    problem: Option<String>,
) -> Response {
    let values = context! {
        csrf => visit.browser_csrf(),
        action => paths::LOGIN,
        return_to => return_to.as_str(),
        is_again,
        login,
        problem,
    };
    let encoded: String = url::form_urlencoded::byte_serialize(return_to.as_str().as_bytes()).collect();
    let again = if is_again { "&reauth=1" } else { "" };
    let here = format!("{}?return_to={encoded}{again}", paths::LOGIN);
    let mut response = page(visit, status, "sign_in.html", values, Some(&here));
    response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, security_policy(&destinations(return_to)));
    response
}

/// Where the redirects after this form may lead: Chromium holds `form-action` against each of them, so the
/// application's own address must be allowed beside ours.
fn destinations(return_to: &ReturnTo) -> Vec<String> {
    let Some(uri) = return_to.parameter("redirect_uri").and_then(|uri| url::Url::parse(&uri).ok()) else {
        return Vec::new();
    };
    match uri.scheme() {
        "http" | "https" => vec![uri.origin().ascii_serialization()],
        // A native application's own scheme (RFC 8252 section 7.1).
        scheme if scheme.contains('.') => vec![format!("{scheme}:")],
        _ => Vec::new(),
    }
}
