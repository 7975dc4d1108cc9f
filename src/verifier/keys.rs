//! The issuer's keys: fetched when they are needed, kept while they serve, and never asked for in a storm.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant as Monotonic};

use serde_json::Value;

use super::client::{Client, ClientError};
use crate::crypto::foreign::Unverified;
use crate::crypto::{PublicKey, read_key_set, strict_json};

/// Keys are fetched again after so long.
const FRESH: Duration = Duration::from_mins(10);
/// An unknown key makes them be fetched at most so often.
const COOL_DOWN: Duration = Duration::from_secs(10);
/// Keys that cannot be fetched again serve on for so long.
const USABLE: Duration = Duration::from_hours(24);

type KeySet = Arc<Vec<PublicKey>>;

#[derive(Clone, Debug, Default)]
struct State {
    keys: Option<(KeySet, Monotonic)>,
    tried: Option<Monotonic>,
}

/// The keys of one issuer.
#[derive(Debug)]
pub(super) struct Keys {
    issuer: String,
    state: Mutex<State>,
    fetching: tokio::sync::Mutex<()>,
}

impl Keys {
    pub(super) fn new(issuer: &str) -> Self {
        Self { issuer: issuer.to_owned(), state: Mutex::default(), fetching: tokio::sync::Mutex::default() }
    }

    /// The keys, fetched again when none of them fits `token` and that was not tried a moment ago.
    pub(super) async fn fitting(&self, client: &Client, token: &Unverified<'_>) -> Result<KeySet, ClientError> {
        if let Some(keys) = self.at_hand(FRESH, token) {
            return Ok(keys);
        }
        // One fetch at a time; who waited finds what it brought.
        let _one = self.fetching.lock().await;
        if let Some(keys) = self.at_hand(FRESH, token) {
            return Ok(keys);
        }
        if self.state().tried.is_none_or(|tried| tried.elapsed() >= COOL_DOWN) {
            let fetched = fetch(client, &self.issuer).await;
            let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
            state.tried = Some(Monotonic::now());
            match fetched {
                Ok(keys) => state.keys = Some((Arc::new(keys), Monotonic::now())),
                Err(error) => tracing::warn!(%error, issuer = self.issuer, "the issuer's keys could not be fetched"),
            }
        }
        let usable = self.state().keys.filter(|(_, at)| at.elapsed() < USABLE);
        usable.map(|(keys, _)| keys).ok_or(ClientError::Waiting)
    }

    fn state(&self) -> State {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn at_hand(&self, age: Duration, token: &Unverified<'_>) -> Option<KeySet> {
        let (keys, at) = self.state().keys?;
        (at.elapsed() < age && token.fits_one_of(&keys)).then_some(keys)
    }
}

async fn fetch(client: &Client, issuer: &str) -> Result<Vec<PublicKey>, ClientError> {
    let metadata = client.get(&format!("{issuer}/.well-known/openid-configuration")).await?;
    let metadata = strict_json(&metadata).map_err(|_| ClientError::Answer("the metadata is no JSON"))?;
    let text = |name: &str| metadata.get(name).and_then(Value::as_str);
    if text("issuer") != Some(issuer) {
        return Err(ClientError::Answer("the metadata is of another issuer"));
    }
    let uri = text("jwks_uri").ok_or(ClientError::Answer("the metadata names no keys"))?;
    let keys = read_key_set(&client.get(uri).await?).map_err(|_| ClientError::Answer("the keys are no JWK set"))?;
    if keys.is_empty() { Err(ClientError::Answer("there is no key that we can use")) } else { Ok(keys) }
}
