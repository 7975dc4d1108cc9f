//! `GET` and `POST /oauth2/userinfo` (OpenID Connect Core 1.0 section 5.3). The token comes in the header only.

use axum::Json;
use axum::extract::State;
use serde_json::{Map, Value};

use crate::http::extract::Authorization;
use crate::http::respond::BearerError;
use crate::http::state::App;
use crate::oidc::{userinfo, verify_access_token};

/// What the token lets the application know.
pub(super) async fn answer(
    State(app): State<App>,
    authorization: Authorization,
) -> Result<Json<Map<String, Value>>, BearerError> {
    let token = authorization.bearer().ok_or(BearerError::Missing)?;
    let token = verify_access_token(&app.broker, &app.keys, token).await?;
    Ok(Json(userinfo(app.provider(), &token).await?))
}
