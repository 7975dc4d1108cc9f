//! `UserInfo` (OpenID Connect Core 1.0 section 5.3): what the scopes of a token let an application know.
//!
//! The master directory is the authority for mail and phone: what it holds counts as verified.

use serde_json::{Map, Value};

use super::verify::AccessToken;
use crate::broker::Broker;
use crate::model::{Status, User};
use crate::store::{StoreError, Tx};

/// Why nothing is told.
#[derive(Debug, thiserror::Error)]
pub enum UserInfoError {
    /// The token has no scope `openid`, or speaks for no person.
    #[error("the token does not allow this")]
    InsufficientScope,
    /// The person is gone or switched off.
    #[error("the person may not sign in any more")]
    Gone,
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The claims that `token` allows, in at most four statements.
///
/// # Errors
/// [`UserInfoError`].
pub async fn userinfo(broker: &Broker, token: &AccessToken) -> Result<Map<String, Value>, UserInfoError> {
    let user_id = token.user_id.filter(|_| token.has_scope("openid")).ok_or(UserInfoError::InsufficientScope)?;
    let mut tx = broker.db.read().await?;
    let user = tx.users().find(user_id).await?.filter(|user| user.status == Status::Active);
    let user = user.ok_or(UserInfoError::Gone)?;
    let mut claims = Map::new();
    claims.insert("sub".to_owned(), token.sub.clone().into());
    if token.has_scope("profile") {
        profile(&mut claims, &user);
    }
    if token.has_scope("email")
        && let Some(mail) = &user.mail
    {
        claims.insert("email".to_owned(), mail.clone().into());
        claims.insert("email_verified".to_owned(), true.into());
    }
    if token.has_scope("phone")
        && let Some(mobile) = &user.mobile
    {
        claims.insert("phone_number".to_owned(), mobile.clone().into());
        claims.insert("phone_number_verified".to_owned(), true.into());
    }
    if token.has_scope("org") {
        organisation(&mut tx, &mut claims, &user).await?;
    }
    if token.has_scope("roles") {
        claims.insert("roles".to_owned(), tx.claims().roles(user.id).await?.into());
    }
    Ok(claims)
}

fn profile(claims: &mut Map<String, Value>, user: &User) {
    claims.insert("name".to_owned(), user.display_name.clone().into());
    claims.insert("preferred_username".to_owned(), user.login.clone().into());
    claims.insert("updated_at".to_owned(), user.updated_at.timestamp().into());
    for (name, value) in [("given_name", &user.given_name), ("family_name", &user.family_name)] {
        if let Some(value) = value {
            claims.insert(name.to_owned(), value.clone().into());
        }
    }
}

/// Scope `org`: employee number, title, the path of departments from the top down, positions.
async fn organisation(tx: &mut Tx, claims: &mut Map<String, Value>, user: &User) -> Result<(), StoreError> {
    for (name, value) in [("employee_number", &user.employee_number), ("title", &user.title)] {
        if let Some(value) = value {
            claims.insert(name.to_owned(), value.clone().into());
        }
    }
    let departments = tx.claims().departments(user.id).await?;
    let positions = tx.claims().positions(user.id).await?;
    claims.insert("departments".to_owned(), serde_json::to_value(departments).unwrap_or_default());
    claims.insert("positions".to_owned(), serde_json::to_value(positions).unwrap_or_default());
    Ok(())
}
