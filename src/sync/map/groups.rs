//! Groups: members by DN, people and nested groups; who is unknown is skipped and counted.

use std::collections::BTreeSet;

use crate::config::SourceConfig;
use crate::model::ObjectKind;
use crate::source::Snapshot;

use super::super::SyncError;
use super::super::record::{GroupRecord, Mapped};
use super::index::Index;
use super::{render, template};

/// Maps the entries that are groups.
pub(super) fn map(
    config: &SourceConfig,
    snapshot: &Snapshot,
    index: &Index<'_>,
    mapped: &mut Mapped,
) -> Result<(), SyncError> {
    let Some(mapping) = &config.groups else { return Ok(()) };
    let code = template("groups.code", &mapping.code)?;
    let name = template("groups.name", &mapping.name)?;
    let member = mapping.member.trim().to_ascii_lowercase();
    for entry in &snapshot.groups {
        *mapped.read.entry(ObjectKind::Group).or_default() += 1;
        let Some(code) = render(&code, entry) else {
            let details = "the entry has no value for groups.code".to_owned();
            mapped.quarantine(ObjectKind::Group, "missing_code", &entry.external_id, &entry.dn, details);
            continue;
        };
        let mut members = BTreeSet::new();
        let mut unknown = 0u64;
        for dn in entry.attributes.get(&member).into_iter().flatten().filter(|dn| !dn.trim().is_empty()) {
            match index.find(dn) {
                // A group within itself says nothing.
                Some((ObjectKind::Group, id)) if id == entry.external_id => {}
                Some((kind, id)) => drop(members.insert((kind, id.to_owned()))),
                None => unknown += 1,
            }
        }
        if unknown > 0 {
            mapped.members_skipped += unknown;
            let details = format!("{unknown} members name nobody the source returned; they are skipped");
            mapped.warn("unknown_member", &entry.external_id, &entry.dn, details);
        }
        mapped.groups.push(GroupRecord {
            external_id: entry.external_id.clone(),
            dn: entry.dn.clone(),
            name: render(&name, entry).unwrap_or_else(|| code.clone()),
            code,
            members: members.into_iter().collect(),
        });
    }
    Ok(())
}
