//! What every operation needs, passed in: configuration, database, clock, randomness, secrets, audit, policies.

use std::sync::Arc;

use crate::audit::Recorder;
use crate::config::Config;
use crate::crypto::MasterKey;
use crate::net::Outgoing;
use crate::policy::Policies;
use crate::random::Rng;
use crate::store::{Db, Reads};
use crate::time::Clock;

/// The broker's means. Cheap to clone; made once by `cli/` (or by a test) and handed down.
#[derive(Clone, Debug)]
pub struct Broker {
    /// The checked configuration.
    pub config: Arc<Config>,
    /// The database.
    pub db: Db,
    /// Reads that requests share.
    pub reads: Reads,
    /// The clock.
    pub clock: Clock,
    /// Random bytes.
    pub rng: Rng,
    /// Seals and keyed hashes.
    pub master: Arc<MasterKey>,
    /// The audit log, for what has no transaction of its own.
    pub audit: Recorder,
    /// Calls to addresses that others wrote down.
    pub net: Outgoing,
    /// The decision point.
    pub policies: Policies,
}
