//! Runs, plans, links and role grants: what a sync keeps of its work.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use sqlx::types::Json;
use uuid::Uuid;

use super::{ChangeKind, Document, NewFinding, ObjectKind, PlanId, RunId, UserId};
use crate::string_enum;
use crate::time::Instant;

string_enum! {
    /// How far a run came.
    RunState {
        /// Under way, or its process died.
        Running = "running",
        /// A plan was made and waits for `apply`.
        Planned = "planned",
        /// The guard holds the plan; it waits for approval.
        Held = "held",
        /// The plan was applied.
        Applied = "applied",
        /// Nothing differed.
        Unchanged = "unchanged",
        /// Nothing was concluded; the report says why.
        Failed = "failed",
    }
}

string_enum! {
    /// How much of the source a run looks at.
    #[derive(Default)]
    RunKind {
        /// Everything: what is not there is absent.
        #[default]
        Full = "full",
        /// What changed since the position of the last run.
        Incremental = "incremental",
        /// The same, as the server told it by itself.
        Live = "live",
    }
}

string_enum! {
    /// What became of a plan.
    PlanState {
        /// May be applied.
        Planned = "planned",
        /// The guard holds it until somebody approves.
        Held = "held",
        /// Applied, once.
        Applied = "applied",
        /// Applied and taken back.
        Undone = "undone",
        /// A later plan took its place, or the ground moved.
        Superseded = "superseded",
        /// Somebody decided against it.
        Rejected = "rejected",
    }
}

/// One execution of a source's sync.
#[derive(Clone, PartialEq, Debug, Serialize, sqlx::FromRow)]
pub struct Run {
    /// Id.
    pub id: RunId,
    /// The source.
    pub source: String,
    /// How far it came.
    pub state: RunState,
    /// Who or what started it: `cli`, `schedule`, `user:ID`.
    pub started_by: String,
    /// When started.
    pub started_at: Instant,
    /// When ended.
    pub ended_at: Option<Instant>,
    /// The plan it made.
    pub plan_id: Option<PlanId>,
    /// `sync::RunReport`.
    pub report: Json<Value>,
}

/// A stored plan, without its changes.
#[derive(Clone, PartialEq, Debug, Serialize, sqlx::FromRow)]
pub struct Plan {
    /// Id.
    pub id: PlanId,
    /// The source.
    pub source: String,
    /// The run that made it.
    pub run_id: RunId,
    /// What became of it.
    pub state: PlanState,
    /// SHA-256 over the canonical changes.
    pub digest: String,
    /// Fingerprint of what it was computed on; `apply` refuses when it has moved.
    pub ground: String,
    /// `sync::Verdict` of the guard.
    pub guard: Json<Value>,
    /// `sync::RunReport` as far as planned.
    pub summary: Json<Value>,
    /// `Vec<NewFinding>`.
    pub findings: Json<Vec<NewFinding>>,
    /// The plan that this one takes back.
    pub undoes: Option<PlanId>,
    /// When made.
    pub created_at: Instant,
    /// Until when it may be applied or approved.
    pub expires_at: Instant,
    /// When approved or rejected.
    pub decided_at: Option<Instant>,
    /// Who approved or rejected.
    pub decided_by: Option<String>,
    /// When applied.
    pub applied_at: Option<Instant>,
    /// Fingerprint of what was read, where nothing is left to do once the plan is applied.
    pub settles: Option<String>,
    /// Who approved first, where a second person has to.
    pub approved_by: Option<String>,
    /// When that was.
    pub approved_at: Option<Instant>,
    /// Why it was rejected.
    pub reason: Option<String>,
}

/// (source, external id) ↔ our id: the only key between a source and us.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, sqlx::FromRow)]
pub struct Link {
    /// The source.
    pub source: String,
    /// What kind of object.
    pub kind: ObjectKind,
    /// Stable id at the source.
    pub external_id: String,
    /// Our id.
    pub object_id: Uuid,
    /// Distinguished name when last seen; empty for what has none.
    pub dn: String,
    /// Digest of the mapped record when last applied; empty forces a comparison.
    pub digest: String,
    /// The run that last touched it.
    pub run_id: RunId,
    /// `source::Dn::path` of the name: what it is found by. Empty for what has none.
    pub dn_path: String,
}

/// A link as it will be once the plan is applied.
#[derive(Clone, PartialEq, Eq, Debug, sqlx::FromRow)]
pub struct PlannedLink {
    /// What kind of object.
    pub kind: ObjectKind,
    /// Stable id at the source.
    pub external_id: String,
    /// Our id.
    pub object_id: Uuid,
    /// Distinguished name.
    pub dn: String,
    /// Digest of the mapped record.
    pub digest: String,
    /// A new password hash, empty to forget the old one, none to keep it.
    pub password: Option<String>,
}

/// A role that a rule gave to a person.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, sqlx::FromRow)]
pub struct RoleGrant {
    /// The person.
    pub user_id: UserId,
    /// The role.
    pub role: String,
    /// Id of the rule.
    pub rule: String,
    /// The run that granted it.
    pub run_id: Option<RunId>,
    /// When granted.
    pub granted_at: Instant,
    /// Code of the department for which it holds, with everything below it; empty where it holds everywhere.
    pub scope: String,
}

/// A member of a group: a person or a nested group.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize, sqlx::FromRow)]
pub struct Member {
    /// The group.
    pub group_id: super::GroupId,
    /// [`ObjectKind::User`] or [`ObjectKind::Group`].
    pub member_kind: ObjectKind,
    /// The person's or the group's id.
    pub member_id: Uuid,
}

/// A row of the change log.
#[derive(Clone, PartialEq, Eq, Debug, sqlx::FromRow)]
pub struct LoggedChange {
    /// Number, growing.
    pub seq: i64,
    /// When.
    pub at: Instant,
    /// By which run.
    pub run_id: Option<RunId>,
    /// What happened.
    pub kind: ChangeKind,
    /// To what kind of object.
    pub object_kind: ObjectKind,
    /// To which object.
    pub object_id: Uuid,
    /// Before.
    pub before: Option<Document>,
    /// After.
    pub after: Option<Document>,
}

/// What a source looked like when it was last applied: the guard compares with it, `apply` locks it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, sqlx::FromRow)]
pub struct SourceState {
    /// The source.
    pub source: String,
    /// Fingerprint of base, filters and mapping.
    pub scope_digest: String,
    /// Fingerprint of the role rules.
    pub roles_digest: String,
    /// The last run that was applied.
    pub last_run_id: RunId,
    /// When that was.
    pub last_applied_at: Instant,
    /// People seen then.
    pub users_seen: i64,
    /// Grows with every apply.
    pub version: i64,
    /// Fingerprint of what was read when nothing was left to do; none when it is not known.
    pub settled_content: Option<String>,
    /// Fingerprint of what that was judged by.
    pub settled_ground: Option<String>,
    /// The run that saw it.
    pub settled_run_id: Option<RunId>,
}
