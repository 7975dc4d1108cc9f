//! Why a sync concludes nothing.

use crate::access::RoleRuleError;
use crate::model::{PlanId, PlanState, RunId};
use crate::source::SourceError;
use crate::store::StoreError;
use crate::text::Fault;

use super::undo::Conflict;

/// A sync, an apply or an undo that did nothing.
#[derive(Debug, thiserror::Error)]
pub enum SyncError {
    /// No such source.
    #[error("there is no source `{name}`; configured are: {known}")]
    UnknownSource {
        /// What was asked for.
        name: String,
        /// What there is.
        known: String,
    },
    /// The source is no longer configured, and owns people.
    #[error(
        "source `{name}` is no longer configured; {people} active accounts still belong to it and stay as they are: \
         configure it again, or hand them over with `yaopai user hand-over --from {name} --to SOURCE`"
    )]
    Orphaned {
        /// What was asked for.
        name: String,
        /// Whom it owns.
        people: i64,
    },
    /// A source without people of its own is to own some.
    #[error(
        "source `{0}` only adds attributes (join.creates = false) and can own nobody; name a source that creates people"
    )]
    OnlyAdds(String),
    /// Nobody is ever deleted.
    #[error("source `{0}` deletes nobody; say in [source.grace] delete_after how long people stay restorable")]
    NoGrace(String),
    /// Somebody cannot be let in by hand.
    #[error("`{who}` cannot be restored: {why}")]
    NotRestorable {
        /// Who.
        who: String,
        /// Why not.
        why: String,
    },
    /// The lease is held.
    #[error("another run of source `{0}` is under way; wait for it to end")]
    Busy(String),
    /// The read was not completed: nobody is treated as absent.
    #[error("the source could not be read, so nothing was changed: {0}")]
    Source(#[from] SourceError),
    /// The role rules do not parse.
    #[error(transparent)]
    Roles(#[from] RoleRuleError),
    /// A mapped value cannot be used.
    #[error("the mapping cannot be used: {0}")]
    Mapping(String),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Nothing waits to be applied.
    #[error("source `{0}` has no plan waiting; make one with `yaopai sync plan --source {0}`")]
    NothingWaiting(String),
    /// No such plan, or one of another source.
    #[error("source `{source_name}` has no plan `{plan}`")]
    NoSuchPlan {
        /// The source.
        source_name: String,
        /// What was asked for.
        plan: PlanId,
    },
    /// The plan had its turn.
    #[error("plan `{plan}` is {state}; make a new one with `yaopai sync plan`")]
    PlanGone {
        /// Which plan.
        plan: PlanId,
        /// What became of it.
        state: PlanState,
    },
    /// The plan waited too long.
    #[error("plan `{0}` has expired; make a new one with `yaopai sync plan`")]
    PlanExpired(PlanId),
    /// What the plan was computed on is no longer so.
    #[error(
        "the ground of plan `{0}` has moved (another run, other role rules or another mapping since); make a new one"
    )]
    GroundMoved(PlanId),
    /// The stored plan is not the one that was shown.
    #[error("plan `{0}` does not match its digest: it was changed after it was made; make a new one")]
    PlanChanged(PlanId),
    /// Held, and nobody approved.
    #[error("plan `{0}` is held by the guard; look at it, then add --approve")]
    NeedsApproval(PlanId),
    /// A stored document cannot be read back.
    #[error("a stored document of the plan cannot be read: {0}")]
    Document(#[from] serde_json::Error),
    /// Nothing to take back.
    #[error("source `{0}` has no applied plan that could be undone")]
    NothingToUndo(String),
    /// Something else has changed the same objects since.
    #[error(
        "undo is refused, {} changed since: {}; put these right first, or take back the rest with --except-conflicts",
        .0.len(), listed(.0)
    )]
    UndoConflicts(Vec<Conflict>),
    /// What would be left after the undo does not fit together.
    #[error("undo is refused, what is left would not fit together: {}", listed(.0))]
    UndoUnclean(Vec<String>),
    /// The run cannot be taken back.
    #[error("run `{run}` of source `{source_name}` cannot be undone: {why}")]
    NotUndoable {
        /// The source.
        source_name: String,
        /// Which run.
        run: RunId,
        /// Why not.
        why: &'static str,
    },
    /// Two people have to agree, and this is one of them again.
    #[error("plan `{plan}` needs the approval of a second person: `{first}` is the first (source.guard.second_person)")]
    SecondPerson {
        /// Which plan.
        plan: PlanId,
        /// Who started the run or approved first.
        first: String,
    },
    /// A rejection needs a reason.
    #[error("a rejection needs a reason: say in a few words why the plan must not be applied")]
    NoReason,
    /// What was written is not what the plan says; everything was rolled back.
    #[error("the apply was rolled back: {what} should be {expected} and are {found}; make a new plan, and report this")]
    NotConfirmed {
        /// What was counted.
        what: String,
        /// What the plan says.
        expected: i64,
        /// What the store holds.
        found: i64,
    },
}

/// The first of a list; the rest is counted.
fn listed<T: std::fmt::Display>(all: &[T]) -> String {
    let shown: Vec<String> = all.iter().take(LISTED).map(ToString::to_string).collect();
    let rest = all.len().saturating_sub(shown.len());
    let more = if rest > 0 { format!("; and {rest} more") } else { String::new() };
    format!("{}{more}", shown.join("; "))
}

/// How many things an error names.
const LISTED: usize = 20;

impl SyncError {
    /// What went wrong, for people of either language.
    #[must_use]
    pub fn fault(&self) -> Fault {
        let plan = |code: &str, plan: &PlanId| Fault::new(code).with("plan", plan);
        match self {
            Self::Source(error) => Fault::new("source").because("reason", error.fault()),
            Self::UnknownSource { name, known } => {
                Fault::new("sync-unknown-source").with("name", name).with("known", known)
            }
            Self::Busy(source) => Fault::new("sync-busy").with("source", source),
            Self::Roles(error) => Fault::new("sync-role-rules").with("text", error),
            Self::Mapping(text) => Fault::new("sync-mapping").with("text", text),
            Self::Store(error) => Fault::new("sync-database").with("text", error),
            Self::NothingWaiting(source) => Fault::new("sync-nothing-waiting").with("source", source),
            Self::NoSuchPlan { source_name, plan: id } => plan("sync-no-plan", id).with("source", source_name),
            Self::PlanGone { plan: id, state } => plan("sync-plan-gone", id).with("state", state),
            Self::PlanExpired(id) => plan("sync-plan-expired", id),
            Self::GroundMoved(id) => plan("sync-ground-moved", id),
            Self::PlanChanged(id) => plan("sync-plan-changed", id),
            Self::NeedsApproval(id) => plan("sync-needs-approval", id),
            Self::SecondPerson { plan: id, first } => plan("sync-second-person", id).with("first", first),
            Self::NoGrace(source) => Fault::new("sync-no-grace").with("source", source),
            Self::NotRestorable { who, why } => Fault::new("sync-not-restorable").with("who", who).with("why", why),
            Self::Orphaned { .. } => Fault::new("said").with("text", self),
            Self::NoReason => Fault::new("sync-no-reason"),
            Self::Document(error) => Fault::new("sync-document").with("text", error),
            Self::NothingToUndo(source) => Fault::new("sync-nothing-to-undo").with("source", source),
            Self::NotUndoable { source_name, run, why } => {
                Fault::new("sync-not-undoable").with("source", source_name).with("run", run).with("why", why)
            }
            Self::UndoConflicts(conflicts) => Fault::new("sync-undo-conflicts").with("list", listed(conflicts)),
            Self::UndoUnclean(loose) => Fault::new("sync-undo-unclean").with("list", listed(loose)),
            Self::NotConfirmed { what, expected, found } => {
                Fault::new("sync-not-confirmed").with("what", what).with("expected", expected).with("found", found)
            }
        }
    }
}
