//! `POST /oauth2/bc-authorize` (OpenID Connect CIBA Core 1.0 section 7).

use axum::Json;
use axum::extract::State;

use crate::http::extract::FormParams;
use crate::http::respond::OauthError;
use crate::http::state::App;
use crate::oidc::{BackchannelAnswer, Caller, Presented, authorize_backchannel};

/// What the application polls with, while the person is asked.
pub(super) async fn answer(
    State(app): State<App>,
    caller: Caller,
    presented: Presented,
    FormParams(form): FormParams,
) -> Result<Json<BackchannelAnswer>, OauthError> {
    Ok(Json(authorize_backchannel(app.provider(), &caller, &presented, &form).await?))
}
