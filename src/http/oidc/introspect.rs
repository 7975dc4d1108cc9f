//! `POST /oauth2/introspect` (RFC 7662).

use axum::Json;
use axum::extract::State;

use crate::http::extract::FormParams;
use crate::http::respond::OauthError;
use crate::http::state::App;
use crate::oidc::{Caller, Introspection, Presented, introspect};

/// Whether a token is good, for a service that it is meant for.
pub(super) async fn answer(
    State(app): State<App>,
    caller: Caller,
    presented: Presented,
    FormParams(form): FormParams,
) -> Result<Json<Introspection>, OauthError> {
    Ok(Json(introspect(app.provider(), &caller, &presented, &form).await?))
}
