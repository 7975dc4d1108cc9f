//! What a plan takes away, brings and alters, counted from its changes alone.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use uuid::Uuid;

use crate::model::{Change, ChangeKind, Document, ObjectKind};

use super::super::document::Glance;

/// People who could sign in and no longer can.
pub(in crate::sync) const DISABLED: &str = "disabled";
/// New people.
pub(in crate::sync) const CREATED: &str = "created";
/// Departments taken out of use.
pub(in crate::sync) const DEPARTMENTS: &str = "departments_removed";
/// Groups taken out of use.
pub(in crate::sync) const GROUPS: &str = "groups_removed";
/// Members taken out of a group.
pub(in crate::sync) const MEMBERS: &str = "members_removed";
/// Roles taken away.
pub(in crate::sync) const ROLES: &str = "roles_revoked";

/// What is no attribute that a storm could be about.
const NOT_WATCHED: [&str; 3] = ["status", "status_reason", "password"];

/// The counts of a plan.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(in crate::sync) struct Tally {
    /// (what, id of the group where it is about one) → how many.
    pub counts: BTreeMap<(&'static str, String), i64>,
    /// Active people more (or fewer) than before.
    pub people: i64,
    /// Attribute → people in whom it differs, and of those the ones in whom it becomes empty.
    pub attributes: BTreeMap<String, (i64, i64)>,
    /// Groups whose members or whose being differ: id → how many steps.
    pub groups: BTreeMap<Uuid, i64>,
    /// Codes that groups will have: of those that the plan makes, say.
    pub codes: BTreeMap<Uuid, String>,
    /// Role → how often given or taken.
    pub roles: BTreeMap<String, i64>,
}

impl Tally {
    /// Counts.
    pub fn of<'a>(changes: impl Iterator<Item = &'a Change>) -> Self {
        let mut tally = Self::default();
        changes.for_each(|change| tally.add(change));
        tally
    }

    /// How many of `what`.
    pub fn count(&self, what: &'static str) -> i64 {
        self.counts.get(&(what, String::new())).copied().unwrap_or(0)
    }

    /// Members removed: (group, how many).
    pub fn members(&self) -> impl Iterator<Item = (Uuid, i64)> {
        self.counts
            .iter()
            .filter(|((what, _), _)| *what == MEMBERS)
            .filter_map(|((_, id), n)| Some((id.parse().ok()?, *n)))
    }

    fn note(&mut self, what: &'static str, about: String) {
        *self.counts.entry((what, about)).or_default() += 1;
    }

    fn add(&mut self, change: &Change) {
        match (change.object_kind, change.kind) {
            (_, ChangeKind::RoleGranted | ChangeKind::RoleRevoked) => {
                let document = change.after.as_ref().or(change.before.as_ref());
                *self.roles.entry(Glance::at(document).role.unwrap_or_default()).or_default() += 1;
                if change.kind == ChangeKind::RoleRevoked {
                    self.note(ROLES, String::new());
                }
            }
            (_, ChangeKind::MemberAdded | ChangeKind::MemberRemoved) => {
                *self.groups.entry(change.object_id).or_default() += 1;
                if change.kind == ChangeKind::MemberRemoved {
                    self.note(MEMBERS, change.object_id.to_string());
                }
            }
            (ObjectKind::User, _) => self.person(change),
            (ObjectKind::Department, ChangeKind::Disabled) => self.note(DEPARTMENTS, String::new()),
            (ObjectKind::Group, ChangeKind::Disabled) => {
                *self.groups.entry(change.object_id).or_default() += 1;
                self.note(GROUPS, String::new());
            }
            (ObjectKind::Group, _) => {
                self.codes.insert(change.object_id, Glance::at(change.after.as_ref()).code.unwrap_or_default());
            }
            _ => {}
        }
    }

    fn person(&mut self, change: &Change) {
        let was_active = Glance::at(change.before.as_ref()).is_active();
        self.people += i64::from(Glance::at(change.after.as_ref()).is_active()) - i64::from(was_active);
        match change.kind {
            ChangeKind::Created => self.note(CREATED, String::new()),
            ChangeKind::Disabled if was_active => self.note(DISABLED, String::new()),
            ChangeKind::Changed | ChangeKind::Moved if was_active => {
                for (name, is_emptied) in differing(change.before.as_ref(), change.after.as_ref()) {
                    let counts = self.attributes.entry(name).or_default();
                    counts.0 += 1;
                    counts.1 += i64::from(is_emptied);
                }
            }
            _ => {}
        }
    }
}

/// Attributes that differ, and whether each becomes empty. Further attributes are named `attributes.NAME`.
fn differing(before: Option<&Document>, after: Option<&Document>) -> Vec<(String, bool)> {
    let (Some(before), Some(after)) = (before, after) else { return Vec::new() };
    let (before, after) = (before.value(), after.value());
    let none = serde_json::Map::new();
    let (before, after) = (before.as_object().unwrap_or(&none), after.as_object().unwrap_or(&none));
    let mut found = Vec::new();
    let keys: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    for key in keys.into_iter().filter(|key| !NOT_WATCHED.contains(&key.as_str())) {
        let (old, new) = (before.get(key), after.get(key));
        if key == "attributes" {
            let (old, new) = (old.and_then(Value::as_object), new.and_then(Value::as_object));
            let (old, new) = (old.unwrap_or(&none), new.unwrap_or(&none));
            let names: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
            let differing = names.into_iter().filter(|name| old.get(*name) != new.get(*name));
            found.extend(differing.map(|name| (format!("attributes.{name}"), !new.contains_key(name))));
        } else if old != new {
            found.push((key.clone(), new.is_none_or(Value::is_null)));
        }
    }
    found
}
