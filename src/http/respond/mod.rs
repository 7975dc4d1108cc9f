//! One responder per wire format.

mod problem;

pub use problem::Problem;
