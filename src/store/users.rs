//! People.

use super::{Param, StoreError, Tx};
use crate::model::{User, UserId};
use crate::time::Instant;

const UPSERT: &str = "INSERT INTO users (id, source, login, login_key, employee_number, display_name, given_name, \
    family_name, mail, mobile, title, department_id, position_id, manager_id, attributes, password_hash, status, \
    status_reason, disabled_at, version, created_at, updated_at, starts_on, ends_on)";
// Who was locked out before stays so since then. A hash of none keeps the stored one, an empty one forgets it.
const UPSERT_TAIL: &str = "ON CONFLICT (id) DO UPDATE SET login = excluded.login, login_key = excluded.login_key, \
    employee_number = excluded.employee_number, display_name = excluded.display_name, \
    given_name = excluded.given_name, family_name = excluded.family_name, mail = excluded.mail, \
    mobile = excluded.mobile, title = excluded.title, department_id = excluded.department_id, \
    position_id = excluded.position_id, manager_id = excluded.manager_id, attributes = excluded.attributes, \
    password_hash = CASE WHEN excluded.password_hash IS NULL THEN users.password_hash \
    WHEN excluded.password_hash = '' THEN NULL ELSE excluded.password_hash END, status = excluded.status, \
    status_reason = excluded.status_reason, disabled_at = CASE WHEN excluded.status = 'active' THEN NULL \
    ELSE COALESCE(users.disabled_at, excluded.disabled_at) END, version = users.version + 1, \
    updated_at = excluded.updated_at, starts_on = excluded.starts_on, ends_on = excluded.ends_on";

/// Store functions of people.
#[derive(Debug)]
pub struct Users<'a>(&'a mut Tx);

impl Tx {
    /// People.
    pub fn users(&mut self) -> Users<'_> {
        Users(self)
    }
}

impl Users<'_> {
    /// The person with this id, whatever the status.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn find(&mut self, id: UserId) -> Result<Option<User>, StoreError> {
        self.0.optional("SELECT * FROM users WHERE id = $1", &[&id]).await
    }

    /// The person with this folded login name who is not deleted. A login name that a leaver held and a joiner took finds
    /// the joiner.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn find_by_login(&mut self, login_key: &str) -> Result<Option<User>, StoreError> {
        let sql = "SELECT * FROM users WHERE login_key = $1 AND status <> 'deleted' \
                   ORDER BY CASE status WHEN 'active' THEN 0 ELSE 1 END, disabled_at DESC LIMIT 1";
        self.0.optional(sql, &[&login_key]).await
    }

    /// Everybody the source owns, with their concurrent assignments.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn list_by_source(&mut self, source: &str) -> Result<Vec<User>, StoreError> {
        let mut users: Vec<User> = self.0.all("SELECT * FROM users WHERE source = $1", &[&source]).await?;
        let mut assignments = self.0.assignments().list_by_source(source).await?;
        if !assignments.is_empty() {
            for user in &mut users {
                user.assignments = assignments.remove(&user.id).unwrap_or_default();
            }
        }
        Ok(users)
    }

    /// Everybody who is active, with their concurrent assignments.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn list_active(&mut self) -> Result<Vec<User>, StoreError> {
        let mut users: Vec<User> =
            self.0.all("SELECT * FROM users WHERE status = 'active' ORDER BY login_key", &[]).await?;
        let mut assignments = self.0.assignments().list().await?;
        for user in &mut users {
            user.assignments = assignments.remove(&user.id).unwrap_or_default();
        }
        Ok(users)
    }

    /// How many active people the source owns.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn count_active(&mut self, source: &str) -> Result<i64, StoreError> {
        let sql = "SELECT COUNT(*) FROM users WHERE source = $1 AND status = 'active'";
        let (count,): (i64,) = self.0.one(sql, &[&source]).await?;
        Ok(count)
    }

    /// Folded login names of active people of all other sources.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn other_logins(&mut self, source: &str) -> Result<Vec<(String,)>, StoreError> {
        let sql = "SELECT login_key FROM users WHERE source <> $1 AND status = 'active'";
        self.0.all(sql, &[&source]).await
    }

    /// Takes people's login names out of the way, so that swaps and chains of names do not meet: the same transaction
    /// writes their rows with [`Users::upsert`].
    ///
    /// # Errors
    /// When the database fails.
    pub async fn park(&mut self, ids: &[UserId]) -> Result<(), StoreError> {
        let list: Vec<&dyn Param> = ids.iter().map(|id| -> &dyn Param { id }).collect();
        self.0.run_in("UPDATE users SET status = 'disabled' WHERE id", &[], &list, "").await.map(drop)
    }

    /// Writes people, new and known, by id; the version of known ones grows. A password hash of none keeps the stored
    /// one, an empty one forgets it.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when a login name is taken, otherwise when the database fails.
    pub async fn upsert(&mut self, users: &[User]) -> Result<(), StoreError> {
        let rows: Vec<Vec<&dyn Param>> = users
            .iter()
            .map(|u| -> Vec<&dyn Param> {
                vec![
                    &u.id,
                    &u.source,
                    &u.login,
                    &u.login_key,
                    &u.employee_number,
                    &u.display_name,
                    &u.given_name,
                    &u.family_name,
                    &u.mail,
                    &u.mobile,
                    &u.title,
                    &u.department_id,
                    &u.position_id,
                    &u.manager_id,
                    &u.attributes,
                    &u.password_hash,
                    &u.status,
                    &u.status_reason,
                    &u.disabled_at,
                    &u.version,
                    &u.created_at,
                    &u.updated_at,
                    &u.starts_on,
                    &u.ends_on,
                ]
            })
            .collect();
        self.0.insert_rows(UPSERT, &rows, UPSERT_TAIL).await.map(drop)
    }

    /// Lets the version of these people grow: something that policy looks at has changed.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn touch(&mut self, ids: &[UserId], at: Instant) -> Result<(), StoreError> {
        let list: Vec<&dyn Param> = ids.iter().map(|id| -> &dyn Param { id }).collect();
        let head = "UPDATE users SET version = version + 1, updated_at = $1 WHERE id";
        self.0.run_in(head, &[&at], &list, "").await.map(drop)
    }

    /// Lets the version of everybody the source owns grow.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn touch_source(&mut self, source: &str, at: Instant) -> Result<(), StoreError> {
        let sql = "UPDATE users SET version = version + 1, updated_at = $2 WHERE source = $1";
        self.0.run(sql, &[&source, &at]).await.map(drop)
    }
}
