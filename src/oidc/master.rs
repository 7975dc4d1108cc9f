//! The master key and its change: what is sealed is sealed anew under another key, in one transaction.
//!
//! The master key does two things. It **seals** secrets at rest, and it keys the **hashes** of tokens and secrets (and
//! pairwise subjects), which cannot be made again from anything that is stored. So the key of the hashes is a value of
//! its own, kept sealed in the database; at first it is the master key. A change of the master key seals everything anew,
//! that value too, and changes no hash: nobody is signed out, no application gets a new secret, no pairwise subject
//! differs. What only has to hold for minutes (form tickets, demands, nonces) is keyed by the master key itself.

use serde::Serialize;
use serde_json::json;
use zeroize::Zeroizing;

use super::{ciba, keys, replay};
use crate::audit::{self, Action, Event, Outcome};
use crate::crypto::{MasterKey, MasterKeyError};
use crate::random::Rng;
use crate::store::{Db, Json, StoreError, Tx};
use crate::time::Clock;

/// Purpose under which the key of stored hashes is sealed.
const HASH_KEY: &str = "hash-key";

/// The master key cannot be used, or changed.
#[derive(Debug, thiserror::Error)]
pub enum MasterChangeError {
    /// The key of the configuration, and the old one where one is given, open nothing of this database.
    #[error(
        "what is sealed here does not open: secrets.master_key_file (or _env, or _command) gives another key than the one \
         this database was made with; after a change of the key, the one before goes into secrets.old_master_key until `yaopai key rewrap` has run"
    )]
    Foreign,
    /// One value opens with neither key. Nothing was changed.
    #[error("{0} opens neither with the master key nor with the old one: nothing was changed")]
    Stuck(String),
    /// A value cannot be sealed.
    #[error(transparent)]
    Seal(#[from] MasterKeyError),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What is sealed under the master key now, and what was before.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize)]
pub struct Sealed {
    /// Values that were sealed under the old key.
    pub old: usize,
    /// Values in all.
    pub all: usize,
}

/// The key of the configuration with the key of this database's hashes: what a broker works with. The first broker that
/// opens a database writes the latter down.
///
/// # Errors
/// [`MasterChangeError::Foreign`], and when the database fails.
pub async fn adopt_master(
    db: &Db,
    clock: &Clock,
    rng: &Rng,
    master: MasterKey,
) -> Result<MasterKey, MasterChangeError> {
    let (kept, first) = {
        let mut tx = db.read().await?;
        (tx.master_key().hash_key().await?, tx.master_key().private_keys().await?.into_iter().next())
    };
    if let Some(sealed) = kept {
        return hashing(master, &sealed);
    }
    // Made before this was written down: the key that seals keyed the hashes too.
    let master = match first {
        None => master,
        Some((_, sealed)) => {
            if master.open(keys::PURPOSE, &sealed).is_err() {
                return Err(MasterChangeError::Foreign);
            }
            let is_old = !master.has_sealed(keys::PURPOSE, &sealed);
            if is_old { master.hashing_by_old() } else { master }
        }
    };
    let sealed = master.seal(rng, HASH_KEY, master.hash_key().as_slice())?;
    let mut tx = db.write().await?;
    tx.master_key().insert_hash_key(&sealed, clock.now()).await?;
    let kept = tx.master_key().hash_key().await?.unwrap_or(sealed);
    tx.commit().await?;
    hashing(master, &kept)
}

fn hashing(master: MasterKey, sealed: &str) -> Result<MasterKey, MasterChangeError> {
    let key = master.open(HASH_KEY, sealed).map_err(|_| MasterChangeError::Foreign)?;
    master.hashing_by(&key).ok_or(MasterChangeError::Foreign)
}

/// Seals everything under the master key that is sealed under the old one, in one transaction: an interrupted run leaves
/// everything as it was. `is_asked` only counts.
///
/// # Errors
/// [`MasterChangeError`]; nothing is changed then.
pub async fn rewrap(
    db: &Db,
    clock: &Clock,
    rng: &Rng,
    master: &MasterKey,
    is_asked: bool,
) -> Result<Sealed, MasterChangeError> {
    let now = clock.now();
    let mut tx = db.write().await?;
    let mut seals = Seals { master, rng, found: Sealed::default() };
    let hash_key = tx.master_key().hash_key().await?;
    if let Some(sealed) = hash_key
        && let Some(anew) = seals.anew(HASH_KEY, &sealed, "the key of stored hashes")?
    {
        tx.master_key().reseal_hash_key(&anew, now).await?;
    }
    for (kid, sealed) in tx.master_key().private_keys().await? {
        if let Some(anew) = seals.anew(keys::PURPOSE, &sealed, &format!("signing key `{kid}`"))? {
            tx.master_key().reseal_private_key(&kid, &anew).await?;
        }
    }
    secrets(&mut tx, &mut seals).await?;
    for (hash, Json(mut details)) in tx.master_key().notifications().await? {
        let sealed = details.notification.clone().unwrap_or_default();
        if let Some(anew) = seals.anew(ciba::NOTIFICATION, &sealed, "a notification token")? {
            details.notification = Some(anew);
            tx.master_key().reseal_notification(&hash, &Json(details)).await?;
        }
    }
    let found = seals.found;
    if is_asked || found.old == 0 {
        return Ok(found);
    }
    let event = Event::new(Action::KeyAdmin, Outcome::Success, "cli", "master-key")
        .with(json!({ "change": "master key changed", "sealed_anew": found.old, "sealed": found.all }));
    audit::append(&mut tx, now, &[event]).await?;
    tx.commit().await?;
    Ok(found)
}

async fn secrets(tx: &mut Tx, seals: &mut Seals<'_>) -> Result<(), MasterChangeError> {
    for (application, sealed, old) in tx.master_key().secrets().await? {
        let what = format!("the secret of application `{application}`");
        let anew = seals.anew(replay::SECRET, &sealed, &what)?;
        let old_anew = match &old {
            Some(old) => seals.anew(replay::SECRET, old, &what)?,
            None => None,
        };
        if anew.is_some() || old_anew.is_some() {
            let (sealed, old) = (anew.unwrap_or(sealed), old_anew.or(old));
            tx.proofs().keep_secret(&application, &sealed, old.as_deref()).await?;
        }
    }
    Ok(())
}

struct Seals<'a> {
    master: &'a MasterKey,
    rng: &'a Rng,
    found: Sealed,
}

impl Seals<'_> {
    /// A sealed value under the master key; none where it is already.
    fn anew(&mut self, purpose: &str, sealed: &str, what: &str) -> Result<Option<String>, MasterChangeError> {
        self.found.all += 1;
        if self.master.has_sealed(purpose, sealed) {
            return Ok(None);
        }
        self.found.old += 1;
        let opened: Zeroizing<Vec<u8>> =
            self.master.open(purpose, sealed).map_err(|_| MasterChangeError::Stuck(what.to_owned()))?;
        Ok(Some(self.master.seal(self.rng, purpose, &opened)?))
    }
}
