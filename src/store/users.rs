//! People.

use super::{StoreError, Tx};
use crate::model::{User, UserId};

/// Store functions of people.
#[derive(Debug)]
pub struct Users<'a>(&'a mut Tx);

impl Tx {
    /// People.
    pub fn users(&mut self) -> Users<'_> {
        Users(self)
    }
}

impl Users<'_> {
    /// The person with this id, whatever the status.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn find(&mut self, id: UserId) -> Result<Option<User>, StoreError> {
        self.0.optional("SELECT * FROM users WHERE id = $1", &[&id]).await
    }

    /// The person with this folded login name who is not deleted.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn find_by_login(&mut self, login_key: &str) -> Result<Option<User>, StoreError> {
        self.0.optional("SELECT * FROM users WHERE login_key = $1 AND status <> 'deleted'", &[&login_key]).await
    }
}
