//! `GET /oauth2/status` and `GET /oauth2/status/{id}` (Token Status List sections 8 and 9).

use axum::Json;
use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use serde_json::json;

use crate::http::respond::OauthError;
use crate::http::state::App;
use crate::oidc::{STATUS_TTL, list_status_lists, status_list};

/// The addresses of every list.
pub(super) async fn list(State(app): State<App>) -> Result<Response, OauthError> {
    let lists = list_status_lists(&app.broker).await?;
    Ok(([(header::CACHE_CONTROL, "public, max-age=60")], Json(json!({ "status_lists": lists }))).into_response())
}

/// One list.
pub(super) async fn show(State(app): State<App>, Path(id): Path<String>) -> Result<Response, OauthError> {
    let Some(token) = status_list(app.provider(), &id).await? else {
        return Ok(StatusCode::NOT_FOUND.into_response());
    };
    let headers = [
        (header::CONTENT_TYPE, "application/statuslist+jwt".to_owned()),
        (header::CACHE_CONTROL, format!("public, max-age={STATUS_TTL}")),
    ];
    Ok((headers, token.to_string()).into_response())
}
