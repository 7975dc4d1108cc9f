//! The store: all SQL of the broker, one text for SQLite and PostgreSQL.
//!
//! How to add an entity: a migration pair under `migrations/`, a struct in `model/`, a file here with a struct that
//! borrows [`Tx`] and whose methods are SQL, parameters and nothing else, an accessor on [`Tx`], and a test that runs
//! on both databases. Words: `find` (an Option), `list`, `insert`, `update`, `delete`, `consume`.

mod access_tokens;
mod applications;
mod audit;
mod authorization_codes;
mod bulk;
mod change_log;
mod claims;
mod db;
mod decoupled;
mod departments;
mod error;
mod facts;
mod findings;
mod grants;
mod groups;
mod leases;
mod links;
mod logout_deliveries;
mod migrate;
mod operators;
mod param;
mod plans;
mod positions;
mod probe;
mod proofs;
mod pushed_requests;
mod refresh_tokens;
mod revocation;
mod revocations;
mod role_grants;
mod runs;
mod sessions;
mod signing_keys;
mod source_state;
mod status_lists;
mod throttles;
mod users;

pub use applications::Applications;
pub use audit::{AuditLog, AuditRow, AuditSearch};
pub use authorization_codes::AuthorizationCodes;
pub use change_log::ChangeLog;
pub use claims::{Claims, Named};
pub use db::{Db, Tx, invalidations};
pub use decoupled::Decoupled;
pub use departments::Departments;
pub use error::StoreError;
pub use facts::Facts;
pub use findings::Findings;
pub use grants::{Grants, Liveness};
pub use groups::Groups;
pub use leases::Leases;
pub use links::Links;
pub use logout_deliveries::{Backlog, LogoutDeliveries, LogoutDelivery};
pub use migrate::MIGRATIONS;
pub use operators::Operators;
pub use param::{Param, Row};
pub use plans::Plans;
pub use positions::Positions;
pub use proofs::Proofs;
pub use pushed_requests::PushedRequests;
pub use refresh_tokens::RefreshTokens;
pub use revocation::Revoked;
pub use revocations::{Revocation, Revocations};
pub use role_grants::RoleGrants;
pub use runs::Runs;
pub use sessions::Sessions;
pub use signing_keys::SigningKeys;
pub use source_state::SourceStates;
pub use sqlx::types::Json;
pub use status_lists::{StatusEntry, StatusLists};
pub use throttles::{Limit, Throttles};
pub use users::Users;
