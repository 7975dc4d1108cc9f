//! Which records differ from what was last applied, and which objects the source no longer returns.

use std::collections::{HashMap, HashSet};

use uuid::Uuid;

use crate::model::{FindingCode, Link, NewFinding, ObjectKind, User, UserId};

use super::super::finding::{arguments, finding};
use super::super::link::{GONE, Links, Pending, is_named};
use super::super::merge::Sharing;
use super::super::record::{DepartmentRecord, GroupRecord, Mapped, PositionRecord, UserRecord};
use super::super::settled::Sum;
use super::patches::{self, MemberPatch, Partial};
use super::{Draft, Means, State};
use crate::time::{Date, date_in};

/// External id → our id, of what is linked and of what is new in this plan.
#[derive(Debug)]
pub(super) struct Ids(HashMap<ObjectKind, HashMap<String, Uuid>>);

impl Ids {
    pub fn new(links: &Links) -> Self {
        let of = |kind| links.of_kind(kind).map(|link| (link.external_id.clone(), link.object_id)).collect();
        let mut ids = Self(super::KINDS.into_iter().map(|kind| (kind, of(kind))).collect());
        links.referred().for_each(|((kind, key), id)| ids.insert(*kind, key, *id));
        ids
    }

    pub fn find(&self, kind: ObjectKind, external_id: Option<&String>) -> Option<Uuid> {
        self.0.get(&kind)?.get(external_id?).copied()
    }

    pub fn insert(&mut self, kind: ObjectKind, external_id: &str, id: Uuid) {
        self.0.entry(kind).or_default().insert(external_id.to_owned(), id);
    }

    pub fn remove(&mut self, kind: ObjectKind, external_id: &str) {
        self.0.get_mut(&kind).map(|ids| ids.remove(external_id));
    }
}

/// What a plan has to look at.
pub(super) struct Work {
    pub ids: Ids,
    /// The day it is in the source's zone.
    pub today: Date,
    pub users: Vec<Pending<Box<UserRecord>>>,
    pub departments: Vec<Pending<DepartmentRecord>>,
    pub positions: Vec<Pending<PositionRecord>>,
    /// Groups that differ.
    pub groups: Vec<Pending<GroupRecord>>,
    /// Groups that do not; compared all the same when somebody comes back.
    pub settled_groups: Vec<GroupRecord>,
    pub absent_users: Vec<Link>,
    pub absent_departments: Vec<Link>,
    pub absent_positions: Vec<Link>,
    pub absent_groups: Vec<Link>,
    /// Our ids of entries that are left out and linked: their objects stay as they are.
    pub untouched: HashMap<ObjectKind, HashSet<Uuid>>,
    pub findings: Vec<NewFinding>,
    /// People who are still at the source, out of scope: external id → DN.
    pub moved_out: HashMap<String, String>,
    /// Whether only what changed at the source is looked at.
    pub is_part: bool,
    /// Links of who is gone, in a part.
    pub gone: Vec<Link>,
    /// Groups of which only members changed.
    pub members: Vec<MemberPatch>,
    /// People whose manager is gone.
    pub reports: Vec<(User, Link)>,
}

impl Work {
    /// `part` is what a delta says beside its records: without it, what has a link and no record is absent.
    pub fn new(
        means: &Means<'_>,
        mapped: Mapped,
        links: &Links,
        part: Option<Partial>,
        mut ids: Ids,
        draft: &mut Draft,
    ) -> Self {
        let of = |kind: ObjectKind, records: HashSet<&str>| match &part {
            Some(part) => part.absent.iter().filter(|link| link.kind == kind).cloned().collect(),
            None => links.absent(kind, &mapped, &records),
        };
        let absent_users =
            of(ObjectKind::User, mapped.users.iter().map(|record| record.external_id.as_str()).collect());
        let absent_departments =
            of(ObjectKind::Department, mapped.departments.iter().map(|record| record.external_id.as_str()).collect());
        let absent_positions =
            of(ObjectKind::Position, mapped.positions.iter().map(|record| record.external_id.as_str()).collect());
        let absent_groups =
            of(ObjectKind::Group, mapped.groups.iter().map(|record| record.external_id.as_str()).collect());
        let mut untouched: HashMap<ObjectKind, HashSet<Uuid>> = HashMap::new();
        for (kind, externals) in &mapped.quarantined {
            let linked = externals.iter().filter_map(|id| links.find(*kind, id)).map(|link| link.object_id);
            untouched.insert(*kind, linked.collect());
        }
        let mut sort = Sort { means, links, ids: &mut ids, draft };
        let (departments, _) =
            sort.by_digest(ObjectKind::Department, mapped.departments, |r| (&r.external_id, &r.dn, r.digest()));
        let (positions, _) =
            sort.by_digest(ObjectKind::Position, mapped.positions, |r| (&r.external_id, "", r.digest()));
        let (users, _) = sort.by_digest(ObjectKind::User, mapped.users, |r| (&r.external_id, &r.dn, r.digest()));
        let (groups, settled_groups) =
            sort.by_digest(ObjectKind::Group, mapped.groups, |r| (&r.external_id, &r.dn, r.digest()));
        let is_part = part.is_some();
        let part = part.unwrap_or_default();
        patches::rename(&part.renamed, draft);
        Self {
            is_part,
            gone: part.absent,
            members: part.members,
            reports: part.reports,
            ids,
            today: date_in(means.now, means.config.time_zone),
            users,
            departments,
            positions,
            groups,
            settled_groups,
            absent_users,
            absent_departments,
            absent_positions,
            absent_groups,
            untouched,
            findings: mapped.findings,
            moved_out: mapped.moved_out,
        }
    }

    /// The links that would leave nothing to do, added to those that the draft held before.
    pub fn expected(&self, mut sum: Sum) -> Sum {
        self.users.iter().for_each(|item| sum.add(ObjectKind::User, &item.record.external_id, &item.digest));
        self.departments.iter().for_each(|item| {
            sum.add(ObjectKind::Department, &item.record.external_id, &item.digest);
        });
        self.positions.iter().for_each(|item| sum.add(ObjectKind::Position, &item.record.external_id, &item.digest));
        self.groups.iter().for_each(|item| sum.add(ObjectKind::Group, &item.record.external_id, &item.digest));
        let absent = [&self.absent_users, &self.absent_departments, &self.absent_positions, &self.absent_groups];
        absent.into_iter().flatten().for_each(|link| sum.add(link.kind, &link.external_id, GONE));
        sum
    }

    /// Whether nothing differs.
    pub fn is_nothing(&self) -> bool {
        self.users.is_empty()
            && self.departments.is_empty()
            && self.positions.is_empty()
            && self.groups.is_empty()
            && self.absent_users.is_empty()
            && self.absent_departments.is_empty()
            && self.absent_positions.is_empty()
            && self.absent_groups.is_empty()
            && self.members.is_empty()
            && self.reports.is_empty()
    }

    /// Our ids of known people of whom the source says something else, or nothing any more.
    pub fn own_people(&self) -> Vec<UserId> {
        let known = self.users.iter().filter(|item| item.is_known).map(|item| item.id);
        known.chain(self.absent_users.iter().map(|link| link.object_id)).map(UserId).collect()
    }

    /// Our ids of the people whom the plan touches by themselves.
    pub fn people(&self) -> HashSet<Uuid> {
        let known = self.users.iter().filter(|item| item.is_known).map(|item| item.id);
        let absent = self.absent_users.iter().map(|link| link.object_id);
        let untouched = self.untouched.get(&ObjectKind::User).into_iter().flatten().copied();
        let reports = self.reports.iter().map(|(user, _)| user.id.0);
        known.chain(absent).chain(untouched).chain(reports).collect()
    }

    /// How many objects the plan looks at by themselves.
    pub fn size(&self) -> usize {
        let members: usize = self.groups.iter().map(|item| item.record.members.len()).sum();
        self.users.len() + self.departments.len() + self.absent_users.len() + members
    }

    /// Whether the object belongs to an entry that is left out.
    pub fn is_untouched(&self, kind: ObjectKind, id: Uuid) -> bool {
        self.untouched.get(&kind).is_some_and(|ids| ids.contains(&id))
    }

    /// People whose entries are left out: they stay as they are, in their places.
    pub fn untouched_people<'a>(&'a self, state: &'a State) -> impl Iterator<Item = &'a User> {
        let ids = self.untouched.get(&ObjectKind::User).into_iter().flatten();
        ids.filter_map(|id| state.users.get(&UserId(*id)))
    }

    /// Leaves out a record that would take a name which stays with somebody else.
    pub fn leave_out(&mut self, kind: ObjectKind, code: FindingCode, who: (&str, &str), name: &str, draft: &mut Draft) {
        self.findings.push(finding(code, who, arguments([("value", name.to_owned())]), true));
        draft.count(kind).quarantined += 1;
    }
}

struct Sort<'a, 'b> {
    means: &'a Means<'a>,
    links: &'a Links,
    ids: &'b mut Ids,
    draft: &'b mut Draft,
}

impl Sort<'_, '_> {
    /// Records that differ from what was last applied, and those that do not: they are counted, and only groups are looked
    /// at again.
    fn by_digest<R>(
        &mut self,
        kind: ObjectKind,
        records: Vec<R>,
        identify: impl Fn(&R) -> (&String, &str, String),
    ) -> (Vec<Pending<R>>, Vec<R>) {
        let (mut pending, mut settled, mut unchanged) = (Vec::new(), Vec::new(), 0);
        for record in records {
            let (external_id, dn, digest) = identify(&record);
            let link = self.links.find(kind, external_id);
            if let Some(link) = link.filter(|link| is_same(&link.digest, &digest, self.means.sharing)) {
                if !is_named(link, dn) {
                    // Renamed, or something above was: nothing else about it differs.
                    self.draft.link(kind, external_id, link.object_id, dn, &link.digest);
                }
                unchanged += 1;
                if kind == ObjectKind::Group {
                    settled.push(record);
                }
                continue;
            }
            let is_known = link.is_some();
            let id = link.map_or_else(|| self.means.rng.uuid(self.means.now), |link| link.object_id);
            if !is_known {
                self.ids.insert(kind, external_id, id);
            }
            pending.push(Pending { record, digest, id, is_known });
        }
        self.draft.count(kind).unchanged += unchanged;
        (pending, settled)
    }
}

/// Whether a link was made from the record: one that contributes was made under the same precedence, too.
fn is_same(link: &str, record: &str, sharing: Option<&Sharing>) -> bool {
    let Some(rest) = link.strip_prefix(record) else { return false };
    rest.is_empty() || rest.strip_prefix('.').is_some_and(|rest| sharing.is_some_and(|all| all.digest == rest))
}

/// Parts the records whose name stays with another object, until no more collide: a record that is left out keeps its
/// old name, which may collide with the next.
pub(super) fn settle<R>(
    pending: Vec<Pending<R>>,
    mut taken: HashSet<String>,
    wanted: impl Fn(&Pending<R>) -> Option<String>,
    current: impl Fn(Uuid) -> Option<String>,
) -> (Vec<Pending<R>>, Vec<Pending<R>>) {
    let (mut free, mut collided) = (pending, Vec::new());
    loop {
        let is_taken = |item: &Pending<R>| wanted(item).is_some_and(|name| taken.contains(&name));
        if taken.is_empty() || !free.iter().any(is_taken) {
            return (free, collided);
        }
        let (out, rest): (Vec<_>, Vec<_>) = free.into_iter().partition(is_taken);
        free = rest;
        taken.extend(out.iter().filter(|item| item.is_known).filter_map(|item| current(item.id)));
        collided.extend(out);
    }
}
