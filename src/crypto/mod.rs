//! Keys, hashes, sealing. No I/O but the master key's file; no framework types.

pub mod jwt;
mod master;
mod signing;

pub use master::{MasterKey, MasterKeyError, constant_time_eq, sha256, sha256_hex};
pub use signing::{SigningError, SigningKey};
