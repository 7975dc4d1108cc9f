//! What people agreed that applications may know and do.

use super::{Json, StoreError, Tx};
use crate::model::{Consent, EndReason, UserId, Wish};
use crate::time::Instant;

/// Store functions of consents.
#[derive(Debug)]
pub struct Consents<'a>(&'a mut Tx);

impl Tx {
    /// Consents.
    pub fn consents(&mut self) -> Consents<'_> {
        Consents(self)
    }
}

impl Consents<'_> {
    /// What the person agreed to for the application.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn find(&mut self, user: UserId, application: &str) -> Result<Option<Consent>, StoreError> {
        let sql = "SELECT * FROM consents WHERE user_id = $1 AND application_id = $2";
        self.0.optional(sql, &[&user, &application]).await
    }

    /// What the person agreed to, by the application's name, with that name.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn list(&mut self, user: UserId) -> Result<Vec<Consent>, StoreError> {
        let sql = "SELECT c.* FROM consents c JOIN applications a ON a.id = c.application_id WHERE c.user_id = $1 \
                   ORDER BY a.name, a.id";
        self.0.all(sql, &[&user]).await
    }

    /// Adds to what the person agreed to.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn agree(&mut self, user: UserId, application: &str, wish: &Wish, at: Instant) -> Result<(), StoreError> {
        let before = self.find(user, application).await?.map(|consent| consent.wish.0).unwrap_or_default();
        let wish = Json(before.joined(wish));
        let sql = "INSERT INTO consents (user_id, application_id, wish, created_at, updated_at) \
                   VALUES ($1, $2, $3, $4, $4) ON CONFLICT (user_id, application_id) \
                   DO UPDATE SET wish = EXCLUDED.wish, updated_at = EXCLUDED.updated_at";
        self.0.run(sql, &[&user, &application, &wish, &at]).await.map(drop)
    }

    /// Takes back what the person agreed to, and revokes every grant of theirs to the application; tells how many, none
    /// when there was no consent.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn withdraw(&mut self, user: UserId, application: &str, at: Instant) -> Result<Option<u64>, StoreError> {
        let sql = "DELETE FROM consents WHERE user_id = $1 AND application_id = $2";
        if self.0.run(sql, &[&user, &application]).await? == 0 {
            return Ok(None);
        }
        self.0.invalidates();
        let sql = "UPDATE grants SET revoked_at = $3, revoked_reason = $4 WHERE user_id = $1 AND application_id = $2 \
                   AND revoked_at IS NULL";
        let reason = EndReason::ConsentWithdrawn;
        self.0.run(sql, &[&user, &application, &at, &reason]).await.map(Some)
    }
}
