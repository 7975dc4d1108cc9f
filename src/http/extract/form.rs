//! Form bodies, read strictly: the content type must say so, the text must be UTF-8, and the query counts for nothing.

use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use axum::http::{StatusCode, header};

use crate::http::respond::OauthError;
use crate::oidc::Params;

/// The parameters of an `application/x-www-form-urlencoded` body.
#[derive(Clone, Debug)]
pub struct FormParams(pub Params);

impl<S: Send + Sync> FromRequest<S> for FormParams {
    type Rejection = OauthError;

    async fn from_request(request: Request, state: &S) -> Result<Self, OauthError> {
        let kind =
            request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let essence = kind.split(';').next().unwrap_or_default().trim();
        if !essence.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
            return Err(OauthError::invalid_request("the body must be application/x-www-form-urlencoded"));
        }
        let body = Bytes::from_request(request, state).await.map_err(|error| match error.status() {
            StatusCode::PAYLOAD_TOO_LARGE => OauthError::too_large(),
            _ => OauthError::invalid_request("the body cannot be read"),
        })?;
        let text = std::str::from_utf8(&body)
            .map_err(|_| OauthError::invalid_request("the body is not form-encoded UTF-8"))?;
        Ok(Self(Params::parse(text)?))
    }
}
