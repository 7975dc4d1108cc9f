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

/// The language of the page: the cookie of the switch, else the browser's.
#[derive(Clone, Copy, Debug)]
pub struct PageLanguage(pub Language);

impl<S: Send + Sync> FromRequestParts<S> for PageLanguage {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let chosen = cookie(parts, LANGUAGE_COOKIE).and_then(|value| value.parse().ok());
        let accepted = || {
            let header = parts.headers.get(axum::http::header::ACCEPT_LANGUAGE)?;
            header.to_str().ok().map(Language::negotiate)
        };
        Ok(Self(chosen.or_else(accepted).unwrap_or(Language::En)))
    }
}
