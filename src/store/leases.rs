//! Leases and schedules: one node runs a job.

use super::{StoreError, Tx};
use crate::time::Instant;

/// Store functions of leases and schedules.
#[derive(Debug)]
pub struct Leases<'a>(&'a mut Tx);

impl Tx {
    /// Leases and schedules.
    pub fn leases(&mut self) -> Leases<'_> {
        Leases(self)
    }
}

impl Leases<'_> {
    /// Takes the lease, or renews one's own; false while another holds it.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn acquire(
        &mut self,
        name: &str,
        holder: &str,
        now: Instant,
        until: Instant,
    ) -> Result<bool, StoreError> {
        let sql = "INSERT INTO leases (name, holder, expires_at) VALUES ($1, $2, $4) \
                   ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, expires_at = excluded.expires_at \
                   WHERE leases.holder = excluded.holder OR leases.expires_at <= $3";
        Ok(self.0.run(sql, &[&name, &holder, &now, &until]).await? > 0)
    }

    /// Gives one's own lease back.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn release(&mut self, name: &str, holder: &str) -> Result<(), StoreError> {
        self.0.run("DELETE FROM leases WHERE name = $1 AND holder = $2", &[&name, &holder]).await.map(drop)
    }

    /// When the schedule was last due and taken; none when it is new.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn last_due(&mut self, name: &str) -> Result<Option<Instant>, StoreError> {
        let row: Option<(Instant,)> =
            self.0.optional("SELECT last_due_at FROM schedules WHERE name = $1", &[&name]).await?;
        Ok(row.map(|row| row.0))
    }

    /// Takes a due time of a schedule: true for exactly one caller.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn take_due(&mut self, name: &str, due: Instant) -> Result<bool, StoreError> {
        let sql = "INSERT INTO schedules (name, last_due_at) VALUES ($1, $2) \
                   ON CONFLICT (name) DO UPDATE SET last_due_at = excluded.last_due_at \
                   WHERE schedules.last_due_at < excluded.last_due_at";
        Ok(self.0.run(sql, &[&name, &due]).await? > 0)
    }
}
