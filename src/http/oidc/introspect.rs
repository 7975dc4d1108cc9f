//! `POST /oauth2/introspect` (RFC 7662), signed where the service asks for it (RFC 9701).

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, header};
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
    headers: HeaderMap,
    FormParams(form): FormParams,
) -> Result<Response, OauthError> {
    if wants_signed(&headers) {
        let jwt = introspect_signed(app.provider(), &caller, &presented, &form).await?;
        return Ok(([(header::CONTENT_TYPE, SIGNED)], jwt).into_response());
    }
    Ok(Json(introspect(app.provider(), &caller, &presented, &form).await?).into_response())
}

fn wants_signed(headers: &HeaderMap) -> bool {
    let accepted = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
    let mut kinds = accepted.flat_map(|value| value.split(',')).map(|kind| kind.split(';').next().unwrap_or("").trim());
    kinds.any(|kind| kind.eq_ignore_ascii_case(SIGNED))
}
