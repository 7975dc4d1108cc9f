//! The facts of a person that policy looks at, in one query.

use super::{Param, StoreError, Tx};
use crate::model::UserId;

/// Store functions of facts.
#[derive(Debug)]
pub struct Facts<'a>(&'a mut Tx);

impl Tx {
    /// Facts of people.
    pub fn facts(&mut self) -> Facts<'_> {
        Facts(self)
    }
}

impl Facts<'_> {
    /// What the person belongs to, as (kind, code): the `department` and all above it, the `position`, every `group`
    /// directly or through nesting, every `role`; of concurrent assignments in force the `department` with all above and
    /// the `post`; departments the person `heads`; roles within a department as `scoped` (`role@department`); login
    /// names of people they act for as `acts_for`. A disabled position or group counts for nothing, and neither does what is
    /// reached through it only. UNION ends the recursion where the data holds a cycle.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn list(&mut self, user: UserId) -> Result<Vec<(String, String)>, StoreError> {
        let rows = self.of(&[&user]).await?;
        Ok(rows.into_iter().map(|(_, kind, code)| (kind, code)).collect())
    }

    /// The same for several people, as (person, kind, code): sorted for each of them.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn of(&mut self, users: &[&dyn Param]) -> Result<Vec<(UserId, String, String)>, StoreError> {
        let head = "WITH RECURSIVE people (id, department_id, position_id) AS ( \
                      SELECT id, department_id, position_id FROM users WHERE id";
        let tail = "), above (user_id, id, parent_id, code) AS ( \
                     SELECT p.id, d.id, d.parent_id, d.code FROM people p JOIN departments d ON d.id = p.department_id \
                     UNION \
                     SELECT p.id, d.id, d.parent_id, d.code FROM people p \
                       JOIN assignments a ON a.user_id = p.id JOIN departments d ON d.id = a.department_id \
                       WHERE a.in_force \
                     UNION \
                     SELECT a.user_id, d.id, d.parent_id, d.code FROM above a JOIN departments d ON d.id = a.parent_id), \
                   belongs (user_id, id, code) AS ( \
                     SELECT p.id, g.id, g.code FROM people p \
                       JOIN group_members m ON m.member_id = p.id AND m.member_kind = 'user' \
                       JOIN groups g ON g.id = m.group_id WHERE g.status = 'active' \
                     UNION \
                     SELECT b.user_id, g.id, g.code FROM belongs b \
                       JOIN group_members m ON m.member_id = b.id AND m.member_kind = 'group' \
                       JOIN groups g ON g.id = m.group_id WHERE g.status = 'active') \
                   SELECT user_id, 'department' AS kind, code FROM above \
                   UNION SELECT user_id, 'group', code FROM belongs \
                   UNION SELECT p.id, 'position', t.code FROM people p JOIN positions t ON t.id = p.position_id \
                     WHERE t.status = 'active' \
                   UNION SELECT p.id, 'post', t.code FROM people p JOIN assignments a ON a.user_id = p.id \
                     JOIN positions t ON t.id = a.position_id WHERE a.in_force AND t.status = 'active' \
                   UNION SELECT p.id, 'heads', d.code FROM people p JOIN departments d ON d.head_id = p.id \
                     WHERE d.status = 'active' \
                   UNION SELECT p.id, 'acts_for', u.login FROM people p JOIN acting a ON a.deputy_id = p.id \
                     JOIN users u ON u.id = a.user_id WHERE a.in_force AND u.status <> 'deleted' \
                   UNION SELECT p.id, CASE r.scope WHEN '' THEN 'role' ELSE 'scoped' END, \
                                CASE r.scope WHEN '' THEN r.role ELSE r.role || '@' || r.scope END \
                     FROM people p JOIN role_grants r ON r.user_id = p.id \
                   ORDER BY 1, 2, 3";
        self.0.all_in(head, &[], users, tail).await
    }
}
