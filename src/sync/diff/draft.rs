//! A plan in the making.

use std::collections::{BTreeMap, HashMap};

use serde::Serialize;
use uuid::Uuid;

use crate::model::{Change, ChangeKind, Document, NewFinding, ObjectKind, PlannedContribution, PlannedLink, UserId};

use super::super::record::Mapped;
use super::super::report::{Counts, GroupCounts, RoleCounts};
use super::super::settled::Sum;
use super::KINDS;

/// Changes in order, links as they will be, and what was counted on the way.
#[derive(Debug, Default)]
pub(in crate::sync) struct Draft {
    pub changes: Vec<Change>,
    /// What is taken out of use goes last.
    late: Vec<Change>,
    pub links: Vec<PlannedLink>,
    pub findings: Vec<NewFinding>,
    pub counts: HashMap<ObjectKind, Counts>,
    pub members: GroupCounts,
    pub roles: BTreeMap<String, RoleCounts>,
    pub absent_by_department: BTreeMap<String, u64>,
    /// Code → name of those departments.
    pub department_names: BTreeMap<String, String>,
    /// Group code → (members before, members taken out).
    pub group_losses: BTreeMap<String, (i64, i64)>,
    pub roles_revoked: i64,
    pub roles_before: i64,
    /// Pair of `sod.toml` that blocks → people who would newly hold both roles.
    pub separated: BTreeMap<String, i64>,
    /// Those people, with the roles of the pair.
    pub separated_people: Vec<(UserId, [String; 2])>,
    /// Whether nothing is left to do once the plan is applied: every record and every absent object gets its link, and
    /// nothing was found that depends on more than the entries.
    pub is_settling: bool,
    /// What sources will have said of people, where several do.
    pub contributions: Vec<PlannedContribution>,
    /// Owner of each of those people after the plan.
    pub owners: BTreeMap<UserId, String>,
    /// Of those who can no longer sign in: people who are still at the source, out of scope.
    pub moved_out: i64,
    /// People who come back under a new entry.
    pub rehired: i64,
    /// Whether anything was decided by what other sources say.
    pub is_shared: bool,
}

impl Draft {
    /// What was read and left out.
    pub fn take_counts(&mut self, mapped: &Mapped) {
        for kind in KINDS {
            let counts = self.counts.entry(kind).or_default();
            counts.read = mapped.read.get(&kind).copied().unwrap_or(0);
            counts.quarantined = mapped.left_out.get(&kind).copied().unwrap_or(0);
        }
        self.members.skipped = mapped.members_skipped;
    }

    /// The counts of a kind.
    pub fn count(&mut self, kind: ObjectKind) -> &mut Counts {
        self.counts.entry(kind).or_default()
    }

    /// Adds a step.
    pub fn push<D: Serialize>(
        &mut self,
        kind: ChangeKind,
        object: (ObjectKind, Uuid),
        before: Option<&D>,
        after: Option<&D>,
    ) {
        let (before, after) = (before.map(Document::of), after.map(Document::of));
        self.changes.push(Change { kind, object_kind: object.0, object_id: object.1, before, after });
    }

    /// Adds a step that comes after all others.
    pub fn push_late<D: Serialize>(&mut self, object: (ObjectKind, Uuid), before: &D, after: &D) {
        self.late.push(Change {
            kind: ChangeKind::Disabled,
            object_kind: object.0,
            object_id: object.1,
            before: Some(Document::of(before)),
            after: Some(Document::of(after)),
        });
    }

    /// Every step so far.
    pub fn all_changes(&self) -> impl Iterator<Item = &Change> {
        self.changes.iter().chain(&self.late)
    }

    /// Sets what an object's link will be.
    pub fn link(&mut self, kind: ObjectKind, external_id: &str, id: Uuid, dn: &str, digest: &str) {
        self.links.push(PlannedLink {
            kind,
            external_id: external_id.to_owned(),
            object_id: id,
            dn: dn.to_owned(),
            digest: digest.to_owned(),
            password: None,
        });
    }

    /// Lets the object be compared again by the next run.
    pub fn forget_digest(&mut self, kind: ObjectKind, id: Uuid) {
        let own = self.links.iter_mut().filter(|link| link.kind == kind && link.object_id == id);
        own.for_each(|link| link.digest.clear());
    }

    /// The links as they will be, summed up.
    pub fn sum(&self) -> Sum {
        let mut sum = Sum::default();
        self.links.iter().for_each(|link| sum.add(link.kind, &link.external_id, &link.digest));
        sum
    }

    /// Puts the late steps at the end, the last made first: children before parents.
    pub fn finish(&mut self) {
        self.changes.extend(self.late.drain(..).rev());
    }
}
