//! How `UserInfo` answers: as JSON, or signed, encrypted or both, as the application registered (OpenID Connect Core
//! 1.0 section 5.3.2).

use serde_json::{Map, Value};

use super::encrypt::to_application;
use super::issue::signer;
use super::keys::KeyError;
use super::verify::AccessToken;
use super::{Provider, UserInfoError};
use crate::crypto::jwt;

/// The answer.
#[derive(Clone, PartialEq, Debug)]
pub enum UserInfoAnswer {
    /// Claims as JSON.
    Plain(Map<String, Value>),
    /// A JWT (`application/jwt`).
    Jwt(String),
}

/// The answer with `claims` to the application that `token` was issued to.
///
/// # Errors
/// [`UserInfoError::Gone`] when the application is, [`UserInfoError::Key`] when its answer cannot be signed or
/// encrypted: it is never given out plain instead.
pub async fn present_userinfo(
    provider: Provider<'_>,
    token: &AccessToken,
    mut claims: Map<String, Value>,
) -> Result<UserInfoAnswer, UserInfoError> {
    let app = provider.applications.find(provider.broker, &token.client_id).await?.ok_or(UserInfoError::Gone)?;
    let tokens = &app.settings.tokens;
    let signed = match tokens.userinfo_signed_response_alg {
        Some(algorithm) => {
            let key = signer(provider, &app, Some(algorithm)).await?;
            claims.insert("iss".to_owned(), provider.broker.config.server.issuer().into());
            claims.insert("aud".to_owned(), app.id.clone().into());
            // No exp and no iat: an ID token has both, so the one is never taken for the other.
            Some(jwt::sign(&key, "JWT", &claims).map_err(KeyError::from)?)
        }
        None => None,
    };
    let Some(how) = tokens.userinfo_encryption() else {
        return Ok(signed.map_or(UserInfoAnswer::Plain(claims), UserInfoAnswer::Jwt));
    };
    let encrypted = match signed {
        Some(jwt) => to_application(provider, &app, how, Some("JWT"), jwt.as_bytes()).await?,
        None => to_application(provider, &app, how, None, Value::Object(claims).to_string().as_bytes()).await?,
    };
    Ok(UserInfoAnswer::Jwt(encrypted))
}
