//! Counting: what the guard takes percentages of, and what an apply finds after it has written.

use uuid::Uuid;

use super::{Param, StoreError, Tx};
use crate::model::{RunId, User};

/// Store functions that count.
#[derive(Debug)]
pub struct Census<'a>(&'a mut Tx);

impl Tx {
    /// Counting.
    pub fn census(&mut self) -> Census<'_> {
        Census(self)
    }
}

impl Census<'_> {
    /// Active departments of the source.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn departments(&mut self, source: &str) -> Result<i64, StoreError> {
        self.count("SELECT COUNT(*) FROM departments WHERE source = $1 AND status = 'active'", &[&source]).await
    }

    /// Active groups of the source.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn groups(&mut self, source: &str) -> Result<i64, StoreError> {
        self.count("SELECT COUNT(*) FROM groups WHERE source = $1 AND status = 'active'", &[&source]).await
    }

    /// Roles that people of the source hold.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn roles(&mut self, source: &str) -> Result<i64, StoreError> {
        let sql = "SELECT COUNT(*) FROM role_grants r JOIN users u ON u.id = r.user_id WHERE u.source = $1";
        self.count(sql, &[&source]).await
    }

    /// Active people of the source who have a value for an attribute: a column, or `attributes.NAME`.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn having(&mut self, source: &str, attribute: &str) -> Result<i64, StoreError> {
        let sql = match attribute.split_once('.') {
            Some(("attributes", name)) => {
                let sql = "SELECT COUNT(*) FROM users WHERE source = $1 AND status = 'active' AND attributes ->> $2 IS NOT NULL";
                return self.count(sql, &[&source, &name]).await;
            }
            _ => HAVING.iter().find(|(column, _)| *column == attribute),
        };
        let everybody = "SELECT COUNT(*) FROM users WHERE source = $1 AND status = 'active'";
        self.count(sql.map_or(everybody, |(_, sql)| sql), &[&source]).await
    }

    /// Active people of each department, those of no department under none.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn people_by_department(&mut self) -> Result<Vec<(Option<Uuid>, i64)>, StoreError> {
        let sql = "SELECT department_id, COUNT(*) FROM users WHERE status = 'active' GROUP BY department_id";
        self.0.all(sql, &[]).await
    }

    /// People whose login name begins with `folded`, or whose name or employee number is `text`, up to `limit`.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn find_people(&mut self, folded: &str, text: &str, limit: i64) -> Result<Vec<User>, StoreError> {
        let pattern = format!("{}%", folded.replace(['\\', '%', '_'], ""));
        let sql = "SELECT * FROM users WHERE login_key LIKE $1 OR display_name = $2 OR employee_number = $2 \
                   ORDER BY login_key LIMIT $3";
        self.0.all(sql, &[&pattern, &text, &limit]).await
    }

    /// Codes and sizes of these groups.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn group_sizes(&mut self, groups: &[Uuid]) -> Result<Vec<(Uuid, String, i64)>, StoreError> {
        let head = "SELECT g.id, g.code, (SELECT COUNT(*) FROM group_members m WHERE m.group_id = g.id) \
                    FROM groups g WHERE g.id";
        self.0.all_in(head, &[], &list(groups), "").await
    }

    /// Codes and names of these departments.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn department_names(&mut self, ids: &[Uuid]) -> Result<Vec<(Uuid, String, String)>, StoreError> {
        self.0.all_in("SELECT id, code, name FROM departments WHERE id", &[], &list(ids), "").await
    }

    /// How many of these people are active.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn active_people(&mut self, ids: &[Uuid]) -> Result<i64, StoreError> {
        self.sum_in("SELECT COUNT(*) FROM users WHERE status = 'active' AND id", &[], ids).await
    }

    /// How many of these departments are in use.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn active_departments(&mut self, ids: &[Uuid]) -> Result<i64, StoreError> {
        self.sum_in("SELECT COUNT(*) FROM departments WHERE status = 'active' AND id", &[], ids).await
    }

    /// How many of these groups are in use.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn active_groups(&mut self, ids: &[Uuid]) -> Result<i64, StoreError> {
        self.sum_in("SELECT COUNT(*) FROM groups WHERE status = 'active' AND id", &[], ids).await
    }

    /// How many roles the run gave to these people.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn roles_of_run(&mut self, run: RunId, people: &[Uuid]) -> Result<i64, StoreError> {
        self.sum_in("SELECT COUNT(*) FROM role_grants WHERE run_id = $1 AND user_id", &[&run], people).await
    }

    async fn count(&mut self, sql: &'static str, params: &[&dyn Param]) -> Result<i64, StoreError> {
        let (count,): (i64,) = self.0.one(sql, params).await?;
        Ok(count)
    }

    async fn sum_in(&mut self, head: &'static str, fixed: &[&dyn Param], ids: &[Uuid]) -> Result<i64, StoreError> {
        let counts: Vec<(i64,)> = self.0.all_in(head, fixed, &list(ids), "").await?;
        Ok(counts.into_iter().map(|(count,)| count).sum())
    }
}

/// Columns that may be empty, each with the query that counts who has one.
const HAVING: &[(&str, &str)] = &[
    ("mail", "SELECT COUNT(*) FROM users WHERE source = $1 AND status = 'active' AND mail IS NOT NULL"),
    ("mobile", "SELECT COUNT(*) FROM users WHERE source = $1 AND status = 'active' AND mobile IS NOT NULL"),
    ("title", "SELECT COUNT(*) FROM users WHERE source = $1 AND status = 'active' AND title IS NOT NULL"),
    ("given_name", "SELECT COUNT(*) FROM users WHERE source = $1 AND status = 'active' AND given_name IS NOT NULL"),
    ("family_name", "SELECT COUNT(*) FROM users WHERE source = $1 AND status = 'active' AND family_name IS NOT NULL"),
    (
        "employee_number",
        "SELECT COUNT(*) FROM users WHERE source = $1 AND status = 'active' AND employee_number IS NOT NULL",
    ),
    (
        "department_id",
        "SELECT COUNT(*) FROM users WHERE source = $1 AND status = 'active' AND department_id IS NOT NULL",
    ),
    ("position_id", "SELECT COUNT(*) FROM users WHERE source = $1 AND status = 'active' AND position_id IS NOT NULL"),
    ("manager_id", "SELECT COUNT(*) FROM users WHERE source = $1 AND status = 'active' AND manager_id IS NOT NULL"),
];

fn list(ids: &[Uuid]) -> Vec<&dyn Param> {
    ids.iter().map(|id| -> &dyn Param { id }).collect()
}
