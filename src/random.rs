//! Random bytes: passed in, so that tests can be repeated.
//!
//! The only caller of the operating system's generator (through aws-lc-rs). A seeded generator exists for tests.

use std::sync::{Arc, Mutex, PoisonError};

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::rand::{SecureRandom, SystemRandom};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use uuid::Uuid;

use crate::time::Instant;

/// Where random bytes come from. Cheap to clone.
#[derive(Clone, Debug)]
pub enum Rng {
    /// The operating system's generator.
    System(Arc<SystemRandom>),
    /// A repeatable stream for tests: SHA-256 over (seed, counter).
    Seeded(Arc<Mutex<(u64, u64)>>),
}

impl Rng {
    /// The operating system's generator.
    #[must_use]
    pub fn system() -> Self {
        Self::System(Arc::new(SystemRandom::new()))
    }

    /// A repeatable generator. Never for production: its output is predictable.
    #[must_use]
    pub fn seeded(seed: u64) -> Self {
        Self::Seeded(Arc::new(Mutex::new((seed, 0))))
    }

    /// `N` random bytes.
    ///
    /// # Panics
    /// When the operating system has no randomness to give: nothing safe can be done then.
    #[must_use]
    pub fn bytes<const N: usize>(&self) -> [u8; N] {
        let mut out = [0u8; N];
        match self {
            Self::System(system) => {
                // Without randomness no secret may be made: stopping is the only safe answer.
                assert!(system.fill(&mut out).is_ok(), "the operating system gave no random bytes");
            }
            Self::Seeded(state) => {
                for chunk in out.chunks_mut(32) {
                    let mut state = state.lock().unwrap_or_else(PoisonError::into_inner);
                    let mut input = state.0.to_be_bytes().to_vec();
                    input.extend_from_slice(&state.1.to_be_bytes());
                    state.1 += 1;
                    let block = digest(&SHA256, &input);
                    chunk.iter_mut().zip(block.as_ref()).for_each(|(to, from)| *to = *from);
                }
            }
        }
        out
    }

    /// The generator that signing takes its nonces from: always the operating system's, whatever the stream.
    #[must_use]
    pub fn for_signatures() -> SystemRandom {
        SystemRandom::new()
    }

    /// An opaque token: 256 random bits, base64url without padding (43 characters).
    #[must_use]
    pub fn token(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.bytes::<32>())
    }

    /// A `UUIDv7` of the instant `at` (RFC 9562 section 5.7).
    #[must_use]
    pub fn uuid(&self, at: Instant) -> Uuid {
        let millis = u64::try_from(at.timestamp_millis()).unwrap_or(0);
        uuid::Builder::from_unix_timestamp_millis(millis, &self.bytes::<10>()).into_uuid()
    }
}
