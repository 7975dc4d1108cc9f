//! Forms of people: only from our own pages, only with the right token.
//!
//! Three things together: `Sec-Fetch-Site` (or `Origin`, where a browser sends no fetch metadata) must not name
//! another site; the body must be a form; its `csrf` field must be the one of this session, or of this browser for the
//! sign-in form. Anything else is refused with 403 before the form is looked at.

use axum::body::Bytes;
use axum::extract::{FromRequest, FromRequestParts as _, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::Response;

use super::Visit;
use crate::crypto::constant_time_eq;
use crate::http::respond::page::to_sign_in;
use crate::http::state::App;

/// The fields of a form, as sent.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Fields(Vec<(String, String)>);

impl Fields {
    /// The field's value; empty when it was not sent.
    #[must_use]
    pub fn get(&self, name: &str) -> &str {
        self.0.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value)
    }
}

/// A form of somebody who is signed in.
#[derive(Clone, Debug)]
pub struct SessionForm(pub Visit, pub Fields);

/// The sign-in form, of anybody.
#[derive(Clone, Debug)]
pub struct SignInForm(pub Visit, pub Fields);

impl FromRequest<App> for SessionForm {
    type Rejection = Response;

    async fn from_request(request: Request, app: &App) -> Result<Self, Response> {
        let (visit, fields) = read(request, app).await?;
        if visit.session.is_none() {
            return Err(to_sign_in("/"));
        }
        if !is_token(&fields, &visit.csrf()) {
            return Err(visit.refuse(StatusCode::FORBIDDEN, "error-old-form"));
        }
        Ok(Self(visit, fields))
    }
}

impl FromRequest<App> for SignInForm {
    type Rejection = Response;

    async fn from_request(request: Request, app: &App) -> Result<Self, Response> {
        let (visit, fields) = read(request, app).await?;
        if visit.is_new_browser {
            return Err(visit.refuse(StatusCode::FORBIDDEN, "error-no-cookies"));
        }
        if !is_token(&fields, &visit.browser_csrf()) {
            return Err(visit.refuse(StatusCode::FORBIDDEN, "error-old-form"));
        }
        Ok(Self(visit, fields))
    }
}

async fn read(request: Request, app: &App) -> Result<(Visit, Fields), Response> {
    let (mut parts, body) = request.into_parts();
    let visit = Visit::from_request_parts(&mut parts, app).await?;
    if !is_from_our_page(&parts.headers, &app.broker.config.server.issuer()) {
        return Err(visit.refuse(StatusCode::FORBIDDEN, "error-cross-site"));
    }
    if !is_form(&parts) {
        return Err(visit.refuse(StatusCode::UNSUPPORTED_MEDIA_TYPE, "error-bad-request"));
    }
    let body = Bytes::from_request(Request::from_parts(parts, body), app)
        .await
        .map_err(|_| visit.refuse(StatusCode::PAYLOAD_TOO_LARGE, "error-too-large"))?;
    let fields = url::form_urlencoded::parse(&body).into_owned().collect();
    Ok((visit, Fields(fields)))
}

fn is_token(fields: &Fields, expected: &str) -> bool {
    constant_time_eq(fields.get("csrf").as_bytes(), expected.as_bytes())
}

fn is_form(parts: &Parts) -> bool {
    let kind = parts.headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    kind.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case("application/x-www-form-urlencoded")
}

/// Whether the browser says that the request comes from one of our pages. `Origin: null` is what browsers send from
/// pages with `Referrer-Policy: no-referrer`, so it is decided by the fetch metadata, or else by the token alone.
fn is_from_our_page(headers: &HeaderMap, issuer: &str) -> bool {
    let text = |name: &str| headers.get(name).map(|value| value.to_str().unwrap_or("?"));
    match text("sec-fetch-site") {
        Some(site) => matches!(site, "same-origin" | "none"),
        None => text("origin").is_none_or(|origin| origin == "null" || origin == issuer),
    }
}

#[cfg(test)]
mod tests {
    use super::is_from_our_page;

    /// WEB-002
    #[test]
    fn only_our_own_pages_may_post() {
        let asked = |site: Option<&str>, origin: Option<&str>| {
            let mut headers = axum::http::HeaderMap::new();
            if let Some(site) = site {
                headers.insert("sec-fetch-site", site.parse().unwrap());
            }
            if let Some(origin) = origin {
                headers.insert("origin", origin.parse().unwrap());
            }
            is_from_our_page(&headers, "https://id.example")
        };
        assert!(asked(Some("same-origin"), Some("null")));
        assert!(asked(None, Some("https://id.example")));
        assert!(asked(None, None));
        assert!(!asked(Some("cross-site"), Some("https://id.example")));
        assert!(!asked(Some("same-site"), None));
        assert!(!asked(None, Some("https://evil.example")));
        assert!(!asked(None, Some("https://id.example.evil.example")));
    }
}
