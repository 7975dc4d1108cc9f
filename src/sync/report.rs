//! The report of a run: numbers that add up, for the terminal, for `--json`, for the page and for the record.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::model::{NewFinding, PlanId, RunId, RunKind, RunState};
use crate::string_enum;
use crate::text::{Fault, Language};
use crate::time::Instant;

/// What became of the entries of one kind: `read = created + changed + unchanged + quarantined`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Counts {
    /// Entries the source returned.
    pub read: u64,
    /// New objects.
    pub created: u64,
    /// Known objects that differ in anything: attributes, place, locked out, let in again. Each counts once.
    pub changed: u64,
    /// Known objects that do not differ.
    pub unchanged: u64,
    /// Entries left out with a finding; what they are linked to stays untouched.
    pub quarantined: u64,
    /// Of `changed`: those that moved to another department (a department: to another parent).
    pub moved: u64,
    /// Of `changed` and `created`: those the source locked out.
    pub locked_out: u64,
    /// Of `changed`: those let in again.
    pub enabled: u64,
    /// Beside `read`: known objects that the source no longer returns and that are disabled by this plan.
    pub absent: u64,
}

impl Counts {
    /// Whether the numbers add up.
    #[must_use]
    pub const fn adds_up(&self) -> bool {
        self.read == self.created + self.changed + self.unchanged + self.quarantined
    }

    /// Objects that this plan disables, for whatever reason.
    #[must_use]
    pub const fn disabled(&self) -> u64 {
        self.locked_out + self.absent
    }
}

/// Memberships, beside the groups themselves.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct GroupCounts {
    /// Members that joined.
    pub added: u64,
    /// Members that left.
    pub removed: u64,
    /// Member DNs that name nobody the source returned: skipped.
    pub skipped: u64,
}

/// Grants of one role.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct RoleCounts {
    /// People who gained it (by one more rule).
    pub granted: u64,
    /// People who lost it (by one rule).
    pub revoked: u64,
}

/// Comings and goings of one department's people.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Traffic {
    /// New people.
    pub joined: u64,
    /// People locked out, also by absence.
    pub left: u64,
    /// People who came from another department.
    pub moved_in: u64,
    /// People who went to another department.
    pub moved_out: u64,
}

/// Why the guard holds a plan.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct HeldReason {
    /// Code, such as `disabled_percent`; a message `sync-held-CODE` says it in words.
    pub code: String,
    /// What was counted.
    pub actual: i64,
    /// What is allowed.
    pub limit: i64,
    /// What it is about: a group, say. Empty where it is about the whole plan.
    pub about: String,
    /// What of `[source.guard]` sets the limit: `max_disabled = 100`. Empty where nothing does.
    #[serde(default)]
    pub key: String,
}

/// The report of one run, stored in `runs.report`.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct RunReport {
    /// The run.
    pub run_id: RunId,
    /// The source.
    pub source: String,
    /// Who or what started it: `cli`, `schedule`, `user:ID`.
    pub started_by: String,
    /// When started.
    pub started_at: Instant,
    /// When ended.
    pub ended_at: Option<Instant>,
    /// How long it took, in milliseconds.
    pub duration_ms: i64,
    /// How it ended.
    pub state: RunState,
    /// Why it failed.
    pub error: Option<String>,
    /// The same for people of either language, where the source is what failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fault: Option<Box<Fault>>,
    /// The plan it made or applied.
    pub plan_id: Option<PlanId>,
    /// The plan's digest.
    pub plan_digest: Option<String>,
    /// The plan this run took back.
    pub undoes: Option<PlanId>,
    /// Who approved the held plan.
    pub approved_by: Option<String>,
    /// Steps of the plan.
    pub changes: u64,
    /// People.
    pub users: Counts,
    /// Departments.
    pub departments: Counts,
    /// Positions.
    pub positions: Counts,
    /// Groups.
    pub groups: Counts,
    /// Memberships.
    pub members: GroupCounts,
    /// Role → grants and revocations.
    pub roles: BTreeMap<String, RoleCounts>,
    /// Findings by code, all of them.
    pub findings: BTreeMap<String, u64>,
    /// The first findings in full.
    pub finding_list: Vec<NewFinding>,
    /// People no longer returned, by the department they were in (its code; empty for none).
    pub absent_by_department: BTreeMap<String, u64>,
    /// Code → name of those departments.
    #[serde(default)]
    pub department_names: BTreeMap<String, String>,
    /// Why the guard holds the plan; empty when it does not.
    pub held: Vec<HeldReason>,
    /// Sessions that ended with the apply.
    pub sessions_ended: u64,
    /// Grants (with their tokens) that ended with the apply.
    pub grants_ended: u64,
    /// Field → source → people whose value of the field is that source's, where several sources know a person.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub masters: BTreeMap<String, BTreeMap<String, u64>>,
    /// Of those disabled: people who are still at the source, out of scope.
    #[serde(default)]
    pub moved_out: u64,
    /// People who came back under a new entry.
    #[serde(default)]
    pub rehired: u64,
    /// People whose grace period was over, and who were deleted.
    #[serde(default)]
    pub deleted: u64,
    /// Whether an undo took back a part only: the rest had been changed by something else since.
    #[serde(default)]
    pub is_partial: bool,
    /// Who approved first, where a second person has to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_approved_by: Option<String>,
    /// Department (its code; empty for none) → who joined, left, came and went there.
    #[serde(default)]
    pub by_department: BTreeMap<String, Traffic>,
    /// How much of the source it looked at.
    #[serde(default = "full")]
    pub kind: RunKind,
    /// Why it is a full run, where an increment was meant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub because: Option<FullReason>,
    /// What the source said to that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused: Option<Box<Fault>>,
    /// Why a full run follows this increment.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub full_follows: Vec<FullReason>,
    /// From the change at the source to the lock-out, over the people that this run locked out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lockout: Option<LockoutTimes>,
}

const fn full() -> RunKind {
    RunKind::Full
}

/// How long leavers could still have got in.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct LockoutTimes {
    /// People who were locked out.
    pub people: u64,
    /// Of these, those whose change has a time at the source; of the others it is counted from the read.
    pub timed: u64,
    /// The longest, in milliseconds.
    pub max_ms: i64,
    /// The median, in milliseconds.
    pub median_ms: i64,
}

string_enum! {
    /// Why an increment is not enough; a message `sync-full-…` says it in words.
    FullReason {
        /// No position is stored: nothing was read before, or the source cannot be continued.
        NoPosition = "no_position",
        /// The source cannot be continued from where it was read to.
        Refused = "refused",
        /// Base, filter, mapping, role rules or this program have changed, or a plan was undone.
        SettingsChanged = "settings_changed",
        /// Somebody returns whose memberships were kept while they were locked out.
        Returned = "returned",
        /// A name, number or code that several have, or had.
        Duplicate = "duplicate",
        /// A department came or went above people whose entries did not change.
        Department = "department",
        /// A name that others refer to has changed, come or gone, and this kind of directory does not say whose.
        Reference = "reference",
        /// The last department or position of its kind may be empty.
        Emptied = "emptied",
        /// Somebody is said to be gone and could not be looked for a second time.
        Unconfirmed = "unconfirmed",
    }
}

impl RunReport {
    /// Why it failed, in a language; where no more is known than the English sentence, that.
    #[must_use]
    pub fn error_in(&self, language: Language) -> Option<String> {
        self.fault.as_ref().map(|fault| fault.words(language)).or_else(|| self.error.clone())
    }

    /// An empty report of a run that begins.
    #[must_use]
    pub fn new(run_id: RunId, source: &str, started_by: &str, started_at: Instant) -> Self {
        Self {
            run_id,
            source: source.to_owned(),
            started_by: started_by.to_owned(),
            started_at,
            ended_at: None,
            duration_ms: 0,
            state: RunState::Running,
            error: None,
            fault: None,
            plan_id: None,
            plan_digest: None,
            undoes: None,
            approved_by: None,
            changes: 0,
            users: Counts::default(),
            departments: Counts::default(),
            positions: Counts::default(),
            groups: Counts::default(),
            members: GroupCounts::default(),
            roles: BTreeMap::new(),
            findings: BTreeMap::new(),
            finding_list: Vec::new(),
            absent_by_department: BTreeMap::new(),
            department_names: BTreeMap::new(),
            held: Vec::new(),
            sessions_ended: 0,
            grants_ended: 0,
            masters: BTreeMap::new(),
            moved_out: 0,
            rehired: 0,
            deleted: 0,
            is_partial: false,
            first_approved_by: None,
            by_department: BTreeMap::new(),
            kind: RunKind::Full,
            because: None,
            refused: None,
            full_follows: Vec::new(),
            lockout: None,
        }
    }

    /// Who joined and left, by department (`QY-HQ 总部` or empty for none), those with the most first.
    #[must_use]
    pub fn traffic(&self) -> Vec<(String, Traffic)> {
        let mut all: Vec<(String, Traffic)> =
            self.by_department.iter().map(|(code, traffic)| (self.called(code), *traffic)).collect();
        all.sort_by_key(|(_, of)| std::cmp::Reverse(of.joined + of.left + of.moved_in + of.moved_out));
        all
    }

    /// A department by code and name.
    fn called(&self, code: &String) -> String {
        let name = self.department_names.get(code).filter(|name| *name != code);
        name.map_or_else(|| code.clone(), |name| format!("{code} {name}"))
    }

    /// Departments that people are gone from, as (`QY-HQ 总部` or empty for none, people), most first.
    #[must_use]
    pub fn gone_from(&self) -> Vec<(String, u64)> {
        let mut gone: Vec<(String, u64)> =
            self.absent_by_department.iter().map(|(code, people)| (self.called(code), *people)).collect();
        // Stable: departments with as many stay in the order of their codes.
        gone.sort_by_key(|(_, people)| std::cmp::Reverse(*people));
        gone
    }

    /// Roles gained and lost, over all roles.
    #[must_use]
    pub fn role_totals(&self) -> RoleCounts {
        self.roles.values().fold(RoleCounts::default(), |sum, role| RoleCounts {
            granted: sum.granted + role.granted,
            revoked: sum.revoked + role.revoked,
        })
    }
}
