//! `GET` and `POST /oauth2/userinfo` (OpenID Connect Core 1.0 section 5.3). The token comes in the header only.

use axum::Json;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse as _, Response};

use crate::http::extract::ProvenToken;
use crate::http::respond::BearerError;
use crate::http::state::App;
use crate::oidc::{UserInfoAnswer, present_userinfo, userinfo};

/// What the token lets the application know.
pub(super) async fn answer(State(app): State<App>, ProvenToken(token): ProvenToken) -> Result<Response, BearerError> {
    let claims = userinfo(app.provider(), &token).await?;
    Ok(match present_userinfo(app.provider(), &token, claims).await? {
        UserInfoAnswer::Plain(claims) => Json(claims).into_response(),
        UserInfoAnswer::Jwt(jwt) => ([(header::CONTENT_TYPE, "application/jwt")], jwt).into_response(),
    })
}
