//! The change feed: what was revoked, as signed events (RFC 8417) that a validator follows.
//!
//! An event names grants, single tokens and applications; a validator refuses tokens that name one of them in `grant`,
//! `jti` or `client_id`. Events are numbered; who comes back with the last number goes on after it, and who comes without
//! one first gets everything that can still matter. Nobody looks at the database while nobody follows; all followers of
//! a node share one look each [`LOOK_EVERY`].

use std::sync::Arc;
use std::time::{Duration, Instant as Monotonic};

use serde::Serialize;
use serde_json::{Value, json};
use tokio::sync::{Mutex, OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;

use super::keys::KeyError;
use super::verify::{TokenError, verify_access_token};
use super::{Provider, STALENESS};
use crate::broker::Broker;
use crate::crypto::jwt;
use crate::store::{Revocation, StoreError};

/// The scope that lets an application follow.
pub const FEED_SCOPE: &str = "revocations:read";
/// The member of `events`.
pub const REVOKED_EVENT: &str = "urn:yaopai:event:revoked";
/// `typ` of the events (RFC 8417 section 2.3).
const EVENT_TYP: &str = "secevent+jwt";
/// How often a node looks for what is new, while somebody follows.
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// Revocations of one event: what a verifier's limit on the length of a token has room for.
const MOST: i64 = 60;
/// Followers of one node.
const FOLLOWERS: usize = 500;

/// Why somebody may not follow.
#[derive(Debug, thiserror::Error)]
pub enum FeedError {
    /// The token is not accepted.
    #[error(transparent)]
    Token(#[from] TokenError),
    /// The token is a person's, or lacks the scope.
    #[error("the change feed needs an application's own token with the scope `{FEED_SCOPE}`")]
    Scope,
    /// Too many follow already.
    #[error("too many follow at this node")]
    Full,
    /// The database failed, or no key signs.
    #[error(transparent)]
    Key(#[from] KeyError),
}

impl From<StoreError> for FeedError {
    fn from(error: StoreError) -> Self {
        Self::Key(error.into())
    }
}

#[derive(Debug)]
struct Inner {
    head: Mutex<(i64, Option<Monotonic>)>,
    followers: Arc<Semaphore>,
    closed: CancellationToken,
}

/// The feed of this node. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Feed(Arc<Inner>);

impl Default for Feed {
    fn default() -> Self {
        Self(Arc::new(Inner {
            head: Mutex::new((0, None)),
            followers: Arc::new(Semaphore::new(FOLLOWERS)),
            closed: CancellationToken::new(),
        }))
    }
}

impl Feed {
    /// Ends every follower's stream: the node stops.
    pub fn close(&self) {
        self.0.closed.cancel();
    }

    /// The last published number, publishing what waits; one look for all who ask at the same time.
    async fn head(&self, broker: &Broker) -> Result<i64, StoreError> {
        let mut head = self.0.head.lock().await;
        if head.1.is_some_and(|looked| looked.elapsed() < LOOK_EVERY / 2) {
            return Ok(head.0);
        }
        let (seq, unpublished) = broker.db.read().await?.revocations().head().await?;
        head.0 = seq;
        if unpublished > 0 {
            let mut tx = broker.db.write().await?;
            head.0 = tx.revocations().publish().await?;
            tx.commit().await?;
        }
        head.1 = Some(Monotonic::now());
        Ok(head.0)
    }
}

/// An event of the feed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FeedEvent {
    /// Its number: what a follower comes back with.
    pub id: i64,
    /// The signed event.
    pub token: String,
}

/// Somebody who follows.
#[derive(Debug)]
pub struct Follower {
    feed: Feed,
    token: String,
    client_id: String,
    after: i64,
    _place: OwnedSemaphorePermit,
}

#[derive(Serialize)]
struct EventClaims {
    iss: String,
    aud: String,
    iat: i64,
    jti: String,
    events: Value,
}

impl Follower {
    /// Lets the owner of `token` follow, from after the event `last` on, or from the beginning. That it is used by who
    /// holds what it is bound to has been checked (see [`super::check_use`]).
    ///
    /// # Errors
    /// [`FeedError`].
    pub async fn admit(provider: Provider<'_>, feed: &Feed, token: &str, last: Option<i64>) -> Result<Self, FeedError> {
        let verified = verify_access_token(provider.broker, provider.keys, token).await?;
        if verified.user_id.is_some() || !verified.has_scope(FEED_SCOPE) {
            return Err(FeedError::Scope);
        }
        let place = feed.0.followers.clone().try_acquire_owned().map_err(|_| FeedError::Full)?;
        let client_id = verified.client_id.clone();
        Ok(Self { feed: feed.clone(), token: token.to_owned(), client_id, after: last.unwrap_or(0), _place: place })
    }

    /// Waits for the next event. None ends the stream: the token has ended, or the node stops.
    ///
    /// # Errors
    /// [`FeedError`]: the stream ends, and the follower comes back.
    pub async fn next(&mut self, provider: Provider<'_>) -> Result<Option<FeedEvent>, FeedError> {
        let mut proved = Monotonic::now();
        loop {
            if self.feed.0.closed.is_cancelled() {
                return Ok(None);
            }
            if self.feed.head(provider.broker).await? > self.after {
                let rows = provider.broker.db.read().await?.revocations().list_after(self.after, MOST).await?;
                if let Some(last) = rows.last() {
                    self.after = last.seq;
                    return Ok(Some(FeedEvent { id: last.seq, token: self.sign(provider, &rows).await? }));
                }
            }
            if proved.elapsed() >= STALENESS {
                verify_access_token(provider.broker, provider.keys, &self.token).await?;
                proved = Monotonic::now();
            }
            tokio::select! {
                () = self.feed.0.closed.cancelled() => {}
                () = tokio::time::sleep(LOOK_EVERY) => {}
            }
        }
    }

    async fn sign(&self, provider: Provider<'_>, rows: &[Revocation]) -> Result<String, KeyError> {
        let broker = provider.broker;
        let now = broker.clock.now();
        let applications: Vec<Value> = rows
            .iter()
            .filter_map(|row| Some(json!({ "client_id": row.application_id.as_ref()?, "before": row.at.timestamp() })))
            .collect();
        let event = json!({
            "grants": rows.iter().filter_map(|row| row.grant_id).collect::<Vec<_>>(),
            "tokens": rows.iter().filter_map(|row| row.jti.as_deref()).collect::<Vec<_>>(),
            "applications": applications,
        });
        let claims = EventClaims {
            iss: broker.config.server.issuer(),
            aud: self.client_id.clone(),
            iat: now.timestamp(),
            jti: broker.rng.uuid(now).simple().to_string(),
            events: json!({ REVOKED_EVENT: event }),
        };
        let key = provider.keys.signer(broker, broker.config.oidc.algorithm).await?;
        Ok(jwt::sign(&key, EVENT_TYP, &claims)?)
    }
}
