//! One responder per wire format.

mod feed;
pub mod gateway;
mod oauth;
pub mod page;
mod problem;

pub use feed::FeedRefusal;
pub use oauth::{BearerError, OauthError};
pub use problem::Problem;
