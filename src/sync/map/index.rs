//! Who stands where: DN → entry, for managers, members and the departments above.

use std::collections::HashMap;

use crate::model::ObjectKind;
use crate::source::{Dn, Snapshot};

/// The entries of a snapshot by their normalized DN.
pub(super) struct Index<'a> {
    by_dn: HashMap<String, (ObjectKind, &'a str)>,
    departments: HashMap<String, &'a str>,
}

impl<'a> Index<'a> {
    pub fn new(snapshot: &'a Snapshot) -> Self {
        let mut by_dn = HashMap::with_capacity(snapshot.users.len() + snapshot.groups.len());
        let lists = [(ObjectKind::User, &snapshot.users), (ObjectKind::Group, &snapshot.groups)];
        for (kind, entries) in lists {
            for entry in entries {
                by_dn.insert(key(&entry.dn), (kind, entry.external_id.as_str()));
            }
        }
        let departments =
            snapshot.departments.iter().map(|entry| (key(&entry.dn), entry.external_id.as_str())).collect();
        Self { by_dn, departments }
    }

    /// The person or group with this DN.
    pub fn find(&self, dn: &str) -> Option<(ObjectKind, &'a str)> {
        self.by_dn.get(&key(dn)).copied()
    }

    /// The department with this DN.
    pub fn department(&self, dn: &str) -> Option<&'a str> {
        self.departments.get(&key(dn)).copied()
    }

    /// The nearest department above this DN.
    pub fn department_above(&self, dn: &str) -> Option<&'a str> {
        let mut above = Dn::parse(dn).ok()?.normalized().parent();
        while let Some(dn) = above {
            if let Some(found) = self.departments.get(&dn.to_string()) {
                return Some(found);
            }
            above = dn.parent();
        }
        None
    }
}

/// The DN as a key; what does not parse is only equal to itself.
fn key(dn: &str) -> String {
    Dn::parse(dn).map_or_else(|_| dn.to_owned(), |dn| dn.key())
}
