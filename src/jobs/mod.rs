//! Scheduled work: leases so that one node runs a job, and schedules that say when.
//!
//! What goes on all the time is [`Standing`] work of the node that holds its lease. How to add a job: a [`Job`] with a name, a schedule and a closure, handed to [`run_jobs`] by `cli/serve.rs`.

mod lease;
mod schedule;
mod standing;

pub use lease::Lease;
pub use schedule::{Job, Schedule, ScheduleError, Work, run_jobs};
pub use standing::{Standing, on_one_node};
