//! What the master key seals, and the key that stored hashes rest on.
//!
//! Everything sealed is in three places: private keys, secrets of applications that sign with them, and notification tokens
//! of CIBA requests. A new kind of sealed value is added here too, or a change of the master key loses it.

use super::{Json, StoreError, Tx};
use crate::model::DecoupledDetails;
use crate::time::Instant;

/// Store functions of the master key.
#[derive(Debug)]
pub struct MasterKeys<'a>(&'a mut Tx);

impl Tx {
    /// The master key.
    pub fn master_key(&mut self) -> MasterKeys<'_> {
        MasterKeys(self)
    }
}

impl MasterKeys<'_> {
    /// The sealed key of stored hashes; none in a database that no broker with such a key has opened.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn hash_key(&mut self) -> Result<Option<String>, StoreError> {
        let found: Option<(String,)> = self.0.optional("SELECT hash_key FROM master_key WHERE id = 1", &[]).await?;
        Ok(found.map(|(sealed,)| sealed))
    }

    /// Writes it for the first time; whoever came first counts.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn insert_hash_key(&mut self, sealed: &str, now: Instant) -> Result<(), StoreError> {
        let sql = "INSERT INTO master_key (id, hash_key, changed_at) VALUES (1, $1, $2) ON CONFLICT (id) DO NOTHING";
        self.0.run(sql, &[&sealed, &now]).await.map(drop)
    }

    /// Writes it under another master key.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn reseal_hash_key(&mut self, sealed: &str, now: Instant) -> Result<(), StoreError> {
        let sql = "UPDATE master_key SET hash_key = $1, changed_at = $2 WHERE id = 1";
        self.0.run(sql, &[&sealed, &now]).await.map(drop)
    }

    /// Ids and sealed private keys.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn private_keys(&mut self) -> Result<Vec<(String, String)>, StoreError> {
        self.0.all("SELECT kid, sealed FROM signing_keys ORDER BY kid", &[]).await
    }

    /// Writes a private key under another master key.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn reseal_private_key(&mut self, kid: &str, sealed: &str) -> Result<(), StoreError> {
        self.0.run("UPDATE signing_keys SET sealed = $2 WHERE kid = $1", &[&kid, &sealed]).await.map(drop)
    }

    /// Applications with their sealed secrets: the one that counts, and the one before.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn secrets(&mut self) -> Result<Vec<(String, String, Option<String>)>, StoreError> {
        let sql = "SELECT application_id, sealed, old_sealed FROM sealed_secrets ORDER BY application_id";
        self.0.all(sql, &[]).await
    }

    /// Requests that wait with a sealed notification token, by the hash they are found by.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn notifications(&mut self) -> Result<Vec<(String, Json<DecoupledDetails>)>, StoreError> {
        let sql = "SELECT secret_hash, details FROM decoupled_requests \
                   WHERE details ->> 'notification' IS NOT NULL ORDER BY secret_hash";
        self.0.all(sql, &[]).await
    }

    /// Writes the details of such a request.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn reseal_notification(
        &mut self,
        hash: &str,
        details: &Json<DecoupledDetails>,
    ) -> Result<(), StoreError> {
        let sql = "UPDATE decoupled_requests SET details = $2 WHERE secret_hash = $1";
        self.0.run(sql, &[&hash, details]).await.map(drop)
    }
}
