//! Status lists and the places of access tokens on them.

use super::{Param, StoreError, Tx};
use crate::model::GrantId;
use crate::time::Instant;

/// Rows deleted by one statement of the purge.
const BATCH: i64 = 1_000;

/// The place of one access token.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StatusEntry {
    /// On which list.
    pub list_id: String,
    /// Where on it.
    pub place: i64,
    /// The token.
    pub jti: String,
    /// The grant it rests on; none for an application in its own name.
    pub grant_id: Option<GrantId>,
    /// To whom it was issued.
    pub application_id: String,
    /// When it ends.
    pub expires_at: Instant,
}

/// Store functions of status lists.
#[derive(Debug)]
pub struct StatusLists<'a>(&'a mut Tx);

impl Tx {
    /// Status lists.
    pub fn status_lists(&mut self) -> StatusLists<'_> {
        StatusLists(self)
    }
}

impl StatusLists<'_> {
    /// Whether there is such a list.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn exists(&mut self, id: &str) -> Result<bool, StoreError> {
        let row: Option<(String,)> = self.0.optional("SELECT id FROM status_lists WHERE id = $1", &[&id]).await?;
        Ok(row.is_some())
    }

    /// The ids of every list, oldest first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn list(&mut self) -> Result<Vec<String>, StoreError> {
        let rows: Vec<(String,)> = self.0.all("SELECT id FROM status_lists ORDER BY created_at, id", &[]).await?;
        Ok(rows.into_iter().map(|row| row.0).collect())
    }

    /// Makes a list.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn insert(&mut self, id: &str, at: Instant) -> Result<(), StoreError> {
        self.0.run("INSERT INTO status_lists (id, created_at) VALUES ($1, $2)", &[&id, &at]).await.map(drop)
    }

    /// Writes down whose place it is.
    ///
    /// # Errors
    /// When the database fails, [`StoreError::Conflict`] when the place is taken.
    pub async fn place(&mut self, e: &StatusEntry) -> Result<(), StoreError> {
        let sql = "INSERT INTO status_entries (list_id, place, jti, grant_id, application_id, expires_at) \
                   VALUES ($1, $2, $3, $4, $5, $6)";
        let row: [&dyn Param; 6] = [&e.list_id, &e.place, &e.jti, &e.grant_id, &e.application_id, &e.expires_at];
        self.0.run(sql, &row).await.map(drop)
    }

    /// The places of the list whose tokens are dead before their end.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn dead(&mut self, id: &str, now: Instant) -> Result<Vec<i64>, StoreError> {
        let sql = "SELECT e.place FROM status_entries e LEFT JOIN grants g ON g.id = e.grant_id \
                   LEFT JOIN users u ON u.id = g.user_id \
                   LEFT JOIN applications a ON a.id = e.application_id AND a.enabled \
                   LEFT JOIN revoked_tokens r ON r.jti = e.jti \
                   WHERE e.list_id = $1 AND e.expires_at > $2 AND (r.jti IS NOT NULL OR a.id IS NULL \
                   OR (e.grant_id IS NOT NULL AND (g.id IS NULL OR g.revoked_at IS NOT NULL OR u.status <> 'active')))";
        let rows: Vec<(i64,)> = self.0.all(sql, &[&id, &now]).await?;
        Ok(rows.into_iter().map(|row| row.0).collect())
    }

    /// Deletes one batch of places whose tokens ended before `before`, and the lists made before `unused_since` on which
    /// nothing stands any more; tells how many rows.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn purge(&mut self, before: Instant, unused_since: Instant) -> Result<u64, StoreError> {
        let sql = "DELETE FROM status_entries WHERE (list_id, place) IN \
                   (SELECT list_id, place FROM status_entries WHERE expires_at < $1 LIMIT $2)";
        let places = self.0.run(sql, &[&before, &BATCH]).await?;
        let sql = "DELETE FROM status_lists WHERE created_at < $1 \
                   AND NOT EXISTS (SELECT 1 FROM status_entries e WHERE e.list_id = status_lists.id)";
        Ok(places + self.0.run(sql, &[&unused_since]).await?)
    }
}
