//! One responder per wire format.

mod oauth;
pub mod page;
mod problem;

pub use oauth::{BearerError, OauthError};
pub use problem::Problem;
