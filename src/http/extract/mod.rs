//! What handlers take out of a request.

mod caller;
mod certificate;
mod csrf;
mod form;
mod peer;
mod proven;
mod session;
mod signed_in;
mod visit;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use std::convert::Infallible;

pub use caller::{Authorization, DPOP, proofs};
pub use certificate::client_certificate;
pub use csrf::{Fields, SessionForm, SignInForm};
pub use form::FormParams;
pub use peer::ClientAddress;
pub use proven::ProvenToken;
pub use session::{MaybeSession, session_cookie};
pub use signed_in::{Administrator, AdministratorForm, SignedIn};
pub use visit::{Visit, browser_cookie, device_cookie};

use crate::text::Language;

/// The id of this request: in the log, in the audit log, on error pages.
#[derive(Clone, Debug)]
pub struct RequestId(pub String);

impl<S: Send + Sync> FromRequestParts<S> for RequestId {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(parts.extensions.get::<Self>().cloned().unwrap_or_else(|| Self(String::new())))
    }
}

/// Name of the cookie that keeps the chosen language.
pub const LANGUAGE_COOKIE: &str = "yaopai_lang";

/// The value of a cookie, where the request has one of that name.
#[must_use]
pub fn cookie<'a>(parts: &'a Parts, name: &str) -> Option<&'a str> {
    parts
        .headers
        .get_all(axum::http::header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|line| line.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find_map(|(key, value)| (key == name).then_some(value))
}

/// The language of the page: the cookie of the switch, else what the application that sends the person asks for, else
/// the browser's.
#[derive(Clone, Copy, Debug)]
pub struct PageLanguage {
    /// The language.
    pub language: Language,
    /// The person chose it in this browser.
    pub is_chosen: bool,
}

impl<S: Send + Sync> FromRequestParts<S> for PageLanguage {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        if let Some(language) = cookie(parts, LANGUAGE_COOKIE).and_then(|value| value.parse().ok()) {
            return Ok(Self { language, is_chosen: true });
        }
        let asked = || parts.uri.query().and_then(asked_language);
        let accepted = || {
            let header = parts.headers.get(axum::http::header::ACCEPT_LANGUAGE)?;
            header.to_str().ok().map(Language::negotiate)
        };
        Ok(Self { language: asked().or_else(accepted).unwrap_or(Language::En), is_chosen: false })
    }
}

/// The language that `ui_locales` of a query names, or of the query that is to be returned to.
#[must_use]
pub fn asked_language(query: &str) -> Option<Language> {
    let value = |query: &str, wanted: &str| {
        let mut pairs = url::form_urlencoded::parse(query.as_bytes());
        pairs.find(|(name, _)| name == wanted).map(|(_, value)| value.into_owned())
    };
    let locales = value(query, "ui_locales").or_else(|| {
        let back = value(query, "return_to")?;
        value(back.split_once('?')?.1, "ui_locales")
    });
    Language::of_locales(&locales?)
}
