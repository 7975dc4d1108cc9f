//! What a source looked like when it was last applied.

use super::{StoreError, Tx};
use crate::model::{RunId, SourceState};
use crate::time::Instant;

/// Store functions of source states.
#[derive(Debug)]
pub struct SourceStates<'a>(&'a mut Tx);

impl Tx {
    /// Source states.
    pub fn source_states(&mut self) -> SourceStates<'_> {
        SourceStates(self)
    }
}

impl SourceStates<'_> {
    /// The state of the source; none before its first apply.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn find(&mut self, source: &str) -> Result<Option<SourceState>, StoreError> {
        self.0.optional("SELECT * FROM source_state WHERE source = $1", &[&source]).await
    }

    /// Every source with its version, by name.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn versions(&mut self) -> Result<Vec<(String, i64)>, StoreError> {
        self.0.all("SELECT source, version FROM source_state ORDER BY source", &[]).await
    }

    /// Locks a source until commit, so that nothing of it is applied meanwhile.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn lock(&mut self, source: &str) -> Result<(), StoreError> {
        self.0.run("UPDATE source_state SET version = version WHERE source = $1", &[&source]).await.map(drop)
    }

    /// Moves the source from `version` to the next; false when somebody else did before. Locks the row until commit.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn advance(&mut self, source: &str, version: i64, run: RunId, at: Instant) -> Result<bool, StoreError> {
        let moved = if version == 0 {
            let sql = "INSERT INTO source_state (source, scope_digest, roles_digest, last_run_id, last_applied_at, \
                       users_seen, version) VALUES ($1, '', '', $2, $3, 0, 1) ON CONFLICT (source) DO NOTHING";
            self.0.run(sql, &[&source, &run, &at]).await?
        } else {
            let sql = "UPDATE source_state SET version = version + 1, last_run_id = $3, last_applied_at = $4, \
                       settled_content = NULL, settled_ground = NULL, settled_run_id = NULL WHERE source = $1 AND version = $2";
            self.0.run(sql, &[&source, &version, &run, &at]).await?
        };
        Ok(moved > 0)
    }

    /// Notes that nothing is left to do for what was read: fingerprints of that (none when something is) and of what it
    /// was judged by. Does nothing when the source has moved on from `version`.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn settle(
        &mut self,
        source: &str,
        version: i64,
        content: Option<&str>,
        ground: &str,
        run: RunId,
    ) -> Result<(), StoreError> {
        let content = content.map(str::to_owned);
        let sql = "UPDATE source_state SET settled_content = $3, settled_ground = $4, settled_run_id = $5 \
                   WHERE source = $1 AND version = $2";
        self.0.run(sql, &[&source, &version, &content, &ground, &run]).await.map(drop)
    }

    /// Lets the next run ask the role rules about everybody.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn ask_roles_anew(&mut self, source: &str) -> Result<(), StoreError> {
        self.0.run("UPDATE source_state SET roles_digest = '' WHERE source = $1", &[&source]).await.map(drop)
    }

    /// Writes what the guard compares the next run with.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn describe(
        &mut self,
        source: &str,
        scope_digest: &str,
        roles_digest: &str,
        users_seen: i64,
    ) -> Result<(), StoreError> {
        let sql = "UPDATE source_state SET scope_digest = $2, roles_digest = $3, users_seen = $4 WHERE source = $1";
        self.0.run(sql, &[&source, &scope_digest, &roles_digest, &users_seen]).await.map(drop)
    }
}
