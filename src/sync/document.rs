//! The documents of changes: an object before and after, as shown, stored and applied.
//!
//! They hold what the source decides; times and versions are set by the apply. Password hashes are never part of them:
//! a fingerprint says that there is another one.

use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;
use uuid::Uuid;

use crate::crypto::sha256_hex;
use crate::model::{
    Assignment, Attributes, Department, DepartmentId, DepartmentKind, Document, Group, ObjectKind, Position,
    PositionId, Status, User, UserId,
};
use crate::time::Date;

/// A person.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(super) struct UserDocument {
    pub login: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub employee_number: Option<String>,
    pub display_name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub given_name: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub family_name: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mail: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mobile: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub department_id: Option<DepartmentId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub position_id: Option<PositionId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub manager_id: Option<UserId>,
    #[serde(
        default,
        skip_serializing_if = "is_none",
        serialize_with = "write_shared",
        deserialize_with = "read_shared"
    )]
    pub attributes: Arc<Attributes>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password: Option<String>,
    pub status: Status,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status_reason: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub starts_on: Option<Date>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ends_on: Option<Date>,
    /// Concurrent ones.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub assignments: Vec<Assignment>,
    /// Who owns the account, only where that changes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
}

impl UserDocument {
    pub fn of(user: &User) -> Self {
        Self {
            login: user.login.clone(),
            employee_number: user.employee_number.clone(),
            display_name: user.display_name.clone(),
            given_name: user.given_name.clone(),
            family_name: user.family_name.clone(),
            mail: user.mail.clone(),
            mobile: user.mobile.clone(),
            title: user.title.clone(),
            department_id: user.department_id,
            position_id: user.position_id,
            manager_id: user.manager_id,
            attributes: Arc::new(user.attributes.0.clone()),
            password: fingerprint(user.password_hash.as_deref()),
            status: user.status,
            status_reason: user.status_reason.clone(),
            starts_on: user.starts_on,
            ends_on: user.ends_on,
            assignments: user.assignments.clone(),
            source: None,
        }
    }
}

fn is_none(attributes: &Arc<Attributes>) -> bool {
    attributes.is_empty()
}

fn write_shared<S: Serializer>(attributes: &Arc<Attributes>, to: S) -> Result<S::Ok, S::Error> {
    attributes.as_ref().serialize(to)
}

fn read_shared<'d, D: Deserializer<'d>>(from: D) -> Result<Arc<Attributes>, D::Error> {
    Attributes::deserialize(from).map(Arc::new)
}

/// What stands for a password hash in documents.
pub(super) fn fingerprint(hash: Option<&str>) -> Option<String> {
    hash.map(|hash| sha256_hex(hash.as_bytes()).chars().take(16).collect())
}

/// A department.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(super) struct DepartmentDocument {
    pub code: String,
    pub name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent_id: Option<DepartmentId>,
    pub sort_order: i64,
    pub status: Status,
    #[serde(default = "plain", skip_serializing_if = "is_plain")]
    pub kind: DepartmentKind,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub head_id: Option<UserId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost_centre: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub legal_entity: Option<String>,
}

const fn plain() -> DepartmentKind {
    DepartmentKind::Department
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "what serde calls")]
fn is_plain(kind: &DepartmentKind) -> bool {
    *kind == plain()
}

impl DepartmentDocument {
    pub fn of(department: &Department) -> Self {
        Self {
            code: department.code.clone(),
            name: department.name.clone(),
            parent_id: department.parent_id,
            sort_order: department.sort_order,
            status: department.status,
            kind: department.kind,
            head_id: department.head_id,
            cost_centre: department.cost_centre.clone(),
            legal_entity: department.legal_entity.clone(),
        }
    }
}

/// A position or a group.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(super) struct CodedDocument {
    pub code: String,
    pub name: String,
    pub status: Status,
}

impl CodedDocument {
    pub fn of_position(position: &Position) -> Self {
        Self { code: position.code.clone(), name: position.name.clone(), status: position.status }
    }

    pub fn of_group(group: &Group) -> Self {
        Self { code: group.code.clone(), name: group.name.clone(), status: group.status }
    }
}

/// A membership of the change's group.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(super) struct MemberDocument {
    pub member_kind: ObjectKind,
    pub member_id: Uuid,
}

/// A role of the change's person.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(super) struct RoleDocument {
    pub role: String,
    pub rule: String,
    /// Code of the department it holds for.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub scope: String,
}

/// What is counted by, of a document of any kind: nothing else of its text is looked at.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Glance {
    pub status: Option<Status>,
    pub department_id: Option<Uuid>,
    pub code: Option<String>,
    pub name: Option<String>,
    pub role: Option<String>,
}

impl Glance {
    pub fn at(document: Option<&Document>) -> Self {
        document.and_then(|document| document.read().ok()).unwrap_or_default()
    }

    pub fn is_active(&self) -> bool {
        self.status == Some(Status::Active)
    }
}

/// Something of ours as a value. It has string keys and finite numbers only, so this cannot fail.
pub(super) fn value(document: &impl Serialize) -> Value {
    serde_json::to_value(document).unwrap_or_default()
}
