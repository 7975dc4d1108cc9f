//! What a source returned, unmapped.

use std::collections::BTreeMap;

use crate::model::{FindingArguments, FindingCode};
use crate::time::Instant;

use super::values::Values;

/// An attribute that no directory has: what the directory itself holds against a sign-in, in one spelling for all kinds.
/// `disabled` and `expired` lock a person out; `locked` (too many wrong passwords) and `password-change` (before the next
/// sign-in) do not.
pub const ACCOUNT_STATE: &str = "x-account-state";

/// One entry: attribute names in lower case and without options (`;lang-zh`), values in the order of the source, those
/// with options last. Only the attributes that the mapping names, and `objectclass`.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Entry {
    /// Stable id at the source (entryUUID): the only key.
    pub external_id: String,
    /// Distinguished name: an attribute like any other, never a key. It parses as [`super::Dn`].
    pub dn: String,
    /// Attribute → values.
    pub attributes: Values,
}

/// Which of the three lists of a snapshot an entry belongs to.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Part {
    /// People.
    Users,
    /// Departments.
    Departments,
    /// Groups.
    Groups,
}

/// An entry that was there and could not be read: it counts as present and becomes a finding.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Rejected {
    /// What it would have been.
    pub part: Part,
    /// Stable id, where at least that could be read.
    pub external_id: Option<String>,
    /// Distinguished name, where it could be read.
    pub dn: String,
    /// Finding code, one of those that begin with `rejected:`.
    pub code: FindingCode,
    /// Arguments of the code's messages.
    pub arguments: FindingArguments,
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
    /// What an operator should look at, such as answers from outside of the base, which were ignored.
    pub warnings: Vec<String>,
    /// Fingerprint of everything that was read, as it came; none where a source has none. What a source derives from
    /// the clock or from another read must be part of it.
    pub content: Option<String>,
    /// Which server it was read from; none for a file.
    pub server: Option<String>,
    /// When people were changed, by the server's clock, where that was asked for: stable id → time.
    pub changed_at: BTreeMap<String, Instant>,
}

/// What a read came to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Read {
    /// Complete, and entry by entry what is known already.
    Same,
    /// Complete.
    Whole(Box<Snapshot>),
}
