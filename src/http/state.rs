//! What handlers share.

use crate::broker::Broker;

/// The state of the router. Cheap to clone.
#[derive(Clone, Debug)]
pub struct App {
    /// Configuration, database, clock, randomness, secrets.
    pub broker: Broker,
}

impl App {
    /// Puts the state together.
    #[must_use]
    pub fn new(broker: Broker) -> Self {
        Self { broker }
    }
}
