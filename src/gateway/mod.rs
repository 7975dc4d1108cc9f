//! The gateway: judging calls of integration APIs. Who calls, on which route, and does policy permit it.
//!
//! Forward-auth (nginx, Traefik, Caddy) and the built-in reverse proxy both ask [`judge()`]; neither decides anything
//! itself. What is judged is what is served: [`CallPath`] knows one form of a path, and what could mean two things is
//! refused. What is not permitted is refused, and every judgement is in the audit log before it is answered.
//!
//! Tokens are those of this broker, so they are judged with its own key ring and database (`oidc::verify_access_token`),
//! not over HTTP as a [`crate::verifier::Verifier`] elsewhere would: a revocation counts at once here and within a second on
//! other nodes, whether or not the token has a place on a status list, and opaque tokens are taken too. Issuer, times and
//! binding are judged by the functions of [`crate::verifier`] in both cases.

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
