//! What objects are called: short name and long name by id, whatever kind they are.

use uuid::Uuid;

use super::{Param, StoreError, Tx};

/// Store functions of names.
#[derive(Debug)]
pub struct Names<'a>(&'a mut Tx);

impl Tx {
    /// Names.
    pub fn names(&mut self) -> Names<'_> {
        Names(self)
    }
}

impl Names<'_> {
    /// (id, login or code, name as shown) of these people, departments, positions and groups.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn of(&mut self, ids: &[Uuid]) -> Result<Vec<(Uuid, String, String)>, StoreError> {
        let list: Vec<&dyn Param> = ids.iter().map(|id| -> &dyn Param { id }).collect();
        let mut found = Vec::new();
        for head in [
            "SELECT id, login, display_name FROM users WHERE id",
            "SELECT id, code, name FROM departments WHERE id",
            "SELECT id, code, name FROM positions WHERE id",
            "SELECT id, code, name FROM groups WHERE id",
        ] {
            found.extend(self.0.all_in::<(Uuid, String, String)>(head, &[], &list, "").await?);
        }
        Ok(found)
    }
}
