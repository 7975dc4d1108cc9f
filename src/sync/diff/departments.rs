//! Departments: made, changed, moved, let in again, taken out of use.

use std::collections::{HashMap, HashSet};

use uuid::Uuid;

use crate::model::{ChangeKind, DepartmentId, Document, FindingCode, ObjectKind, Status, UserId};

use super::super::document::DepartmentDocument;
use super::super::finding::{arguments, finding};
use super::super::link::{GONE, Pending};
use super::super::record::DepartmentRecord;
use super::pending::{Work, settle};
use super::{Draft, State};

const KIND: ObjectKind = ObjectKind::Department;

/// Plans departments.
pub(super) fn diff(work: &mut Work, state: &State, draft: &mut Draft) {
    let active_code = |id| {
        state.departments.get(&DepartmentId(id)).filter(|row| row.status == Status::Active).map(|row| row.code.clone())
    };
    let taken = work.untouched.get(&KIND).into_iter().flatten().filter_map(|id| active_code(*id)).collect();
    let pending = std::mem::take(&mut work.departments);
    let (pending, circles) = circles(pending, work, state);
    for (item, count) in circles {
        if !item.is_known {
            work.ids.remove(KIND, &item.record.external_id);
        }
        let who = (item.record.external_id.as_str(), item.record.dn.as_str());
        let arguments = arguments([("count", count.to_string())]);
        work.findings.push(finding(FindingCode::DepartmentCycle, who, arguments, true));
        draft.count(KIND).quarantined += 1;
    }
    let (free, collided) = settle(pending, taken, |item| Some(item.record.code.clone()), active_code);
    for item in collided {
        if !item.is_known {
            work.ids.remove(KIND, &item.record.external_id);
        }
        let who = (item.record.external_id.as_str(), item.record.dn.as_str());
        work.leave_out(KIND, FindingCode::CodeTaken, who, &item.record.code, draft);
    }
    for item in &free {
        one(item, work, state, draft);
    }
    let kept = kept(work, state);
    for link in &work.absent_departments {
        if kept.contains(&DepartmentId(link.object_id)) {
            // Whoever is below it has left it: once it is back they are looked at.
            draft.link(KIND, &link.external_id, link.object_id, &link.dn, "");
            continue;
        }
        draft.link(KIND, &link.external_id, link.object_id, &link.dn, GONE);
        let Some(row) = state.departments.get(&DepartmentId(link.object_id)) else { continue };
        if row.status == Status::Active {
            let before = DepartmentDocument::of(row);
            let after = DepartmentDocument { status: Status::Disabled, ..before.clone() };
            draft.push_late((KIND, link.object_id), &before, &after);
            draft.count(KIND).absent += 1;
        }
    }
}

/// A department that would be above itself, and how many there are in the circle.
type Circled = (Pending<DepartmentRecord>, usize);

/// Parts departments that would be above themselves, with how many there are in the circle; until no more are: one that
/// stays where it was may close the next circle.
fn circles(
    pending: Vec<Pending<DepartmentRecord>>,
    work: &Work,
    state: &State,
) -> (Vec<Pending<DepartmentRecord>>, Vec<Circled>) {
    let mut above: HashMap<Uuid, Uuid> =
        state.departments.values().filter_map(|row| Some((row.id.0, row.parent_id?.0))).collect();
    for item in &pending {
        match work.ids.find(KIND, item.record.parent.as_ref()) {
            Some(parent) => drop(above.insert(item.id, parent)),
            None => drop(above.remove(&item.id)),
        }
    }
    let (mut free, mut found) = (pending, Vec::new());
    loop {
        let length = |id: Uuid| {
            let walk = std::iter::successors(above.get(&id), |at| above.get(*at)).take(above.len() + 1);
            walk.zip(1_usize..).find(|(at, _)| **at == id).map(|(_, steps)| steps)
        };
        let lengths: HashMap<Uuid, usize> = free.iter().filter_map(|item| Some((item.id, length(item.id)?))).collect();
        if lengths.is_empty() {
            return (free, found);
        }
        let (out, rest): (Vec<_>, Vec<_>) = free.into_iter().partition(|item| lengths.contains_key(&item.id));
        free = rest;
        for item in out {
            match state.departments.get(&DepartmentId(item.id)).and_then(|row| row.parent_id) {
                Some(parent) => drop(above.insert(item.id, parent.0)),
                None => drop(above.remove(&item.id)),
            }
            let count = lengths.get(&item.id).copied().unwrap_or(1);
            found.push((item, count));
        }
    }
}

/// Takes heads out of the plan who are left out of it: the department is looked at again by the next run.
pub(super) fn drop_heads(state: &State, draft: &mut Draft) {
    let mut new: HashSet<Uuid> = HashSet::new();
    for change in &draft.changes {
        if change.object_kind == ObjectKind::User && change.kind == ChangeKind::Created {
            new.insert(change.object_id);
        }
    }
    let is_nobody = |id: Uuid| !new.contains(&id) && !state.users.contains_key(&UserId(id));
    let mut headless = HashSet::new();
    for change in draft.changes.iter_mut().filter(|change| change.object_kind == KIND) {
        for document in [&mut change.before, &mut change.after].into_iter().flatten() {
            let Ok(said) = document.read::<DepartmentDocument>() else { continue };
            if said.head_id.is_some_and(|id| is_nobody(id.0)) {
                *document = Document::of(&DepartmentDocument { head_id: None, ..said });
                headless.insert(change.object_id);
            }
        }
    }
    for link in draft.links.iter_mut().filter(|link| link.kind == KIND && headless.contains(&link.object_id)) {
        link.digest.clear();
    }
}

/// Departments of people whose entries were left out, with all above: they are still somebody's.
fn kept(work: &Work, state: &State) -> HashSet<DepartmentId> {
    let mut kept = HashSet::new();
    for user in work.untouched_people(state) {
        let mut above = user.department_id;
        while let Some(id) = above.filter(|id| kept.insert(*id)) {
            above = state.departments.get(&id).and_then(|row| row.parent_id);
        }
    }
    kept
}

fn one(item: &Pending<DepartmentRecord>, work: &Work, state: &State, draft: &mut Draft) {
    let record = &item.record;
    let target = DepartmentDocument {
        code: record.code.clone(),
        name: record.name.clone(),
        parent_id: work.ids.find(KIND, record.parent.as_ref()).map(DepartmentId),
        sort_order: record.sort_order,
        status: Status::Active,
        kind: record.kind,
        head_id: work.ids.find(ObjectKind::User, record.head.as_ref()).map(UserId),
        cost_centre: record.cost_centre.clone(),
        legal_entity: record.legal_entity.clone(),
    };
    // Where the department above is left out, the place is looked at again by the next run.
    let is_placed = record.parent.is_none() || target.parent_id.is_some();
    let digest = if is_placed { item.digest.as_str() } else { "" };
    draft.link(KIND, &record.external_id, item.id, &record.dn, digest);
    let object = (KIND, item.id);
    let Some(row) = state.departments.get(&DepartmentId(item.id)) else {
        draft.push(ChangeKind::Created, object, None, Some(&target));
        draft.count(KIND).created += 1;
        return;
    };
    let mut at = DepartmentDocument::of(row);
    let steps = draft.changes.len();
    if at.status != Status::Active {
        let next = DepartmentDocument { status: Status::Active, ..at.clone() };
        draft.push(ChangeKind::Enabled, object, Some(&at), Some(&next));
        draft.count(KIND).enabled += 1;
        at = next;
    }
    let changed = DepartmentDocument { parent_id: at.parent_id, ..target.clone() };
    if changed != at {
        draft.push(ChangeKind::Changed, object, Some(&at), Some(&changed));
    }
    if target.parent_id != changed.parent_id {
        draft.push(ChangeKind::Moved, object, Some(&changed), Some(&target));
        draft.count(KIND).moved += 1;
    }
    let is_changed = draft.changes.len() > steps;
    let counts = draft.count(KIND);
    if is_changed { counts.changed += 1 } else { counts.unchanged += 1 }
}
