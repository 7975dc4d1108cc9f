//! People: joined, changed, moved, locked out, let in again, gone.

use std::collections::{HashMap, HashSet};

use crate::model::{
    Assignment, ChangeKind, DepartmentId, FindingCode, Member, ObjectKind, PlannedLink, PositionId, Status, User,
    UserId,
};
use crate::store::Json;
use crate::time::Date;

use super::super::document::{UserDocument, fingerprint};
use super::super::finding::{arguments, finding};
use super::super::link::{GONE, Pending};
use super::super::merge::{Merge, Role};
use super::super::record::UserRecord;
use super::pending::{Work, settle};
use super::{Draft, State, contributed};

const KIND: ObjectKind = ObjectKind::User;

/// Why somebody is locked out by a sync; only what a sync locked out may a sync let in again.
pub(in crate::sync) const ABSENT: &str = "absent";
pub(in crate::sync) const SOURCE_DISABLED: &str = "source_disabled";
pub(in crate::sync) const UNDONE: &str = "undone";
/// The first day of employment is to come.
pub(in crate::sync) const NOT_STARTED: &str = "not_started";
/// The last day of employment is past.
pub(in crate::sync) const ENDED: &str = "ended";
/// Their entry is still at the source, outside of base and filter.
pub(in crate::sync) const OUT_OF_SCOPE: &str = "out_of_scope";

/// What becomes of a membership that the source no longer lists.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Unlisted {
    /// It ends.
    Ends,
    /// The person is locked out: compared again when somebody is let in.
    KeptUntilBack,
    /// The entry was left out and counts as present, or the account is kept from being locked out: compared on every full
    /// run, so that it ends with the first one that can read the entry.
    KeptUntilRead,
}

/// People as they will be after the plan.
pub(super) struct Future<'a> {
    state: &'a State,
    /// Those that this plan touches.
    pub touched: HashMap<UserId, UserDocument>,
    /// Whether somebody is let in again: their memberships are compared then.
    pub somebody_returns: bool,
}

impl<'a> Future<'a> {
    /// Nobody is touched yet.
    pub fn new(state: &'a State) -> Self {
        Self { state, touched: HashMap::new(), somebody_returns: false }
    }
}

impl Future<'_> {
    /// Whether the person will be let in.
    pub fn is_active(&self, id: UserId) -> bool {
        match self.touched.get(&id) {
            Some(document) => document.status == Status::Active,
            None => self.state.users.get(&id).is_some_and(|user| user.status == Status::Active),
        }
    }

    /// What becomes of a membership that the source no longer lists. Full runs and increments decide alike.
    pub fn unlisted(&self, member: &Member, work: &Work) -> Unlisted {
        if member.member_kind == KIND && !self.is_active(UserId(member.member_id)) {
            Unlisted::KeptUntilBack
        } else if work.is_untouched(member.member_kind, member.member_id) {
            Unlisted::KeptUntilRead
        } else {
            Unlisted::Ends
        }
    }
}

/// Keeps people whom nothing may lock out, though the source no longer returns them: they stay as they are.
pub(super) fn keep_protected(work: &mut Work, state: &State, protected: &HashSet<String>, merge: &Merge) {
    let is_protected = |user: &User| {
        user.status == Status::Active && protected.contains(&user.login_key) && merge.role(Some(user)) == Role::Owner
    };
    let (kept, absent): (Vec<_>, Vec<_>) = std::mem::take(&mut work.absent_users)
        .into_iter()
        .partition(|link| state.users.get(&UserId(link.object_id)).is_some_and(is_protected));
    for link in kept {
        let arguments = arguments([("reason", ABSENT.to_owned())]);
        let who = (link.external_id.as_str(), link.dn.as_str());
        work.findings.push(finding(FindingCode::ProtectedLogin, who, arguments, false));
        work.untouched.entry(KIND).or_default().insert(link.object_id);
    }
    work.absent_users = absent;
}

/// Plans people.
pub(super) fn diff<'a>(
    work: &mut Work,
    state: &'a State,
    protected: &HashSet<String>,
    merge: &mut Merge,
    draft: &mut Draft,
) -> Future<'a> {
    let mut future = Future::new(state);
    keep_values(work, state);
    let free = free_of_collisions(work, state, merge, draft);
    future.touched.reserve(free.len());
    for mut item in free {
        let known = state.users.get(&UserId(item.id));
        let own = target(&mut item.record, work, known);
        let target = match (merge.role(known), known) {
            (Role::Contributor, Some(user)) => {
                contributed::contribute(&item, &own, user, merge, work, draft, &mut future);
                continue;
            }
            (Role::Heir, Some(user)) => {
                let target = merge.inherited(user, own);
                contributed::inherit(user, &target, draft);
                draft.is_shared = true;
                target
            }
            _ => merge.own(UserId(item.id), own),
        };
        one(item, target, state, protected, work, draft, &mut future);
    }
    for link in std::mem::take(&mut work.absent_users) {
        let known = state.users.get(&UserId(link.object_id));
        if let Some(user) = known.filter(|user| merge.role(Some(user)) != Role::Owner) {
            contributed::withdraw(&link, user, merge, draft, &mut future);
            continue;
        }
        let moved_to = work.moved_out.get(&link.external_id);
        let dn = moved_to.unwrap_or(&link.dn);
        draft.link(KIND, &link.external_id, link.object_id, dn, GONE);
        let Some(user) = known.filter(|user| user.status == Status::Active) else { continue };
        let reason = if moved_to.is_some() { OUT_OF_SCOPE } else { ABSENT };
        draft.moved_out += i64::from(moved_to.is_some());
        let before = UserDocument::of(user);
        let after = UserDocument { status: Status::Disabled, status_reason: Some(reason.to_owned()), ..before.clone() };
        draft.push(ChangeKind::Disabled, (KIND, link.object_id), Some(&before), Some(&after));
        draft.count(KIND).absent += 1;
        let department = user.department_id.and_then(|id| state.departments.get(&id));
        let code = department.map(|department| department.code.clone()).unwrap_or_default();
        if let Some(department) = department {
            draft.department_names.insert(code.clone(), department.name.clone());
        }
        *draft.absent_by_department.entry(code).or_default() += 1;
        future.touched.insert(user.id, after);
    }
    future
}

/// Of several values of a field the one that is here stays.
fn keep_values(work: &mut Work, state: &State) {
    for item in work.users.iter_mut().filter(|item| !item.record.choices.is_empty()) {
        if let Some(user) = state.users.get(&UserId(item.id)) {
            item.record.keep(user);
        }
    }
}

/// Records whose login name is free, or becomes free by this plan.
fn free_of_collisions(
    work: &mut Work,
    state: &State,
    merge: &Merge,
    draft: &mut Draft,
) -> Vec<Pending<Box<UserRecord>>> {
    let current = |id| {
        state.users.get(&UserId(id)).filter(|user| user.status == Status::Active).map(|user| user.login_key.clone())
    };
    let mut taken = state.other_logins.clone();
    taken.extend(work.untouched.get(&KIND).into_iter().flatten().filter_map(|id| current(*id)));
    let today = work.today;
    let wanted = |item: &Pending<Box<UserRecord>>| {
        let known = state.users.get(&UserId(item.id));
        // The owner alone names the login.
        let is_named = merge.role(known) != Role::Contributor && status(&item.record, known, today).0 == Status::Active;
        is_named.then(|| item.record.login_key.clone())
    };
    let (free, collided) = settle(std::mem::take(&mut work.users), taken, wanted, current);
    for item in collided {
        if item.is_known {
            work.untouched.entry(KIND).or_default().insert(item.id);
        } else {
            work.ids.remove(KIND, &item.record.external_id);
        }
        let who = (item.record.external_id.as_str(), item.record.dn.as_str());
        work.leave_out(KIND, FindingCode::LoginTaken, who, &item.record.login, draft);
    }
    free
}

/// May the person sign in, and if not, why.
fn status(record: &UserRecord, known: Option<&User>, today: Date) -> (Status, Option<String>) {
    let locked_by_sync = |user: &User| {
        let reasons = [ABSENT, SOURCE_DISABLED, UNDONE, OUT_OF_SCOPE, NOT_STARTED, ENDED];
        user.status_reason.as_deref().is_some_and(|reason| reasons.contains(&reason)) || user.status != Status::Disabled
    };
    match known {
        // Locked out by somebody else, who alone lets in again.
        Some(user) if !locked_by_sync(user) => (user.status, user.status_reason.clone()),
        _ if !record.enabled => (Status::Disabled, Some(SOURCE_DISABLED.to_owned())),
        _ => employed(record.starts_on, record.ends_on, today),
    }
}

/// What the dates of employment say about that day.
pub(in crate::sync) fn employed(
    starts_on: Option<Date>,
    ends_on: Option<Date>,
    today: Date,
) -> (Status, Option<String>) {
    if ends_on.is_some_and(|last| last < today) {
        (Status::Disabled, Some(ENDED.to_owned()))
    } else if starts_on.is_some_and(|first| today < first) {
        (Status::Disabled, Some(NOT_STARTED.to_owned()))
    } else {
        (Status::Active, None)
    }
}

/// What the record makes of the person. The document takes over what nobody asks the record for afterwards.
fn target(record: &mut UserRecord, work: &Work, known: Option<&User>) -> UserDocument {
    let (status, status_reason) = status(record, known, work.today);
    let assignments = assignments(record, work);
    UserDocument {
        login: record.login.clone(),
        employee_number: record.employee_number.clone(),
        display_name: std::mem::take(&mut record.display_name),
        given_name: record.given_name.take(),
        family_name: record.family_name.take(),
        mail: record.mail.take(),
        mobile: record.mobile.take(),
        title: record.title.take(),
        department_id: work.ids.find(ObjectKind::Department, record.department.as_ref()).map(DepartmentId),
        position_id: work.ids.find(ObjectKind::Position, record.position.as_ref()).map(PositionId),
        manager_id: work.ids.find(KIND, record.manager.as_ref()).map(UserId),
        attributes: record.attributes.clone(),
        password: fingerprint(record.password.as_deref()),
        status,
        status_reason,
        starts_on: record.starts_on,
        ends_on: record.ends_on,
        assignments,
        source: None,
    }
}

/// Concurrent assignments, those of departments that are known here.
fn assignments(record: &UserRecord, work: &Work) -> Vec<Assignment> {
    let known = record.assignments.iter().filter_map(|of| {
        Some(Assignment {
            department_id: DepartmentId(work.ids.find(ObjectKind::Department, Some(&of.department))?),
            position_id: work.ids.find(ObjectKind::Position, of.position.as_ref()).map(PositionId),
            manager_id: work.ids.find(KIND, of.manager.as_ref()).map(UserId),
            starts_on: of.starts_on,
            ends_on: of.ends_on,
            in_force: Assignment::covers(of.starts_on, of.ends_on, work.today),
        })
    });
    known.collect()
}

fn one(
    item: Pending<Box<UserRecord>>,
    mut target: UserDocument,
    state: &State,
    protected: &HashSet<String>,
    work: &mut Work,
    draft: &mut Draft,
    future: &mut Future<'_>,
) {
    let known = state.users.get(&UserId(item.id));
    let Pending { mut record, mut digest, id, .. } = item;
    if protected.contains(&record.login_key) {
        // No date locks them out.
        (target.starts_on, target.ends_on) = (None, None);
    }
    if let Some(user) = known
        && user.status == Status::Active
        && target.status == Status::Disabled
        && protected.contains(&user.login_key)
    {
        let arguments = arguments([("reason", "disabled".to_owned())]);
        let who = (record.external_id.as_str(), record.dn.as_str());
        work.findings.push(finding(FindingCode::ProtectedLogin, who, arguments, false));
        (target.status, target.status_reason) = (Status::Active, None);
        // Looked at again on every run, so that the finding stays.
        digest.clear();
    }
    draft.links.push(PlannedLink {
        kind: KIND,
        password: password(&record, known),
        external_id: std::mem::take(&mut record.external_id),
        object_id: id,
        dn: std::mem::take(&mut record.dn),
        digest,
    });
    let Some(user) = known else {
        draft.push(ChangeKind::Created, (KIND, id), None, Some(&target));
        let counts = draft.count(KIND);
        counts.created += 1;
        counts.locked_out += u64::from(target.status == Status::Disabled);
        future.touched.insert(UserId(id), target);
        return;
    };
    let is_changed = steps(user, &target, draft);
    future.somebody_returns |= user.status != Status::Active && target.status == Status::Active;
    let counts = draft.count(KIND);
    if is_changed {
        counts.changed += 1;
        future.touched.insert(user.id, target);
    } else {
        counts.unchanged += 1;
    }
}

/// A new hash, empty to forget the old one, none to keep it.
fn password(record: &UserRecord, known: Option<&User>) -> Option<String> {
    let old = known.and_then(|user| user.password_hash.as_ref());
    match (&record.password, old) {
        (new, old) if new.as_ref() == old => None,
        (Some(new), _) => Some(new.clone()),
        (None, _) => Some(String::new()),
    }
}

/// The steps from a known person to the target: attributes, place, status. Tells whether there were any.
pub(super) fn steps(user: &User, target: &UserDocument, draft: &mut Draft) -> bool {
    let object = (KIND, user.id.0);
    let mut at = UserDocument { source: target.source.clone(), ..UserDocument::of(user) };
    let before = draft.changes.len();
    let changed = UserDocument {
        department_id: at.department_id,
        status: at.status,
        status_reason: at.status_reason.clone(),
        ..target.clone()
    };
    if changed != at {
        draft.push(ChangeKind::Changed, object, Some(&at), Some(&changed));
        at = changed;
    }
    if target.department_id != at.department_id {
        let moved = UserDocument { department_id: target.department_id, ..at.clone() };
        draft.push(ChangeKind::Moved, object, Some(&at), Some(&moved));
        draft.count(KIND).moved += 1;
        at = moved;
    }
    if target.status != at.status {
        let is_back = target.status == Status::Active;
        let kind = if is_back { ChangeKind::Enabled } else { ChangeKind::Disabled };
        draft.push(kind, object, Some(&at), Some(target));
        let counts = draft.count(KIND);
        counts.enabled += u64::from(is_back);
        counts.locked_out += u64::from(!is_back);
    } else if target.status_reason != at.status_reason {
        // Absent and now locked out at the source: still no sign-in, for another reason.
        draft.push(ChangeKind::Changed, object, Some(&at), Some(target));
    }
    draft.changes.len() > before
}

impl<'a> Future<'a> {
    /// Active people after the plan, as rules see them: (id, document or row).
    pub fn people(&'a self) -> impl Iterator<Item = crate::access::RolePerson<'a>> {
        let touched = self.touched.iter().filter(|(_, document)| document.status == Status::Active);
        let touched = touched.map(|(id, document)| crate::access::RolePerson {
            id: *id,
            department: document.department_id,
            position: document.position_id,
            title: document.title.as_deref(),
            employee_number: document.employee_number.as_deref(),
            mail: document.mail.as_deref(),
            attributes: &document.attributes,
            manager: document.manager_id,
            assignments: &document.assignments,
        });
        let rest = self.state.users.values();
        let rest = rest.filter(|user| user.status == Status::Active && !self.touched.contains_key(&user.id));
        touched.chain(rest.map(|user| crate::access::RolePerson {
            id: user.id,
            department: user.department_id,
            position: user.position_id,
            title: user.title.as_deref(),
            employee_number: user.employee_number.as_deref(),
            mail: user.mail.as_deref(),
            attributes: attributes(&user.attributes),
            manager: user.manager_id,
            assignments: &user.assignments,
        }))
    }
}

fn attributes(json: &Json<crate::model::Attributes>) -> &crate::model::Attributes {
    &json.0
}
