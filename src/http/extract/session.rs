//! The session of a request, by its cookie.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;

use super::cookie;
use crate::http::respond::Problem;
use crate::http::state::App;
use crate::login::{CurrentSession, current_session};

/// Name of the session cookie: with the `__Host-` prefix wherever the broker is reached by https.
#[must_use]
pub fn session_cookie(is_https: bool) -> &'static str {
    if is_https { "__Host-yaopai" } else { "yaopai" }
}

/// The live session of the request's cookie, or none.
#[derive(Clone, Debug)]
pub struct MaybeSession(pub Option<CurrentSession>);

impl FromRequestParts<App> for MaybeSession {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        let Some(token) = cookie(parts, session_cookie(app.broker.config.server.is_https())) else {
            return Ok(Self(None));
        };
        match current_session(&app.broker, token).await {
            Ok(session) => Ok(Self(session)),
            Err(error) => {
                tracing::error!(%error, "the session could not be looked up");
                Err(Problem::internal())
            }
        }
    }
}
