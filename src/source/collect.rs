//! From raw entries to a snapshot: names without options, values as text, one entry an id. What cannot be read is
//! rejected, entry by entry, and stays counted.

use std::collections::HashMap;
use std::collections::hash_map::Entry as Slot;

use super::dn::path_of;
use super::filter::{Values, base_name};
use super::generalized_time::instant;
use super::select::Selection;
use super::snapshot::{Entry, Part, Rejected, Snapshot};
use super::values::Builder;
use crate::model::{FindingArguments, FindingCode};

/// A value longer than this is no datum of a person: bytes.
const MAX_VALUE: usize = 1 << 20;

/// Which values were sent, counted from 0; no end when they are the last.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Range {
    pub low: usize,
    pub high: Option<usize>,
}

impl Range {
    /// Of an attribute option such as `range=0-1499` or `range=1500-*`.
    fn of(option: &str) -> Option<Self> {
        let option = option.to_ascii_lowercase();
        let (low, high) = option.strip_prefix("range=")?.split_once('-')?;
        // What cannot be read is not the last range.
        let high = if high == "*" { None } else { Some(high.parse().unwrap_or(usize::MAX)) };
        Some(Self { low: low.parse().ok()?, high })
    }
}

/// An entry as it came.
#[derive(Clone, Debug, Default)]
pub(super) struct Raw {
    pub dn: Vec<u8>,
    pub values: Values,
    /// It is one of two that two servers made at once, kept apart under a name that nobody chose.
    pub is_conflict: bool,
    /// Attributes of which the server sent a range (`member;range=0-1499`).
    ranges: Vec<(String, Range)>,
    /// Values with options, to be put last.
    optioned: Vec<(String, Vec<u8>)>,
    /// The same that came in ranges, by range: `DirSync` tells added values from removed ones by it.
    pieces: Vec<(String, Range, Vec<Vec<u8>>)>,
}

impl Raw {
    pub fn new(dn: Vec<u8>) -> Self {
        Self { dn, ..Self::default() }
    }

    /// Adds values under a description such as `cn;lang-zh`.
    pub fn push(&mut self, description: &str, values: impl IntoIterator<Item = Vec<u8>>) {
        let name = base_name(description);
        let Some((_, options)) = description.split_once(';') else {
            self.values.entry(name).or_default().extend(values);
            return;
        };
        let values: Vec<Vec<u8>> = values.into_iter().collect();
        if let Some(range) = options.split(';').find_map(Range::of) {
            self.ranges.push((name.clone(), range));
            self.pieces.push((name.clone(), range, values.clone()));
        }
        self.optioned.extend(values.into_iter().map(|value| (name.clone(), value)));
    }

    /// Attributes of which values are missing, because the server sent only a range of them.
    pub fn cut(&self) -> impl Iterator<Item = &str> {
        self.ranges.iter().filter(|(_, range)| range.high.is_some() || range.low > 0).map(|(name, _)| name.as_str())
    }

    /// Which range of an attribute this is.
    pub fn range(&self, name: &str) -> Option<Range> {
        self.ranges.iter().find(|(named, _)| named == name).map(|(_, range)| *range)
    }

    /// All values of an attribute that was cut.
    pub fn complete(&mut self, name: &str, values: Vec<Vec<u8>>) {
        self.ranges.retain(|(named, _)| named != name);
        self.values.insert(name.to_owned(), values);
    }

    /// Values of an attribute that came in ranges.
    pub fn pieces(&self, name: &str) -> impl Iterator<Item = (Range, &[Vec<u8>])> {
        self.pieces
            .iter()
            .filter(move |(named, ..)| named == name)
            .map(|(_, range, values)| (*range, values.as_slice()))
    }

    /// Sorts what has several values, which a server may return in any order (RFC 4511 section 4.1.7), and puts those
    /// with options behind the others; call it after the last [`Raw::push`].
    pub fn finish(&mut self) {
        self.values.values_mut().filter(|values| values.len() > 1).for_each(|values| values.sort());
        for (name, value) in self.optioned.drain(..) {
            self.values.entry(name).or_default().push(value);
        }
    }
}

/// What happens when two entries carry one id.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Duplicates {
    /// A live directory can return an entry twice while it changes: the later answer wins.
    Merge,
    /// In a file two names with one id are a mistake: the second is rejected.
    Reject,
}

/// Gathers entries; becomes a [`Snapshot`] only through [`Collector::seal`], which the readers call at the very end.
#[derive(Debug)]
pub(super) struct Collector {
    duplicates: Duplicates,
    snapshot: Snapshot,
    seen: HashMap<(Part, String), usize>,
    outside: HashMap<Part, (u64, String)>,
}

impl Collector {
    pub fn new(source: &str, duplicates: Duplicates) -> Self {
        let snapshot = Snapshot { source: source.to_owned(), ..Snapshot::default() };
        Self { duplicates, snapshot, seen: HashMap::new(), outside: HashMap::new() }
    }

    /// Takes one entry that the selection covers.
    pub fn take(&mut self, selection: &Selection, raw: &Raw) {
        let stamp = selection.stamp.and_then(|name| raw.values.get(name)?.first());
        let changed_at = stamp.and_then(|text| instant(std::str::from_utf8(text).ok()?));
        match read_entry(selection, raw) {
            Ok(entry) => {
                self.snapshot.changed_at.extend(changed_at.map(|at| (entry.external_id.clone(), at)));
                self.keep(selection.part, entry);
            }
            Err(rejected) => self.snapshot.rejected.push(rejected),
        }
    }

    /// Takes note of an entry that its reader cannot use: it is there all the same.
    pub fn reject(&mut self, rejected: Rejected) {
        self.snapshot.rejected.push(rejected);
    }

    /// Takes note of an answer from outside of the base, which nobody asked for.
    pub fn ignore(&mut self, part: Part, dn: &str) {
        let (count, _) = self.outside.entry(part).or_insert_with(|| (0, dn.to_owned()));
        *count += 1;
    }

    fn keep(&mut self, part: Part, entry: Entry) {
        let list = match part {
            Part::Users => &mut self.snapshot.users,
            Part::Departments => &mut self.snapshot.departments,
            Part::Groups => &mut self.snapshot.groups,
        };
        match self.seen.entry((part, entry.external_id.clone())) {
            Slot::Vacant(slot) => {
                slot.insert(list.len());
                list.push(entry);
            }
            Slot::Occupied(slot) => match (list.get_mut(*slot.get()), self.duplicates) {
                (Some(first), Duplicates::Reject) if first.dn != entry.dn => {
                    self.snapshot.rejected.push(Rejected {
                        part,
                        external_id: Some(entry.external_id),
                        arguments: arguments([("first", first.dn.clone())]),
                        dn: entry.dn,
                        code: FindingCode::SameId,
                    });
                }
                (Some(first), _) => *first = entry,
                (None, _) => {}
            },
        }
    }

    /// The snapshot. Only after everything was read and every result was a success.
    pub fn seal(mut self) -> Snapshot {
        // An entry that was read once and rejected once (it changed in between) was read.
        let seen = &self.seen;
        self.snapshot.rejected.retain(|rejected| {
            rejected.code == FindingCode::SameId
                || rejected.external_id.as_ref().is_none_or(|id| !seen.contains_key(&(rejected.part, id.clone())))
        });
        let mut outside: Vec<_> = self.outside.into_iter().collect();
        outside.sort_by_key(|(part, _)| *part);
        for (_, (count, first)) in outside {
            tracing::warn!(source = self.snapshot.source, count, "answers from outside of the base were ignored");
            let text = format!("{count} answers from outside of the base were ignored, the first being `{first}`");
            self.snapshot.warnings.push(text);
        }
        self.snapshot
    }
}

fn read_entry(selection: &Selection, raw: &Raw) -> Result<Entry, Rejected> {
    let id = raw.values.get(&selection.id).and_then(|ids| ids.first());
    let id = id.filter(|id| id.len() <= MAX_VALUE).and_then(|id| std::str::from_utf8(id).ok());
    let external_id = id.map(|id| id.trim().to_owned()).filter(|id| !id.is_empty());
    let dn = String::from_utf8_lossy(&raw.dn).into_owned();
    let reject = |code, arguments| Rejected {
        part: selection.part,
        external_id: external_id.clone(),
        dn: dn.clone(),
        code,
        arguments,
    };
    if std::str::from_utf8(&raw.dn).is_err() {
        return Err(reject(FindingCode::BadDn, arguments([("reason", "not UTF-8".to_owned())])));
    }
    if let Err(error) = path_of(&dn) {
        return Err(reject(FindingCode::BadDn, arguments([("reason", error.to_string())])));
    }
    let Some(id) = external_id.clone() else {
        return Err(reject(FindingCode::NoId, arguments([("attribute", selection.id.clone())])));
    };
    if raw.is_conflict {
        return Err(reject(FindingCode::ConflictEntry, FindingArguments::new()));
    }
    if let Some(name) = raw.cut().find(|name| selection.wanted.contains(*name)) {
        return Err(reject(FindingCode::PartialValues, arguments([("attribute", name.to_owned())])));
    }
    let mut values = Builder::default();
    for name in &selection.wanted {
        let Some(all) = raw.values.get(name) else { continue };
        values.name(name);
        for value in all {
            if value.len() > MAX_VALUE {
                let (size, limit) = (("size", value.len().to_string()), ("limit", MAX_VALUE.to_string()));
                return Err(reject(FindingCode::TooLarge, arguments([("attribute", name.clone()), size, limit])));
            }
            let Ok(text) = std::str::from_utf8(value) else {
                return Err(reject(FindingCode::BadUtf8, arguments([("attribute", name.clone())])));
            };
            values.value(text);
        }
    }
    let Some(attributes) = values.finish() else {
        let size = raw.values.values().flatten().map(Vec::len).sum::<usize>();
        let (size, limit) = (("size", size.to_string()), ("limit", (1u32 << 31).to_string()));
        return Err(reject(FindingCode::TooLarge, arguments([("attribute", "*".to_owned()), size, limit])));
    };
    Ok(Entry { external_id: id, dn, attributes })
}

fn arguments<const N: usize>(named: [(&str, String); N]) -> FindingArguments {
    named.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}
