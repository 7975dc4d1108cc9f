//! What tokens and `UserInfo` say about a person, in a constant number of statements.

use serde::Serialize;

use super::{StoreError, Tx};
use crate::model::UserId;

/// A department or position as claims show it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, sqlx::FromRow)]
pub struct Named {
    /// Its code.
    pub code: String,
    /// Its name.
    pub name: String,
}

/// Store functions of claims.
#[derive(Debug)]
pub struct Claims<'a>(&'a mut Tx);

impl Tx {
    /// Claims.
    pub fn claims(&mut self) -> Claims<'_> {
        Claims(self)
    }
}

impl Claims<'_> {
    /// The department of the primary assignment with all above it, from the top down.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn departments(&mut self, user: UserId) -> Result<Vec<Named>, StoreError> {
        let sql = "WITH RECURSIVE path (id, parent_id, code, name, depth) AS ( \
                   SELECT d.id, d.parent_id, d.code, d.name, 0 FROM departments d \
                   JOIN users u ON u.department_id = d.id WHERE u.id = $1 \
                   UNION ALL \
                   SELECT d.id, d.parent_id, d.code, d.name, path.depth + 1 FROM departments d \
                   JOIN path ON d.id = path.parent_id WHERE path.depth < 64) \
                   SELECT code, name FROM path ORDER BY depth DESC";
        self.0.all(sql, &[&user]).await
    }

    /// The position of the primary assignment.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn positions(&mut self, user: UserId) -> Result<Vec<Named>, StoreError> {
        let sql = "SELECT p.code, p.name FROM positions p JOIN users u ON u.position_id = p.id WHERE u.id = $1";
        self.0.all(sql, &[&user]).await
    }

    /// Names of the roles a person holds, sorted. One that holds for a department and what is below only stands as
    /// `role@department`: who looks for the plain name does not find it.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn roles(&mut self, user: UserId) -> Result<Vec<String>, StoreError> {
        let sql = "SELECT DISTINCT CASE scope WHEN '' THEN role ELSE role || '@' || scope END AS role \
                   FROM role_grants WHERE user_id = $1 ORDER BY role";
        let rows: Vec<(String,)> = self.0.all(sql, &[&user]).await?;
        Ok(rows.into_iter().map(|(role,)| role).collect())
    }
}
