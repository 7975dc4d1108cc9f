//! `POST /oauth2/revoke` (RFC 7009).

use axum::extract::State;
use axum::http::StatusCode;

use crate::http::extract::FormParams;
use crate::http::respond::OauthError;
use crate::http::state::App;
use crate::oidc::{Caller, Presented, revoke};

/// An application gives a token back: 200 without a body.
pub(super) async fn answer(
    State(app): State<App>,
    caller: Caller,
    presented: Presented,
    FormParams(form): FormParams,
) -> Result<StatusCode, OauthError> {
    revoke(app.provider(), &caller, &presented, &form).await?;
    Ok(StatusCode::OK)
}
