//! The audit log: what is recorded, how it is chained and verified.
//!
//! Every row's hash covers the row and the hash before it; `audit_head` keeps the last number and hash, so that a
//! changed, removed or inserted row, and a cut tail, are found by verification. Who may write to the database *and*
//! rewrites every hash after a change is found only against a hash noted elsewhere (`yaopai audit verify` prints it).
//!
//! How to record: inside a transaction [`append`], last in it; elsewhere [`Recorder::record`].

mod chain;
mod event;
mod recorder;
mod verify;

pub use chain::{ChainFault, append, defused};
pub use event::{Action, Event, Outcome};
pub use recorder::Recorder;
pub use verify::{ExportedRow, FileError, Verification, export, verify, verify_file};
