//! Who stands where: DN → entry, for managers, members and the departments above.

use std::collections::HashMap;

use crate::model::{Link, ObjectKind};
use crate::source::{Entry, Snapshot, path_above};

use super::super::link::path;

/// Entries by the path of their DN: those that were read, and those that are known from before.
pub(in crate::sync) struct Index<'a> {
    by_path: HashMap<String, (ObjectKind, &'a str)>,
    departments: HashMap<String, &'a str>,
}

impl<'a> Index<'a> {
    /// `known` are links of entries that were not read this time, with the names they have now.
    pub fn new(snapshot: &'a Snapshot, known: &'a [Link]) -> Self {
        let mut by_path = HashMap::with_capacity(snapshot.users.len() + snapshot.groups.len() + known.len());
        let mut departments = HashMap::with_capacity(snapshot.departments.len());
        for link in known.iter().filter(|link| !link.dn_path.is_empty()) {
            if link.kind == ObjectKind::Department {
                departments.insert(link.dn_path.clone(), link.external_id.as_str());
            } else {
                by_path.insert(link.dn_path.clone(), (link.kind, link.external_id.as_str()));
            }
        }
        let mut enter = |kind: ObjectKind, entries: &'a [Entry]| {
            for entry in entries {
                by_path.insert(path(&entry.dn), (kind, entry.external_id.as_str()));
            }
        };
        enter(ObjectKind::User, &snapshot.users);
        enter(ObjectKind::Group, &snapshot.groups);
        departments.extend(snapshot.departments.iter().map(|entry| (path(&entry.dn), entry.external_id.as_str())));
        Self { by_path, departments }
    }

    /// The person or group with this DN.
    pub fn find(&self, dn: &str) -> Option<(ObjectKind, &'a str)> {
        self.by_path.get(&path(dn)).copied()
    }

    /// The department with this DN.
    pub fn department(&self, dn: &str) -> Option<&'a str> {
        self.departments.get(path(dn).as_str()).copied()
    }

    /// The nearest department above this DN.
    pub fn department_above(&self, dn: &str) -> Option<&'a str> {
        let own = path(dn);
        let mut above = path_above(&own);
        while let Some(path) = above {
            if let Some(found) = self.departments.get(path) {
                return Some(found);
            }
            above = path_above(path);
        }
        None
    }
}
