//! People and the organisation they work in.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use sqlx::types::Json;

use super::{Assignment, DepartmentId, DepartmentKind, GroupId, PositionId, UserId};
use crate::string_enum;
use crate::time::{Date, Instant};

/// Further attributes that the mapping names: attribute → values, sorted.
pub type Attributes = BTreeMap<String, Vec<String>>;

string_enum! {
    /// Whether an object may be used. Only a sealed snapshot disables, only time deletes.
    Status {
        /// In use.
        Active = "active",
        /// Locked out, everything kept: may come back.
        Disabled = "disabled",
        /// Past the grace period; the row stays for the record.
        Deleted = "deleted",
    }
}

/// A person.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, sqlx::FromRow)]
pub struct User {
    /// Our id, stable for life: the `sub` of every token.
    pub id: UserId,
    /// The source that owns the account.
    pub source: String,
    /// Login name as the source spells it.
    pub login: String,
    /// Login name folded for comparison (see [`crate::text::fold`]).
    pub login_key: String,
    /// Employee number (工号).
    pub employee_number: Option<String>,
    /// Name as shown.
    pub display_name: String,
    /// Given name.
    pub given_name: Option<String>,
    /// Family name.
    pub family_name: Option<String>,
    /// Mail address.
    pub mail: Option<String>,
    /// Mobile number.
    pub mobile: Option<String>,
    /// Job title as free text.
    pub title: Option<String>,
    /// Department of the primary assignment.
    pub department_id: Option<DepartmentId>,
    /// Position of the primary assignment.
    pub position_id: Option<PositionId>,
    /// Manager of the primary assignment.
    pub manager_id: Option<UserId>,
    /// Further mapped attributes.
    pub attributes: Json<Attributes>,
    /// Argon2id PHC string, only where the source delivers one (LDIF).
    #[serde(skip)]
    pub password_hash: Option<String>,
    /// May the person sign in.
    pub status: Status,
    /// Why the status is what it is (a code such as `source_disabled`, `absent`).
    pub status_reason: Option<String>,
    /// Since when disabled.
    pub disabled_at: Option<Instant>,
    /// Grows with every change: caches key on it.
    pub version: i64,
    /// When first seen.
    pub created_at: Instant,
    /// When last changed.
    pub updated_at: Instant,
    /// First day of employment; before it nobody signs in.
    pub starts_on: Option<Date>,
    /// Last day of employment; after it nobody signs in.
    pub ends_on: Option<Date>,
    /// Concurrent assignments (兼职), in force or not. Loaded with the people of a source
    /// ([`crate::store::Users::list_by_source`]); empty where one person is looked up.
    #[sqlx(skip)]
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub assignments: Vec<Assignment>,
}

/// A node of the org tree: company, subsidiary, department.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, sqlx::FromRow)]
pub struct Department {
    /// Our id.
    pub id: DepartmentId,
    /// The owning source.
    pub source: String,
    /// Code, unique within the source.
    pub code: String,
    /// Name as shown.
    pub name: String,
    /// The department above.
    pub parent_id: Option<DepartmentId>,
    /// Order among siblings.
    pub sort_order: i64,
    /// In use or not.
    pub status: Status,
    /// When first seen.
    pub created_at: Instant,
    /// When last changed.
    pub updated_at: Instant,
    /// What kind of node it is.
    pub kind: DepartmentKind,
    /// Who heads it (负责人).
    pub head_id: Option<UserId>,
    /// Cost centre (成本中心); what is below inherits it.
    pub cost_centre: Option<String>,
    /// Legal entity (法人实体) that employs its people; what is below inherits it.
    pub legal_entity: Option<String>,
}

/// A post that people hold.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, sqlx::FromRow)]
pub struct Position {
    /// Our id.
    pub id: PositionId,
    /// The owning source.
    pub source: String,
    /// Code, unique within the source.
    pub code: String,
    /// Name as shown.
    pub name: String,
    /// In use or not.
    pub status: Status,
    /// When first seen.
    pub created_at: Instant,
    /// When last changed.
    pub updated_at: Instant,
}

/// A set of people and of other groups.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, sqlx::FromRow)]
pub struct Group {
    /// Our id.
    pub id: GroupId,
    /// The owning source.
    pub source: String,
    /// Code, unique within the source.
    pub code: String,
    /// Name as shown.
    pub name: String,
    /// In use or not.
    pub status: Status,
    /// When first seen.
    pub created_at: Instant,
    /// When last changed.
    pub updated_at: Instant,
}
