//! Signing keys of the tests: made once a run, because RSA keys take their time, and planted into every database.

use yaopai::audit::Recorder;
use yaopai::broker::Broker;
use yaopai::model::SigningKeyRow;
use yaopai::oidc::{KeyRing, list_keys};

use super::{Kind, database};

static MADE: tokio::sync::OnceCell<Vec<SigningKeyRow>> = tokio::sync::OnceCell::const_new();

/// Puts the keys of this run into the broker's database, as its first start would.
pub async fn plant(broker: &Broker) {
    let rows = MADE.get_or_init(|| make(broker.clone())).await;
    let mut tx = broker.db.write().await.unwrap();
    for row in rows {
        tx.signing_keys().insert(row).await.unwrap();
    }
    tx.commit().await.unwrap();
}

/// The keys that a first start makes, in a database of their own.
async fn make(mut broker: Broker) -> Vec<SigningKeyRow> {
    let folder = tempfile::tempdir().unwrap();
    broker.db = database(Kind::Sqlite, folder.path()).await;
    broker.audit = Recorder::new(broker.db.clone(), broker.clock.clone());
    KeyRing::open(&broker).await.unwrap();
    list_keys(&broker).await.unwrap()
}
