//! The key ring: which key signs, which are published.
//!
//! For each algorithm one key signs (active), one is published and waits (next), and those that signed before are
//! published until the last token of theirs is dead (retired). A key is known to every node and every client before it
//! signs, so a rotation is seen by nobody. Nodes read the table again every few seconds, and at once when a token
//! names a key they do not know (at most once a second, whatever is sent).

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant as Monotonic};

use chrono::TimeDelta;
use serde_json::{Value, json};

use super::lifetimes;
use super::verified::VerifiedTokens;
use crate::audit::{self, Action, Event, Outcome};
use crate::broker::Broker;
use crate::crypto::{MasterKeyError, SigningError, SigningKey};
use crate::model::{Algorithm, KeyState, SigningKeyRow};
use crate::store::{Json, StoreError, Tx};
use crate::time::Instant;

/// Purpose under which private keys are sealed.
pub(super) const PURPOSE: &str = "signing-key";
/// The table is read again after so long.
const RELOAD: Duration = Duration::from_secs(5);
/// How long after it was made every node has surely read a key: twice the above.
const SEEN: TimeDelta = TimeDelta::seconds(10);
/// An unknown key makes the table be read again at most so often.
const COOL_DOWN: Duration = Duration::from_secs(1);

/// Keys cannot be made, read or rotated.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A key cannot be made or read.
    #[error(transparent)]
    Signing(#[from] SigningError),
    /// A stored key was sealed with another master key.
    #[error(
        "a signing key does not open: secrets.master_key_file (or _env, or _command) gives another key than the one this \
             database was made with"
    )]
    Sealed(#[source] MasterKeyError),
    /// Something cannot be encrypted to an application.
    #[error("nothing can be encrypted to `{application}`: {why}")]
    Recipient {
        /// Which application.
        application: String,
        /// Why.
        why: String,
    },
    /// The key is there already.
    #[error("there is a key `{0}` already: see `yaopai key list`")]
    Taken(String),
    /// No key has this id.
    #[error("there is no key `{0}`: see `yaopai key list`")]
    Unknown(String),
    /// An id that cannot stand in a token's header.
    #[error("`{0}` is no key id: use letters, digits, `-`, `_`, `.` and `~`, at most 128")]
    Kid(String),
    /// No key of the algorithm signs.
    #[error("there is no active {0} key: run `yaopai key rotate --algorithm {0}`")]
    Missing(Algorithm),
    /// The waiting key has not been published for long enough.
    #[error(
        "the next {algorithm} key may sign from {from} on, so that every client has read it by then; --now rotates as \
         soon as every node has read it, which a compromised key needs"
    )]
    TooSoon {
        /// Which algorithm.
        algorithm: Algorithm,
        /// From when on.
        from: Instant,
    },
}

#[derive(Debug)]
struct Loaded {
    active: HashMap<Algorithm, Arc<SigningKey>>,
    by_kid: HashMap<String, Arc<SigningKey>>,
    /// The JWK Set as it is sent.
    jwks: Arc<str>,
    at: Monotonic,
}

#[derive(Debug)]
struct Inner {
    loaded: RwLock<Arc<Loaded>>,
    reloading: tokio::sync::Mutex<()>,
    verified: VerifiedTokens,
}

/// The keys of this broker, parsed. Cheap to clone.
#[derive(Clone, Debug)]
pub struct KeyRing(Arc<Inner>);

impl KeyRing {
    /// Reads the keys, making those that are missing: at first start, all of them.
    ///
    /// # Errors
    /// [`KeyError`].
    pub async fn open(broker: &Broker) -> Result<Self, KeyError> {
        make_missing(broker).await?;
        let loaded = load(broker, &HashMap::new()).await?;
        Ok(Self(Arc::new(Inner {
            loaded: RwLock::new(Arc::new(loaded)),
            reloading: tokio::sync::Mutex::new(()),
            verified: VerifiedTokens::new(),
        })))
    }

    /// The key that signs with `algorithm`.
    ///
    /// # Errors
    /// [`KeyError::Missing`].
    pub async fn signer(&self, broker: &Broker, algorithm: Algorithm) -> Result<Arc<SigningKey>, KeyError> {
        let loaded = self.current(broker).await;
        loaded.active.get(&algorithm).cloned().ok_or(KeyError::Missing(algorithm))
    }

    /// The published key of this id.
    pub async fn find(&self, broker: &Broker, kid: &str) -> Option<Arc<SigningKey>> {
        if let Some(key) = self.current(broker).await.by_kid.get(kid) {
            return Some(key.clone());
        }
        self.reload(broker, COOL_DOWN).await;
        self.now().by_kid.get(kid).cloned()
    }

    /// The JWK Set (RFC 7517 section 5) of every published key, as JSON.
    pub async fn jwks(&self, broker: &Broker) -> Arc<str> {
        self.current(broker).await.jwks.clone()
    }

    /// Lets the next key of `algorithm` sign, retires the one that did, makes a new next one, and drops retired keys
    /// whose last token is dead. `at_once` rotates although the next key has not been published long enough.
    ///
    /// # Errors
    /// [`KeyError`].
    pub async fn rotate(&self, broker: &Broker, algorithm: Algorithm, at_once: bool) -> Result<(), KeyError> {
        rotate(broker, algorithm, at_once).await?;
        self.reload(broker, Duration::ZERO).await;
        Ok(())
    }

    /// See [`super::rotate_due`]; what was rotated is in use at once.
    ///
    /// # Errors
    /// [`KeyError`].
    pub async fn rotate_due(&self, broker: &Broker) -> Result<Vec<Algorithm>, KeyError> {
        let rotated = super::rotate_due(broker).await?;
        if !rotated.is_empty() {
            self.reload(broker, Duration::ZERO).await;
        }
        Ok(rotated)
    }

    /// Reads the table again where it is time: whoever rests on what was verified before has to ask.
    pub(super) async fn keep_up(&self, broker: &Broker) {
        self.current(broker).await;
    }

    pub(super) fn verified(&self) -> &VerifiedTokens {
        &self.0.verified
    }

    fn now(&self) -> Arc<Loaded> {
        self.0.loaded.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    async fn current(&self, broker: &Broker) -> Arc<Loaded> {
        let loaded = self.now();
        if loaded.at.elapsed() < RELOAD {
            return loaded;
        }
        self.reload(broker, RELOAD).await;
        self.now()
    }

    /// Reads the table again unless that was done within `unless`. One reader at a time; when the database fails the
    /// keys at hand stay in use.
    async fn reload(&self, broker: &Broker, unless: Duration) {
        let _one = self.0.reloading.lock().await;
        let before = self.now();
        if !unless.is_zero() && before.at.elapsed() < unless {
            return;
        }
        match load(broker, &before.by_kid).await {
            Ok(loaded) => {
                // What was verified with a key that is gone is not believed any longer.
                let is_gone = before.by_kid.keys().any(|kid| !loaded.by_kid.contains_key(kid));
                *self.0.loaded.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(loaded);
                if is_gone {
                    self.0.verified.forget();
                }
            }
            Err(error) => tracing::error!(%error, "the signing keys could not be read again"),
        }
    }
}

/// Every key, for `yaopai key list`.
///
/// # Errors
/// When the database fails.
pub async fn list_keys(broker: &Broker) -> Result<Vec<SigningKeyRow>, StoreError> {
    broker.db.read().await?.signing_keys().list().await
}

/// See [`KeyRing::rotate`]. Even at once means: when every node has read the next key, so that none meets a token whose
/// key it does not publish.
///
/// # Errors
/// [`KeyError`].
pub async fn rotate(broker: &Broker, algorithm: Algorithm, at_once: bool) -> Result<(), KeyError> {
    make_missing(broker).await?;
    let now = broker.clock.now();
    let rows = list_keys(broker).await?;
    let find = |state| rows.iter().find(|row| row.algorithm == algorithm && row.state == state);
    let next = find(KeyState::Next).ok_or(KeyError::Missing(algorithm))?;
    let from = next.created_at + if at_once { SEEN } else { broker.config.oidc.key_publish_ahead.0 };
    if now < from {
        return Err(KeyError::TooSoon { algorithm, from });
    }
    step(broker, find(KeyState::Active), next, "cli").await?;
    Ok(())
}

/// Lets `next` sign in place of `active`, and makes another next one. Tells whether it did: not when somebody else was
/// faster.
pub(super) async fn step(
    broker: &Broker,
    active: Option<&SigningKeyRow>,
    next: &SigningKeyRow,
    actor: &str,
) -> Result<bool, KeyError> {
    let now = broker.clock.now();
    let new = make(broker, next.algorithm, KeyState::Next)?;
    let event = Event::new(Action::KeyAdmin, Outcome::Success, actor, format!("key:{}", new.kid))
        .with(json!({ "algorithm": next.algorithm, "rotated": true, "signs": next.kid }));
    let mut tx = broker.db.write().await?;
    if let Some(active) = active
        && !tx.signing_keys().retire(&active.kid, now).await?
    {
        return Ok(false);
    }
    let written = match tx.signing_keys().activate(&next.kid, now).await {
        Ok(true) => tx.signing_keys().insert(&new).await,
        Ok(false) => return Ok(false),
        Err(error) => Err(error),
    };
    match written {
        Ok(()) => {}
        Err(StoreError::Conflict(_)) => return Ok(false),
        Err(error) => return Err(error.into()),
    }
    let longest = longest_life(broker, &mut tx).await?;
    tx.signing_keys().delete_retired(now - longest).await?;
    audit::append(&mut tx, now, &[event]).await?;
    tx.commit().await?;
    Ok(true)
}

/// How long a token may live at the most, with a day to spare for clocks and cached ID tokens.
pub(super) async fn longest_life(broker: &Broker, tx: &mut Tx) -> Result<TimeDelta, StoreError> {
    let config = &broker.config;
    let general = config.oidc.access_token_lifetime.0.max(config.oidc.id_token_lifetime.0);
    let applications = tx.applications().list().await?;
    let own = applications.iter().map(|app| lifetimes::access_token(config, app).max(lifetimes::id_token(config, app)));
    Ok(own.fold(general, TimeDelta::max) + TimeDelta::days(1))
}

pub(super) async fn make_missing(broker: &Broker) -> Result<(), KeyError> {
    let rows = list_keys(broker).await?;
    let mut made = Vec::new();
    for algorithm in Algorithm::ALL {
        for state in [KeyState::Active, KeyState::Next] {
            if !rows.iter().any(|row| row.algorithm == *algorithm && row.state == state) {
                made.push(make(broker, *algorithm, state)?);
            }
        }
    }
    if made.is_empty() {
        return Ok(());
    }
    let event = Event::new(Action::KeyAdmin, Outcome::Success, "cli", "")
        .with(json!({ "made": made.iter().map(|row| &row.kid).collect::<Vec<_>>() }));
    let mut tx = broker.db.write().await?;
    for row in &made {
        match tx.signing_keys().insert(row).await {
            Ok(()) => {}
            // Another node made them at the same moment: its keys are ours.
            Err(StoreError::Conflict(_)) => return Ok(()),
            Err(error) => return Err(error.into()),
        }
    }
    audit::append(&mut tx, broker.clock.now(), &[event]).await?;
    tx.commit().await?;
    Ok(())
}

fn make(broker: &Broker, algorithm: Algorithm, state: KeyState) -> Result<SigningKeyRow, KeyError> {
    sealed(broker, &SigningKey::generate(algorithm)?.0, state)
}

/// The row of a key that begins its life here and now.
pub(super) fn sealed(broker: &Broker, key: &SigningKey, state: KeyState) -> Result<SigningKeyRow, KeyError> {
    let now = broker.clock.now();
    Ok(SigningKeyRow {
        kid: key.kid().to_owned(),
        algorithm: key.algorithm(),
        state,
        sealed: broker.master.seal(&broker.rng, PURPOSE, &key.pkcs8()?).map_err(KeyError::Sealed)?,
        public_jwk: Json(key.public_jwk().clone()),
        created_at: now,
        activated_at: (state == KeyState::Active).then_some(now),
        retired_at: None,
    })
}

pub(super) fn open(broker: &Broker, row: &SigningKeyRow) -> Result<SigningKey, KeyError> {
    let pkcs8 = broker.master.open(PURPOSE, &row.sealed).map_err(KeyError::Sealed)?;
    // An imported key may have brought its name with it.
    Ok(SigningKey::from_pkcs8(row.algorithm, &pkcs8)?.named(&row.kid))
}

/// Reads the table; keys parsed before are taken from `known`.
async fn load(broker: &Broker, known: &HashMap<String, Arc<SigningKey>>) -> Result<Loaded, KeyError> {
    let at = Monotonic::now();
    let mut loaded = Loaded { active: HashMap::new(), by_kid: HashMap::new(), jwks: "".into(), at };
    let mut published = Vec::new();
    for row in list_keys(broker).await? {
        let key = if let Some(key) = known.get(&row.kid) { key.clone() } else { Arc::new(open(broker, &row)?) };
        if row.state == KeyState::Active {
            loaded.active.insert(row.algorithm, key.clone());
        }
        published.push((row.algorithm, key.public_jwk().clone()));
        loaded.by_kid.insert(row.kid, key);
    }
    published.sort_by_key(|(algorithm, _)| *algorithm);
    let keys: Vec<Value> = published.into_iter().map(|(_, jwk)| jwk).collect();
    loaded.jwks = json!({ "keys": keys }).to_string().into();
    Ok(loaded)
}
