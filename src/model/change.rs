//! Changes: one before/after step on one object. Plans, the change log and reports are made of them.

use uuid::Uuid;

use super::Document;
use crate::string_enum;

string_enum! {
    /// What kind of object a change is about.
    ObjectKind {
        /// A department.
        Department = "department",
        /// A position.
        Position = "position",
        /// A person.
        User = "user",
        /// A group.
        Group = "group",
    }
}

string_enum! {
    /// What happens to the object.
    ChangeKind {
        /// A new object (for a person: hired).
        Created = "created",
        /// Attributes differ.
        Changed = "changed",
        /// Moved to another place of the department tree.
        Moved = "moved",
        /// Locked out.
        Disabled = "disabled",
        /// Let in again.
        Enabled = "enabled",
        /// The grace period is over: what is personal is forgotten.
        Deleted = "deleted",
        /// A member joined a group.
        MemberAdded = "member_added",
        /// A member left a group.
        MemberRemoved = "member_removed",
        /// A role rule began to apply.
        RoleGranted = "role_granted",
        /// A role rule ceased to apply.
        RoleRevoked = "role_revoked",
    }
}

/// One step of a plan: `before` and `after` are whole documents of the object (or of the membership, or of the role).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Change {
    /// What happens.
    pub kind: ChangeKind,
    /// To what kind of object.
    pub object_kind: ObjectKind,
    /// To which object.
    pub object_id: Uuid,
    /// The object before; none when it is new.
    pub before: Option<Document>,
    /// The object after; none when something is taken away.
    pub after: Option<Document>,
}
