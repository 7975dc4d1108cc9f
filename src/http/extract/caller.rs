//! Where a request of the OpenID provider comes from, and what its `Authorization` header says.

use std::convert::Infallible;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, header};

use super::{ClientAddress, RequestId, client_certificate};
use crate::http::state::App;
use crate::oidc::{Caller, Presented, Shown};

impl FromRequestParts<App> for Caller {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Infallible> {
        let address = ClientAddress::from_request_parts(parts, app).await?.address;
        let RequestId(request_id) = RequestId::from_request_parts(parts, app).await?;
        Ok(Self { address, request_id })
    }
}

impl FromRequestParts<App> for Presented {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Infallible> {
        let Authorization(authorization) = Authorization::from_request_parts(parts, app).await?;
        let dpop = parts.headers.contains_key(DPOP).then(|| Box::new(shown(parts, app)));
        Ok(Self { authorization, dpop, certificate: client_certificate(parts, app) })
    }
}

/// The header of proofs (RFC 9449 section 4.1).
pub const DPOP: HeaderName = HeaderName::from_static("dpop");

/// The proofs of a request and what they have to be about: its public address, by configuration.
fn shown(parts: &Parts, app: &App) -> Shown {
    let config = &app.broker.config;
    let path = parts.uri.path();
    let mut addresses = vec![config.server.url(path)];
    addresses.extend(config.mtls.as_ref().map(|mtls| mtls.url(path)));
    Shown { proofs: proofs(&parts.headers), method: parts.method.as_str().to_owned(), addresses }
}

/// Every `DPoP` header; one that is no text is given on as what cannot be read.
#[must_use]
pub fn proofs(headers: &HeaderMap) -> Vec<String> {
    headers.get_all(DPOP).iter().map(|value| value.to_str().unwrap_or("unreadable").to_owned()).collect()
}

/// The `Authorization` header, where there is exactly one.
#[derive(Clone, Debug)]
pub struct Authorization(pub Option<String>);

impl<S: Send + Sync> FromRequestParts<S> for Authorization {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let mut all = parts.headers.get_all(header::AUTHORIZATION).iter();
        let one = match (all.next(), all.next()) {
            // A header that is no text is given on as what cannot be read, so that it is refused and not ignored.
            (Some(value), None) => Some(value.to_str().unwrap_or("unreadable").to_owned()),
            (Some(_), Some(_)) => Some("several".to_owned()),
            (None, _) => None,
        };
        Ok(Self(one))
    }
}
