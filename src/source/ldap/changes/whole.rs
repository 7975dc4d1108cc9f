//! Entries by their ids: whole, as a full read gives them; or only who is there.

use std::collections::{BTreeSet, HashMap, HashSet};

use super::Session;
use crate::config::DirectorySchema;
use crate::source::collect::{Collector, Raw};
use crate::source::error::SourceError;
use crate::source::filter::Filter;
use crate::source::ldap::kind::guid_bytes;
use crate::source::ldap::{search, whole};
use crate::source::select::Selection;
use crate::source::snapshot::{Part, Snapshot};

/// Ids in one filter.
pub(in crate::source::ldap) const CHUNK: usize = 100;

/// `(|(id=…)(id=…))`, with ids as the server compares them.
pub(in crate::source::ldap) fn any_of<'a>(attribute: &str, ids: impl IntoIterator<Item = &'a String>) -> Filter {
    let assertion = |id: &String| {
        let bytes = if attribute == "objectguid" { guid_bytes(id) } else { None };
        Filter::Equal(attribute.to_owned(), bytes.unwrap_or_else(|| id.clone().into_bytes()))
    };
    Filter::Or(ids.into_iter().map(assertion).collect())
}

/// The selection, and this besides.
pub(in crate::source::ldap) fn narrowed(selection: &Selection, more: Filter) -> Selection {
    Selection { filter: Filter::And(vec![selection.filter.clone(), more]), ..selection.clone() }
}

/// Every id that a snapshot names, also of what cannot be read.
fn named(snapshot: &Snapshot) -> HashSet<&str> {
    let entries = [&snapshot.users, &snapshot.departments, &snapshot.groups].into_iter().flatten();
    let rejected = snapshot.rejected.iter().filter_map(|rejected| rejected.external_id.as_deref());
    entries.map(|entry| entry.external_id.as_str()).chain(rejected).collect()
}

impl Session<'_> {
    /// Reads the entries of these ids whole, in every part; gives also the ids that no search returns.
    pub(super) async fn read_again(&mut self, ids: &[String]) -> Result<(Snapshot, Vec<String>), SourceError> {
        let mut collector = self.collector();
        for part in self.parts() {
            self.read_ids(part, ids, &mut collector).await?;
        }
        let snapshot = collector.seal();
        let found = named(&snapshot);
        let missing = ids.iter().filter(|id| !found.contains(id.as_str())).cloned().collect();
        Ok((snapshot, missing))
    }

    /// Reads those of the ids that the part covers.
    pub(super) async fn read_ids(
        &mut self,
        part: Part,
        ids: &[String],
        collector: &mut Collector,
    ) -> Result<(), SourceError> {
        let Some(selection) = self.reader.selection(part) else { return Ok(()) };
        for chunk in ids.chunks(CHUNK) {
            let narrowed = narrowed(selection, any_of(&selection.id, chunk));
            self.read_selection(&narrowed, collector).await?;
        }
        Ok(())
    }

    /// Reads everything that a selection asks for.
    pub(super) async fn read_selection(
        &mut self,
        selection: &Selection,
        collector: &mut Collector,
    ) -> Result<(), SourceError> {
        if selection.part == Part::Groups && self.reader.config.schema == DirectorySchema::ActiveDirectory {
            self.learn_primary_members(selection).await?;
        }
        whole(&mut self.connection, &self.reader.config, selection, &mut self.kind, collector, &mut || {}).await
    }

    /// The ids of a part as the selection finds them, with one more attribute of each.
    pub(super) async fn list(
        &mut self,
        selection: &Selection,
        besides: Option<&str>,
    ) -> Result<HashMap<String, (String, Option<String>)>, SourceError> {
        let wanted: BTreeSet<String> = besides.into_iter().map(str::to_owned).collect();
        let lean = Selection { wanted, asked: &[], stamp: None, ..selection.clone() };
        let mut listed = HashMap::new();
        let mut unnamed = 0;
        let (connection, kind) = (&mut self.connection, &mut self.kind);
        search::all_pages(connection, &self.reader.config, &lean, |mut raw| {
            kind.shape(lean.part, &mut raw);
            let text = |raw: &Raw, name: &str| {
                let value = raw.values.get(name)?.first()?;
                String::from_utf8(value.clone()).ok()
            };
            match text(&raw, &lean.id) {
                Some(id) => {
                    let dn = String::from_utf8_lossy(&raw.dn).into_owned();
                    listed.insert(id.trim().to_owned(), (dn, besides.and_then(|name| text(&raw, name))));
                }
                None => unnamed += 1,
            }
        })
        .await?;
        if unnamed > 0 && listed.is_empty() {
            let reason = format!("no entry shows its `{}`; grant the service account the right to read it", lean.id);
            return Err(SourceError::Config { key: "source.users.id".to_owned(), reason });
        }
        Ok(listed)
    }

    /// Everybody who is there, of each part.
    pub(super) async fn sweep(&mut self) -> Result<HashMap<Part, HashSet<String>>, SourceError> {
        let mut present = HashMap::new();
        for selection in &self.reader.selections {
            present.insert(selection.part, self.list(selection, None).await?.into_keys().collect());
        }
        Ok(present)
    }
}
