//! Mapping: entries become records, as the configuration declares. Pure: it knows neither links nor the database.
//!
//! A bad entry becomes a finding and is left out; a faulty reference becomes a finding and is left empty.

mod departments;
mod groups;
mod index;
mod organisation;
mod unique;
mod users;

use std::borrow::Cow;

use crate::config::{SourceConfig, Template, crash_point};
use crate::model::{Link, ObjectKind};
use crate::source::{Dn, Entry, Part, PartValue, Snapshot, Texts};
use crate::text::fold;

use super::SyncError;
use super::absence::is_within;
use super::record::Mapped;
pub(super) use index::Index;

/// Maps a snapshot. `known` are links of entries that are not in it and are referred to all the same: none for a whole
/// one.
pub(super) fn map(config: &SourceConfig, snapshot: &Snapshot, known: &[Link]) -> Result<Mapped, SyncError> {
    let snapshot = &*without_excluded(config, snapshot);
    let mut mapped = Mapped::default();
    reject(snapshot, &mut mapped);
    let index = Index::new(snapshot, known);
    departments::map(config, snapshot, &index, &mut mapped)?;
    users::map(config, snapshot, &index, &mut mapped)?;
    groups::map(config, snapshot, &index, &mut mapped)?;
    unique::people(config, &mut mapped);
    unique::codes(config, &mut mapped);
    organisation::map(config, snapshot, &index, &mut mapped)?;
    crash_point("mapped");
    Ok(mapped)
}

/// The snapshot without what belongs to another source.
fn without_excluded<'a>(config: &SourceConfig, snapshot: &'a Snapshot) -> Cow<'a, Snapshot> {
    if config.excludes.is_empty() {
        return Cow::Borrowed(snapshot);
    }
    let mut rest = snapshot.clone();
    for entries in [&mut rest.users, &mut rest.departments, &mut rest.groups] {
        entries.retain(|entry| !is_within(&config.excludes, &entry.dn));
    }
    rest.rejected.retain(|rejected| !is_within(&config.excludes, &rejected.dn));
    Cow::Owned(rest)
}

/// Entries that could not be read count as present.
fn reject(snapshot: &Snapshot, mapped: &mut Mapped) {
    for rejected in &snapshot.rejected {
        let kind = match rejected.part {
            Part::Users => ObjectKind::User,
            Part::Departments => ObjectKind::Department,
            Part::Groups => ObjectKind::Group,
        };
        *mapped.read.entry(kind).or_default() += 1;
        let id = rejected.external_id.as_deref().unwrap_or(&rejected.dn);
        if rejected.external_id.is_none() {
            mapped.unread.insert(rejected.dn.clone());
        }
        mapped.quarantine(kind, rejected.code, (id, &rejected.dn), rejected.arguments.clone());
    }
}

/// A mapped value, parsed; the configuration was checked when it was loaded.
pub(super) fn template(key: &str, text: &str) -> Result<Template, SyncError> {
    Template::parse(text).map_err(|why| SyncError::Mapping(format!("{key} {why}")))
}

fn optional(key: &str, text: Option<&String>) -> Result<Option<Template>, SyncError> {
    text.map(|text| template(key, text)).transpose()
}

/// The value of a template in an entry. Of several values of an attribute the one in the entry's own name counts, else
/// the first.
pub(super) fn render(template: &Template, entry: &Entry) -> Option<String> {
    template.render(|name| {
        let mut values = entry.attributes.get(name)?;
        let named = if values.len() > 1 { named(entry, name, values.clone()) } else { None };
        named.or_else(|| values.next())
    })
}

/// The value that stands in the entry's relative name.
fn named<'a>(entry: &Entry, name: &str, mut values: Texts<'a>) -> Option<&'a str> {
    let dn = Dn::parse(&entry.dn).ok()?;
    let is_it = |value: &&str| {
        let own = dn.0.first().into_iter().flat_map(|rdn| &rdn.0).filter(|part| part.kind.eq_ignore_ascii_case(name));
        own.map(|part| &part.value).any(|own| matches!(own, PartValue::Text(text) if fold(text) == fold(value)))
    };
    values.find(is_it)
}
