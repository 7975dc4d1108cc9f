//! The store: all SQL of the broker, one text for SQLite and PostgreSQL.
//!
//! How to add an entity: a migration pair under `migrations/`, a struct in `model/`, a file here with a struct that
//! borrows [`Tx`] and whose methods are SQL, parameters and nothing else, an accessor on [`Tx`], and a test that runs
//! on both databases. Words: `find` (an Option), `list`, `insert`, `update`, `delete`, `consume`.

mod audit;
mod bulk;
mod db;
mod error;
mod facts;
mod migrate;
mod param;
mod probe;
mod revocation;
mod sessions;
mod users;

pub use audit::{AuditLog, AuditRow};
pub use db::{Db, Tx};
pub use error::StoreError;
pub use facts::Facts;
pub use migrate::MIGRATIONS;
pub use param::{Param, Row};
pub use revocation::Revoked;
pub use sessions::Sessions;
pub use sqlx::types::Json;
pub use users::Users;
