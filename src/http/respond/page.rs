//! HTML pages: rendered, with their headers; and pages that refuse, which say why and what to do next.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{Html, IntoResponse as _, Redirect, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use minijinja::{Value, context};
use url::Url;

use crate::crypto::sha256;
use crate::http::extract::{RequestId, Visit, browser_cookie};
use crate::http::{paths, state::App};
use crate::text::{Args, Language, message};

/// One link of the language switch.
#[derive(Clone, PartialEq, Eq, Debug, serde::Serialize)]
struct Switch {
    code: &'static str,
    label: &'static str,
    url: String,
    is_current: bool,
}

/// A page in the visit's language. `values` are what the template names beyond what every page has; `here` replaces
/// the visit's own path for the language switch (a page that answers a POST cannot be asked for again).
#[must_use]
pub fn page(visit: &Visit, status: StatusCode, template: &str, values: Value, here: Option<&str>) -> Response {
    let here = here.or(visit.here.as_deref());
    let around = context! { csrf => visit.csrf(), ..common(&visit.app, visit.language, here) };
    // What the page says goes before what every page has.
    let values = minijinja::value::merge_maps([around, values]);
    let mut response = html(&visit.app, visit.language, status, template, &values, &visit.request_id);
    if visit.is_new_browser {
        let is_https = visit.app.broker.config.server.is_https();
        let cookie = set_cookie(browser_cookie(is_https), &visit.browser_token, is_https, None);
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    response
}

/// A page that refuses. `message_key` names two messages: itself (why), and with `next-` in front (what to do).
#[must_use]
pub fn error_page(app: &App, language: Language, status: StatusCode, message_key: &str, request_id: &str) -> Response {
    error_page_with(app, language, status, message_key, request_id, Vec::new())
}

/// A page that refuses, with lines for those who run the application that the person came from.
#[must_use]
pub fn error_page_with(
    app: &App,
    language: Language,
    status: StatusCode,
    message_key: &str,
    request_id: &str,
    lines: Vec<String>,
) -> Response {
    let args = Args::new();
    let values = context! {
        status => status.as_u16(),
        why => message(language, message_key, &args),
        next => message(language, &format!("next-{message_key}"), &args),
        home => paths::PORTAL,
        request_id,
        lines,
        ..common(app, language, None),
    };
    html(app, language, status, "error.html", &values, request_id)
}

/// The page for what failed on our side; the cause is in the log under the request id.
#[must_use]
pub fn internal(app: &App, language: Language, request_id: &str) -> Response {
    error_page(app, language, StatusCode::INTERNAL_SERVER_ERROR, "error-internal", request_id)
}

/// Sends a browser without a session to the sign-in page, and from there to `path`.
#[must_use]
pub fn to_sign_in(path: &str) -> Response {
    let path: String = url::form_urlencoded::byte_serialize(path.as_bytes()).collect();
    Redirect::to(&format!("{}?return_to={path}", paths::LOGIN)).into_response()
}

/// A cookie of ours: never readable by scripts, never sent along by other sites' forms. `age` in seconds; without one
/// it lives as long as the browser.
#[must_use]
pub fn set_cookie(name: &str, value: &str, is_https: bool, age: Option<i64>) -> HeaderValue {
    let secure = if is_https { "; Secure" } else { "" };
    let age = age.map(|age| format!("; Max-Age={age}")).unwrap_or_default();
    let text = format!("{name}={value}; Path=/; HttpOnly; SameSite=Lax{secure}{age}");
    HeaderValue::from_str(&text).unwrap_or(HeaderValue::from_static(""))
}

/// What every template has.
fn common(app: &App, language: Language, here: Option<&str>) -> Value {
    let switches: Vec<Switch> = here.map(|here| switches(language, here)).unwrap_or_default();
    context! { organisation => app.broker.config.server.organisation.clone(), switches => Value::from(minijinja::value::Serde(switches)) }
}

fn switches(current: Language, here: &str) -> Vec<Switch> {
    let here: String = url::form_urlencoded::byte_serialize(here.as_bytes()).collect();
    [(Language::Zh, "中文"), (Language::En, "English")]
        .into_iter()
        .map(|(language, label)| Switch {
            code: language.as_str(),
            label,
            url: format!("{}?to={language}&return_to={here}", paths::LANGUAGE),
            is_current: language == current,
        })
        .collect()
}

fn html(
    app: &App,
    language: Language,
    status: StatusCode,
    template: &str,
    values: &Value,
    request_id: &str,
) -> Response {
    let mut response = match app.ui.render(template, language, values) {
        Ok(text) => (status, Html(text)).into_response(),
        Err(error) => {
            tracing::error!(%error, request_id, "a page could not be made");
            (
                StatusCode::INTERNAL_SERVER_ERROR,
                "this page could not be made; tell the administrator its x-request-id\n",
            )
                .into_response()
        }
    };
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_SECURITY_POLICY, security_policy(&[]));
    headers.insert(header::CONTENT_LANGUAGE, HeaderValue::from_static(language.as_str()));
    headers.insert(header::VARY, HeaderValue::from_static("Cookie, Accept-Language"));
    response
}

/// The Content-Security-Policy of our pages: one style sheet and images from here, no script at all. Forms go to us;
/// `destinations` are further origins that the redirects after the form may lead to.
#[must_use]
pub fn security_policy(destinations: &[String]) -> HeaderValue {
    let mut text = "default-src 'none'; style-src 'self'; img-src 'self'; object-src 'none'; base-uri 'none'; \
                    frame-ancestors 'none'; form-action 'self'"
        .to_owned();
    for destination in destinations {
        text.push(' ');
        text.push_str(destination);
    }
    HeaderValue::from_str(&text).unwrap_or(HeaderValue::from_static("default-src 'none'"))
}

/// The Content-Security-Policy of a page that sends its form to `destinations` by itself: one script, known by its hash.
#[must_use]
pub fn sending_policy(script: &str, destinations: &[String]) -> HeaderValue {
    let hash = STANDARD.encode(sha256(script.as_bytes()));
    let text = format!(
        "default-src 'none'; script-src 'sha256-{hash}'; style-src 'self'; img-src 'self'; object-src 'none'; \
         base-uri 'none'; frame-ancestors 'none'; form-action {}",
        destinations.join(" ")
    );
    HeaderValue::from_str(&text).unwrap_or(HeaderValue::from_static("default-src 'none'"))
}

/// An address as Content-Security-Policy names it: the origin, or the scheme of a native application (RFC 8252
/// section 7.1).
#[must_use]
pub fn origin(uri: &Url) -> Option<String> {
    match uri.scheme() {
        "http" | "https" => Some(uri.origin().ascii_serialization()),
        scheme if scheme.contains('.') => Some(format!("{scheme}:")),
        _ => None,
    }
}

/// The policy of the page after signing out: besides what our pages may, frames of these addresses' origins.
#[must_use]
pub fn framing_policy(frames: &[String]) -> HeaderValue {
    let mut text = security_policy(&[]).to_str().unwrap_or_default().to_owned();
    text.push_str("; frame-src");
    for origin in frames.iter().filter_map(|frame| url::Url::parse(frame).ok()).map(|url| url.origin()) {
        text.push(' ');
        text.push_str(&origin.ascii_serialization());
    }
    HeaderValue::from_str(&text).unwrap_or(HeaderValue::from_static("default-src 'none'"))
}

/// The page for a path that does not exist.
pub async fn not_found(visit: Visit) -> Response {
    visit.refuse(StatusCode::NOT_FOUND, "error-not-found")
}

/// The page for a method that a path does not have.
pub async fn wrong_method(visit: Visit, RequestId(_): RequestId) -> Response {
    visit.refuse(StatusCode::METHOD_NOT_ALLOWED, "error-method")
}
