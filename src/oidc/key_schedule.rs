//! When keys change: each is published, signs, is retired and dropped at times that are known beforehand.
//!
//! A key signs for `[oidc.keys] rotate_every`; the next one has been published since the last change, and for
//! `key_publish_ahead` at the least. A retired key stays published for as long as the longest-lived token, and a day.

use chrono::TimeDelta;

use super::keys::{KeyError, list_keys, longest_life, make_missing, step};
use crate::audit::{self, Action, Event, Outcome};
use crate::broker::Broker;
use crate::model::{Algorithm, KeyState, SigningKeyRow};
use crate::store::StoreError;
use crate::time::Instant;

/// A key with the times of its life, past and coming. Coming ones are none where only an operator changes keys.
#[derive(Clone, PartialEq, Debug)]
pub struct KeyTimes {
    /// The key.
    pub row: SigningKeyRow,
    /// When it began, or begins, to sign. A key that was imported for old tokens never does.
    pub signs_at: Option<Instant>,
    /// When it ceased, or ceases, to sign.
    pub retires_at: Option<Instant>,
    /// When it is no longer published.
    pub drops_at: Option<Instant>,
}

/// Every key with its times, for `yaopai key list`.
///
/// # Errors
/// When the database fails.
pub async fn key_times(broker: &Broker) -> Result<Vec<KeyTimes>, StoreError> {
    let rows = list_keys(broker).await?;
    let longest = longest_life(broker, &mut broker.db.read().await?).await?;
    let keys = &broker.config.oidc.keys;
    let every = keys.automatic.then_some(keys.rotate_every.0);
    let times = rows.iter().map(|row| {
        let (signs_at, retires_at) = match row.state {
            KeyState::Retired => (row.activated_at, row.retired_at),
            KeyState::Active => (row.activated_at, every.and(change(broker, &rows, row.algorithm))),
            KeyState::Next => {
                let signs = every.and(change(broker, &rows, row.algorithm));
                (signs, signs.zip(every).map(|(signs, every)| signs + every))
            }
        };
        KeyTimes { row: row.clone(), signs_at, retires_at, drops_at: retires_at.map(|at| at + longest) }
    });
    Ok(times.collect())
}

/// When the next key of `algorithm` takes over.
fn change(broker: &Broker, rows: &[SigningKeyRow], algorithm: Algorithm) -> Option<Instant> {
    let find = |state| rows.iter().find(|row| row.algorithm == algorithm && row.state == state);
    let ready = find(KeyState::Next)?.created_at + broker.config.oidc.key_publish_ahead.0;
    let begun = find(KeyState::Active).and_then(|row| row.activated_at);
    Some(begun.map_or(ready, |begun| ready.max(begun + broker.config.oidc.keys.rotate_every.0)))
}

/// Changes the keys whose time has come, and drops retired ones whose last token is dead; gives the algorithms whose
/// keys were changed. Any number of nodes may call it at the same moment: each change is made once.
///
/// # Errors
/// [`KeyError`].
pub async fn rotate_due(broker: &Broker) -> Result<Vec<Algorithm>, KeyError> {
    if !broker.config.oidc.keys.automatic {
        return Ok(Vec::new());
    }
    make_missing(broker).await?;
    let now = broker.clock.now();
    let rows = list_keys(broker).await?;
    let mut rotated = Vec::new();
    for algorithm in Algorithm::ALL {
        if change(broker, &rows, *algorithm).is_none_or(|at| now < at) {
            continue;
        }
        let find = |state| rows.iter().find(|row| row.algorithm == *algorithm && row.state == state);
        let next = find(KeyState::Next).ok_or(KeyError::Missing(*algorithm))?;
        if step(broker, find(KeyState::Active), next, "schedule").await? {
            rotated.push(*algorithm);
        }
    }
    drop_dead(broker, &rows, now).await?;
    Ok(rotated)
}

async fn drop_dead(broker: &Broker, rows: &[SigningKeyRow], now: Instant) -> Result<(), KeyError> {
    let longest: TimeDelta = longest_life(broker, &mut broker.db.read().await?).await?;
    let dead: Vec<&str> = rows
        .iter()
        .filter(|row| row.retired_at.is_some_and(|retired| retired < now - longest))
        .map(|row| row.kid.as_str())
        .collect();
    if dead.is_empty() {
        return Ok(());
    }
    let mut tx = broker.db.write().await?;
    if tx.signing_keys().delete_retired(now - longest).await? > 0 {
        let event =
            Event::new(Action::KeyAdmin, Outcome::Success, "schedule", "").with(serde_json::json!({ "dropped": dead }));
        audit::append(&mut tx, now, &[event]).await?;
    }
    tx.commit().await?;
    Ok(())
}
