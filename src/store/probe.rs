//! Questions about the database itself, for `/ready` and `yaopai doctor`.

use chrono::{DateTime, Utc};

use super::{Db, MIGRATIONS, StoreError};
use crate::time::Instant;

impl Db {
    /// Asks the database the cheapest question that needs our schema.
    ///
    /// # Errors
    /// When it does not answer, or was never migrated.
    pub async fn answers(&self) -> Result<(), StoreError> {
        let mut tx = self.read().await?;
        let _: (i64,) = tx.one("SELECT seq FROM audit_head WHERE id = 1", &[]).await?;
        Ok(())
    }

    /// Takes the lock of a writer and lets it go, leaving nothing behind.
    ///
    /// # Errors
    /// When the database cannot be written: a file without permission, a full disk, a read-only replica.
    pub async fn accepts_writes(&self) -> Result<(), StoreError> {
        let mut tx = self.write().await?;
        tx.run("UPDATE audit_head SET seq = seq WHERE id = 1", &[]).await?;
        Ok(())
    }

    /// The clock of the database server; `None` on SQLite, which runs on ours.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn clock(&self) -> Result<Option<Instant>, StoreError> {
        let Self::Postgres(_) = self else { return Ok(None) };
        let (now,): (DateTime<Utc>,) = self.read().await?.one("SELECT clock_timestamp()", &[]).await?;
        Ok(Some(now))
    }

    /// How many of our migrations this database lacks.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn pending_migrations(&self) -> Result<usize, StoreError> {
        let mut tx = self.read().await?;
        let sql = match self {
            Self::Sqlite { .. } => "SELECT name FROM sqlite_master WHERE name = '_sqlx_migrations'",
            Self::Postgres(_) => {
                "SELECT table_name::TEXT FROM information_schema.tables WHERE table_name = '_sqlx_migrations'"
            }
        };
        let table: Option<(String,)> = tx.optional(sql, &[]).await?;
        if table.is_none() {
            return Ok(MIGRATIONS.len());
        }
        let done: Vec<(i64,)> = tx.all("SELECT version FROM _sqlx_migrations WHERE success", &[]).await?;
        Ok(MIGRATIONS.len().saturating_sub(done.len()))
    }

    /// When the newest row of the audit log was written.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn newest_audit_time(&self) -> Result<Option<Instant>, StoreError> {
        let newest: Option<(Instant,)> =
            self.read().await?.optional("SELECT at FROM audit_log ORDER BY seq DESC LIMIT 1", &[]).await?;
        Ok(newest.map(|row| row.0))
    }
}
