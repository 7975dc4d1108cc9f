//! The recovery administrator: gets in when no directory answers, or before there is one.
//!
//! Made at first start with a random password that works for one sign-in and is shown once; stored only as a hash.

use base64::Engine as _;
use base64::alphabet::Alphabet;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};
use zeroize::Zeroizing;

use crate::audit::{self, Action, Event, Outcome};
use crate::broker::Broker;
use crate::crypto::{Hasher, PasswordError};
use crate::model::{Operator, OperatorId};
use crate::store::StoreError;
use crate::text::fold;

/// Its login name.
pub const RECOVERY_LOGIN: &str = "recovery";

/// The recovery administrator could not be made.
#[derive(Debug, thiserror::Error)]
pub enum RecoveryError {
    /// The password could not be hashed.
    #[error("the recovery password could not be made")]
    Password(#[from] PasswordError),
    /// The database failed.
    #[error("the recovery administrator could not be stored")]
    Store(#[from] StoreError),
}

/// Makes the recovery administrator where there is none; gives the password, which is stored nowhere.
///
/// # Errors
/// [`RecoveryError`].
pub async fn ensure_recovery(broker: &Broker, hasher: &Hasher) -> Result<Option<Zeroizing<String>>, RecoveryError> {
    let known = broker.db.read().await?.operators().find_by_login(&fold(RECOVERY_LOGIN)).await?;
    if known.is_some() {
        return Ok(None);
    }
    let (password, operator) = fresh(broker, hasher).await?;
    let mut tx = broker.db.write().await?;
    if !tx.operators().insert(&operator).await? {
        return Ok(None);
    }
    audit::append(&mut tx, operator.created_at, &[event("made", "start")]).await?;
    tx.commit().await?;
    Ok(Some(password))
}

/// Gives the recovery administrator a new one-time password, and makes it where there is none.
///
/// # Errors
/// [`RecoveryError`].
pub async fn renew_recovery(broker: &Broker, hasher: &Hasher) -> Result<Zeroizing<String>, RecoveryError> {
    let (password, operator) = fresh(broker, hasher).await?;
    let mut tx = broker.db.write().await?;
    if !tx.operators().insert(&operator).await?
        && let Some(known) = tx.operators().find_by_login(&operator.login_key).await?
    {
        tx.operators().set_password(known.id, &operator.password_hash).await?;
    }
    audit::append(&mut tx, operator.created_at, &[event("password_renewed", "cli")]).await?;
    tx.commit().await?;
    Ok(password)
}

async fn fresh(broker: &Broker, hasher: &Hasher) -> Result<(Zeroizing<String>, Operator), PasswordError> {
    let now = broker.clock.now();
    let password = one_time_password(&broker.rng.bytes::<15>());
    let operator = Operator {
        id: OperatorId::new(&broker.rng, now),
        login: RECOVERY_LOGIN.to_owned(),
        login_key: fold(RECOVERY_LOGIN),
        password_hash: hasher.hash(&broker.rng, &password).await?,
        one_time: true,
        used_at: None,
        created_at: now,
    };
    Ok((password, operator))
}

/// 120 random bits as five groups of four characters that can be read aloud: `h3Kd-…`.
fn one_time_password(bytes: &[u8; 15]) -> Zeroizing<String> {
    // Without the letters that are taken for digits; 0 and 1 appear nowhere else.
    const LETTERS: &str = "ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz23456789+=@%*#!";
    let plain = match Alphabet::new(LETTERS) {
        Ok(letters) => GeneralPurpose::new(&letters, GeneralPurposeConfig::new()).encode(bytes),
        Err(_) => base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(bytes),
    };
    let plain = Zeroizing::new(plain);
    let mut grouped = Zeroizing::new(String::with_capacity(24));
    for (index, letter) in plain.chars().enumerate() {
        if index > 0 && index % 4 == 0 {
            grouped.push('-');
        }
        grouped.push(letter);
    }
    grouped
}

fn event(what: &str, actor: &str) -> Event {
    Event::new(Action::Recovery, Outcome::Success, actor, format!("operator:{RECOVERY_LOGIN}"))
        .with(serde_json::json!({ "what": what }))
}

#[cfg(test)]
mod tests {
    use super::one_time_password;

    #[test]
    fn the_password_can_be_read_aloud() {
        let password = one_time_password(&[0x5a; 15]);
        assert_eq!(password.len(), 24);
        assert!(password.split('-').all(|group| group.len() == 4), "{}", password.as_str());
        assert_ne!(*one_time_password(&[1; 15]), *password);
    }
}
