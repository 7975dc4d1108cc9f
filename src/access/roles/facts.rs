//! What rules look at, and what they give.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use crate::model::{Assignment, Attributes, DepartmentId, DepartmentKind, GroupId, Member, PositionId, UserId};

/// A person, as rules see them.
#[derive(Clone, Copy, Debug)]
pub struct RolePerson<'a> {
    /// Our id.
    pub id: UserId,
    /// Department of the primary assignment.
    pub department: Option<DepartmentId>,
    /// Position of the primary assignment.
    pub position: Option<PositionId>,
    /// Job title.
    pub title: Option<&'a str>,
    /// Employee number.
    pub employee_number: Option<&'a str>,
    /// Mail address.
    pub mail: Option<&'a str>,
    /// Further mapped attributes.
    pub attributes: &'a Attributes,
    /// Manager of the primary assignment.
    pub manager: Option<UserId>,
    /// Concurrent assignments; only those in force count.
    pub assignments: &'a [Assignment],
}

impl RolePerson<'_> {
    /// Concurrent assignments in force.
    pub(super) fn concurrent(&self) -> impl Iterator<Item = &Assignment> {
        self.assignments.iter().filter(|assignment| assignment.in_force)
    }
}

/// A department, as rules see it.
#[derive(Clone, Copy, Debug)]
pub struct RoleDepartment<'a> {
    /// Code.
    pub code: &'a str,
    /// The department above.
    pub parent: Option<DepartmentId>,
    /// What kind of node it is.
    pub kind: DepartmentKind,
    /// Who heads it.
    pub head: Option<UserId>,
    /// Its own cost centre.
    pub cost_centre: Option<&'a str>,
    /// Its own legal entity.
    pub legal_entity: Option<&'a str>,
}

impl<'a> RoleDepartment<'a> {
    /// A department of which nothing else is known.
    #[must_use]
    pub const fn plain(code: &'a str, parent: Option<DepartmentId>) -> Self {
        let kind = DepartmentKind::Department;
        Self { code, parent, kind, head: None, cost_centre: None, legal_entity: None }
    }
}

/// Everything rules look at.
#[derive(Clone, Debug, Default)]
pub struct RoleFacts<'a> {
    /// Active people.
    pub people: Vec<RolePerson<'a>>,
    /// Active departments.
    pub departments: HashMap<DepartmentId, RoleDepartment<'a>>,
    /// Active positions: code.
    pub positions: HashMap<PositionId, &'a str>,
    /// Active groups: code.
    pub groups: HashMap<GroupId, &'a str>,
    /// Memberships.
    pub members: Vec<Member>,
    /// People to whom somebody reports, besides those that `people` name as managers: for evaluations over a part.
    pub managers: HashSet<UserId>,
    /// Who acts today for whom: (deputy, who is acted for).
    pub acting: Vec<(UserId, UserId)>,
}

/// One grant: cheap to clone.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct GrantKey {
    /// The person.
    pub user_id: UserId,
    /// The role.
    pub role: Arc<str>,
    /// Id of the rule.
    pub rule: Arc<str>,
    /// Code of the department for which it holds, with everything below; empty where it holds everywhere.
    pub scope: Arc<str>,
}
