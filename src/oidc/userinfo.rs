//! `UserInfo` (OpenID Connect Core 1.0 section 5.3): what a token lets an application know of a person.

use serde_json::{Map, Value};

use super::Provider;
use super::claims::{self, Granted};
use super::keys::KeyError;
use super::verify::AccessToken;
use crate::model::{GrantDetails, Status};
use crate::store::StoreError;

/// Why nothing is told.
#[derive(Debug, thiserror::Error)]
pub enum UserInfoError {
    /// The token has no scope `openid`, or speaks for no person.
    #[error("the token does not allow this")]
    InsufficientScope,
    /// The person, or the application, is gone or switched off.
    #[error("the person may not sign in any more")]
    Gone,
    /// The answer cannot be signed or encrypted.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The claims that `token` allows, in a constant number of statements.
///
/// # Errors
/// [`UserInfoError`].
pub async fn userinfo(provider: Provider<'_>, token: &AccessToken) -> Result<Map<String, Value>, UserInfoError> {
    let broker = provider.broker;
    let user_id = token.user_id.filter(|_| token.has_scope("openid")).ok_or(UserInfoError::InsufficientScope)?;
    let app = provider.applications.find(broker, &token.client_id).await?.ok_or(UserInfoError::Gone)?;
    let known = broker.reads.person(user_id).await?.filter(|known| known.user.status == Status::Active);
    let known = known.ok_or(UserInfoError::Gone)?;
    let details = match token.grant_id.filter(|_| token.more) {
        Some(grant) => {
            broker.db.read().await?.grants().find(grant).await?.map(|grant| grant.details.0).unwrap_or_default()
        }
        None => GrantDetails::default(),
    };
    let scope = token.scopes.join(" ");
    let mut told =
        claims::at_userinfo(broker, Granted { app: &app, scope: &scope, details: &details }, &known.user).await?;
    told.insert("sub".to_owned(), token.sub.clone().into());
    Ok(told)
}
