//! `POST /oauth2/revoke` (RFC 7009).

use axum::extract::State;
use axum::http::StatusCode;

use crate::http::extract::{Authorization, FormParams};
use crate::http::respond::OauthError;
use crate::http::state::App;
use crate::oidc::{Caller, revoke};

/// An application gives a token back: 200 without a body.
pub(super) async fn answer(
    State(app): State<App>,
    caller: Caller,
    Authorization(authorization): Authorization,
    FormParams(form): FormParams,
) -> Result<StatusCode, OauthError> {
    revoke(app.provider(), &caller, authorization.as_deref(), &form).await?;
    Ok(StatusCode::OK)
}
