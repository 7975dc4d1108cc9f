//! A signing key that somebody else has: out of use at once, with everything that it signed.

use serde_json::json;

use super::keys::{KeyError, list_keys, make_missing, step};
use crate::audit::{self, Action, Event, Outcome};
use crate::broker::Broker;
use crate::model::KeyState;

/// Takes a key out of use and out of the key set: running brokers refuse what it signed within seconds, other services
/// when they read the key set again. Where it was the one that signs, the waiting one signs in its place, although not
/// every client may have read it yet: better a token that is refused for a moment than one that was forged.
///
/// # Errors
/// [`KeyError`].
pub async fn revoke_key(broker: &Broker, kid: &str) -> Result<(), KeyError> {
    make_missing(broker).await?;
    let rows = list_keys(broker).await?;
    let row = rows.iter().find(|row| row.kid == kid).ok_or_else(|| KeyError::Unknown(kid.to_owned()))?;
    if row.state == KeyState::Active {
        let next = rows.iter().find(|next| next.algorithm == row.algorithm && next.state == KeyState::Next);
        step(broker, Some(row), next.ok_or(KeyError::Missing(row.algorithm))?, "cli").await?;
    }
    let event = Event::new(Action::KeyAdmin, Outcome::Success, "cli", format!("key:{kid}"))
        .with(json!({ "algorithm": row.algorithm, "revoked": row.state }));
    let mut tx = broker.db.write().await?;
    tx.signing_keys().delete(kid).await?;
    audit::append(&mut tx, broker.clock.now(), &[event]).await?;
    tx.commit().await?;
    // A waiting key that is gone leaves its place to another.
    make_missing(broker).await
}
