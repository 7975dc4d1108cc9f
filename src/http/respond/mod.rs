//! One responder per wire format.

mod oauth;
mod problem;

pub use oauth::{BearerError, OauthError};
pub use problem::Problem;
