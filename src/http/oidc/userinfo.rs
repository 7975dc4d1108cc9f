//! `GET` and `POST /oauth2/userinfo` (OpenID Connect Core 1.0 section 5.3). The token comes in the header only.

use axum::Json;
use axum::extract::State;
use serde_json::{Map, Value};

use crate::http::extract::ProvenToken;
use crate::http::respond::BearerError;
use crate::http::state::App;
use crate::oidc::userinfo;

/// What the token lets the application know.
pub(super) async fn answer(
    State(app): State<App>,
    ProvenToken(token): ProvenToken,
) -> Result<Json<Map<String, Value>>, BearerError> {
    Ok(Json(userinfo(app.provider(), &token).await?))
}
