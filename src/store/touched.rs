//! What an increment looks at of people and their organisation: set-based, by id, in numbers that follow what changed.

use uuid::Uuid;

use super::{Param, StoreError, Tx};
use crate::model::{Department, DepartmentId, Group, GroupId, Member, Position, PositionId, RoleGrant, User, UserId};

/// Store functions of increments.
#[derive(Debug)]
pub struct Touched<'a>(&'a mut Tx);

impl Tx {
    /// What an increment looks at.
    pub fn touched(&mut self) -> Touched<'_> {
        Touched(self)
    }
}

fn params<T: Param>(list: &[T]) -> Vec<&dyn Param> {
    list.iter().map(|item| -> &dyn Param { item }).collect()
}

impl Touched<'_> {
    /// These people, without their concurrent assignments.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn people(&mut self, ids: &[UserId]) -> Result<Vec<User>, StoreError> {
        self.0.all_in("SELECT * FROM users WHERE id", &[], &params(ids), "").await
    }

    /// People of these departments, also by a concurrent assignment, and of all below them.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn people_below(&mut self, departments: &[DepartmentId]) -> Result<Vec<User>, StoreError> {
        let head = "WITH RECURSIVE below (id) AS (SELECT id FROM departments WHERE id";
        let tail = "UNION SELECT d.id FROM departments d JOIN below b ON d.parent_id = b.id) \
                    SELECT u.* FROM users u WHERE u.department_id IN (SELECT id FROM below) OR u.id IN \
                    (SELECT a.user_id FROM assignments a JOIN below b ON a.department_id = b.id)";
        self.0.all_in(head, &[], &params(departments), tail).await
    }

    /// People who are managed by one of these, with their concurrent assignments.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn reports(&mut self, managers: &[UserId]) -> Result<Vec<User>, StoreError> {
        let mut users: Vec<User> =
            self.0.all_in("SELECT * FROM users WHERE manager_id", &[], &params(managers), "").await?;
        let ids: Vec<UserId> = users.iter().map(|user| user.id).collect();
        let mut assignments = self.0.assignments().list_by_users(&ids).await?;
        for user in &mut users {
            user.assignments = assignments.remove(&user.id).unwrap_or_default();
        }
        Ok(users)
    }

    /// Who reports to one of these, also in a concurrent assignment that is in force: (manager, active person).
    ///
    /// # Errors
    /// When the database fails.
    pub async fn reporting(&mut self, managers: &[UserId]) -> Result<Vec<(UserId, UserId)>, StoreError> {
        let head = "SELECT manager_id, id FROM users WHERE status = 'active' AND manager_id";
        let mut all: Vec<(UserId, UserId)> = self.0.all_in(head, &[], &params(managers), "").await?;
        let head = "SELECT a.manager_id, a.user_id FROM assignments a JOIN users u ON u.id = a.user_id \
                    WHERE a.in_force = $1 AND u.status = 'active' AND a.manager_id";
        all.extend(self.0.all_in::<(UserId, UserId)>(head, &[&true], &params(managers), "").await?);
        Ok(all)
    }

    /// Departments that one of these heads.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn headed(&mut self, people: &[UserId]) -> Result<Vec<(DepartmentId,)>, StoreError> {
        self.0.all_in("SELECT id FROM departments WHERE head_id", &[], &params(people), "").await
    }

    /// Which of these folded login names active people of other sources have.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn foreign_logins(&mut self, source: &str, logins: &[String]) -> Result<Vec<(String,)>, StoreError> {
        let head = "SELECT login_key FROM users WHERE source <> $1 AND status = 'active' AND login_key";
        self.0.all_in(head, &[&source], &params(logins), "").await
    }

    /// Active people of the source with one of these folded login names: (id, login name).
    ///
    /// # Errors
    /// When the database fails.
    pub async fn by_logins(&mut self, source: &str, logins: &[String]) -> Result<Vec<(UserId, String)>, StoreError> {
        let head = "SELECT id, login_key FROM users WHERE source = $1 AND status = 'active' AND login_key";
        self.0.all_in(head, &[&source], &params(logins), "").await
    }

    /// Active people of the source with one of these employee numbers: (id, number).
    ///
    /// # Errors
    /// When the database fails.
    pub async fn by_numbers(&mut self, source: &str, numbers: &[String]) -> Result<Vec<(UserId, String)>, StoreError> {
        let head = "SELECT id, employee_number FROM users WHERE source = $1 AND status = 'active' AND employee_number";
        self.0.all_in(head, &[&source], &params(numbers), "").await
    }

    /// Which of these employee numbers anybody has or had.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn known_numbers(&mut self, numbers: &[String]) -> Result<Vec<(String,)>, StoreError> {
        self.0.all_in("SELECT employee_number FROM users WHERE employee_number", &[], &params(numbers), "").await
    }

    /// Which of these folded login names somebody has who is locked out.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn locked_logins(&mut self, logins: &[String]) -> Result<Vec<(String,)>, StoreError> {
        self.0
            .all_in("SELECT login_key FROM users WHERE status <> 'active' AND login_key", &[], &params(logins), "")
            .await
    }

    /// How many people whom the source still returns hold each of these positions.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn holders(&mut self, source: &str, ids: &[PositionId]) -> Result<Vec<(PositionId, i64)>, StoreError> {
        let head = "SELECT u.position_id, COUNT(*) FROM users u JOIN links l ON l.object_id = u.id AND l.source = $1 \
                    WHERE l.digest <> 'gone' AND u.position_id";
        self.0.all_in(head, &[&source], &params(ids), "GROUP BY u.position_id").await
    }

    /// How many people whom the source still returns are in each of these departments.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn residents(
        &mut self,
        source: &str,
        ids: &[DepartmentId],
    ) -> Result<Vec<(DepartmentId, i64)>, StoreError> {
        let head = "SELECT u.department_id, COUNT(*) FROM users u JOIN links l ON l.object_id = u.id AND l.source = $1 \
                    WHERE l.digest <> 'gone' AND u.department_id";
        self.0.all_in(head, &[&source], &params(ids), "GROUP BY u.department_id").await
    }

    /// These departments and all above them.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn departments_above(&mut self, ids: &[DepartmentId]) -> Result<Vec<Department>, StoreError> {
        let head = "WITH RECURSIVE above (id) AS (SELECT id FROM departments WHERE id";
        let tail = "UNION SELECT d.parent_id FROM departments d JOIN above a ON d.id = a.id \
                    WHERE d.parent_id IS NOT NULL) SELECT d.* FROM departments d JOIN above a ON d.id = a.id";
        self.0.all_in(head, &[], &params(ids), tail).await
    }

    /// These positions.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn positions(&mut self, ids: &[PositionId]) -> Result<Vec<Position>, StoreError> {
        self.0.all_in("SELECT * FROM positions WHERE id", &[], &params(ids), "").await
    }

    /// These groups.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn groups(&mut self, ids: &[GroupId]) -> Result<Vec<Group>, StoreError> {
        self.0.all_in("SELECT * FROM groups WHERE id", &[], &params(ids), "").await
    }

    /// Active groups of the source with one of these codes: (id, code).
    ///
    /// # Errors
    /// When the database fails.
    pub async fn by_codes(&mut self, source: &str, codes: &[String]) -> Result<Vec<(GroupId, String)>, StoreError> {
        let head = "SELECT id, code FROM groups WHERE source = $1 AND status = 'active' AND code";
        self.0.all_in(head, &[&source], &params(codes), "").await
    }

    /// Members of these groups themselves.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn members(&mut self, groups: &[GroupId]) -> Result<Vec<Member>, StoreError> {
        self.0.all_in("SELECT * FROM group_members WHERE group_id", &[], &params(groups), "").await
    }

    /// How many members each of these groups has.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn sizes(&mut self, groups: &[GroupId]) -> Result<Vec<(GroupId, i64)>, StoreError> {
        let head = "SELECT group_id, COUNT(*) FROM group_members WHERE group_id";
        self.0.all_in(head, &[], &params(groups), "GROUP BY group_id").await
    }

    /// Memberships of these people and groups, and those of the groups above, up to the top. Loops end.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn memberships(&mut self, members: &[Uuid]) -> Result<Vec<Member>, StoreError> {
        let head = "WITH RECURSIVE up (group_id, member_kind, member_id) AS ( \
                    SELECT group_id, member_kind, member_id FROM group_members WHERE member_id";
        let tail = "UNION SELECT m.group_id, m.member_kind, m.member_id FROM group_members m \
                    JOIN up ON m.member_kind = 'group' AND m.member_id = up.group_id) \
                    SELECT group_id, member_kind, member_id FROM up";
        self.0.all_in(head, &[], &params(members), tail).await
    }

    /// Memberships within these groups and the groups within them, down to the people. Loops end.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn within(&mut self, groups: &[GroupId]) -> Result<Vec<Member>, StoreError> {
        let head = "WITH RECURSIVE down (group_id, member_kind, member_id) AS ( \
                    SELECT group_id, member_kind, member_id FROM group_members WHERE group_id";
        let tail = "UNION SELECT m.group_id, m.member_kind, m.member_id FROM group_members m \
                    JOIN down ON down.member_kind = 'group' AND m.group_id = down.member_id) \
                    SELECT group_id, member_kind, member_id FROM down";
        self.0.all_in(head, &[], &params(groups), tail).await
    }

    /// Groups that these people and groups are members of themselves: (group, member).
    ///
    /// # Errors
    /// When the database fails.
    pub async fn groups_of(&mut self, members: &[Uuid]) -> Result<Vec<(GroupId, Uuid)>, StoreError> {
        self.0.all_in("SELECT group_id, member_id FROM group_members WHERE member_id", &[], &params(members), "").await
    }

    /// Roles of these people.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn grants(&mut self, people: &[UserId]) -> Result<Vec<RoleGrant>, StoreError> {
        self.0.all_in("SELECT * FROM role_grants WHERE user_id", &[], &params(people), "").await
    }

    /// How many roles people of the source hold.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn count_grants(&mut self, source: &str) -> Result<i64, StoreError> {
        let sql = "SELECT COUNT(*) FROM role_grants r JOIN users u ON u.id = r.user_id WHERE u.source = $1";
        let (count,): (i64,) = self.0.one(sql, &[&source]).await?;
        Ok(count)
    }
}
