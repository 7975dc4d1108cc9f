//! What people do besides their primary assignment, and what kind of place they do it in.

use serde::{Deserialize, Serialize};

use super::{ActingId, DepartmentId, PositionId, UserId};
use crate::string_enum;
use crate::time::{Date, Instant};

string_enum! {
    /// What kind of node of the org tree a department is.
    DepartmentKind {
        /// The company as a whole.
        Company = "company",
        /// A company within it, with a legal entity of its own.
        Subsidiary = "subsidiary",
        /// Any other.
        Department = "department",
    }
}

/// A concurrent assignment (兼职): a further department a person works in. The primary one is part of [`super::User`].
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize, sqlx::FromRow)]
pub struct Assignment {
    /// The department.
    pub department_id: DepartmentId,
    /// The position held there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub position_id: Option<PositionId>,
    /// The manager there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub manager_id: Option<UserId>,
    /// First day.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub starts_on: Option<Date>,
    /// Last day.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ends_on: Option<Date>,
    /// Whether today is one of its days: kept by the sync and by the job at midnight.
    pub in_force: bool,
}

impl Assignment {
    /// Whether `day` is within the first and the last day, both included; a missing one is no limit.
    #[must_use]
    pub fn covers(starts_on: Option<Date>, ends_on: Option<Date>, day: Date) -> bool {
        starts_on.is_none_or(|first| first <= day) && ends_on.is_none_or(|last| day <= last)
    }
}

/// Somebody acts for somebody else (代理): what rules give with `deputies = true` they have too, as long as it is in force.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, sqlx::FromRow)]
pub struct Acting {
    /// Id.
    pub id: ActingId,
    /// Who is acted for.
    pub user_id: UserId,
    /// Who acts.
    pub deputy_id: UserId,
    /// First day.
    pub starts_on: Option<Date>,
    /// Last day.
    pub ends_on: Option<Date>,
    /// Whether today is one of its days.
    pub in_force: bool,
    /// Why, in a person's words.
    pub reason: Option<String>,
    /// Who set it: `source:NAME` or an operator.
    pub set_by: String,
    /// When it was set.
    pub created_at: Instant,
}

#[cfg(test)]
mod tests {
    use super::Assignment;

    #[test]
    fn first_and_last_day_are_included() {
        let day = |text: &str| Some(text.parse().unwrap());
        let covers = |from, to, at: &str| Assignment::covers(from, to, at.parse().unwrap());
        assert!(covers(None, None, "2026-11-22"));
        assert!(covers(day("2026-11-22"), day("2026-11-22"), "2026-11-22"));
        assert!(!covers(day("2026-11-23"), None, "2026-11-22"));
        assert!(!covers(None, day("2026-11-21"), "2026-11-22"));
    }
}
