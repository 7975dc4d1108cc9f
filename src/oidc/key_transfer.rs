//! Signing keys from and to elsewhere.

use serde_json::json;

use super::keys::{KeyError, list_keys, make_missing, open, sealed};
use crate::audit::{self, Action, Event, Outcome};
use crate::broker::Broker;
use crate::crypto::SigningKey;
use crate::model::KeyState;
use crate::store::StoreError;

/// A key from elsewhere.
#[derive(Debug)]
pub struct NewKey {
    /// The key.
    pub key: SigningKey,
    /// The id by which clients know it; its thumbprint when none.
    pub kid: Option<String>,
    /// Whether it only stays published for tokens signed elsewhere, or is the next to sign.
    pub is_retired: bool,
}

/// Takes a key over: as the next one to sign, in place of the one that waits, or as one that is published only. It
/// signs nothing before the next rotation. Gives its id.
///
/// # Errors
/// [`KeyError`].
pub async fn import_key(broker: &Broker, new: NewKey) -> Result<String, KeyError> {
    make_missing(broker).await?;
    let NewKey { key, kid, is_retired } = new;
    let key = match kid {
        Some(kid) if is_kid(&kid) => key.named(&kid),
        Some(kid) => return Err(KeyError::Kid(kid)),
        None => key,
    };
    let now = broker.clock.now();
    let state = if is_retired { KeyState::Retired } else { KeyState::Next };
    let mut row = sealed(broker, &key, state)?;
    row.retired_at = is_retired.then_some(now);
    let event = Event::new(Action::KeyAdmin, Outcome::Success, "cli", format!("key:{}", row.kid))
        .with(json!({ "algorithm": row.algorithm, "imported": state }));
    let mut tx = broker.db.write().await?;
    if !is_retired {
        tx.signing_keys().delete_next(row.algorithm).await?;
    }
    match tx.signing_keys().insert(&row).await {
        Ok(()) => {}
        Err(StoreError::Conflict(_)) => return Err(KeyError::Taken(row.kid)),
        Err(error) => return Err(error.into()),
    }
    audit::append(&mut tx, now, &[event]).await?;
    tx.commit().await?;
    Ok(row.kid)
}

/// Opens a private key, to be written to a file, and records that.
///
/// # Errors
/// [`KeyError`].
pub async fn export_key(broker: &Broker, kid: &str, is_sealed: bool) -> Result<SigningKey, KeyError> {
    let rows = list_keys(broker).await?;
    let row = rows.iter().find(|row| row.kid == kid).ok_or_else(|| KeyError::Unknown(kid.to_owned()))?;
    let key = open(broker, row)?;
    let event = Event::new(Action::KeyAdmin, Outcome::Success, "cli", format!("key:{kid}"))
        .with(json!({ "algorithm": row.algorithm, "exported": true, "with_passphrase": is_sealed }));
    broker.audit.record(event).await?;
    Ok(key)
}

fn is_kid(kid: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte);
    (1..=128).contains(&kid.len()) && kid.bytes().all(is_plain)
}
