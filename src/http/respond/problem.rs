//! RFC 9457 problem documents: the errors of our own JSON endpoints.

use axum::Json;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

/// A problem: a stable code, a sentence that says what to do next, never the cause.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Problem {
    /// HTTP status.
    pub status: u16,
    /// Stable code.
    #[serde(rename = "type")]
    pub code: &'static str,
    /// The sentence.
    pub title: String,
    /// What to do next, where the sentence does not say it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
}

impl Problem {
    /// A problem of that status.
    #[must_use]
    pub fn new(status: StatusCode, code: &'static str, title: impl Into<String>) -> Self {
        Self { status: status.as_u16(), code, title: title.into(), detail: None }
    }

    /// Something failed on our side; the cause is in the log under the request id.
    #[must_use]
    pub fn internal() -> Self {
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "internal",
            "something failed on our side; tell the administrator the x-request-id of this answer",
        )
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        (status, [(header::CONTENT_TYPE, "application/problem+json")], Json(self)).into_response()
    }
}
