//! Signing keys.

use super::{StoreError, Tx};
use crate::model::{Algorithm, KeyState, SigningKeyRow};
use crate::time::Instant;

/// Store functions of signing keys.
#[derive(Debug)]
pub struct SigningKeys<'a>(&'a mut Tx);

impl Tx {
    /// Signing keys.
    pub fn signing_keys(&mut self) -> SigningKeys<'_> {
        SigningKeys(self)
    }
}

impl SigningKeys<'_> {
    /// Every key, oldest first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn list(&mut self) -> Result<Vec<SigningKeyRow>, StoreError> {
        self.0.all("SELECT * FROM signing_keys ORDER BY created_at, kid", &[]).await
    }

    /// Writes a new key.
    ///
    /// # Errors
    /// When the database fails, [`StoreError::Conflict`] when another node made a key for this place at the same
    /// moment.
    pub async fn insert(&mut self, k: &SigningKeyRow) -> Result<(), StoreError> {
        let sql = "INSERT INTO signing_keys (kid, algorithm, state, sealed, public_jwk, created_at, activated_at, \
                   retired_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
        self.0
            .run(
                sql,
                &[
                    &k.kid,
                    &k.algorithm,
                    &k.state,
                    &k.sealed,
                    &k.public_jwk,
                    &k.created_at,
                    &k.activated_at,
                    &k.retired_at,
                ],
            )
            .await
            .map(drop)
    }

    /// Retires this key; tells whether it signed until now.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn retire(&mut self, kid: &str, at: Instant) -> Result<bool, StoreError> {
        let sql = "UPDATE signing_keys SET state = $3, retired_at = $2 WHERE kid = $1 AND state = $4";
        Ok(self.0.run(sql, &[&kid, &at, &KeyState::Retired, &KeyState::Active]).await? > 0)
    }

    /// Lets this key sign; tells whether it waited until now.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn activate(&mut self, kid: &str, at: Instant) -> Result<bool, StoreError> {
        let sql = "UPDATE signing_keys SET state = $3, activated_at = $2 WHERE kid = $1 AND state = $4";
        Ok(self.0.run(sql, &[&kid, &at, &KeyState::Active, &KeyState::Next]).await? > 0)
    }

    /// Takes away the key that waits, which has signed nothing.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn delete_next(&mut self, algorithm: Algorithm) -> Result<u64, StoreError> {
        let sql = "DELETE FROM signing_keys WHERE algorithm = $1 AND state = $2";
        self.0.run(sql, &[&algorithm, &KeyState::Next]).await
    }

    /// Deletes a key.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn delete(&mut self, kid: &str) -> Result<u64, StoreError> {
        self.0.run("DELETE FROM signing_keys WHERE kid = $1", &[&kid]).await
    }

    /// Drops keys retired before `before`.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn delete_retired(&mut self, before: Instant) -> Result<u64, StoreError> {
        let sql = "DELETE FROM signing_keys WHERE state = $2 AND retired_at < $1";
        self.0.run(sql, &[&before, &KeyState::Retired]).await
    }
}
