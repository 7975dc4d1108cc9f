//! `POST /oauth2/device_authorization` (RFC 8628 section 3.1).

use axum::Json;
use axum::extract::State;

use crate::http::extract::FormParams;
use crate::http::paths;
use crate::http::respond::OauthError;
use crate::http::state::App;
use crate::oidc::{Caller, DeviceAnswer, Presented, authorize_device};

/// Codes for a device: one to poll with, one for the person.
pub(super) async fn answer(
    State(app): State<App>,
    caller: Caller,
    presented: Presented,
    FormParams(form): FormParams,
) -> Result<Json<DeviceAnswer>, OauthError> {
    let page = app.broker.config.server.url(paths::DEVICE);
    Ok(Json(authorize_device(app.provider(), &caller, &presented, &form, &page).await?))
}
