//! What a step of a plan is about, in a person's words: joined, left, moved …

use super::{Change, ChangeKind, Document, ObjectKind};
use crate::string_enum;

string_enum! {
    /// What a group of steps is about; a message `sync-step-…` says it in words. In the order in which they are shown.
    StepGroup {
        /// New people.
        Joined = "joined",
        /// People the source no longer returns.
        Left = "left",
        /// People whom the source locks out.
        LockedOut = "locked_out",
        /// People let in again.
        Returned = "returned",
        /// People in another department.
        Moved = "moved",
        /// People whose name or login name differs.
        Renamed = "renamed",
        /// People whose other attributes differ.
        Changed = "changed",
        /// Departments with another place in the tree: one step each, whoever is below.
        DepartmentsMoved = "departments_moved",
        /// Departments made, changed, in and out of use.
        Departments = "departments",
        /// Positions.
        Positions = "positions",
        /// Groups.
        Groups = "groups",
        /// Memberships.
        Memberships = "memberships",
        /// Roles that rules begin to give.
        RoleGained = "role_gained",
        /// Roles that rules cease to give.
        RoleLost = "role_lost",
    }
}

impl StepGroup {
    /// What a change is about.
    #[must_use]
    pub fn of(change: &Change) -> Self {
        match (change.object_kind, change.kind) {
            (_, ChangeKind::RoleGranted) => Self::RoleGained,
            (_, ChangeKind::RoleRevoked) => Self::RoleLost,
            (_, ChangeKind::MemberAdded | ChangeKind::MemberRemoved) => Self::Memberships,
            (ObjectKind::Department, ChangeKind::Moved) => Self::DepartmentsMoved,
            (ObjectKind::Department, _) => Self::Departments,
            (ObjectKind::Position, _) => Self::Positions,
            (ObjectKind::Group, _) => Self::Groups,
            (ObjectKind::User, ChangeKind::Created) => Self::Joined,
            (ObjectKind::User, ChangeKind::Moved) => Self::Moved,
            (ObjectKind::User, ChangeKind::Enabled) => Self::Returned,
            (ObjectKind::User, ChangeKind::Disabled) if is_locked_out(change) => Self::LockedOut,
            (ObjectKind::User, ChangeKind::Disabled | ChangeKind::Deleted) => Self::Left,
            (ObjectKind::User, _) if is_renamed(change) => Self::Renamed,
            (ObjectKind::User, _) => Self::Changed,
        }
    }
}

fn is_locked_out(change: &Change) -> bool {
    field(change.after.as_ref(), "status_reason").as_deref() == Some("source_disabled")
}

fn is_renamed(change: &Change) -> bool {
    ["login", "display_name"].iter().any(|key| field(change.before.as_ref(), key) != field(change.after.as_ref(), key))
}

fn field(document: Option<&Document>, key: &str) -> Option<String> {
    document?.field(key)
}
