//! `POST /oauth2/par` (RFC 9126).

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;

use crate::http::extract::FormParams;
use crate::http::respond::OauthError;
use crate::http::state::App;
use crate::oidc::{Caller, Presented, Pushed, push};

/// Takes an authorization request: 201 with a reference to it.
pub(super) async fn answer(
    State(app): State<App>,
    caller: Caller,
    presented: Presented,
    FormParams(form): FormParams,
) -> Result<(StatusCode, Json<Pushed>), OauthError> {
    Ok((StatusCode::CREATED, Json(push(app.provider(), &caller, &presented, &form).await?)))
}
