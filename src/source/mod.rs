//! Reading masters: LDAP servers and LDIF files become sealed snapshots.
//!
//! How to add a source: a table in `config/source.rs`, a folder or file here with a `read` that gives a [`Snapshot`]
//! only when it saw everything, a line in [`read`].

mod snapshot;

pub use snapshot::{Entry, Rejected, Snapshot};
