//! What handlers share.

use crate::broker::Broker;
use crate::oidc::{Applications, KeyRing, Provider};

/// The state of the router. Cheap to clone.
#[derive(Clone, Debug)]
pub struct App {
    /// Configuration, database, clock, randomness, secrets.
    pub broker: Broker,
    /// The signing keys.
    pub keys: KeyRing,
    /// The applications.
    pub applications: Applications,
}

impl App {
    /// Puts the state together.
    #[must_use]
    pub fn new(broker: Broker, keys: KeyRing) -> Self {
        Self { broker, keys, applications: Applications::default() }
    }

    /// What operations of the OpenID provider need.
    #[must_use]
    pub fn provider(&self) -> Provider<'_> {
        Provider { broker: &self.broker, keys: &self.keys, applications: &self.applications }
    }
}
