//! The gateway: judging calls of integration APIs. Who calls, on which route, and does policy permit it.
//!
//! Forward-auth (nginx, Traefik, Caddy) and the built-in reverse proxy both ask [`judge()`]; neither decides anything
//! itself. What is judged is what is served: [`CallPath`] knows one form of a path, and what could mean two things is
//! refused. What is not permitted is refused, and every judgement is in the audit log before it is answered.

mod caller;
mod identity;
mod judge;
mod path;
mod record;
mod refusal;
mod route;

pub use caller::{Caller, Credentials};
pub use identity::{IDENTITY_HEADERS, is_ours, is_untrusted};
pub use judge::{Call, Permit, judge};
pub use path::{CallPath, PathError};
pub use refusal::Refusal;
pub use route::call_host;
