//! Administrators that live in no directory: the recovery administrator.

use super::{StoreError, Tx};
use crate::model::{Operator, OperatorId};
use crate::time::Instant;

/// Store functions of operators.
#[derive(Debug)]
pub struct Operators<'a>(&'a mut Tx);

impl Tx {
    /// Operators.
    pub fn operators(&mut self) -> Operators<'_> {
        Operators(self)
    }
}

impl Operators<'_> {
    /// The operator with this id.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn find(&mut self, id: OperatorId) -> Result<Option<Operator>, StoreError> {
        self.0.optional("SELECT * FROM operators WHERE id = $1", &[&id]).await
    }

    /// The operator with this folded login name.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn find_by_login(&mut self, login_key: &str) -> Result<Option<Operator>, StoreError> {
        self.0.optional("SELECT * FROM operators WHERE login_key = $1", &[&login_key]).await
    }

    /// Writes a new operator; tells whether there was none of that login before (two nodes may start at once).
    ///
    /// # Errors
    /// When the database fails.
    pub async fn insert(&mut self, o: &Operator) -> Result<bool, StoreError> {
        let sql = "INSERT INTO operators (id, login, login_key, password_hash, one_time, used_at, created_at) \
                   VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (login_key) DO NOTHING";
        let made = self
            .0
            .run(sql, &[&o.id, &o.login, &o.login_key, &o.password_hash, &o.one_time, &o.used_at, &o.created_at])
            .await?;
        Ok(made > 0)
    }

    /// Gives the operator a new, unused password.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn set_password(&mut self, id: OperatorId, password_hash: &str) -> Result<(), StoreError> {
        let sql = "UPDATE operators SET password_hash = $2, one_time = TRUE, used_at = NULL WHERE id = $1";
        self.0.run(sql, &[&id, &password_hash]).await.map(drop)
    }

    /// Uses the password up, when it still is the one that was checked; tells whether it was unused.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn consume(&mut self, id: OperatorId, password_hash: &str, now: Instant) -> Result<bool, StoreError> {
        let sql = "UPDATE operators SET used_at = $3 WHERE id = $1 AND password_hash = $2 \
                   AND (used_at IS NULL OR NOT one_time)";
        Ok(self.0.run(sql, &[&id, &password_hash, &now]).await? > 0)
    }
}
