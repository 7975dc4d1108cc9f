//! Keys, hashes, sealing. No I/O but the master key's file; no framework types.

pub mod foreign;
mod json;
pub mod jwe;
mod jwk;
pub mod jwt;
pub mod key_file;
mod master;
mod password;
mod signing;
mod webhook;

pub use json::{JsonError, strict_json};
pub use jwk::{JwkError, PublicKey, read_key_set, spki_thumbprint};
pub use master::{MasterKey, MasterKeyError, Sha256, constant_time_eq, sha256, sha256_hex, sha512};
pub use password::{Hasher, MAX_PASSWORD, PasswordError, check_stored_hash, hash_password};
pub use signing::{SigningError, SigningKey, left_half};
pub use webhook::webhook_signature;
