//! What changed since a position: a delta brings what a full read would give, and nothing is concluded from less.

mod active_directory;
mod ds389;
mod live;
mod openldap;
mod ranges;
mod scripted;

use std::collections::{BTreeMap, HashSet};
use std::path::Path;

use futures_util::future::BoxFuture;
use yaopai::config::SourceConfig;
use yaopai::source::{
    self, Changes, Delta, DeltaRefusal, Dn, Entry, Gone, KnownIds, Part, Position, Snapshot, SourceError,
};

use super::read;
#[cfg(feature = "kerberos")]
pub(super) use active_directory::ALONE;

/// What `sync` keeps of a source, as far as these tests need it.
#[derive(Clone, Default)]
pub(super) struct Mirror {
    users: BTreeMap<String, Entry>,
    departments: BTreeMap<String, Entry>,
    groups: BTreeMap<String, Entry>,
}

impl Mirror {
    fn of(snapshot: Snapshot) -> Self {
        let by_id = |entries: Vec<Entry>| entries.into_iter().map(|entry| (entry.external_id.clone(), entry)).collect();
        Self { users: by_id(snapshot.users), departments: by_id(snapshot.departments), groups: by_id(snapshot.groups) }
    }

    fn part(&self, part: Part) -> &BTreeMap<String, Entry> {
        match part {
            Part::Users => &self.users,
            Part::Departments => &self.departments,
            Part::Groups => &self.groups,
        }
    }

    /// Does what a delta says.
    pub(super) fn take(&mut self, delta: Delta) {
        for gone in delta.gone {
            let Gone::Id { part, external_id } = gone else { panic!("{gone:?}") };
            for (list, of) in [
                (&mut self.users, Part::Users),
                (&mut self.departments, Part::Departments),
                (&mut self.groups, Part::Groups),
            ] {
                if part.is_none_or(|part| part == of) {
                    list.remove(&external_id);
                }
            }
        }
        for (list, entries) in [
            (&mut self.users, delta.users),
            (&mut self.departments, delta.departments),
            (&mut self.groups, delta.groups),
        ] {
            list.extend(entries.into_iter().map(|entry| (entry.external_id.clone(), entry)));
        }
        for change in delta.members {
            let Some(group) = self.groups.get_mut(&change.external_id) else { continue };
            super::edit(group, |attributes| {
                let members = attributes.entry("member".to_owned()).or_default();
                members.retain(|member| !change.removed.contains(member));
                members.extend(change.added);
            });
        }
    }

    /// Names of the people who are said to be gone.
    fn names_of(&self, gone: &[Gone]) -> Vec<String> {
        let name = |gone: &Gone| match gone {
            Gone::Id { external_id, .. } => self.users.get(external_id).map(|entry| entry.dn.clone()),
            Gone::Dn(dn) => Some(dn.clone()),
        };
        gone.iter().filter_map(name).collect()
    }

    /// Where a directory keeps references itself, whoever is deleted is no member any more, and `DirSync` sends no change of
    /// the groups for it: that follows from their being gone.
    fn end_memberships(&mut self, names: &[String]) {
        let keys: HashSet<String> = names.iter().map(|name| Dn::parse(name).unwrap().key()).collect();
        for group in self.groups.values_mut() {
            super::edit(group, |attributes| {
                if let Some(members) = attributes.get_mut("member") {
                    members.retain(|member| !keys.contains(&Dn::parse(member).unwrap().key()));
                }
            });
        }
    }

    /// In an order of our own, names by their key: servers spell them differently.
    fn comparable(mut self) -> [BTreeMap<String, Entry>; 3] {
        for entry in self.users.values_mut().chain(self.departments.values_mut()).chain(self.groups.values_mut()) {
            entry.dn = Dn::parse(&entry.dn).unwrap().key();
            super::edit(entry, |attributes| {
                super::name_by_key(attributes);
                for values in attributes.values_mut() {
                    values.sort();
                    values.dedup();
                }
                attributes.retain(|_, values| !values.is_empty());
            });
        }
        [self.users, self.departments, self.groups]
    }

    /// Fails unless a full read of now gives the same.
    pub(super) async fn assert_is(&self, config: &SourceConfig) {
        let full = Self::of(read(config, Path::new("/")).await.unwrap()).comparable();
        let ours = self.clone().comparable();
        for (ours, full) in ours.iter().zip(&full) {
            assert_eq!(ours.keys().collect::<Vec<_>>(), full.keys().collect::<Vec<_>>());
            for (id, entry) in full {
                assert_eq!((&ours[id].dn, &ours[id].attributes), (&entry.dn, &entry.attributes));
            }
        }
    }
}

impl KnownIds for Mirror {
    fn all(&self, part: Part) -> BoxFuture<'_, Result<HashSet<String>, SourceError>> {
        Box::pin(async move { Ok(self.part(part).keys().cloned().collect()) })
    }

    fn among<'a>(&'a self, part: Part, ids: &'a [String]) -> BoxFuture<'a, Result<HashSet<String>, SourceError>> {
        let known = self.part(part);
        Box::pin(async move { Ok(ids.iter().filter(|id| known.contains_key(*id)).cloned().collect()) })
    }
}

/// A position, and a full read that goes with it.
pub(super) async fn begin(config: &SourceConfig) -> (Position, Mirror) {
    let position = source::position(config, Path::new("/")).await.unwrap().unwrap();
    let snapshot = read(config, Path::new("/")).await.unwrap();
    assert!(position.goes_with(&snapshot));
    (position, Mirror::of(snapshot))
}

async fn changes(config: &SourceConfig, since: &Position, known: &Mirror) -> Result<Changes, SourceError> {
    source::read_changes(config, Path::new("/"), since, known, &mut |_| {}).await
}

pub(super) async fn delta(config: &SourceConfig, since: &Position, known: &Mirror) -> Delta {
    match changes(config, since, known).await.unwrap() {
        Changes::Delta(delta) => *delta,
        Changes::FullNeeded { why } => panic!("everything must be read: {}", why.fault()),
    }
}

async fn refusal(config: &SourceConfig, since: &Position, known: &Mirror) -> DeltaRefusal {
    match changes(config, since, known).await.unwrap() {
        Changes::Delta(delta) => panic!("{delta:?}"),
        Changes::FullNeeded { why } => why,
    }
}

/// Everybody who changed has the time of it, which is of these minutes: the server's clock is that of this machine.
fn assert_timed(delta: &Delta) {
    let now = yaopai::time::Clock::System.now();
    assert!(!delta.users.is_empty());
    for user in &delta.users {
        let at = delta.changed_at.get(&user.external_id).unwrap_or_else(|| panic!("{user:?} has no time"));
        assert!((now - *at).num_seconds().abs() < 3_600, "{user:?} changed {at}");
    }
}

pub(super) fn way(position: &Position) -> String {
    position.way().unwrap().to_owned()
}

/// Attributes of the entries, one of each.
fn names<'a>(entries: impl IntoIterator<Item = &'a Entry>, attribute: &str) -> Vec<String> {
    let mut names: Vec<String> = entries.into_iter().map(|entry| super::one(entry, attribute).to_owned()).collect();
    names.sort();
    names
}
