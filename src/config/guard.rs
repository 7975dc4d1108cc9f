//! `[source.guard]`: limits that hold a plan before anything of it is applied, and who may let it go on.

use serde::Deserialize;

use super::Lifetime;

/// What becomes of the first run of a source.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FirstRun {
    /// Applied: nobody is here yet whom it could harm.
    #[default]
    Apply,
    /// Held like a plan over a limit: somebody looks whether these are the right people.
    Hold,
}

/// `[source.guard]`: a plan is held when a number is *over* a limit, not at it. A rolling window counts what was
/// applied within a day or a week without anybody's approval, together with the plan.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct GuardConfig {
    /// Percent limits never hold fewer than this many.
    pub floor: i64,
    /// People disabled (also by absence) in one run.
    pub max_disabled: i64,
    /// The same as a percentage of the people the source owns.
    pub max_disabled_percent: f64,
    /// The same within a day, over all runs.
    pub max_disabled_per_day: i64,
    /// The same within a week.
    pub max_disabled_per_week: i64,
    /// People locked out in one run because they moved out of scope.
    pub max_moved_out: i64,
    /// People created in one run, once the source has people.
    pub max_created: i64,
    /// The same as a percentage of the people the source owns.
    pub max_created_percent: f64,
    /// The same within a day.
    pub max_created_per_day: i64,
    /// The same within a week.
    pub max_created_per_week: i64,
    /// Active people after the plan: seats that are paid for, say.
    pub max_people: Option<i64>,
    /// People (percent) whose one attribute changes in one run, whichever it is.
    pub max_attribute_changed_percent: f64,
    /// People (percent of those who have it) whose one attribute becomes empty in one run.
    pub max_attribute_emptied_percent: f64,
    /// Departments removed in one run.
    pub max_departments_removed: i64,
    /// The same as a percentage of the source's departments.
    pub max_departments_removed_percent: f64,
    /// The same within a day.
    pub max_departments_removed_per_day: i64,
    /// The same within a week.
    pub max_departments_removed_per_week: i64,
    /// Groups removed in one run.
    pub max_groups_removed: i64,
    /// The same as a percentage of the source's groups.
    pub max_groups_removed_percent: f64,
    /// The same within a day.
    pub max_groups_removed_per_day: i64,
    /// The same within a week.
    pub max_groups_removed_per_week: i64,
    /// Members removed from one group in one run.
    pub max_members_removed: i64,
    /// The same as a percentage of the group's members.
    pub max_members_removed_percent: f64,
    /// The same within a day.
    pub max_members_removed_per_day: i64,
    /// The same within a week.
    pub max_members_removed_per_week: i64,
    /// Roles revoked in one run.
    pub max_roles_revoked: i64,
    /// The same as a percentage of all roles granted.
    pub max_roles_revoked_percent: f64,
    /// The same within a day.
    pub max_roles_revoked_per_day: i64,
    /// The same within a week.
    pub max_roles_revoked_per_week: i64,
    /// Logins that no sync may ever disable.
    pub protected: Vec<String>,
    /// Codes of groups: no sync removes one or changes its members without an approval.
    pub protected_groups: Vec<String>,
    /// Roles that no sync gives or takes without an approval.
    pub protected_roles: Vec<String>,
    /// What becomes of the first run.
    pub first_run: FirstRun,
    /// How long a held plan may be approved.
    pub approval_expires: Lifetime,
    /// Whether two different operators have to agree before a held plan is applied.
    pub second_person: bool,
}

impl Default for GuardConfig {
    fn default() -> Self {
        Self {
            floor: 5,
            max_disabled: 100,
            max_disabled_percent: 5.0,
            max_disabled_per_day: 200,
            max_disabled_per_week: 500,
            max_moved_out: 50,
            max_created: 2_000,
            max_created_percent: 100.0,
            max_created_per_day: 4_000,
            max_created_per_week: 10_000,
            max_people: None,
            max_attribute_changed_percent: 30.0,
            max_attribute_emptied_percent: 5.0,
            max_departments_removed: 10,
            max_departments_removed_percent: 20.0,
            max_departments_removed_per_day: 20,
            max_departments_removed_per_week: 50,
            max_groups_removed: 20,
            max_groups_removed_percent: 20.0,
            max_groups_removed_per_day: 40,
            max_groups_removed_per_week: 100,
            max_members_removed: 1_000,
            max_members_removed_percent: 50.0,
            max_members_removed_per_day: 2_000,
            max_members_removed_per_week: 5_000,
            max_roles_revoked: 2_000,
            max_roles_revoked_percent: 10.0,
            max_roles_revoked_per_day: 4_000,
            max_roles_revoked_per_week: 10_000,
            protected: Vec::new(),
            protected_groups: Vec::new(),
            protected_roles: Vec::new(),
            first_run: FirstRun::Apply,
            approval_expires: Lifetime::seconds(3 * 86_400),
            second_person: false,
        }
    }
}

impl GuardConfig {
    pub(super) fn check(&self, source: &str, problems: &mut Vec<String>) {
        let percents = [
            ("max_disabled_percent", self.max_disabled_percent),
            ("max_created_percent", self.max_created_percent),
            ("max_attribute_changed_percent", self.max_attribute_changed_percent),
            ("max_attribute_emptied_percent", self.max_attribute_emptied_percent),
            ("max_departments_removed_percent", self.max_departments_removed_percent),
            ("max_groups_removed_percent", self.max_groups_removed_percent),
            ("max_members_removed_percent", self.max_members_removed_percent),
            ("max_roles_revoked_percent", self.max_roles_revoked_percent),
        ];
        for (key, percent) in percents {
            if !percent.is_finite() || percent < 0.0 {
                problems.push(format!("source `{source}`: guard.{key} is `{percent}`: write a percentage, 0 or more"));
            }
        }
        if self.floor < 0 {
            problems.push(format!("source `{source}`: guard.floor is `{}`: write 0 or more", self.floor));
        }
    }
}
