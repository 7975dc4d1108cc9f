//! Applications at hand: kept in memory, never older than a second.
//!
//! The whole list is small and asked for with every token, so it is kept whole and read again after a second. A change
//! made by this process is seen at once.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant as Monotonic};

use moka::sync::Cache;

use super::client::Authorities;
use super::client_document::ClientDocuments;
use super::client_keys::ClientKeys;
use crate::broker::Broker;
use crate::model::{Application, RedirectUri};
use crate::store::{StoreError, invalidations};

/// How old the list may be.
const STALENESS: Duration = Duration::from_secs(1);
/// Wrong secrets for one application from one address before it has to wait.
const FAILURES: u32 = 20;
/// How long it has to wait.
pub(super) const WAIT: Duration = Duration::from_mins(1);

#[derive(Debug)]
struct Loaded {
    by_id: HashMap<String, Arc<Application>>,
    origins: HashSet<String>,
    detail_types: BTreeSet<String>,
    at: Monotonic,
    before: u64,
}

#[derive(Debug)]
struct Inner {
    loaded: RwLock<Option<Arc<Loaded>>>,
    reloading: tokio::sync::Mutex<()>,
    failures: Cache<(String, IpAddr), u32>,
    /// Whether anybody ever failed: nearly no broker has to look.
    has_failures: AtomicBool,
    key_sets: ClientKeys,
    documents: ClientDocuments,
    authorities: Authorities,
}

/// The enabled applications. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Applications(Arc<Inner>);

impl Default for Applications {
    fn default() -> Self {
        let failures = Cache::builder().max_capacity(10_000).time_to_live(WAIT).build();
        Self(Arc::new(Inner {
            loaded: RwLock::default(),
            reloading: tokio::sync::Mutex::default(),
            failures,
            has_failures: AtomicBool::new(false),
            key_sets: ClientKeys::default(),
            documents: ClientDocuments::default(),
            authorities: Authorities::default(),
        }))
    }
}

impl Applications {
    /// The enabled application of this id.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn find(&self, broker: &Broker, id: &str) -> Result<Option<Arc<Application>>, StoreError> {
        Ok(self.current(broker).await?.by_id.get(id).cloned())
    }

    /// The enabled application that answers to this audience; none when several do.
    ///
    /// # Errors
    /// When the database fails.
    pub(super) async fn serving(
        &self,
        broker: &Broker,
        audience: &str,
    ) -> Result<Option<Arc<Application>>, StoreError> {
        let loaded = self.current(broker).await?;
        let mut serving = loaded.by_id.values().filter(|app| app.settings.audience.iter().any(|own| own == audience));
        let first = serving.next();
        Ok(first.filter(|_| serving.next().is_none()).cloned())
    }

    /// Whether pages of this origin belong to an application: the origin of one of its redirect URIs.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn knows_origin(&self, broker: &Broker, origin: &str) -> Result<bool, StoreError> {
        Ok(self.current(broker).await?.origins.contains(origin))
    }

    /// The types of authorization details (RFC 9396) that applications may ask for, in order.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn detail_types(&self, broker: &Broker) -> Result<Vec<String>, StoreError> {
        Ok(self.current(broker).await?.detail_types.iter().cloned().collect())
    }

    /// Whether an address has given so many wrong secrets for the application that it has to wait. Another address is
    /// not touched, so that nobody can lock an application out.
    pub(super) fn is_throttled(&self, id: &str, address: IpAddr) -> bool {
        self.0.has_failures.load(Ordering::Acquire)
            && self.0.failures.get(&(id.to_owned(), address)).is_some_and(|failures| failures >= FAILURES)
    }

    pub(super) fn note_failure(&self, id: &str, address: IpAddr) {
        let key = (id.to_owned(), address);
        self.0
            .failures
            .entry(key)
            .and_upsert_with(|entry| entry.map_or(1, |entry| entry.into_value().saturating_add(1)));
        self.0.has_failures.store(true, Ordering::Release);
    }

    /// Key sets of applications, at hand.
    pub(super) fn key_sets(&self) -> &ClientKeys {
        &self.0.key_sets
    }

    /// When documents about applications were fetched.
    pub(super) fn documents(&self) -> &ClientDocuments {
        &self.0.documents
    }

    /// Who vouches for client certificates.
    pub(super) fn authorities(&self) -> &Authorities {
        &self.0.authorities
    }

    fn fresh(&self) -> Option<Arc<Loaded>> {
        let loaded = self.known()?;
        (loaded.at.elapsed() < STALENESS && loaded.before == invalidations()).then_some(loaded)
    }

    fn known(&self) -> Option<Arc<Loaded>> {
        self.0.loaded.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    async fn current(&self, broker: &Broker) -> Result<Arc<Loaded>, StoreError> {
        if let Some(loaded) = self.fresh() {
            return Ok(loaded);
        }
        let _one = self.0.reloading.lock().await;
        if let Some(loaded) = self.fresh() {
            return Ok(loaded);
        }
        let (before, at) = (invalidations(), Monotonic::now());
        let list = broker.db.read().await?.applications().list().await?;
        let loaded = Arc::new(read(list, self.known().as_deref(), at, before));
        *self.0.loaded.write().unwrap_or_else(PoisonError::into_inner) = Some(loaded.clone());
        Ok(loaded)
    }
}

/// An application that has not changed stays the same value, by which others know that nothing they keep is stale.
fn read(list: Vec<Application>, known: Option<&Loaded>, at: Monotonic, before: u64) -> Loaded {
    let enabled = || list.iter().filter(|app| app.enabled);
    let uris = enabled().flat_map(|app| &app.settings.redirect_uris);
    let types = enabled().flat_map(|app| app.settings.request.authorization_details.keys());
    let detail_types = types.cloned().collect();
    let origins = uris.filter_map(|uri| RedirectUri(uri).origin()).collect();
    let same = |app: Application| match known.and_then(|known| known.by_id.get(&app.id)) {
        Some(known) if **known == app => known.clone(),
        _ => Arc::new(app),
    };
    let by_id = list.into_iter().filter(|app| app.enabled).map(|app| (app.id.clone(), same(app)));
    Loaded { detail_types, origins, by_id: by_id.collect(), at, before }
}
