//! Where a request of the OpenID provider comes from, and what its `Authorization` header says.

use std::convert::Infallible;

use axum::extract::FromRequestParts;
use axum::http::header;
use axum::http::request::Parts;

use super::{ClientAddress, RequestId};
use crate::http::state::App;
use crate::oidc::{Caller, Presented};

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
        Ok(Self { authorization })
    }
}

/// The `Authorization` header, where there is exactly one.
#[derive(Clone, Debug)]
pub struct Authorization(pub Option<String>);

impl Authorization {
    /// The token of the Bearer scheme (RFC 6750 section 2.1); the scheme is compared without case.
    #[must_use]
    pub fn bearer(&self) -> Option<&str> {
        let (scheme, token) = self.0.as_deref()?.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then(|| token.trim()).filter(|token| !token.is_empty())
    }
}

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
