//! Access tokens that were verified a moment ago, and what services were told of them.
//!
//! What a signature proves holds for ever; whether the token is still alive is known for [`STALENESS`] at the most, and
//! never across a commit of this process that revoked something.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant as Monotonic};

use bytes::Bytes;
use moka::sync::Cache;

use super::verify::AccessToken;
use crate::model::Application;
use crate::store::invalidations;

/// How old an answer to "is it still alive" may be.
pub const STALENESS: Duration = Duration::from_secs(1);
/// Verified tokens kept at the most.
const CAPACITY: u64 = 20_000;
/// How long one is kept that nobody shows.
const IDLE: Duration = Duration::from_mins(5);

/// A token whose signature was checked.
#[derive(Debug)]
pub(super) struct Verified {
    /// The token.
    pub token: Arc<AccessToken>,
    /// When it was last found alive: microseconds since the cache was made; 0 for never.
    checked_at: AtomicU64,
    /// [`invalidations`] before that.
    checked_before: AtomicU64,
    /// Of which generation of keys its signature is.
    pub generation: u64,
    /// What the last service that asked is told of it while it is alive.
    told: Mutex<Option<(Arc<Application>, Bytes)>>,
}

/// When something is asked of the database.
#[derive(Clone, Copy, Debug)]
pub(super) struct Moment {
    before: u64,
    at: u64,
}

impl Verified {
    /// Notes that what was asked at that moment found it alive.
    pub fn found_alive(&self, asked: Moment) {
        self.checked_before.store(asked.before, Ordering::Release);
        self.checked_at.store(asked.at, Ordering::Release);
    }

    /// What `app` was told of it, as long as the application stays what it is.
    pub fn told(&self, app: &Arc<Application>) -> Option<Bytes> {
        let told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        told.as_ref().filter(|(to, _)| Arc::ptr_eq(to, app)).map(|(_, text)| text.clone())
    }

    /// Keeps what `app` is told.
    pub fn tell(&self, app: &Arc<Application>, text: &Bytes) {
        *self.told.lock().unwrap_or_else(PoisonError::into_inner) = Some((app.clone(), text.clone()));
    }
}

/// Tokens whose signature was checked, by the SHA-256 of their text.
pub(super) struct VerifiedTokens {
    cache: Cache<[u8; 32], Arc<Verified>>,
    made: Monotonic,
    /// Counts the times that a key went.
    generation: AtomicU64,
}

impl std::fmt::Debug for VerifiedTokens {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "VerifiedTokens({})", self.cache.entry_count())
    }
}

impl VerifiedTokens {
    pub fn new() -> Self {
        let cache = Cache::builder().max_capacity(CAPACITY).time_to_idle(IDLE).build();
        Self { cache, made: Monotonic::now(), generation: AtomicU64::new(0) }
    }

    /// A key went: the signature of every token is checked again, of those too that are being checked just now.
    pub fn forget(&self) {
        self.generation.fetch_add(1, Ordering::AcqRel);
        self.cache.invalidate_all();
    }

    /// Grows each time a key goes: to be taken before a signature is checked.
    pub fn generation(&self) -> u64 {
        self.generation.load(Ordering::Acquire)
    }

    /// The token with this digest.
    pub fn find(&self, digest: &[u8; 32]) -> Option<Arc<Verified>> {
        self.cache.get(digest)
    }

    /// Keeps a token whose signature holds, by a key of that generation.
    pub fn keep(&self, digest: [u8; 32], token: AccessToken, generation: u64) -> Arc<Verified> {
        let (token, told) = (Arc::new(token), Mutex::default());
        let (checked_at, checked_before) = (AtomicU64::new(0), AtomicU64::new(0));
        let verified = Arc::new(Verified { token, checked_at, checked_before, generation, told });
        self.cache.insert(digest, verified.clone());
        verified
    }

    /// Now: to be taken before the database is asked.
    pub fn moment(&self) -> Moment {
        Moment { before: invalidations(), at: self.micros() }
    }

    fn micros(&self) -> u64 {
        u64::try_from(self.made.elapsed().as_micros()).unwrap_or(u64::MAX).max(1)
    }

    /// Whether it was found alive lately.
    pub fn is_fresh(&self, verified: &Verified) -> bool {
        let checked = verified.checked_at.load(Ordering::Acquire);
        checked != 0
            && u128::from(self.micros().saturating_sub(checked)) < STALENESS.as_micros()
            && verified.checked_before.load(Ordering::Acquire) == invalidations()
    }
}
