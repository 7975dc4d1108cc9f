//! Everybody with everything that rules look at, loaded at once: for questions about all of them that write nothing.

use std::collections::{BTreeMap, HashMap};

use serde::Serialize;

use super::roles::{GrantKey, RoleDepartment, RoleFacts, RolePerson};
use super::separation::Tree;
use crate::model::{Acting, Department, DepartmentId, Group, Member, Position, RoleGrant, Status, User, UserId};
use crate::store::{StoreError, Tx};

/// The whole organisation: active people, and what they belong to.
#[derive(Clone, Debug, Default)]
pub struct Everybody {
    /// Active people.
    pub users: Vec<User>,
    /// Active departments.
    pub departments: HashMap<DepartmentId, Department>,
    /// The grants of active people.
    pub grants: Vec<GrantKey>,
    positions: Vec<Position>,
    groups: Vec<Group>,
    members: Vec<Member>,
    acting: Vec<Acting>,
}

impl Everybody {
    /// Loads it, a query a table.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn load(tx: &mut Tx) -> Result<Self, StoreError> {
        let users = tx.users().list_active().await?;
        let departments = tx.departments().list().await?.into_iter().filter(|row| row.status == Status::Active);
        let departments = departments.map(|row| (row.id, row)).collect();
        let mut grants: Vec<GrantKey> = tx.role_grants().list_active().await?.iter().map(GrantKey::from).collect();
        grants.sort_unstable();
        Ok(Self {
            users,
            departments,
            grants,
            positions: tx.positions().list_active().await?,
            groups: tx.groups().list_active().await?,
            members: tx.groups().list_all_members().await?,
            acting: tx.acting().list().await?,
        })
    }

    /// What rules look at.
    #[must_use]
    pub fn facts(&self) -> RoleFacts<'_> {
        RoleFacts {
            people: self.users.iter().map(RolePerson::from).collect(),
            departments: self.departments.iter().map(|(id, row)| (*id, RoleDepartment::from(row))).collect(),
            positions: self.positions.iter().map(|row| (row.id, row.code.as_str())).collect(),
            groups: self.groups.iter().map(|row| (row.id, row.code.as_str())).collect(),
            members: self.members.clone(),
            acting: self.acting.iter().filter(|row| row.in_force).map(|row| (row.deputy_id, row.user_id)).collect(),
            ..RoleFacts::default()
        }
    }

    /// The tree of departments by code.
    #[must_use]
    pub fn tree(&self) -> Tree {
        Tree::new(&self.facts().departments)
    }

    /// People by id.
    #[must_use]
    pub fn people(&self) -> HashMap<UserId, &User> {
        self.users.iter().map(|user| (user.id, user)).collect()
    }
}

impl<'a> From<&'a User> for RolePerson<'a> {
    fn from(user: &'a User) -> Self {
        Self {
            id: user.id,
            department: user.department_id,
            position: user.position_id,
            title: user.title.as_deref(),
            employee_number: user.employee_number.as_deref(),
            mail: user.mail.as_deref(),
            attributes: &user.attributes.0,
            manager: user.manager_id,
            assignments: &user.assignments,
        }
    }
}

impl<'a> From<&'a Department> for RoleDepartment<'a> {
    fn from(row: &'a Department) -> Self {
        Self {
            code: &row.code,
            parent: row.parent_id,
            kind: row.kind,
            head: row.head_id,
            cost_centre: row.cost_centre.as_deref(),
            legal_entity: row.legal_entity.as_deref(),
        }
    }
}

impl From<&RoleGrant> for GrantKey {
    fn from(grant: &RoleGrant) -> Self {
        let RoleGrant { user_id, role, rule, scope, .. } = grant;
        Self { user_id: *user_id, role: role.as_str().into(), rule: rule.as_str().into(), scope: scope.as_str().into() }
    }
}

/// Somebody's role, named for people.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize)]
pub struct Held {
    /// Code of the department of the primary assignment; empty for none.
    pub department: String,
    /// Login name.
    pub login: String,
    /// Name as shown.
    pub name: String,
    /// Code of the department for which the role holds; empty where it holds everywhere.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub scope: String,
    /// The rule that gives it, or gave it.
    pub rule: String,
}

/// How many in one department.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize)]
pub struct Count {
    /// People who would gain the role.
    pub gain: u64,
    /// People who would lose it.
    pub lose: u64,
}

/// What would change for one role.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize)]
pub struct Shift {
    /// Who would gain it.
    pub gain: Vec<Held>,
    /// Who would lose it.
    pub lose: Vec<Held>,
    /// By department of the primary assignment.
    pub departments: BTreeMap<String, Count>,
}

/// Who would gain and lose which role if these were the grants. A role held by another rule as well is not lost, and not
/// gained either: what counts is the role and its scope. Roles of which nothing would change are left out.
#[must_use]
pub fn shift(everybody: &Everybody, wanted: &[GrantKey]) -> BTreeMap<String, Shift> {
    let holds = |grants: &[GrantKey]| -> BTreeMap<(UserId, String, String), String> {
        let each =
            grants.iter().map(|of| ((of.user_id, of.role.to_string(), of.scope.to_string()), of.rule.to_string()));
        each.collect()
    };
    let (before, after) = (holds(&everybody.grants), holds(wanted));
    let people = everybody.people();
    let mut shifts: BTreeMap<String, Shift> = BTreeMap::new();
    let gained = after.iter().filter(|(key, _)| !before.contains_key(*key)).map(|of| (of, true));
    let lost = before.iter().filter(|(key, _)| !after.contains_key(*key)).map(|of| (of, false));
    for (((id, role, scope), rule), is_gain) in gained.chain(lost) {
        let Some(user) = people.get(id) else { continue };
        let department = user.department_id.and_then(|id| everybody.departments.get(&id));
        let held = Held {
            department: department.map(|row| row.code.clone()).unwrap_or_default(),
            login: user.login.clone(),
            name: user.display_name.clone(),
            scope: scope.clone(),
            rule: rule.clone(),
        };
        let shift = shifts.entry(role.clone()).or_default();
        let count = shift.departments.entry(held.department.clone()).or_default();
        if is_gain {
            count.gain += 1;
            shift.gain.push(held);
        } else {
            count.lose += 1;
            shift.lose.push(held);
        }
    }
    for shift in shifts.values_mut() {
        shift.gain.sort();
        shift.lose.sort();
    }
    shifts
}
