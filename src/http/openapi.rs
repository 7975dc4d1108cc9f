//! `GET /openapi.json`: what programs may ask of the broker, as an `OpenAPI` 3.1 document.
//!
//! The document is kept by hand beside this file: a test compares it with the router's paths, and Schemathesis compares
//! every answer with it.

use axum::http::header;
use axum::response::{IntoResponse as _, Response};

const DOCUMENT: &str = include_str!("openapi.json");

/// The document.
pub async fn show() -> Response {
    let headers = [(header::CONTENT_TYPE, "application/json"), (header::CACHE_CONTROL, "public, max-age=300")];
    (headers, DOCUMENT).into_response()
}
