//! Mapping: entries become records, as the configuration declares. Pure: it knows neither links nor the database.
//!
//! A bad entry becomes a finding and is left out; a faulty reference becomes a finding and is left empty.

mod departments;
mod groups;
mod index;
mod organisation;
mod unique;
mod users;

use crate::config::{SourceConfig, Template};
use crate::model::ObjectKind;
use crate::source::{Entry, Part, Snapshot};

use super::SyncError;
use super::record::Mapped;
use index::Index;

/// Maps a snapshot.
pub(super) fn map(config: &SourceConfig, snapshot: &Snapshot) -> Result<Mapped, SyncError> {
    let mut mapped = Mapped::default();
    reject(snapshot, &mut mapped);
    let index = Index::new(snapshot);
    departments::map(config, snapshot, &index, &mut mapped)?;
    users::map(config, snapshot, &index, &mut mapped)?;
    groups::map(config, snapshot, &index, &mut mapped)?;
    unique::people(&mut mapped);
    unique::codes(config, &mut mapped);
    organisation::map(config, snapshot, &index, &mut mapped)?;
    Ok(mapped)
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
fn template(key: &str, text: &str) -> Result<Template, SyncError> {
    Template::parse(text).map_err(|why| SyncError::Mapping(format!("{key} {why}")))
}

fn optional(key: &str, text: Option<&String>) -> Result<Option<Template>, SyncError> {
    text.map(|text| template(key, text)).transpose()
}

/// The value of a template in an entry.
fn render(template: &Template, entry: &Entry) -> Option<String> {
    template.render(|name| entry.attributes.get(name)?.first().map(String::as_str))
}
