//! The public keys of applications: written in their settings (`jwks`), or fetched from where the settings say
//! (`jwks_uri`).
//!
//! A fetched set is used for [`FRESH`] and then fetched again; when that fails, the old one serves on for [`USABLE`]. A key
//! that is missing in it makes it be fetched early, but never more often than once in [`AGAIN`], whoever asks and
//! however often: a flood of tokens with invented key ids costs one call a minute. One fetch at a time for one address;
//! who has an old set meanwhile does not wait for it.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use chrono::TimeDelta;
use moka::sync::Cache;
use serde_json::{Map, Value};
use url::Url;

use super::Provider;
use crate::broker::Broker;
use crate::crypto::foreign::{ForeignError, Unverified};
use crate::crypto::{PublicKey, read_key_set, sha256};
use crate::model::Application;
use crate::net::{NetError, Outgoing};
use crate::time::Instant;

/// How long a fetched set counts as new.
const FRESH: TimeDelta = TimeDelta::minutes(10);
/// How soon after one attempt the next may be made.
const AGAIN: TimeDelta = TimeDelta::minutes(1);
/// How long a fetched set is used when it cannot be fetched again.
const USABLE: TimeDelta = TimeDelta::hours(24);
/// Sets kept at the most.
const CAPACITY: u64 = 10_000;
/// How long a set that nobody asks for is kept.
const IDLE: Duration = Duration::from_hours(24);

/// Why an application's keys are not had, or a token is not believed.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum ClientKeyError {
    /// The settings name no keys.
    #[error("the application has registered no keys: set proof.jwks or proof.jwks_uri")]
    None,
    /// The settings hold no JWK set, or the address answers with none.
    #[error("the application's key set is malformed")]
    Malformed,
    /// The address was asked a moment ago and gave nothing.
    #[error("the application's key set is not there, and was asked for less than a minute ago")]
    Waiting,
    /// The address answers with an error.
    #[error("the application's key set is answered with status {0}")]
    Status(u16),
    /// The address does not answer.
    #[error(transparent)]
    Net(#[from] NetError),
    /// The token is not one of the application's.
    #[error(transparent)]
    Token(#[from] ForeignError),
}

/// Usable keys of one application.
pub type KeySet = Arc<Vec<PublicKey>>;

/// Key sets at hand.
#[derive(Debug)]
pub(super) struct ClientKeys {
    written: Cache<[u8; 32], KeySet>,
    fetched: Cache<Url, Arc<Slot>>,
}

#[derive(Debug, Default)]
struct Slot {
    state: Mutex<State>,
    fetching: tokio::sync::Mutex<()>,
}

#[derive(Clone, Debug, Default)]
struct State {
    keys: Option<(KeySet, Instant)>,
    tried: Option<Instant>,
}

impl Default for ClientKeys {
    fn default() -> Self {
        let of = || Cache::builder().max_capacity(CAPACITY);
        Self { written: of().build(), fetched: Cache::builder().max_capacity(CAPACITY).time_to_idle(IDLE).build() }
    }
}

/// The claims of `token`, once a key of `app` has verified it.
///
/// # Errors
/// [`ClientKeyError`].
pub async fn verify_by_application(
    provider: Provider<'_>,
    app: &Application,
    token: Unverified<'_>,
) -> Result<Map<String, Value>, ClientKeyError> {
    let keys = client_keys(provider, app, |keys| token.fits_one_of(keys)).await?;
    Ok(token.verify(keys.iter())?)
}

/// The keys of `app`. Where `is_enough` says that what is wanted is not among them, and they are fetched from an address, they are
/// fetched again, if that was not done a moment ago.
///
/// # Errors
/// [`ClientKeyError`].
pub async fn client_keys(
    provider: Provider<'_>,
    app: &Application,
    is_enough: impl Fn(&[PublicKey]) -> bool,
) -> Result<KeySet, ClientKeyError> {
    let settings = &app.settings.proof;
    issuer_keys(provider, settings.jwks.as_ref(), settings.jwks_uri.as_ref(), is_enough).await
}

/// The keys of another party, written down or fetched like those of an application.
pub(super) async fn issuer_keys(
    provider: Provider<'_>,
    jwks: Option<&Value>,
    jwks_uri: Option<&Url>,
    is_enough: impl Fn(&[PublicKey]) -> bool,
) -> Result<KeySet, ClientKeyError> {
    let sets = provider.applications.key_sets();
    if let Some(jwks) = jwks {
        return sets.written(jwks);
    }
    let uri = jwks_uri.ok_or(ClientKeyError::None)?;
    sets.fetched(provider.broker, uri, is_enough).await
}

impl ClientKeys {
    fn written(&self, jwks: &Value) -> Result<KeySet, ClientKeyError> {
        let text = jwks.as_str().map_or_else(|| jwks.to_string(), str::to_owned);
        let digest = sha256(text.as_bytes());
        if let Some(keys) = self.written.get(&digest) {
            return Ok(keys);
        }
        let keys = Arc::new(read_key_set(text.as_bytes()).map_err(|_| ClientKeyError::Malformed)?);
        self.written.insert(digest, keys.clone());
        Ok(keys)
    }

    async fn fetched(
        &self,
        broker: &Broker,
        uri: &Url,
        is_enough: impl Fn(&[PublicKey]) -> bool,
    ) -> Result<KeySet, ClientKeyError> {
        let now = broker.clock.now();
        let slot = self.fetched.get_with(uri.clone(), Arc::default);
        if let Some(keys) = slot.settled(now, &is_enough) {
            return Ok(keys);
        }
        let usable = slot.usable(now);
        let _one = match (slot.fetching.try_lock(), &usable) {
            (Ok(one), _) => one,
            // Somebody is fetching: what is old but holds the wanted key will do.
            (Err(_), Some(keys)) if is_enough(keys) => return Ok(keys.clone()),
            (Err(_), _) => slot.fetching.lock().await,
        };
        if let Some(keys) = slot.settled(now, &is_enough) {
            return Ok(keys);
        }
        if slot.is_waiting(now) {
            return slot.usable(now).ok_or(ClientKeyError::Waiting);
        }
        slot.change(|state| state.tried = Some(now));
        match fetch(&broker.net, uri).await {
            Ok(keys) => {
                slot.change(|state| state.keys = Some((keys.clone(), now)));
                Ok(keys)
            }
            Err(error) => {
                tracing::warn!(%uri, %error, "the keys of an application could not be fetched");
                slot.usable(now).ok_or(error)
            }
        }
    }
}

impl Slot {
    fn state(&self) -> State {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn change(&self, with: impl FnOnce(&mut State)) {
        with(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner));
    }

    /// The set, when it is new and enough.
    fn settled(&self, now: Instant, is_enough: &impl Fn(&[PublicKey]) -> bool) -> Option<KeySet> {
        let (keys, at) = self.state().keys?;
        (now - at < FRESH && is_enough(&keys)).then_some(keys)
    }

    fn usable(&self, now: Instant) -> Option<KeySet> {
        self.state().keys.filter(|(_, at)| now - *at < USABLE).map(|(keys, _)| keys)
    }

    fn is_waiting(&self, now: Instant) -> bool {
        self.state().tried.is_some_and(|tried| now - tried < AGAIN)
    }
}

async fn fetch(net: &Outgoing, uri: &Url) -> Result<KeySet, ClientKeyError> {
    let answer = net.get(uri, "application/jwk-set+json, application/json").await?;
    if answer.status != 200 {
        return Err(ClientKeyError::Status(answer.status));
    }
    let keys = read_key_set(&answer.body).map_err(|_| ClientKeyError::Malformed)?;
    // A set without one usable key is a fault at the other end: the old one serves on.
    if keys.is_empty() { Err(ClientKeyError::Malformed) } else { Ok(Arc::new(keys)) }
}
