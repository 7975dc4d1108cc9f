//! The decision point: (request, policies, facts) → decision with reasons. Default deny; an error never permits.
//!
//! Policies are Cedar files with a schema; [`Policies::load`] refuses what does not parse or does not validate and names
//! file, line and remedy. Facts come in as values: nothing here reads the database.
//!
//! How to add an action: a value of [`Action`], its `appliesTo` in `policies/schema.cedarschema`, the question in
//! `access/` or `gateway/`, policies with cases.

mod cases;
mod decision;
mod details;
mod entities;
mod fault;
mod index;
mod load;
mod policies;

pub use cases::{CaseReport, CaseResult, check_cases};
pub use decision::{Action, Context, Decision, Principal, Request, Resource, Standing};
pub use details::Details;
pub use fault::{Fault, PolicyError};
pub use policies::{Policies, PolicyText, Reload};
