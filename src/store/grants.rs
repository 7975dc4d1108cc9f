//! Grants, and access tokens revoked one by one.

use super::{Json, Param, StoreError, Tx};
use crate::model::{EndReason, Grant, GrantDetails, GrantId, Status};
use crate::time::Instant;

/// Rows deleted by one statement of the purge.
const BATCH: i64 = 500;

/// Whether what a token rests on is still alive.
#[derive(Clone, Copy, PartialEq, Eq, Debug, sqlx::FromRow)]
pub struct Liveness {
    /// When the grant was revoked.
    pub revoked_at: Option<Instant>,
    /// When the grant ends in any case.
    pub expires_at: Instant,
    /// The person's status.
    pub status: Option<Status>,
    /// Whether the token itself was revoked: 0 or more.
    pub revoked_tokens: i64,
}

/// Writes new grants; see [`values`].
pub(super) const INSERT: &str = "INSERT INTO grants (id, application_id, user_id, session_id, scope, auth_time, amr, \
                                 created_at, expires_at, details)";

/// The values of a new grant.
pub(super) fn values(g: &Grant) -> Vec<&dyn Param> {
    vec![
        &g.id,
        &g.application_id,
        &g.user_id,
        &g.session_id,
        &g.scope,
        &g.auth_time,
        &g.amr,
        &g.created_at,
        &g.expires_at,
        &g.details,
    ]
}

/// Store functions of grants.
#[derive(Debug)]
pub struct Grants<'a>(&'a mut Tx);

impl Tx {
    /// Grants.
    pub fn grants(&mut self) -> Grants<'_> {
        Grants(self)
    }
}

impl Grants<'_> {
    /// The grant with this id, live or not.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn find(&mut self, id: GrantId) -> Result<Option<Grant>, StoreError> {
        self.0.optional("SELECT * FROM grants WHERE id = $1", &[&id]).await
    }

    /// Writes a new grant.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn insert(&mut self, grant: &Grant) -> Result<(), StoreError> {
        self.insert_all(&[grant]).await
    }

    /// Writes new grants.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn insert_all(&mut self, grants: &[&Grant]) -> Result<(), StoreError> {
        let rows: Vec<Vec<&dyn Param>> = grants.iter().map(|grant| values(grant)).collect();
        self.0.insert_rows(INSERT, &rows, "").await.map(drop)
    }

    /// Writes what was granted beyond scopes anew.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn set_details(&mut self, id: GrantId, details: &Json<GrantDetails>) -> Result<(), StoreError> {
        self.0.run("UPDATE grants SET details = $2 WHERE id = $1", &[&id, details]).await.map(drop)
    }

    /// Revokes a grant with all that hangs on it; tells whether it was live.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn revoke(&mut self, id: GrantId, reason: EndReason, at: Instant) -> Result<bool, StoreError> {
        self.0.invalidates();
        let sql = "UPDATE grants SET revoked_at = $2, revoked_reason = $3 WHERE id = $1 AND revoked_at IS NULL";
        Ok(self.0.run(sql, &[&id, &at, &reason]).await? > 0)
    }

    /// What an access token with this grant and `jti` rests on, in one look-up by primary key.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn liveness(&mut self, id: GrantId, jti: &str) -> Result<Option<Liveness>, StoreError> {
        let sql = "SELECT g.revoked_at, g.expires_at, u.status, \
                   (SELECT COUNT(*) FROM revoked_tokens r WHERE r.jti = $2) AS revoked_tokens \
                   FROM grants g LEFT JOIN users u ON u.id = g.user_id WHERE g.id = $1";
        self.0.optional(sql, &[&id, &jti]).await
    }

    /// Revokes one access token until it would have expired anyway.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn revoke_token(&mut self, jti: &str, expires_at: Instant) -> Result<(), StoreError> {
        self.0.invalidates();
        let sql = "INSERT INTO revoked_tokens (jti, expires_at) VALUES ($1, $2) ON CONFLICT (jti) DO NOTHING";
        self.0.run(sql, &[&jti, &expires_at]).await.map(drop)
    }

    /// Whether one of these access tokens was revoked.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn is_any_revoked(&mut self, jtis: &[String]) -> Result<bool, StoreError> {
        let list: Vec<&dyn Param> = jtis.iter().map(|jti| -> &dyn Param { jti }).collect();
        let found: Vec<(String,)> = self.0.all_in("SELECT jti FROM revoked_tokens WHERE jti", &[], &list, "").await?;
        Ok(!found.is_empty())
    }

    /// Notes that an assertion was used, until it would not be accepted any more anyway; tells whether it is the first time.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn note_assertion(&mut self, digest: &str, expires_at: Instant) -> Result<bool, StoreError> {
        let sql = "INSERT INTO used_assertions (digest, expires_at) VALUES ($1, $2) ON CONFLICT (digest) DO NOTHING";
        Ok(self.0.run(sql, &[&digest, &expires_at]).await? > 0)
    }

    /// Deletes one batch of assertions that ended before `before`; tells how many.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn purge_assertions(&mut self, before: Instant) -> Result<u64, StoreError> {
        let sql = "DELETE FROM used_assertions WHERE digest IN \
                   (SELECT digest FROM used_assertions WHERE expires_at < $1 LIMIT $2)";
        self.0.run(sql, &[&before, &BATCH]).await
    }

    /// Deletes one batch of grants that ended before `before`, once nothing hangs on them; tells how many.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn purge(&mut self, before: Instant) -> Result<u64, StoreError> {
        let sql = "DELETE FROM grants WHERE id IN (SELECT g.id FROM grants g WHERE g.expires_at < $1 \
                   AND NOT EXISTS (SELECT 1 FROM refresh_tokens r WHERE r.grant_id = g.id) \
                   AND NOT EXISTS (SELECT 1 FROM authorization_codes c WHERE c.grant_id = g.id) LIMIT $2)";
        self.0.run(sql, &[&before, &BATCH]).await
    }

    /// Deletes one batch of revoked tokens that have expired; tells how many.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn purge_revoked_tokens(&mut self, before: Instant) -> Result<u64, StoreError> {
        let sql = "DELETE FROM revoked_tokens WHERE jti IN \
                   (SELECT jti FROM revoked_tokens WHERE expires_at < $1 LIMIT $2)";
        self.0.run(sql, &[&before, &BATCH]).await
    }
}
