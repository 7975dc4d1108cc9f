//! Authorization codes.

use super::{Param, StoreError, Tx};
use crate::model::AuthorizationCode;
use crate::time::Instant;

/// Rows deleted by one statement of the purge.
const BATCH: i64 = 500;

/// Writes new codes; see [`values`].
pub(super) const INSERT: &str = "INSERT INTO authorization_codes (code_hash, grant_id, redirect_uri, nonce, \
                                 code_challenge, created_at, expires_at)";

/// The values of a new code.
pub(super) fn values(c: &AuthorizationCode) -> Vec<&dyn Param> {
    vec![&c.code_hash, &c.grant_id, &c.redirect_uri, &c.nonce, &c.code_challenge, &c.created_at, &c.expires_at]
}

/// Store functions of authorization codes.
#[derive(Debug)]
pub struct AuthorizationCodes<'a>(&'a mut Tx);

impl Tx {
    /// Authorization codes.
    pub fn authorization_codes(&mut self) -> AuthorizationCodes<'_> {
        AuthorizationCodes(self)
    }
}

impl AuthorizationCodes<'_> {
    /// The code with this hash, used or not.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn find(&mut self, code_hash: &str) -> Result<Option<AuthorizationCode>, StoreError> {
        self.0.optional("SELECT * FROM authorization_codes WHERE code_hash = $1", &[&code_hash]).await
    }

    /// Writes a new code.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn insert(&mut self, code: &AuthorizationCode) -> Result<(), StoreError> {
        self.insert_all(&[code]).await
    }

    /// Writes new codes.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn insert_all(&mut self, codes: &[&AuthorizationCode]) -> Result<(), StoreError> {
        let rows: Vec<Vec<&dyn Param>> = codes.iter().map(|code| values(code)).collect();
        self.0.insert_rows(INSERT, &rows, "").await.map(drop)
    }

    /// Takes the code, for the first caller only.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn consume(&mut self, code_hash: &str, at: Instant) -> Result<Option<AuthorizationCode>, StoreError> {
        let sql = "UPDATE authorization_codes SET used_at = $2 WHERE code_hash = $1 AND used_at IS NULL RETURNING *";
        self.0.optional(sql, &[&code_hash, &at]).await
    }

    /// Deletes one batch of codes that expired before `before`; tells how many.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn purge(&mut self, before: Instant) -> Result<u64, StoreError> {
        let sql = "DELETE FROM authorization_codes WHERE code_hash IN \
                   (SELECT code_hash FROM authorization_codes WHERE expires_at < $1 LIMIT $2)";
        self.0.run(sql, &[&before, &BATCH]).await
    }
}
