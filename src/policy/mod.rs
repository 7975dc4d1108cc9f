//! The decision point: (request, policies, facts) → decision with reasons. Pure; default deny; cannot panic.

mod decision;
mod policies;

pub use decision::{Action, Context, Decision, Principal, Request, Resource};
pub use policies::{Policies, PolicyError};
