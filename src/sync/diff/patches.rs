//! What a delta says about objects whose entries it does not hold: groups that gain or lose members, groups and reports
//! of those who are gone, and everything below a department that got another name.
//!
//! Digests are made so that this needs no record (`record.rs`): the next full run finds them as it would have made them.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use uuid::Uuid;

use crate::model::{ChangeKind, GroupId, Link, Member, ObjectKind, PlannedLink, User};

use super::super::document::{MemberDocument, UserDocument};
use super::super::link::GONE;
use super::super::record::{MemberSum, with_manager};
use super::pending::Work;
use super::people::{Future, Unlisted};
use super::{Draft, State};

/// What is known without entries.
#[derive(Debug, Default)]
pub(in crate::sync) struct Partial {
    /// Links whose objects the source no longer returns, confirmed.
    pub absent: Vec<Link>,
    /// Groups of which only members changed.
    pub members: Vec<MemberPatch>,
    /// Links with the names that they have now, because something above was renamed.
    pub renamed: Vec<Link>,
    /// People whose manager is gone, with their links.
    pub reports: Vec<(User, Link)>,
}

/// Members that a group gains and loses, by external id.
#[derive(Debug)]
pub(in crate::sync) struct MemberPatch {
    pub link: Link,
    pub added: Vec<(ObjectKind, String)>,
    pub removed: Vec<(ObjectKind, String)>,
}

/// Takes over the names of what is below something renamed.
pub(super) fn rename(renamed: &[Link], draft: &mut Draft) {
    for link in renamed {
        draft.link(link.kind, &link.external_id, link.object_id, &link.dn, &link.digest);
    }
}

/// Empties the manager of people whose manager is gone.
pub(super) fn unmanage(reports: Vec<(User, Link)>, draft: &mut Draft, future: &mut Future<'_>) {
    for (user, link) in reports {
        let before = UserDocument::of(&user);
        let after = UserDocument { manager_id: None, ..before.clone() };
        draft.push(ChangeKind::Changed, (ObjectKind::User, user.id.0), Some(&before), Some(&after));
        draft.link(ObjectKind::User, &link.external_id, link.object_id, &link.dn, &with_manager(&link.digest, None));
        draft.count(ObjectKind::User).read += 1;
        draft.count(ObjectKind::User).changed += 1;
        future.touched.insert(user.id, after);
    }
}

/// Plans members one by one, and keeps the digests of groups that lose somebody who is gone.
pub(super) fn members(
    work: &Work,
    state: &State,
    future: &Future<'_>,
    draft: &mut Draft,
    present: &mut BTreeMap<Uuid, BTreeSet<Member>>,
) {
    let Some(part) = state.part.as_ref().filter(|_| work.is_part) else { return };
    let whole: HashSet<Uuid> = work.groups.iter().map(|item| item.id).collect();
    let mut sums = Sums::default();
    for link in work.gone.iter().filter(|link| matches!(link.kind, ObjectKind::User | ObjectKind::Group)) {
        for edge in state.members.iter().filter(|edge| edge.member_id == link.object_id) {
            if future.unlisted(edge, work) == Unlisted::KeptUntilRead {
                sums.forget(edge.group_id.0);
            }
            sums.remove(edge.group_id.0, link.kind, &link.external_id);
        }
    }
    // A group that is left out stays as it is: it is compared once it can be read.
    let is_untouched = |id: Uuid| whole.contains(&id) || work.is_untouched(ObjectKind::Group, id);
    for patch in work.members.iter().filter(|patch| !is_untouched(patch.link.object_id)) {
        let id = patch.link.object_id;
        let before = present.entry(id).or_default();
        let member = |(kind, external_id): &(ObjectKind, String)| {
            let member_id = work.ids.find(*kind, Some(external_id))?;
            Some((Member { group_id: GroupId(id), member_kind: *kind, member_id }, external_id.clone()))
        };
        let own = |(member, _): &(Member, String)| member.member_id != id;
        let added = patch.added.iter().filter_map(member).filter(own);
        let added: BTreeMap<Member, String> = added.filter(|(member, _)| !before.contains(member)).collect();
        let removed = patch.removed.iter().filter_map(member).filter(|(member, _)| before.contains(member));
        let removed: BTreeMap<Member, String> = removed.collect();
        for (member, external_id) in &added {
            sums.add(id, member.member_kind, external_id);
        }
        for (member, external_id) in &removed {
            if future.unlisted(member, work) == Unlisted::KeptUntilRead {
                sums.forget(id);
            }
            sums.remove(id, member.member_kind, external_id);
        }
        let ends = |member: &Member| future.unlisted(member, work) == Unlisted::Ends;
        let left: Vec<Member> = removed.into_keys().filter(ends).collect();
        before.retain(|member| !left.contains(member));
        before.extend(added.keys());
        steps(patch, (&added.into_keys().collect::<Vec<_>>(), &left), state, part.group_sizes.get(&id), draft);
    }
    let planned: HashSet<Uuid> = draft.links.iter().map(|link| link.object_id).collect();
    for (id, changes) in sums.0 {
        let link = part.group_links.get(&id).filter(|link| link.digest != GONE && !planned.contains(&link.object_id));
        if let Some((link, sum)) = link.and_then(|link| Some((link, MemberSum::of(&link.digest)?))) {
            let digest = if changes.is_forgotten { String::new() } else { changes.onto(sum).onto(&link.digest) };
            draft.links.push(patched(link, &digest));
        }
    }
}

fn patched(link: &Link, digest: &str) -> PlannedLink {
    PlannedLink {
        kind: link.kind,
        external_id: link.external_id.clone(),
        object_id: link.object_id,
        dn: link.dn.clone(),
        digest: digest.to_owned(),
        password: None,
    }
}

fn steps(
    patch: &MemberPatch,
    (added, left): (&[Member], &[Member]),
    state: &State,
    size: Option<&i64>,
    draft: &mut Draft,
) {
    for (kind, members) in [(ChangeKind::MemberAdded, added), (ChangeKind::MemberRemoved, left)] {
        for member in members {
            let document = MemberDocument { member_kind: member.member_kind, member_id: member.member_id };
            let is_added = kind == ChangeKind::MemberAdded;
            let (before, after) = if is_added { (None, Some(&document)) } else { (Some(&document), None) };
            draft.push(kind, (ObjectKind::Group, patch.link.object_id), before, after);
        }
    }
    let count = |list: &[Member]| u64::try_from(list.len()).unwrap_or(0);
    draft.members.added += count(added);
    draft.members.removed += count(left);
    if !left.is_empty() {
        let code = state.groups.get(&GroupId(patch.link.object_id)).map(|group| group.code.clone());
        let lost = i64::try_from(left.len()).unwrap_or(0);
        draft.group_losses.insert(code.unwrap_or_default(), (size.copied().unwrap_or(lost), lost));
    }
    let counts = draft.count(ObjectKind::Group);
    counts.read += 1;
    if added.is_empty() && left.is_empty() { counts.unchanged += 1 } else { counts.changed += 1 }
}

/// Members that enter and leave the sums of groups, each once.
#[derive(Default)]
struct Sums(HashMap<Uuid, Joined>);

#[derive(Default)]
struct Joined {
    added: HashSet<(ObjectKind, String)>,
    removed: HashSet<(ObjectKind, String)>,
    /// The next full run compares the group.
    is_forgotten: bool,
}

impl Sums {
    fn add(&mut self, group: Uuid, kind: ObjectKind, external_id: &str) {
        self.0.entry(group).or_default().added.insert((kind, external_id.to_owned()));
    }

    fn forget(&mut self, group: Uuid) {
        self.0.entry(group).or_default().is_forgotten = true;
    }

    fn remove(&mut self, group: Uuid, kind: ObjectKind, external_id: &str) {
        self.0.entry(group).or_default().removed.insert((kind, external_id.to_owned()));
    }
}

impl Joined {
    fn onto(&self, mut sum: MemberSum) -> MemberSum {
        self.added.iter().for_each(|(kind, id)| sum.add(*kind, id));
        self.removed.iter().for_each(|(kind, id)| sum.remove(*kind, id));
        sum
    }
}
