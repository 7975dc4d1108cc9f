//! CORS for browser applications: the origins of registered redirect URIs, and no other; never with cookies.

use axum::extract::{Request, State};
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};

use crate::http::respond::OauthError;
use crate::http::state::App;

/// Answers preflights and marks answers for origins that belong to an application.
pub(super) async fn allow_known_origins(State(app): State<App>, request: Request, next: Next) -> Response {
    let Some(origin) = request.headers().get(header::ORIGIN).cloned() else { return next.run(request).await };
    let known = match origin.to_str() {
        Ok(text) => app.applications.knows_origin(&app.broker, text).await,
        Err(_) => Ok(false),
    };
    let is_known = match known {
        Ok(is_known) => is_known,
        Err(error) => return OauthError::from(error).into_response(),
    };
    let is_preflight =
        request.method() == Method::OPTIONS && request.headers().contains_key(header::ACCESS_CONTROL_REQUEST_METHOD);
    let mut response = if is_preflight { StatusCode::NO_CONTENT.into_response() } else { next.run(request).await };
    let headers = response.headers_mut();
    headers.append(header::VARY, HeaderValue::from_static("Origin"));
    if is_known {
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static("dpop-nonce, www-authenticate"));
        if is_preflight {
            let fixed = HeaderValue::from_static;
            headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, fixed("GET, POST"));
            headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, fixed("authorization, content-type, dpop"));
            headers.insert(header::ACCESS_CONTROL_MAX_AGE, fixed("600"));
        }
    }
    response
}

/// `OPTIONS` of an endpoint that browsers may call; what a preflight is told, the layer above says.
pub(super) async fn preflight() -> StatusCode {
    StatusCode::NO_CONTENT
}
