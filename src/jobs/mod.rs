//! Scheduled work: leases so that one node runs a job, and schedules that say when.
//!
//! How to add a job: a [`Job`] with a name, a schedule and a closure, handed to [`run_jobs`] by `cli/serve.rs`.

mod lease;
mod schedule;

pub use lease::Lease;
pub use schedule::{Job, Schedule, ScheduleError, Work, run_jobs};
