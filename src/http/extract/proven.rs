//! The access token of a request to an endpoint of ours that tokens protect: verified, and proved where it is bound.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;

use crate::http::respond::BearerError;
use crate::http::state::App;
use crate::oidc::{AccessToken, Presented, Scheme, Use, check_use, verify_access_token};

/// A good access token, used by who may use it. It comes in the `Authorization` header and nowhere else.
#[derive(Clone, Debug)]
pub struct ProvenToken(pub Arc<AccessToken>);

impl FromRequestParts<App> for ProvenToken {
    type Rejection = BearerError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, BearerError> {
        let Ok(presented) = Presented::from_request_parts(parts, app).await;
        let header = presented.authorization.as_deref().ok_or(BearerError::Missing)?;
        let (scheme, text) = Scheme::split(header).ok_or(BearerError::Missing)?;
        let token = verify_access_token(&app.broker, &app.keys, text).await?;
        let certificate = presented.certificate.as_ref().map(|certificate| certificate.thumbprint());
        let usage = Use { scheme, text, shown: presented.dpop.as_deref(), certificate: certificate.as_deref() };
        check_use(&app.broker, &token, usage).await?;
        Ok(Self(token))
    }
}
