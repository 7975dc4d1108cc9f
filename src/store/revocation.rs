//! What follows from locking somebody out: sessions, grants (with every refresh and access token) and codes end.
//!
//! Called inside the transaction that disables the person, so that they commit together or not at all.

use super::{Param, StoreError, Tx};
use crate::model::{EndReason, UserId};
use crate::time::Instant;

/// How much was ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Revoked {
    /// Sessions.
    pub sessions: u64,
    /// Grants.
    pub grants: u64,
}

impl Tx {
    /// Ends every session and grant of these people. Authorization codes die with their grant.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn revoke_people(
        &mut self,
        users: &[UserId],
        reason: EndReason,
        at: Instant,
    ) -> Result<Revoked, StoreError> {
        self.invalidates();
        let list: Vec<&dyn Param> = users.iter().map(|id| -> &dyn Param { id }).collect();
        let sessions = self
            .run_in(
                "UPDATE sessions SET ended_at = $1, ended_reason = $2 WHERE ended_at IS NULL AND user_id",
                &[&at, &reason],
                &list,
                "",
            )
            .await?;
        let grants = self
            .run_in(
                "UPDATE grants SET revoked_at = $1, revoked_reason = $2 WHERE revoked_at IS NULL AND user_id",
                &[&at, &reason],
                &list,
                "",
            )
            .await?;
        Ok(Revoked { sessions, grants })
    }
}
