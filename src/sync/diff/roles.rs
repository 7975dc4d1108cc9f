//! Roles: the rules over the planned future, against what is granted; separation of duties over what will be held.

use std::collections::{BTreeSet, HashMap, HashSet};

use crate::access::{Conflict, GrantKey, RoleDepartment, RoleFacts, Severity, Tree};
use crate::model::{
    Acting, Assignment, ChangeKind, DepartmentId, Document, FindingCode, GroupId, Member, NewFinding, ObjectKind,
    PositionId, Status,
};
use crate::time::{Date, date_in};

use super::super::document::{CodedDocument, DepartmentDocument, RoleDocument};
use super::super::finding::{arguments, finding};
use super::people::Future;
use super::{Draft, Means, State};

/// Plans grants and revocations. People who are locked out keep what they have: rules are asked again when they return.
pub(super) fn diff(
    means: &Means<'_>,
    state: &State,
    future: &Future<'_>,
    members: &[Member],
    protected: &HashSet<String>,
    findings: &mut Vec<NewFinding>,
    draft: &mut Draft,
) {
    let organisation = Organisation::after(state, draft);
    let today = date_in(means.now, means.config.time_zone);
    let facts = organisation.facts(state, future, members, today);
    let wanted = means.rules.evaluate(&facts);
    let mut held: Vec<GrantKey> = state.grants.iter().map(GrantKey::from).collect();
    held.sort_unstable();
    draft.roles_before = i64::try_from(held.len()).unwrap_or(i64::MAX);
    for grant in missing(&wanted, &held) {
        step(ChangeKind::RoleGranted, grant, draft);
        draft.roles.entry(grant.role.to_string()).or_default().granted += 1;
    }
    let mut kept = BTreeSet::new();
    for grant in missing(&held, &wanted).into_iter().filter(|grant| future.is_active(grant.user_id)) {
        let user = state.users.get(&grant.user_id);
        if user.is_some_and(|user| protected.contains(&user.login_key)) {
            kept.insert(grant);
            continue;
        }
        step(ChangeKind::RoleRevoked, grant, draft);
        draft.roles.entry(grant.role.to_string()).or_default().revoked += 1;
        draft.roles_revoked += 1;
    }
    if !means.rules.separation.is_empty() {
        let tree = Tree::new(&facts.departments);
        let before = means.rules.separation.conflicts(held.iter().filter(|of| future.is_active(of.user_id)), &tree);
        let after = means.rules.separation.conflicts(wanted.iter().chain(kept.iter().copied()), &tree);
        for conflict in after.difference(&before) {
            separate(means, state, future, *conflict, findings, draft);
        }
    }
    for GrantKey { user_id, role, rule, .. } in kept {
        let arguments = arguments([("rule", rule.to_string()), ("role", role.to_string())]);
        findings.push(finding(FindingCode::ProtectedRole, (&user_id.to_string(), role), arguments, false));
    }
}

/// What is in the first list and not in the second; both are sorted.
fn missing<'a>(list: &'a [GrantKey], known: &[GrantKey]) -> Vec<&'a GrantKey> {
    let mut rest = known.iter().peekable();
    let is_missing = |grant: &&GrantKey| {
        while rest.next_if(|other| *other < *grant).is_some() {}
        rest.peek() != Some(grant)
    };
    list.iter().filter(is_missing).collect()
}

/// A conflict that this plan would make: reported, and counted for the guard where it blocks.
fn separate(
    means: &Means<'_>,
    state: &State,
    future: &Future<'_>,
    conflict: Conflict,
    findings: &mut Vec<NewFinding>,
    draft: &mut Draft,
) {
    let Some(pair) = means.rules.separation.pairs().get(conflict.pair) else { return };
    let login = match future.touched.get(&conflict.user_id) {
        Some(document) => document.login.as_str(),
        None => state.users.get(&conflict.user_id).map_or("", |user| user.login.as_str()),
    };
    if pair.exemption(login, date_in(means.now, means.config.time_zone)).is_some() {
        return;
    }
    if pair.severity == Severity::Block {
        *draft.separated.entry(pair.id.clone()).or_default() += 1;
        draft.separated_people.push((conflict.user_id, pair.roles.clone()));
    }
    let arguments = arguments([
        ("rule", pair.id.clone()),
        ("role", pair.roles.join(" + ")),
        ("value", login.to_owned()),
        ("reason", pair.description.clone()),
    ]);
    let who = (format!("{login} {}", pair.id), login.to_owned());
    findings.push(finding(FindingCode::SeparationOfDuties, (&who.0, &who.1), arguments, false));
}

fn step(kind: ChangeKind, grant: &GrantKey, draft: &mut Draft) {
    let document =
        RoleDocument { role: grant.role.to_string(), rule: grant.rule.to_string(), scope: grant.scope.to_string() };
    let (before, after) =
        if kind == ChangeKind::RoleGranted { (None, Some(&document)) } else { (Some(&document), None) };
    draft.push(kind, (ObjectKind::User, grant.user_id.0), before, after);
}

/// What is in use after the plan.
struct Organisation {
    departments: HashMap<DepartmentId, DepartmentDocument>,
    positions: HashMap<PositionId, String>,
    groups: HashMap<GroupId, String>,
}

impl Organisation {
    /// The state with the planned steps laid over it.
    fn after(state: &State, draft: &Draft) -> Self {
        let mut all = Self { departments: HashMap::new(), positions: HashMap::new(), groups: HashMap::new() };
        for row in state.departments.values().filter(|row| row.status == Status::Active) {
            all.departments.insert(row.id, DepartmentDocument::of(row));
        }
        for row in state.positions.values().filter(|row| row.status == Status::Active) {
            all.positions.insert(row.id, row.code.clone());
        }
        for row in state.groups.values().filter(|row| row.status == Status::Active) {
            all.groups.insert(row.id, row.code.clone());
        }
        for change in draft.all_changes() {
            let Some(after) = change.after.as_ref().filter(|_| change.object_kind != ObjectKind::User) else {
                continue;
            };
            match change.object_kind {
                ObjectKind::Department => all.department(DepartmentId(change.object_id), after),
                ObjectKind::Position => coded(&mut all.positions, PositionId(change.object_id), after),
                ObjectKind::Group => coded(&mut all.groups, GroupId(change.object_id), after),
                ObjectKind::User => {}
            }
        }
        all
    }

    /// What rules look at after the plan.
    fn facts<'a>(&'a self, state: &State, future: &'a Future<'_>, members: &[Member], today: Date) -> RoleFacts<'a> {
        let acts = |of: &&Acting| Assignment::covers(of.starts_on, of.ends_on, today);
        let department = |document: &'a DepartmentDocument| RoleDepartment {
            code: &document.code,
            parent: document.parent_id,
            kind: document.kind,
            head: document.head_id,
            cost_centre: document.cost_centre.as_deref(),
            legal_entity: document.legal_entity.as_deref(),
        };
        RoleFacts {
            people: future.people().collect(),
            departments: self.departments.iter().map(|(id, document)| (*id, department(document))).collect(),
            positions: self.positions.iter().map(|(id, code)| (*id, code.as_str())).collect(),
            groups: self.groups.iter().map(|(id, code)| (*id, code.as_str())).collect(),
            members: members.to_vec(),
            managers: state.part.as_ref().map(|part| part.managers.clone()).unwrap_or_default(),
            acting: state.acting.iter().filter(acts).map(|of| (of.deputy_id, of.user_id)).collect(),
        }
    }

    fn department(&mut self, id: DepartmentId, after: &Document) {
        match after.read::<DepartmentDocument>() {
            Ok(row) if row.status == Status::Active => drop(self.departments.insert(id, row)),
            Ok(_) => drop(self.departments.remove(&id)),
            Err(_) => {}
        }
    }
}

/// Membership steps carry other documents and are passed over.
fn coded<I: std::hash::Hash + Eq>(rows: &mut HashMap<I, String>, id: I, after: &Document) {
    match after.read::<CodedDocument>() {
        Ok(row) if row.status == Status::Active => drop(rows.insert(id, row.code)),
        Ok(_) => drop(rows.remove(&id)),
        Err(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::missing;
    use crate::access::GrantKey;
    use crate::model::UserId;

    #[test]
    fn what_is_missing_is_found_in_order() {
        let grant = |user: u128, role: &str| GrantKey {
            user_id: UserId(Uuid::from_u128(user)),
            role: role.into(),
            rule: "r".into(),
            scope: "".into(),
        };
        let (one, other) = ([grant(1, "a"), grant(1, "b"), grant(3, "a")], [grant(1, "b"), grant(2, "a")]);
        assert_eq!(missing(&one, &other), [&grant(1, "a"), &grant(3, "a")]);
        assert_eq!(missing(&other, &one), [&grant(2, "a")]);
        assert!(missing(&one, &one).is_empty());
    }
}
