//! The facts of a person that policy looks at, in one query.

use super::{StoreError, Tx};
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
        let sql = "WITH RECURSIVE above (id, parent_id, code) AS ( \
                     SELECT d.id, d.parent_id, d.code FROM departments d \
                       JOIN users u ON u.department_id = d.id WHERE u.id = $1 \
                     UNION \
                     SELECT d.id, d.parent_id, d.code FROM departments d \
                       JOIN assignments a ON a.department_id = d.id WHERE a.user_id = $1 AND a.in_force \
                     UNION \
                     SELECT d.id, d.parent_id, d.code FROM departments d JOIN above a ON d.id = a.parent_id), \
                   belongs (id, code) AS ( \
                     SELECT g.id, g.code FROM groups g JOIN group_members m ON m.group_id = g.id \
                       WHERE m.member_kind = 'user' AND m.member_id = $1 AND g.status = 'active' \
                     UNION \
                     SELECT g.id, g.code FROM groups g JOIN group_members m ON m.group_id = g.id \
                       JOIN belongs b ON m.member_id = b.id \
                       WHERE m.member_kind = 'group' AND g.status = 'active') \
                   SELECT 'department' AS kind, code FROM above \
                   UNION SELECT 'group', code FROM belongs \
                   UNION SELECT 'position', p.code FROM positions p JOIN users u ON u.position_id = p.id \
                     WHERE u.id = $1 AND p.status = 'active' \
                   UNION SELECT 'post', p.code FROM positions p JOIN assignments a ON a.position_id = p.id \
                     WHERE a.user_id = $1 AND a.in_force AND p.status = 'active' \
                   UNION SELECT 'heads', code FROM departments WHERE head_id = $1 AND status = 'active' \
                   UNION SELECT 'acts_for', u.login FROM acting a JOIN users u ON u.id = a.user_id \
                     WHERE a.deputy_id = $1 AND a.in_force AND u.status <> 'deleted' \
                   UNION SELECT CASE scope WHEN '' THEN 'role' ELSE 'scoped' END, \
                                CASE scope WHEN '' THEN role ELSE role || '@' || scope END \
                     FROM role_grants WHERE user_id = $1 \
                   ORDER BY kind, code";
        self.0.all(sql, &[&user]).await
    }
}
