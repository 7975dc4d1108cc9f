//! `GET /login`: the sign-in page.

use axum::extract::Query;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Redirect, Response};
use minijinja::context;
use serde::Deserialize;
use url::{Host, Url};

use crate::http::extract::Visit;
use crate::http::paths;
use crate::http::respond::page::{origin, page, security_policy};
use crate::login::ReturnTo;

/// What the sign-in page is asked with.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Asked {
    return_to: Option<String>,
    reauth: Option<String>,
    login_hint: Option<String>,
}

/// Shows the form; who is signed in already is sent on, unless the application wants a fresh proof.
pub async fn show(visit: Visit, Query(asked): Query<Asked>) -> Response {
    let return_to = asked.return_to.as_deref().and_then(ReturnTo::parse).unwrap_or_else(ReturnTo::portal);
    let is_again = asked.reauth.as_deref() == Some("1");
    if visit.session.is_some() && !is_again {
        return Redirect::to(return_to.as_str()).into_response();
    }
    let login = asked.login_hint.or_else(|| return_to.parameter("login_hint")).unwrap_or_default();
    let login = if login.chars().count() > 256 { String::new() } else { login };
    form(&visit, StatusCode::OK, &return_to, is_again, &login, None).await
}

/// The page with the form, and the problem of the attempt before.
pub(super) async fn form(
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
    let policy = security_policy(&destinations(visit, return_to).await);
    let mut response = page(visit, status, "sign_in.html", values, Some(&here));
    response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, policy);
    response
}

/// Where the redirects after this form may lead: Chromium holds `form-action` against each of them, so the addresses of
/// the application that is signed in to, or of the call that is gone back to, must be allowed beside ours.
async fn destinations(visit: &Visit, return_to: &ReturnTo) -> Vec<String> {
    let parse = |text: Option<String>| text.and_then(|text| Url::parse(&text).ok());
    if let Some(back) = parse(return_to.parameter("to")) {
        // The gateway goes back to addresses of our own host only, on other ports.
        let is_ours = back.host_str() == visit.app.broker.config.server.public_url.host_str();
        return origin(&back).filter(|_| is_ours).into_iter().collect();
    }
    let Some(client) = return_to.parameter("client_id") else { return Vec::new() };
    let application = match visit.app.broker.db.read().await {
        Ok(mut tx) => tx.applications().find(&client).await,
        Err(error) => Err(error),
    };
    let Ok(Some(application)) = application else { return Vec::new() };
    let settings = application.settings.0;
    let known: Vec<Url> =
        settings.redirect_uris.iter().chain(&settings.launch_url).filter_map(|uri| Url::parse(uri).ok()).collect();
    let mut origins: Vec<String> = known.iter().filter_map(origin).collect();
    // A native application listens on any port (RFC 8252 section 7.3).
    let asked = parse(return_to.parameter("redirect_uri"));
    let asked =
        asked.filter(|asked| known.iter().any(|uri| uri.host() == asked.host() && uri.scheme() == asked.scheme()));
    match &asked {
        Some(asked) => origins.extend(origin(asked)),
        // A pushed request does not show its port.
        None => origins.extend(known.iter().filter_map(any_port)),
    }
    origins.sort();
    origins.dedup();
    origins
}

/// A registered loopback address on any port, as Content-Security-Policy names it.
fn any_port(uri: &Url) -> Option<String> {
    let is_loopback = uri.scheme() == "http" && matches!(uri.host(), Some(Host::Ipv4(ip)) if ip.is_loopback());
    is_loopback.then(|| format!("http://{}:*", uri.host_str().unwrap_or_default()))
}
