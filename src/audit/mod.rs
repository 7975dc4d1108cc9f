//! The audit log: what is recorded and how it is chained.
//!
//! Every row's hash covers the row and the hash before it; `audit_head` keeps the last number and hash, so that a
//! changed, removed or inserted row, and a cut tail, are found by verification.

mod chain;
mod event;
mod recorder;

pub use chain::append;
pub use event::{Action, Event, Outcome};
pub use recorder::Recorder;
