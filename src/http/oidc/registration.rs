//! `/oauth2/register` (RFC 7591) and `/oauth2/register/{id}` (RFC 7592).

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use serde_json::{Map, Value};

use crate::http::extract::Authorization;
use crate::http::paths;
use crate::http::respond::OauthError;
use crate::http::state::App;
use crate::oidc::{Caller, read_registration, remove_registration, replace_registration};

type Answer = Json<Map<String, Value>>;

fn endpoint(app: &App) -> String {
    app.broker.config.server.url(paths::REGISTER)
}

/// The token of the Bearer scheme, compared without case (RFC 6750 section 2.1).
fn bearer(authorization: &Authorization) -> Option<&str> {
    let (scheme, token) = authorization.0.as_deref()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim()).filter(|token| !token.is_empty())
}

fn check_type(headers: &HeaderMap) -> Result<(), OauthError> {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let essence = kind.split(';').next().unwrap_or_default().trim();
    if essence.eq_ignore_ascii_case("application/json") {
        return Ok(());
    }
    Err(OauthError::invalid_request("the body must be application/json"))
}

/// `POST`: registers an application.
pub(super) async fn register(
    State(app): State<App>,
    caller: Caller,
    authorization: Authorization,
    headers: HeaderMap,
    body: Bytes,
) -> Result<(StatusCode, Answer), OauthError> {
    let (provider, endpoint) = (app.provider(), endpoint(&app));
    if app.broker.config.registration.enabled {
        check_type(&headers)?;
    }
    let made = crate::oidc::register(provider, &caller, bearer(&authorization), &body, &endpoint).await?;
    Ok((StatusCode::CREATED, Json(made)))
}

/// `GET`: what is registered.
pub(super) async fn show(
    State(app): State<App>,
    Path(id): Path<String>,
    authorization: Authorization,
) -> Result<Answer, OauthError> {
    Ok(Json(read_registration(app.provider(), &id, bearer(&authorization), &endpoint(&app)).await?))
}

/// `PUT`: replaces it.
pub(super) async fn replace(
    State(app): State<App>,
    Path(id): Path<String>,
    caller: Caller,
    authorization: Authorization,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Answer, OauthError> {
    if app.broker.config.registration.enabled {
        check_type(&headers)?;
    }
    let which = (id.as_str(), bearer(&authorization));
    Ok(Json(replace_registration(app.provider(), &caller, which, &body, &endpoint(&app)).await?))
}

/// `DELETE`: removes the application.
pub(super) async fn remove(
    State(app): State<App>,
    Path(id): Path<String>,
    caller: Caller,
    authorization: Authorization,
) -> Result<StatusCode, OauthError> {
    remove_registration(app.provider(), &caller, &id, bearer(&authorization)).await?;
    Ok(StatusCode::NO_CONTENT)
}
