//! What a source returned, unmapped.

use std::collections::BTreeMap;

/// One entry: attribute names in lower case and without options (`;lang-zh`), values in the order of the source.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Entry {
    /// Stable id at the source (entryUUID): the only key.
    pub external_id: String,
    /// Distinguished name: an attribute like any other, never a key.
    pub dn: String,
    /// Attribute → values.
    pub attributes: BTreeMap<String, Vec<String>>,
}

/// An entry that was there and could not be read: it counts as present and becomes a finding.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Rejected {
    /// Stable id, where at least that could be read.
    pub external_id: Option<String>,
    /// Distinguished name, where it could be read.
    pub dn: String,
    /// Finding code, such as `bad_utf8` or `no_id`.
    pub code: &'static str,
    /// What exactly, for the report.
    pub detail: String,
}

/// The complete result of one read. Only `source::read` makes one, and only when every page ended with result 0, no
/// referral was skipped and no limit cut it: whoever holds a snapshot may conclude from absence.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
#[non_exhaustive]
pub struct Snapshot {
    /// Name of the source.
    pub source: String,
    /// Entries that are people.
    pub users: Vec<Entry>,
    /// Entries that are departments (empty when departments come from an attribute).
    pub departments: Vec<Entry>,
    /// Entries that are groups.
    pub groups: Vec<Entry>,
    /// Entries that could not be read, of any of the three.
    pub rejected: Vec<Rejected>,
}
