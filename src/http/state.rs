//! What handlers share.

use std::ops::Deref;
use std::sync::Arc;

use super::ui::Ui;
use crate::broker::Broker;
use crate::crypto::Hasher;
use crate::oidc::{Applications, Feed, KeyRing, Provider, StatusLists};

/// The state of the router. One pointer, since every layer, handler and extractor takes a clone of its own.
#[derive(Clone, Debug)]
pub struct App(Arc<Shared>);

/// What is behind [`App`].
#[derive(Debug)]
pub struct Shared {
    /// Configuration, database, clock, randomness, secrets.
    pub broker: Broker,
    /// The signing keys.
    pub keys: KeyRing,
    /// The applications.
    pub applications: Applications,
    /// The status lists that this process fills.
    pub status: StatusLists,
    /// The change feed.
    pub feed: Feed,
    /// Pages.
    pub ui: Ui,
    /// The pool that checks passwords.
    pub hasher: Hasher,
}

impl App {
    /// Puts the state together.
    #[must_use]
    pub fn new(broker: Broker, keys: KeyRing) -> Self {
        let templates = broker.config.server.templates.as_ref().map(|folder| broker.config.resolve(folder));
        let ui = Ui::new(templates.as_deref());
        let hasher = Hasher::new(broker.config.login.concurrent_checks);
        Self(Arc::new(Shared {
            broker,
            keys,
            applications: Applications::default(),
            status: StatusLists::default(),
            feed: Feed::default(),
            ui,
            hasher,
        }))
    }

    /// What operations of the OpenID provider need.
    #[must_use]
    pub fn provider(&self) -> Provider<'_> {
        Provider { broker: &self.broker, keys: &self.keys, applications: &self.applications, status: &self.status }
    }
}

impl Deref for App {
    type Target = Shared;

    fn deref(&self) -> &Shared {
        &self.0
    }
}
