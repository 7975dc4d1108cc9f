//! Applications.

use super::{StoreError, Tx};
use crate::model::{Application, EndReason};
use crate::time::Instant;

/// Store functions of applications.
#[derive(Debug)]
pub struct Applications<'a>(&'a mut Tx);

impl Tx {
    /// Applications.
    pub fn applications(&mut self) -> Applications<'_> {
        Applications(self)
    }
}

impl Applications<'_> {
    /// The application with this id, enabled or not.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn find(&mut self, id: &str) -> Result<Option<Application>, StoreError> {
        self.0.optional("SELECT * FROM applications WHERE id = $1", &[&id]).await
    }

    /// Every application, by name.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn list(&mut self) -> Result<Vec<Application>, StoreError> {
        self.0.all("SELECT * FROM applications ORDER BY name, id", &[]).await
    }

    /// Whether the application is enabled and its access token with this `jti` not revoked, in one look-up by primary
    /// key.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn is_alive(&mut self, id: &str, jti: &str) -> Result<bool, StoreError> {
        let sql = "SELECT COUNT(*) FROM applications a WHERE a.id = $1 AND a.enabled \
                   AND NOT EXISTS (SELECT 1 FROM revoked_tokens r WHERE r.jti = $2)";
        let (count,): (i64,) = self.0.one(sql, &[&id, &jti]).await?;
        Ok(count > 0)
    }

    /// Writes a new application.
    ///
    /// # Errors
    /// When the database fails, [`StoreError::Conflict`] when the id is taken.
    pub async fn insert(&mut self, a: &Application) -> Result<(), StoreError> {
        self.0.invalidates();
        let sql = "INSERT INTO applications (id, name, declared, enabled, auth_method, secret_hash, settings, \
                   created_at, updated_at, secret_since, old_secret_hash, old_secret_until) \
                   VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)";
        let row: [&dyn super::Param; 12] = [
            &a.id,
            &a.name,
            &a.declared,
            &a.enabled,
            &a.auth_method,
            &a.secret_hash,
            &a.settings,
            &a.created_at,
            &a.updated_at,
            &a.secret_since,
            &a.old_secret_hash,
            &a.old_secret_until,
        ];
        self.0.run(sql, &row).await.map(drop)
    }

    /// Writes everything of an application but its id and the time it was made.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn update(&mut self, a: &Application) -> Result<(), StoreError> {
        self.0.invalidates();
        let sql = "UPDATE applications SET name = $2, declared = $3, enabled = $4, auth_method = $5, \
                   secret_hash = $6, settings = $7, updated_at = $8, secret_since = $9, old_secret_hash = $10, \
                   old_secret_until = $11 WHERE id = $1";
        let row: [&dyn super::Param; 11] = [
            &a.id,
            &a.name,
            &a.declared,
            &a.enabled,
            &a.auth_method,
            &a.secret_hash,
            &a.settings,
            &a.updated_at,
            &a.secret_since,
            &a.old_secret_hash,
            &a.old_secret_until,
        ];
        self.0.run(sql, &row).await.map(drop)
    }

    /// How many applications there are that are known by the address of a document.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn count_documents(&mut self) -> Result<i64, StoreError> {
        let sql = "SELECT COUNT(*) FROM applications WHERE id LIKE 'https://%' AND NOT declared";
        Ok(self.0.one::<(i64,)>(sql, &[]).await?.0)
    }

    /// Deletes one batch of those whose document was last read before `before` and that hold no grant; tells how many.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn purge_documents(&mut self, before: Instant) -> Result<u64, StoreError> {
        let sql = "DELETE FROM applications WHERE id IN (SELECT a.id FROM applications a WHERE a.id LIKE 'https://%' \
                   AND NOT a.declared AND a.updated_at < $1 \
                   AND NOT EXISTS (SELECT 1 FROM grants g WHERE g.application_id = a.id \
                     AND g.application_id LIKE 'https://%') LIMIT 100)";
        let deleted = self.0.run(sql, &[&before]).await?;
        if deleted > 0 {
            self.0.invalidates();
        }
        Ok(deleted)
    }

    /// Removes an application; tells whether it was there.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn delete(&mut self, id: &str) -> Result<bool, StoreError> {
        self.0.invalidates();
        Ok(self.0.run("DELETE FROM applications WHERE id = $1", &[&id]).await? > 0)
    }

    /// Revokes every grant of an application, puts it into the change feed, and queues a logout for each live session
    /// that reached it: what is done when it is removed or switched off.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn revoke_grants(&mut self, id: &str, at: Instant) -> Result<u64, StoreError> {
        self.0.invalidates();
        self.0.logout_deliveries().queue_of_application(id, at).await?;
        self.0.revocations().note_application(id, at).await?;
        let sql = "UPDATE grants SET revoked_at = $2, revoked_reason = $3 WHERE application_id = $1 \
                   AND revoked_at IS NULL";
        self.0.run(sql, &[&id, &at, &EndReason::ApplicationRemoved]).await
    }
}
