//! Whether a password is somebody's: asked of the directory the person came from, or of the stored hash.
//!
//! Who does not exist, is disabled or has no way to prove themselves costs the same work as who does, and gets the
//! same answer: no. So a directory that does not answer is the same for everybody, too.

use crate::broker::Broker;
use crate::config::{LdapConfig, SourceConfig};
use crate::crypto::{Hasher, PasswordError};
use crate::model::{Status, User};
use crate::source::ldap::{PasswordAnswer, check_password};
use crate::store::StoreError;

/// What is known of a password.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Verdict {
    /// It is right.
    Right,
    /// It is not, or there is nobody; the code is for the audit log.
    Wrong(&'static str),
    /// It is right, and the directory wants another before it lets the person in; the code is for the audit log.
    MustChange(&'static str),
}

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
) -> Result<Verdict, CheckError> {
    let source = match user {
        Some(user) => broker.config.source(&user.source),
        // Nobody is looked for where most people are: in a directory, where there is one.
        None => broker.config.sources.iter().find(|source| source.ldap.is_some()),
    };
    let active = user.filter(|user| user.status == Status::Active);
    let absent = if user.is_some() { "not_active" } else { "unknown_login" };
    if let Some(ldap) = source.and_then(|source: &SourceConfig| source.ldap.as_ref()) {
        return bind(broker, ldap, active, password, absent).await;
    }
    match active.map(|user| (user, user.password_hash.as_deref())) {
        Some((user, Some(stored))) => match hasher.verify(stored, password).await {
            Ok(true) => Ok(Verdict::Right),
            Ok(false) => Ok(Verdict::Wrong("wrong_password")),
            Err(error @ PasswordError::Unusable(_)) => {
                tracing::warn!(user = %user.id, %error, "nobody can sign in with this stored hash");
                nobody(hasher, password, "unusable_hash").await
            }
            Err(error) => Err(error.into()),
        },
        Some((_, None)) => nobody(hasher, password, "no_password").await,
        None => nobody(hasher, password, absent).await,
    }
}

async fn nobody(hasher: &Hasher, password: &str, reason: &'static str) -> Result<Verdict, CheckError> {
    hasher.verify_nobody(password).await?;
    Ok(Verdict::Wrong(reason))
}

/// Asks the directory. Who may not sign in is asked for under a name that nobody has.
async fn bind(
    broker: &Broker,
    ldap: &LdapConfig,
    user: Option<&User>,
    password: &str,
    absent: &'static str,
) -> Result<Verdict, CheckError> {
    let link = match user {
        Some(user) => broker.db.read().await?.links().find_by_object(user.id.0).await?,
        None => None,
    };
    let known = link.filter(|link| !link.dn.is_empty());
    let dn = match &known {
        Some(link) => link.dn.clone(),
        None => format!("cn=nobody-{},{}", broker.rng.uuid(broker.clock.now()).simple(), ldap.base_dn),
    };
    let answer = check_password(ldap, &broker.config.folder, &dn, password)
        .await
        .map_err(|error| CheckError::Directory(error.to_string()))?;
    Ok(match (known, answer) {
        (None, _) => Verdict::Wrong(if user.is_some() { "no_link" } else { absent }),
        (Some(_), PasswordAnswer::Right) => Verdict::Right,
        (Some(_), PasswordAnswer::MustChange) => Verdict::MustChange("must_change_password"),
        (Some(_), PasswordAnswer::Wrong) => Verdict::Wrong("wrong_password"),
        (Some(_), PasswordAnswer::Expired) => Verdict::MustChange("password_expired"),
        (Some(_), PasswordAnswer::Disabled) => Verdict::Wrong("disabled_in_directory"),
        (Some(_), PasswordAnswer::AccountExpired) => Verdict::Wrong("account_expired_in_directory"),
        (Some(_), PasswordAnswer::NotAllowed) => Verdict::Wrong("not_allowed_by_directory"),
        (Some(_), PasswordAnswer::Locked) => Verdict::Wrong("locked_in_directory"),
    })
}
