//! Positions.

use super::{Param, StoreError, Tx};
use crate::model::{Position, PositionId};

/// Store functions of positions.
#[derive(Debug)]
pub struct Positions<'a>(&'a mut Tx);

impl Tx {
    /// Positions.
    pub fn positions(&mut self) -> Positions<'_> {
        Positions(self)
    }
}

impl Positions<'_> {
    /// The position with this id.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn find(&mut self, id: PositionId) -> Result<Option<Position>, StoreError> {
        self.0.optional("SELECT * FROM positions WHERE id = $1", &[&id]).await
    }

    /// Every position the source owns, whatever the status.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn list_by_source(&mut self, source: &str) -> Result<Vec<Position>, StoreError> {
        self.0.all("SELECT * FROM positions WHERE source = $1", &[&source]).await
    }

    /// Every active position, whatever the source.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn list_active(&mut self) -> Result<Vec<Position>, StoreError> {
        self.0.all("SELECT * FROM positions WHERE status = 'active' ORDER BY code", &[]).await
    }

    /// Every position of all other sources, whatever the status.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn list_elsewhere(&mut self, source: &str) -> Result<Vec<Position>, StoreError> {
        self.0.all("SELECT * FROM positions WHERE source <> $1", &[&source]).await
    }

    /// Takes codes out of the way, so that swapped codes do not meet: the same transaction writes the rows with
    /// [`Positions::upsert`].
    ///
    /// # Errors
    /// When the database fails.
    pub async fn park(&mut self, ids: &[PositionId]) -> Result<(), StoreError> {
        let list: Vec<&dyn Param> = ids.iter().map(|id| -> &dyn Param { id }).collect();
        self.0.run_in("UPDATE positions SET status = 'disabled' WHERE id", &[], &list, "").await.map(drop)
    }

    /// Writes positions, new and known, by id.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when a code is taken, otherwise when the database fails.
    pub async fn upsert(&mut self, positions: &[Position]) -> Result<(), StoreError> {
        let rows: Vec<Vec<&dyn Param>> = positions
            .iter()
            .map(|r| -> Vec<&dyn Param> {
                vec![&r.id, &r.source, &r.code, &r.name, &r.status, &r.created_at, &r.updated_at]
            })
            .collect();
        let head = "INSERT INTO positions (id, source, code, name, status, created_at, updated_at)";
        let tail = "ON CONFLICT (id) DO UPDATE SET code = excluded.code, name = excluded.name, status = excluded.status, updated_at = excluded.updated_at";
        self.0.insert_rows(head, &rows, tail).await.map(drop)
    }
}
