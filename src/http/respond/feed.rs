//! Why somebody may not follow the change feed, as HTTP says it.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::{BearerError, OauthError};
use crate::oidc::FeedError;

/// A refusal of the change feed.
#[derive(Debug)]
pub struct FeedRefusal(pub FeedError);

impl IntoResponse for FeedRefusal {
    fn into_response(self) -> Response {
        match self.0 {
            FeedError::Token(error) => BearerError::from(error).into_response(),
            FeedError::Key(error) => OauthError::from(error).into_response(),
            FeedError::Scope => {
                let challenge = "Bearer realm=\"yaopai\", error=\"insufficient_scope\", scope=\"revocations:read\", \
                                 error_description=\"an application's own token with this scope is needed\"";
                (StatusCode::FORBIDDEN, [(header::WWW_AUTHENTICATE, HeaderValue::from_static(challenge))])
                    .into_response()
            }
            FeedError::Full => {
                let after = [(header::RETRY_AFTER, HeaderValue::from_static("5"))];
                (StatusCode::SERVICE_UNAVAILABLE, after).into_response()
            }
        }
    }
}
