//! The gateway's endpoints: forward-auth, the way back after signing in, and the built-in reverse proxy.

mod back;
mod call;
mod check;
mod headers;
mod proxy;
mod upstream;

pub use back::go_back;
pub use check::{check, check_for_envoy};
pub use proxy::proxy_router;
