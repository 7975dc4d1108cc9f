//! One-time links for looking at what an application would be told.

use super::{StoreError, Tx};
use crate::model::TestLogin;
use crate::time::Instant;

/// Store functions of test logins.
#[derive(Debug)]
pub struct TestLogins<'a>(&'a mut Tx);

impl Tx {
    /// Test logins.
    pub fn test_logins(&mut self) -> TestLogins<'_> {
        TestLogins(self)
    }
}

impl TestLogins<'_> {
    /// The link with this hash that can be used at `at`.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn find(&mut self, token_hash: &str, at: Instant) -> Result<Option<TestLogin>, StoreError> {
        let sql = "SELECT * FROM test_logins WHERE token_hash = $1 AND used_at IS NULL AND expires_at > $2";
        self.0.optional(sql, &[&token_hash, &at]).await
    }

    /// Writes a new link, and deletes those that have ended.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn insert(&mut self, t: &TestLogin) -> Result<(), StoreError> {
        self.0.run("DELETE FROM test_logins WHERE expires_at <= $1", &[&t.created_at]).await?;
        let sql = "INSERT INTO test_logins (token_hash, application_id, scope, created_at, expires_at) \
                   VALUES ($1, $2, $3, $4, $5)";
        let row: [&dyn super::Param; 5] = [&t.token_hash, &t.application_id, &t.scope, &t.created_at, &t.expires_at];
        self.0.run(sql, &row).await.map(drop)
    }

    /// Takes the link, for the first caller only.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn consume(&mut self, token_hash: &str, at: Instant) -> Result<Option<TestLogin>, StoreError> {
        let sql = "UPDATE test_logins SET used_at = $2 WHERE token_hash = $1 AND used_at IS NULL AND expires_at > $2 \
                   RETURNING *";
        self.0.optional(sql, &[&token_hash, &at]).await
    }
}
