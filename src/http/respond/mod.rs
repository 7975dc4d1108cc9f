//! One responder per wire format.

pub mod gateway;
mod oauth;
pub mod page;
mod problem;

pub use oauth::{BearerError, OauthError};
pub use problem::Problem;
