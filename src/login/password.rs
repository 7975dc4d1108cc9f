//! Whether a password is somebody's: asked of the directory the person came from, or of the stored hash.
//!
//! Who does not exist, is disabled or has no way to prove themselves costs the same work as who does, and gets the
//! same answer: no.

use crate::broker::Broker;
use crate::crypto::{Hasher, PasswordError};
use crate::model::{Status, User};
use crate::store::StoreError;

/// The password could not be checked, which says nothing about the person.
#[derive(Debug, thiserror::Error)]
pub(super) enum CheckError {
    /// The directory does not answer.
    #[error("the directory does not answer: {0}")]
    Directory(String),
    /// Too many checks at once.
    #[error(transparent)]
    Password(#[from] PasswordError),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Whether `password` is that of `user`, who must be active. Without a user the same work is done for nobody.
pub(super) async fn check(
    broker: &Broker,
    hasher: &Hasher,
    user: Option<&User>,
    password: &str,
) -> Result<bool, CheckError> {
    let active = user.filter(|user| user.status == Status::Active);
    let source = active.and_then(|user| broker.config.source(&user.source));
    if source.is_some_and(|source| source.ldap.is_some()) {
        return Err(CheckError::Directory("it cannot be asked".to_owned()));
    }
    match active.and_then(|user| Some((user, user.password_hash.as_deref()?))) {
        Some((user, stored)) => match hasher.verify(stored, password).await {
            Err(error @ PasswordError::Unusable(_)) => {
                tracing::warn!(user = %user.id, %error, "nobody can sign in with this stored hash");
                nobody(hasher, password).await
            }
            answer => Ok(answer?),
        },
        None => nobody(hasher, password).await,
    }
}

async fn nobody(hasher: &Hasher, password: &str) -> Result<bool, CheckError> {
    hasher.verify_nobody(password).await?;
    Ok(false)
}
