//! Why a sync concludes nothing.

use crate::access::RoleRuleError;
use crate::model::{PlanId, PlanState};
use crate::source::SourceError;
use crate::store::StoreError;
use crate::text::Fault;

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
    #[error("undo is refused, these were changed by something else since: {}", .0.join(", "))]
    UndoConflicts(Vec<String>),
}

impl SyncError {
    /// What went wrong, for people of either language, where the source is what failed.
    #[must_use]
    pub fn fault(&self) -> Option<Fault> {
        match self {
            Self::Source(error) => Some(Fault::new("source").because("reason", error.fault())),
            _ => None,
        }
    }
}
