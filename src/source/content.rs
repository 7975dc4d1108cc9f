//! A fingerprint of everything that a read returned, in whatever order: equal fingerprints mean that nothing at all
//! differs, so that nothing has to be decoded.

use super::snapshot::Part;
use crate::crypto::{Sha256, sha256_hex};

/// A fingerprint in the making.
#[derive(Debug, Default)]
pub(super) struct Content(Vec<[u8; 32]>);

impl Content {
    /// Takes an entry as it came.
    pub fn add(&mut self, part: Part, entry: &[u8]) {
        let mut digest = Sha256::new();
        digest.update(&[part as u8]);
        digest.update(entry);
        self.0.push(digest.finish());
    }

    /// How many entries were taken.
    pub fn entries(&self) -> u64 {
        u64::try_from(self.0.len()).unwrap_or(u64::MAX)
    }

    /// SHA-256 over the sorted SHA-256 of the entries, lower-case hexadecimal: the same for the same entries in another
    /// order, another one for an entry more or less.
    pub fn finish(mut self) -> String {
        self.0.sort_unstable();
        sha256_hex(self.0.as_flattened())
    }
}
