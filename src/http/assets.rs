//! `GET /assets/{file}`: style sheet and images. The name changes with the content, so browsers keep them for ever.

use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};

use super::extract::Visit;
use super::state::App;

/// Serves one file.
pub async fn serve(State(app): State<App>, Path(file): Path<String>, visit: Visit) -> Response {
    match app.ui.assets.find(&file) {
        Some(asset) => (
            [(header::CONTENT_TYPE, asset.media_type), (header::CACHE_CONTROL, "public, max-age=31536000, immutable")],
            asset.content.clone(),
        )
            .into_response(),
        None => visit.refuse(StatusCode::NOT_FOUND, "error-not-found"),
    }
}
