//! Proofs that were used, and shared secrets that are kept sealed.

use super::{StoreError, Tx};
use crate::time::Instant;

/// Rows deleted by one statement of the purge.
const BATCH: i64 = 500;

/// Store functions of proofs.
#[derive(Debug)]
pub struct Proofs<'a>(&'a mut Tx);

impl Tx {
    /// Proofs.
    pub fn proofs(&mut self) -> Proofs<'_> {
        Proofs(self)
    }
}

impl Proofs<'_> {
    /// Notes a proof by its digest, until it would not be accepted any more anyway; tells whether it is the first time.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn note(&mut self, digest: &str, expires_at: Instant) -> Result<bool, StoreError> {
        let sql = "INSERT INTO used_proofs (digest, expires_at) VALUES ($1, $2) ON CONFLICT (digest) DO NOTHING";
        Ok(self.0.run(sql, &[&digest, &expires_at]).await? > 0)
    }

    /// Deletes one batch of proofs that ended before `before`; tells how many.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn purge(&mut self, before: Instant) -> Result<u64, StoreError> {
        let sql = "DELETE FROM used_proofs WHERE digest IN \
                   (SELECT digest FROM used_proofs WHERE expires_at < $1 LIMIT $2)";
        self.0.run(sql, &[&before, &BATCH]).await
    }

    /// Keeps the sealed secret of an application, in place of earlier ones; `old` is the one before, while both count.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn keep_secret(&mut self, application: &str, sealed: &str, old: Option<&str>) -> Result<(), StoreError> {
        self.0.invalidates();
        let sql = "INSERT INTO sealed_secrets (application_id, sealed, old_sealed) VALUES ($1, $2, $3) \
                   ON CONFLICT (application_id) DO UPDATE SET sealed = $2, old_sealed = $3";
        self.0.run(sql, &[&application, &sealed, &old.map(str::to_owned)]).await.map(drop)
    }

    /// The sealed secret of an application, and the one before it where one is kept.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn secret(&mut self, application: &str) -> Result<Option<(String, Option<String>)>, StoreError> {
        let sql = "SELECT sealed, old_sealed FROM sealed_secrets WHERE application_id = $1";
        self.0.optional(sql, &[&application]).await
    }

    /// Forgets the secrets before whose overlap ended before `before`; tells how many.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn forget_old_secrets(&mut self, before: Instant) -> Result<u64, StoreError> {
        let sql = "UPDATE sealed_secrets SET old_sealed = NULL WHERE old_sealed IS NOT NULL AND application_id IN \
                   (SELECT id FROM applications WHERE old_secret_until < $1)";
        self.0.run(sql, &[&before]).await
    }
}
