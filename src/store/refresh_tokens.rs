//! Refresh tokens.

use super::{Param, StoreError, Tx};
use crate::model::RefreshToken;
use crate::time::Instant;

/// Rows deleted by one statement of the purge.
const BATCH: i64 = 500;

/// Writes new tokens; see [`values`].
pub(super) const INSERT: &str = "INSERT INTO refresh_tokens (token_hash, grant_id, created_at, expires_at)";

/// The values of a new token.
pub(super) fn values(t: &RefreshToken) -> Vec<&dyn Param> {
    vec![&t.token_hash, &t.grant_id, &t.created_at, &t.expires_at]
}

/// Store functions of refresh tokens.
#[derive(Debug)]
pub struct RefreshTokens<'a>(&'a mut Tx);

impl Tx {
    /// Refresh tokens.
    pub fn refresh_tokens(&mut self) -> RefreshTokens<'_> {
        RefreshTokens(self)
    }
}

impl RefreshTokens<'_> {
    /// The token with this hash, used or not.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn find(&mut self, token_hash: &str) -> Result<Option<RefreshToken>, StoreError> {
        self.0.optional("SELECT * FROM refresh_tokens WHERE token_hash = $1", &[&token_hash]).await
    }

    /// Writes a new token.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn insert(&mut self, token: &RefreshToken) -> Result<(), StoreError> {
        self.insert_all(&[token]).await
    }

    /// Writes new tokens.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn insert_all(&mut self, tokens: &[&RefreshToken]) -> Result<(), StoreError> {
        let rows: Vec<Vec<&dyn Param>> = tokens.iter().map(|token| values(token)).collect();
        self.0.insert_rows(INSERT, &rows, "").await.map(drop)
    }

    /// Takes the token, for the first caller only.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn consume(&mut self, token_hash: &str, at: Instant) -> Result<Option<RefreshToken>, StoreError> {
        let sql = "UPDATE refresh_tokens SET used_at = $2 WHERE token_hash = $1 AND used_at IS NULL RETURNING *";
        self.0.optional(sql, &[&token_hash, &at]).await
    }

    /// Deletes one batch of tokens that expired before `before`; tells how many.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn purge(&mut self, before: Instant) -> Result<u64, StoreError> {
        let sql = "DELETE FROM refresh_tokens WHERE token_hash IN \
                   (SELECT token_hash FROM refresh_tokens WHERE expires_at < $1 LIMIT $2)";
        self.0.run(sql, &[&before, &BATCH]).await
    }
}
