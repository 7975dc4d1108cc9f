//! A source's people come in: map, link, diff, guard, apply, undo, report.
//!
//! A run reads the source into a sealed snapshot, maps its entries to records, compares their digests with the links,
//! and makes a plan: ordered changes, findings, the guard's verdict, the ground it stands on. Applying runs that plan
//! and nothing else, in one transaction.

mod report;

pub use report::{Counts, GroupCounts, HeldReason, RoleCounts, RunReport};
