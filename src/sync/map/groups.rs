//! Groups: members by DN, people and nested groups; who is unknown may be known elsewhere.

use std::collections::BTreeSet;

use crate::config::SourceConfig;
use crate::model::{FindingCode, ObjectKind};
use crate::source::Snapshot;

use super::super::SyncError;
use super::super::finding::arguments;
use super::super::record::{GroupRecord, Mapped, Unresolved};
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
        let who = (entry.external_id.as_str(), entry.dn.as_str());
        let Some(code) = render(&code, entry) else {
            let arguments = arguments([("key", "groups.code".to_owned())]);
            mapped.quarantine(ObjectKind::Group, FindingCode::MissingCode, who, arguments);
            continue;
        };
        let mut members = BTreeSet::new();
        for dn in entry.attributes.all(&member).filter(|dn| !dn.trim().is_empty()) {
            match index.find(dn) {
                // A group within itself says nothing.
                Some((ObjectKind::Group, id)) if id == entry.external_id => {}
                Some((kind, id)) => drop(members.insert((kind, id.to_owned()))),
                None => mapped.unresolved.push(Unresolved {
                    of: ObjectKind::Group,
                    external_id: entry.external_id.clone(),
                    dn: entry.dn.clone(),
                    reference: dn.to_owned(),
                }),
            }
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
