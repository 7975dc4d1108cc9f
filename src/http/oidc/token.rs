//! `POST /oauth2/token` (RFC 6749 section 3.2).

use axum::Json;
use axum::extract::State;

use crate::http::extract::FormParams;
use crate::http::respond::OauthError;
use crate::http::state::App;
use crate::oidc::{Caller, Presented, TokenResponse, answer_token_request};

/// Tokens for a code, a refresh token, or an application in its own name.
pub(super) async fn answer(
    State(app): State<App>,
    caller: Caller,
    presented: Presented,
    FormParams(form): FormParams,
) -> Result<Json<TokenResponse>, OauthError> {
    Ok(Json(answer_token_request(app.provider(), &caller, &presented, &form).await?))
}
