//! Groups and who is in them.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use uuid::Uuid;

use crate::model::{ChangeKind, FindingCode, GroupId, Member, ObjectKind, Status};

use super::super::document::{CodedDocument, MemberDocument};
use super::super::link::{GONE, Pending};
use super::super::record::GroupRecord;
use super::pending::{Work, settle};
use super::people::{Future, Unlisted};
use super::{Draft, State, patches};

const KIND: ObjectKind = ObjectKind::Group;

/// Plans groups, without their members.
pub(super) fn diff(work: &mut Work, state: &State, draft: &mut Draft) {
    let active_code =
        |id| state.groups.get(&GroupId(id)).filter(|row| row.status == Status::Active).map(|row| row.code.clone());
    let taken = work.untouched.get(&KIND).into_iter().flatten().filter_map(|id| active_code(*id)).collect();
    let pending = std::mem::take(&mut work.groups);
    let (free, collided) = settle(pending, taken, |item| Some(item.record.code.clone()), active_code);
    for item in collided {
        if !item.is_known {
            work.ids.remove(KIND, &item.record.external_id);
        }
        let who = (item.record.external_id.as_str(), item.record.dn.as_str());
        work.leave_out(KIND, FindingCode::CodeTaken, who, &item.record.code, draft);
    }
    for item in &free {
        one(item, state, draft);
    }
    work.groups = free;
    for link in &work.absent_groups {
        draft.link(KIND, &link.external_id, link.object_id, &link.dn, GONE);
        let Some(row) = state.groups.get(&GroupId(link.object_id)) else { continue };
        if row.status == Status::Active {
            let before = CodedDocument::of_group(row);
            let after = CodedDocument { status: Status::Disabled, ..before.clone() };
            draft.push_late((KIND, link.object_id), &before, &after);
            draft.count(KIND).absent += 1;
        }
    }
}

fn one(item: &Pending<GroupRecord>, state: &State, draft: &mut Draft) {
    let record = &item.record;
    let target = CodedDocument { code: record.code.clone(), name: record.name.clone(), status: Status::Active };
    draft.link(KIND, &record.external_id, item.id, &record.dn, &item.digest);
    let object = (KIND, item.id);
    let Some(row) = state.groups.get(&GroupId(item.id)) else {
        draft.push(ChangeKind::Created, object, None, Some(&target));
        draft.count(KIND).created += 1;
        return;
    };
    let before = CodedDocument::of_group(row);
    let is_back = before.status != Status::Active;
    if before == target {
        // Its members may differ; the count is settled with them.
        return;
    }
    let kind = if is_back { ChangeKind::Enabled } else { ChangeKind::Changed };
    draft.push(kind, object, Some(&before), Some(&target));
    draft.count(KIND).enabled += u64::from(is_back);
}

/// Plans memberships and gives those that hold after the plan. Members who are locked out keep their place until they
/// come back, those who are left out until they can be read ([`Unlisted`]); groups taken out of use keep theirs.
pub(super) fn diff_members(work: &Work, state: &State, future: &Future<'_>, draft: &mut Draft) -> Vec<Member> {
    let mut present: BTreeMap<Uuid, BTreeSet<Member>> = BTreeMap::new();
    for member in &state.members {
        present.entry(member.group_id.0).or_default().insert(*member);
    }
    let pending = work.groups.iter().map(|item| (item.id, &item.record, Some(item)));
    let settled = work.settled_groups.iter().filter(|_| future.somebody_returns);
    let settled = settled.filter_map(|record| Some((work.ids.find(KIND, Some(&record.external_id))?, record, None)));
    let groups: Vec<(Uuid, &GroupRecord, Option<&Pending<GroupRecord>>)> = pending.chain(settled).collect();
    let touched: HashSet<Uuid> = draft.changes.iter().filter(|c| c.object_kind == KIND).map(|c| c.object_id).collect();
    for (id, record, item) in groups {
        let before = present.remove(&id).unwrap_or_default();
        let wanted = wanted(id, record, work);
        let fate = |member: &&Member| future.unlisted(member, work);
        let is_waiting = before.difference(&wanted).any(|member| fate(&member) == Unlisted::KeptUntilRead);
        if item.is_some() && (is_waiting || wanted.len() < record.members.len()) {
            // A member's account could not be made, or a member could not be read: compared again, so that they are not
            // forgotten once it is so.
            draft.forget_digest(KIND, id);
        }
        let added: Vec<Member> = wanted.difference(&before).copied().collect();
        let removed: Vec<Member> =
            before.difference(&wanted).filter(|member| fate(member) == Unlisted::Ends).copied().collect();
        steps(ChangeKind::MemberAdded, &added, draft);
        steps(ChangeKind::MemberRemoved, &removed, draft);
        draft.members.added += count(&added);
        draft.members.removed += count(&removed);
        if !removed.is_empty() {
            let loss = (i64::try_from(before.len()).unwrap_or(0), i64::try_from(removed.len()).unwrap_or(0));
            draft.group_losses.insert(record.code.clone(), loss);
        }
        if let Some(item) = item.filter(|item| item.is_known) {
            let differs = touched.contains(&item.id) || !added.is_empty() || !removed.is_empty();
            let counts = draft.count(KIND);
            if differs { counts.changed += 1 } else { counts.unchanged += 1 }
        } else if item.is_none() && !(added.is_empty() && removed.is_empty()) {
            let counts = draft.count(KIND);
            counts.unchanged -= 1;
            counts.changed += 1;
        }
        let removed: BTreeSet<Member> = removed.into_iter().collect();
        present.insert(id, before.union(&wanted).filter(|member| !removed.contains(member)).copied().collect());
    }
    patches::members(work, state, future, draft, &mut present);
    present.into_values().flatten().collect()
}

/// The members that a group should have, as far as they are known here.
pub(super) fn wanted(id: Uuid, record: &GroupRecord, work: &Work) -> BTreeSet<Member> {
    let ours = |(kind, external_id): &(ObjectKind, String)| {
        let member_id = work.ids.find(*kind, Some(external_id))?;
        Some(Member { group_id: GroupId(id), member_kind: *kind, member_id })
    };
    record.members.iter().filter_map(ours).collect()
}

fn steps(kind: ChangeKind, members: &[Member], draft: &mut Draft) {
    for member in members {
        let document = MemberDocument { member_kind: member.member_kind, member_id: member.member_id };
        let (before, after) =
            if kind == ChangeKind::MemberAdded { (None, Some(&document)) } else { (Some(&document), None) };
        draft.push(kind, (KIND, member.group_id.0), before, after);
    }
}

fn count(members: &[Member]) -> u64 {
    u64::try_from(members.len()).unwrap_or(0)
}
