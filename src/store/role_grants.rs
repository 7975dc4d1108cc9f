//! Roles that rules gave to people.

use serde::Serialize;

use super::{Param, StoreError, Tx};
use crate::model::{RoleGrant, RunId, UserId};
use crate::time::Instant;

/// Store functions of role grants.
#[derive(Debug)]
pub struct RoleGrants<'a>(&'a mut Tx);

/// Somebody who has a role, and by what.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, sqlx::FromRow)]
pub struct RoleHolder {
    /// The person.
    pub user_id: UserId,
    /// Login name.
    pub login: String,
    /// Name as shown.
    pub display_name: String,
    /// Code of the department; empty for none.
    pub department: String,
    /// Its name.
    pub department_name: String,
    /// The rule that gives it.
    pub rule: String,
    /// Code of the department for which it holds; empty where it holds everywhere.
    pub scope: String,
    /// The run that gave it.
    pub run_id: Option<RunId>,
    /// When.
    pub granted_at: Instant,
}

impl Tx {
    /// Role grants.
    pub fn role_grants(&mut self) -> RoleGrants<'_> {
        RoleGrants(self)
    }
}

impl RoleGrants<'_> {
    /// Every grant to people the source owns.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn list_by_source(&mut self, source: &str) -> Result<Vec<RoleGrant>, StoreError> {
        let sql = "SELECT r.* FROM role_grants r JOIN users u ON u.id = r.user_id WHERE u.source = $1";
        self.0.all(sql, &[&source]).await
    }

    /// Every grant to active people.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn list_active(&mut self) -> Result<Vec<RoleGrant>, StoreError> {
        let sql = "SELECT r.* FROM role_grants r JOIN users u ON u.id = r.user_id WHERE u.status = 'active'";
        self.0.all(sql, &[]).await
    }

    /// Every grant to these people.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn list_of(&mut self, people: &[UserId]) -> Result<Vec<RoleGrant>, StoreError> {
        let list: Vec<&dyn Param> = people.iter().map(|id| -> &dyn Param { id }).collect();
        self.0.all_in("SELECT * FROM role_grants WHERE user_id", &[], &list, "").await
    }

    /// A person's grants, by role and rule.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn list_by_user(&mut self, user: UserId) -> Result<Vec<RoleGrant>, StoreError> {
        let sql = "SELECT * FROM role_grants WHERE user_id = $1 ORDER BY role, rule, scope";
        self.0.all(sql, &[&user]).await
    }

    /// Names of a person's roles, each once.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn roles_of(&mut self, user: UserId) -> Result<Vec<String>, StoreError> {
        let sql = "SELECT DISTINCT role FROM role_grants WHERE user_id = $1 ORDER BY role";
        let rows: Vec<(String,)> = self.0.all(sql, &[&user]).await?;
        Ok(rows.into_iter().map(|row| row.0).collect())
    }

    /// How many active people have each role, by whatever rule.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn count_by_role(&mut self) -> Result<Vec<(String, i64)>, StoreError> {
        let sql = "SELECT r.role, COUNT(DISTINCT r.user_id) FROM role_grants r JOIN users u ON u.id = r.user_id \
                   WHERE u.status = 'active' GROUP BY r.role ORDER BY r.role";
        self.0.all(sql, &[]).await
    }

    /// Active people who have a role, a row for each rule and scope by which they do; a page (limit, offset).
    ///
    /// # Errors
    /// When the database fails.
    pub async fn holders(&mut self, role: &str, (limit, offset): (i64, i64)) -> Result<Vec<RoleHolder>, StoreError> {
        let sql = "SELECT u.id AS user_id, u.login, u.display_name, COALESCE(d.code, '') AS department, \
                   COALESCE(d.name, '') AS department_name, r.rule, r.scope, r.run_id, r.granted_at \
                   FROM role_grants r JOIN users u ON u.id = r.user_id LEFT JOIN departments d ON d.id = u.department_id \
                   WHERE r.role = $1 AND u.status = 'active' ORDER BY u.login, r.rule, r.scope LIMIT $2 OFFSET $3";
        self.0.all(sql, &[&role, &limit, &offset]).await
    }

    /// Writes grants; those there already are left alone.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn insert(&mut self, grants: &[RoleGrant]) -> Result<(), StoreError> {
        let rows: Vec<Vec<&dyn Param>> = grants
            .iter()
            .map(|g| -> Vec<&dyn Param> { vec![&g.user_id, &g.role, &g.rule, &g.run_id, &g.granted_at, &g.scope] })
            .collect();
        let head = "INSERT INTO role_grants (user_id, role, rule, run_id, granted_at, scope)";
        self.0.insert_rows(head, &rows, "ON CONFLICT DO NOTHING").await.map(drop)
    }

    /// Takes grants (person, role, rule, scope) away.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn delete(&mut self, grants: &[(UserId, String, String, String)]) -> Result<(), StoreError> {
        let rows: Vec<Vec<&dyn Param>> = grants
            .iter()
            .map(|(user, role, rule, scope)| -> Vec<&dyn Param> { vec![user, role, rule, scope] })
            .collect();
        let head = "DELETE FROM role_grants WHERE (user_id, role, rule, scope) IN (";
        self.0.insert_rows(head, &rows, ")").await.map(drop)
    }
}
