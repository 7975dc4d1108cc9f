//! What may be shown once: client assertions and DPoP proofs, on all nodes together.
//!
//! Stored is a digest of fixed length, so that nobody fills the table with long ids, and only for as long as the proof would be
//! accepted; [`super::purge()`] clears it away.

use super::Provider;
use crate::broker::Broker;
use crate::crypto::sha256_hex;
use crate::model::Application;
use crate::store::StoreError;
use crate::time::Instant;

/// Notes the `id` that `who` gave to a proof of this `kind`; tells whether it is the first time.
pub(super) async fn is_first(
    broker: &Broker,
    kind: &str,
    who: &str,
    id: &str,
    until: Instant,
) -> Result<bool, StoreError> {
    // Lengths before the parts: two different pairs never make one text.
    let digest = sha256_hex(format!("{kind}:{}:{who}:{id}", who.len()).as_bytes());
    let mut tx = broker.db.write().await?;
    let first = tx.proofs().note(&digest, until).await?;
    tx.commit().await?;
    Ok(first)
}

/// Purpose under which shared secrets are sealed.
pub(super) const SECRET: &str = "client-secret-sealed";

/// Seals the secret of an application that signs with it.
pub(super) fn seal_secret(broker: &Broker, secret: &str) -> Result<String, crate::crypto::MasterKeyError> {
    broker.master.seal(&broker.rng, SECRET, secret.as_bytes())
}

/// The secrets that an application may sign with now: its own, and the one before while that is accepted. None where
/// it has none that opens.
pub(super) async fn secrets(
    provider: Provider<'_>,
    app: &Application,
) -> Result<Vec<zeroize::Zeroizing<Vec<u8>>>, StoreError> {
    let broker = provider.broker;
    let kept = broker.db.read().await?.proofs().secret(&app.id).await?;
    let Some((sealed, old)) = kept else { return Ok(Vec::new()) };
    let old = old.filter(|_| app.old_secret(broker.clock.now()).is_some());
    let opened = [Some(sealed), old].into_iter().flatten().filter_map(|sealed| {
        let opened = broker.master.open(SECRET, &sealed);
        opened
            .inspect_err(|error| {
                tracing::error!(application = app.id, %error, "the secret of an application does not open");
            })
            .ok()
    });
    Ok(opened.collect())
}
