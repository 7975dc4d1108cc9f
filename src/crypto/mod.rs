//! Keys, hashes, sealing. No I/O but the master key's file; no framework types.

mod master;

pub use master::{MasterKey, MasterKeyError, constant_time_eq, sha256_hex};
