//! Opaque access tokens: the hash of each, with what it says.

use serde_json::Value;

use super::{Json, StoreError, Tx};
use crate::time::Instant;

/// Rows deleted by one statement of the purge.
const BATCH: i64 = 500;

/// Store functions of opaque access tokens.
#[derive(Debug)]
pub struct AccessTokens<'a>(&'a mut Tx);

impl Tx {
    /// Opaque access tokens.
    pub fn access_tokens(&mut self) -> AccessTokens<'_> {
        AccessTokens(self)
    }
}

impl AccessTokens<'_> {
    /// What the token with this hash says, expired or not.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn find(&mut self, token_hash: &str) -> Result<Option<Value>, StoreError> {
        let sql = "SELECT claims FROM access_tokens WHERE token_hash = $1";
        let row: Option<(Json<Value>,)> = self.0.optional(sql, &[&token_hash]).await?;
        Ok(row.map(|(Json(claims),)| claims))
    }

    /// Writes a new token.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn insert(
        &mut self,
        token_hash: &str,
        claims: &Json<Value>,
        expires_at: Instant,
    ) -> Result<(), StoreError> {
        let sql = "INSERT INTO access_tokens (token_hash, claims, expires_at) VALUES ($1, $2, $3)";
        self.0.run(sql, &[&token_hash, claims, &expires_at]).await.map(drop)
    }

    /// Deletes one batch of tokens that expired before `before`; tells how many.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn purge(&mut self, before: Instant) -> Result<u64, StoreError> {
        let sql = "DELETE FROM access_tokens WHERE token_hash IN \
                   (SELECT token_hash FROM access_tokens WHERE expires_at < $1 LIMIT $2)";
        self.0.run(sql, &[&before, &BATCH]).await
    }
}
