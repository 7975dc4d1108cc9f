//! Dynamic registration: initial access tokens, and what was registered.

use super::{StoreError, Tx};
use crate::model::Registration;
use crate::time::Instant;

/// Rows deleted by one statement of the purge.
const BATCH: i64 = 500;

/// Store functions of registrations.
#[derive(Debug)]
pub struct Registrations<'a>(&'a mut Tx);

impl Tx {
    /// Registrations.
    pub fn registrations(&mut self) -> Registrations<'_> {
        Registrations(self)
    }
}

impl Registrations<'_> {
    /// Keeps an initial access token that is good for `uses` registrations.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn permit(&mut self, hash: &str, uses: i64, now: Instant, until: Instant) -> Result<(), StoreError> {
        let sql = "INSERT INTO registration_tokens (token_hash, uses_left, created_at, expires_at) \
                   VALUES ($1, $2, $3, $4)";
        self.0.run(sql, &[&hash, &uses, &now, &until]).await.map(drop)
    }

    /// Takes one use of an initial access token; tells whether there was one left.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn consume(&mut self, hash: &str, now: Instant) -> Result<bool, StoreError> {
        let sql = "UPDATE registration_tokens SET uses_left = uses_left - 1 WHERE token_hash = $1 AND uses_left > 0 \
                   AND expires_at > $2";
        Ok(self.0.run(sql, &[&hash, &now]).await? > 0)
    }

    /// The registration of `application` that is managed with the token of this hash.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn find(&mut self, application: &str, hash: &str) -> Result<Option<Registration>, StoreError> {
        let sql = "SELECT * FROM registrations WHERE application_id = $1 AND token_hash = $2";
        self.0.optional(sql, &[&application, &hash]).await
    }

    /// Writes a new registration.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn insert(&mut self, r: &Registration) -> Result<(), StoreError> {
        let sql = "INSERT INTO registrations (application_id, token_hash, document, created_at, updated_at) \
                   VALUES ($1, $2, $3, $4, $5)";
        self.0.run(sql, &[&r.application_id, &r.token_hash, &r.document, &r.created_at, &r.updated_at]).await.map(drop)
    }

    /// Replaces document and token, for whoever still has the old token; tells whether that was so.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn replace(&mut self, r: &Registration, old_hash: &str) -> Result<bool, StoreError> {
        let sql = "UPDATE registrations SET token_hash = $3, document = $4, updated_at = $5 \
                   WHERE application_id = $1 AND token_hash = $2";
        let row: [&dyn super::Param; 5] = [&r.application_id, &old_hash, &r.token_hash, &r.document, &r.updated_at];
        Ok(self.0.run(sql, &row).await? > 0)
    }

    /// Removes the registration of an application; tells whether there was one.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn delete(&mut self, application: &str) -> Result<bool, StoreError> {
        Ok(self.0.run("DELETE FROM registrations WHERE application_id = $1", &[&application]).await? > 0)
    }

    /// Deletes one batch of initial access tokens that expired before `before`; tells how many.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn purge(&mut self, before: Instant) -> Result<u64, StoreError> {
        let sql = "DELETE FROM registration_tokens WHERE token_hash IN \
                   (SELECT token_hash FROM registration_tokens WHERE expires_at < $1 LIMIT $2)";
        self.0.run(sql, &[&before, &BATCH]).await
    }
}
