//! A source's people come in: map, link, diff, guard, apply, undo, report.
//!
//! A run reads the source into a sealed snapshot ([`crate::source`]), maps its entries to records (`map`), compares their
//! digests with the links (`link`, `diff`), and makes a plan (`plan`): ordered changes, findings, the guard's verdict
//! (`guard`), the ground it stands on. Applying (`apply`) runs that plan and nothing else, in one transaction; `undo`
//! takes the last one back the same way.
//!
//! How to add a mapped field: a key in `config/source.rs`, a field of the record with its place in the digest, a field
//! of the document, a column.

mod absence;
mod apply;
mod confirm;
mod dates;
mod decide;
mod delta;
mod deputies;
mod diff;
mod document;
mod error;
mod finding;
mod grace;
mod guard;
mod link;
mod map;
mod merge;
mod outline;
mod ownership;
mod paint;
mod plan;
mod purge;
mod record;
mod report;
mod rows;
mod run;
mod settled;
mod tell;
mod traffic;
mod undo;
mod words;
mod work_list;

use crate::broker::Broker;
use crate::config::SourceConfig;

pub use apply::{Approval, apply};
pub use dates::{BY_DATES, keep_dates};
pub use decide::reject;
pub use delta::{Increment, Waiting, can_follow, increment, keep_up, take_delta};
pub use deputies::{DeputyError, DoneBy, LONGEST_DAYS, NewDeputy, end_deputy, name_deputy, name_own_deputy, today};
pub use error::SyncError;
pub use grace::delete_due;
pub use outline::{FieldDiff, Outlined, Step, outline, steps_of_changes, steps_of_group, steps_of_object};
pub use ownership::{HandedOver, hand_over, restore};
pub use paint::Paint;
pub use purge::purge;
pub use report::{Counts, FullReason, GroupCounts, HeldReason, LockoutTimes, RoleCounts, RunReport, Traffic};
pub use run::{Progress, plan, run, take_snapshot};
pub use tell::{deliver_due, queue_scheduled, queue_untold, tell};
pub use undo::{Conflict, undo, undo_run};
pub use words::{
    Telling, by_text, field_text, held_text, kind_lines, lockout_text, outline_text, report_text, seconds, steps_text,
    verdict_text, ways_on,
};
pub use work_list::{
    FindingError, FindingsOf, accept as accept_findings, assign as assign_findings, reopen as reopen_findings,
};

/// The configuration of a source.
fn source_config<'a>(broker: &'a Broker, name: &str) -> Result<&'a SourceConfig, SyncError> {
    broker.config.source(name).ok_or_else(|| SyncError::UnknownSource {
        name: name.to_owned(),
        known: broker.config.sources.iter().map(|source| format!("`{}`", source.name)).collect::<Vec<_>>().join(", "),
    })
}
