//! What begins and ends by its date: people, concurrent assignments, and the roles that follow.

use std::collections::{BTreeMap, HashSet};

use super::super::document::{Glance, UserDocument};
use super::people::{ENDED, Future, NOT_STARTED, employed, steps};
use super::{Draft, Means, State, roles};
use crate::model::{Assignment, Change, ChangeKind, NewFinding, ObjectKind, Status, User, UserId};
use crate::text::fold;
use crate::time::{Date, date_in};

/// The draft of what the dates of today change, and what it would have granted but for the separation of duties.
pub(in crate::sync) fn draft(means: &Means<'_>, state: &State) -> (Draft, Vec<NewFinding>) {
    let today = date_in(means.now, means.config.time_zone);
    let protected: HashSet<String> = means.config.guard.protected.iter().map(|login| fold(login)).collect();
    let mut taken: HashSet<&str> = state.other_logins.iter().map(String::as_str).collect();
    let active = state.users.values().filter(|user| user.status == Status::Active);
    taken.extend(active.map(|user| user.login_key.as_str()));
    let (mut draft, mut future) = (Draft::default(), Future::new(state));
    // Each source keeps the dates of its own people, in its own zone.
    let mut users: Vec<&User> = state.users.values().filter(|user| user.source == means.config.name).collect();
    users.sort_by_key(|user| user.id);
    for user in users {
        let mut target = on(user, today);
        let is_kept = protected.contains(&user.login_key) && target.status != Status::Active;
        // The name that a joiner waits for may be somebody else's until the source says otherwise.
        let is_waiting =
            target.status == Status::Active && user.status != Status::Active && !taken.insert(&user.login_key);
        if is_kept || is_waiting {
            (target.status, target.status_reason) = (user.status, user.status_reason.clone());
        }
        if steps(user, &target, &mut draft) {
            let counts = draft.count(ObjectKind::User);
            counts.read += 1;
            counts.changed += 1;
            future.touched.insert(user.id, target);
        }
    }
    let mut findings = Vec::new();
    roles::diff(means, state, &future, &state.members, &protected, &mut findings, &mut draft);
    let touched: HashSet<UserId> = future.touched.keys().copied().collect();
    withhold(&mut draft, means.are_rules_new.then_some(&touched));
    draft.finish();
    (draft, findings)
}

/// The person on that day. Who is locked out for another reason than dates stays so.
fn on(user: &User, today: Date) -> UserDocument {
    let mut target = UserDocument::of(user);
    for of in &mut target.assignments {
        of.in_force = Assignment::covers(of.starts_on, of.ends_on, today);
    }
    let is_by_date = matches!(user.status_reason.as_deref(), Some(NOT_STARTED | ENDED));
    if user.status == Status::Active || user.status == Status::Disabled && is_by_date {
        (target.status, target.status_reason) = employed(user.starts_on, user.ends_on, today);
    }
    target
}

/// Takes grants back that somebody has to approve: those that would make a conflict of roles, and everything about others
/// than `only` where the rules have changed since they were last looked at. The next plan of the source shows them.
fn withhold(draft: &mut Draft, only: Option<&HashSet<UserId>>) {
    let separated = std::mem::take(&mut draft.separated_people);
    let role = |change: &Change| Glance::at(change.after.as_ref().or(change.before.as_ref())).role.unwrap_or_default();
    draft.changes.retain(|change| {
        let user = UserId(change.object_id);
        let is_granted = change.kind == ChangeKind::RoleGranted;
        let is_other = only.is_some_and(|only| !only.contains(&user));
        let is_conflict = || separated.iter().any(|(id, pair)| *id == user && pair.contains(&role(change)));
        !((is_granted || change.kind == ChangeKind::RoleRevoked) && is_other || is_granted && is_conflict())
    });
    draft.separated.clear();
    let mut counts: BTreeMap<String, crate::sync::RoleCounts> = BTreeMap::new();
    for change in &draft.changes {
        match change.kind {
            ChangeKind::RoleGranted => counts.entry(role(change)).or_default().granted += 1,
            ChangeKind::RoleRevoked => counts.entry(role(change)).or_default().revoked += 1,
            _ => {}
        }
    }
    draft.roles = counts;
}
