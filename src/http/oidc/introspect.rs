//! `POST /oauth2/introspect` (RFC 7662), signed where the service asks for it (RFC 9701).

use std::convert::Infallible;

use axum::extract::{FromRequestParts, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse as _, Response};

use crate::http::extract::FormParams;
use crate::http::respond::OauthError;
use crate::http::state::App;
use crate::oidc::{Caller, Presented, introspect, introspect_signed};

/// Media type of a signed answer (RFC 9701 section 4).
const SIGNED: &str = "application/token-introspection+jwt";

/// Whether a token is good, for a service that it is meant for.
pub(super) async fn answer(
    State(app): State<App>,
    caller: Caller,
    presented: Presented,
    Signed(is_signed): Signed,
    FormParams(form): FormParams,
) -> Result<Response, OauthError> {
    if is_signed {
        let jwt = introspect_signed(app.provider(), &caller, &presented, &form).await?;
        return Ok(([(header::CONTENT_TYPE, SIGNED)], jwt).into_response());
    }
    let json = introspect(app.provider(), &caller, &presented, &form).await?;
    Ok(([(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))], json).into_response())
}

/// Whether the service asks for a signed answer.
pub(super) struct Signed(bool);

impl<S: Send + Sync> FromRequestParts<S> for Signed {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self(wants_signed(&parts.headers)))
    }
}

fn wants_signed(headers: &HeaderMap) -> bool {
    let accepted = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
    let mut kinds = accepted.flat_map(|value| value.split(',')).map(|kind| kind.split(';').next().unwrap_or("").trim());
    kinds.any(|kind| kind.eq_ignore_ascii_case(SIGNED))
}
