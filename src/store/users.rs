//! People.

use uuid::Uuid;

use super::{Param, StoreError, Tx};
use crate::model::{Candidate, User, UserId};
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

    /// Everybody, as joining looks at them.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn candidates(&mut self) -> Result<Vec<Candidate>, StoreError> {
        let sql = "SELECT id, source, login_key, employee_number, mail, attributes, status, status_reason FROM users \
                   ORDER BY id";
        self.0.all(sql, &[]).await
    }

    /// The same of those with one of these employee numbers.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn candidates_by_number(&mut self, numbers: &[&str]) -> Result<Vec<Candidate>, StoreError> {
        let numbers: Vec<String> = numbers.iter().map(|number| (*number).to_owned()).collect();
        let list: Vec<&dyn Param> = numbers.iter().map(|number| -> &dyn Param { number }).collect();
        let head = "SELECT id, source, login_key, employee_number, mail, attributes, status, status_reason FROM users \
                    WHERE employee_number";
        self.0.all_in(head, &[], &list, "ORDER BY id").await
    }

    /// People of other sources whom this one knows or has in a group, and these.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn list_around(&mut self, source: &str, besides: &[Uuid]) -> Result<Vec<User>, StoreError> {
        let sql = "SELECT u.* FROM users u WHERE u.source <> $1 AND (u.id IN \
                   (SELECT object_id FROM links WHERE source = $1 AND kind = 'user') OR u.id IN \
                   (SELECT m.member_id FROM group_members m JOIN groups g ON g.id = m.group_id \
                   WHERE g.source = $1 AND m.member_kind = 'user'))";
        let mut all: Vec<User> = self.0.all(sql, &[&source]).await?;
        let list: Vec<&dyn Param> = besides.iter().map(|id| -> &dyn Param { id }).collect();
        all.extend(self.0.all_in("SELECT * FROM users WHERE id", &[], &list, "").await?);
        Ok(all)
    }

    /// People of the source who have been absent since before `before`.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn list_due(&mut self, source: &str, before: Instant) -> Result<Vec<(UserId,)>, StoreError> {
        let sql = "SELECT id FROM users WHERE source = $1 AND status = 'disabled' AND status_reason = 'absent' \
                   AND disabled_at < $2 ORDER BY disabled_at, id";
        self.0.all(sql, &[&source, &before]).await
    }

    /// Marks people deleted and forgets what is personal; what is left finds them again: id, source, employee number.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn reduce(&mut self, ids: &[UserId], at: Instant) -> Result<(), StoreError> {
        let list: Vec<&dyn Param> = ids.iter().map(|id| -> &dyn Param { id }).collect();
        let head = "UPDATE users SET status = 'deleted', login = '', login_key = '', display_name = '', \
                    given_name = NULL, family_name = NULL, mail = NULL, mobile = NULL, title = NULL, \
                    department_id = NULL, position_id = NULL, manager_id = NULL, attributes = $2, \
                    starts_on = NULL, ends_on = NULL, password_hash = NULL, version = version + 1, updated_at = $1 WHERE status = 'disabled' AND id";
        let nothing = super::Json(crate::model::Attributes::new());
        self.0.run_in(head, &[&at, &nothing], &list, "").await?;
        self.0.run_in("DELETE FROM role_grants WHERE user_id", &[], &list, "").await?;
        self.0.run_in("DELETE FROM assignments WHERE user_id", &[], &list, "").await?;
        self.0.run_in("DELETE FROM group_members WHERE member_kind = 'user' AND member_id", &[], &list, "").await?;
        Ok(())
    }

    /// People of `owner` whom `other` returns as well.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn shared_with(&mut self, owner: &str, other: &str) -> Result<Vec<User>, StoreError> {
        let sql = "SELECT u.* FROM users u JOIN links l ON l.object_id = u.id AND l.kind = 'user' \
                   WHERE u.source = $1 AND l.source = $2 AND l.digest <> 'gone' ORDER BY u.id";
        self.0.all(sql, &[&owner, &other]).await
    }

    /// Sources with the active people that they own.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn count_by_source(&mut self) -> Result<Vec<(String, i64)>, StoreError> {
        let sql = "SELECT source, COUNT(*) FROM users WHERE status = 'active' GROUP BY source ORDER BY source";
        self.0.all(sql, &[]).await
    }

    /// Makes `source` the owner of these people.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn hand_over(&mut self, ids: &[UserId], source: &str) -> Result<u64, StoreError> {
        let list: Vec<&dyn Param> = ids.iter().map(|id| -> &dyn Param { id }).collect();
        self.0.run_in("UPDATE users SET source = $1, version = version + 1 WHERE id", &[&source], &list, "").await
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
