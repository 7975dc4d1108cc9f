//! Who acts for whom.

use super::{Param, StoreError, Tx};
use crate::model::{Acting, ActingId, UserId};
use crate::time::Date;

/// Store functions of acting.
#[derive(Debug)]
pub struct ActingFor<'a>(&'a mut Tx);

impl Tx {
    /// Who acts for whom.
    pub fn acting(&mut self) -> ActingFor<'_> {
        ActingFor(self)
    }
}

impl ActingFor<'_> {
    /// Everybody who acts for one of the source's people.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn list_by_source(&mut self, source: &str) -> Result<Vec<Acting>, StoreError> {
        let sql = "SELECT a.* FROM acting a JOIN users u ON u.id = a.user_id WHERE u.source = $1 \
                   ORDER BY a.created_at, a.id";
        self.0.all(sql, &[&source]).await
    }

    /// All of it, the latest first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn list(&mut self) -> Result<Vec<Acting>, StoreError> {
        self.0.all("SELECT * FROM acting ORDER BY created_at DESC, id", &[]).await
    }

    /// The one of this id.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn find(&mut self, id: ActingId) -> Result<Option<Acting>, StoreError> {
        self.0.optional("SELECT * FROM acting WHERE id = $1", &[&id]).await
    }

    /// What a person is part of: acted for, or acting.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn list_by_user(&mut self, user: UserId) -> Result<Vec<Acting>, StoreError> {
        let sql = "SELECT * FROM acting WHERE user_id = $1 OR deputy_id = $1 ORDER BY created_at DESC, id";
        self.0.all(sql, &[&user]).await
    }

    /// Writes them.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn insert(&mut self, all: &[Acting]) -> Result<(), StoreError> {
        let rows: Vec<Vec<&dyn Param>> = all
            .iter()
            .map(|a| -> Vec<&dyn Param> {
                vec![
                    &a.id,
                    &a.user_id,
                    &a.deputy_id,
                    &a.starts_on,
                    &a.ends_on,
                    &a.in_force,
                    &a.reason,
                    &a.set_by,
                    &a.created_at,
                ]
            })
            .collect();
        let head =
            "INSERT INTO acting (id, user_id, deputy_id, starts_on, ends_on, in_force, reason, set_by, created_at)";
        self.0.insert_rows(head, &rows, "").await.map(drop)
    }

    /// Sets the last day.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn end(&mut self, id: ActingId, last: Date) -> Result<bool, StoreError> {
        Ok(self.0.run("UPDATE acting SET ends_on = $2 WHERE id = $1", &[&id, &last]).await? > 0)
    }

    /// Brings what is in force up to the day, for the source's people.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn bring_up(&mut self, source: &str, today: Date) -> Result<u64, StoreError> {
        let sql = "UPDATE acting SET in_force = ((starts_on IS NULL OR starts_on <= $2) \
                     AND (ends_on IS NULL OR ends_on >= $2)) \
                   WHERE user_id IN (SELECT id FROM users WHERE source = $1) \
                     AND in_force <> ((starts_on IS NULL OR starts_on <= $2) AND (ends_on IS NULL OR ends_on >= $2))";
        self.0.run(sql, &[&source, &today]).await
    }
}
