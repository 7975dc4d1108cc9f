//! Roles: the rules over the planned future, against what is granted.

use std::collections::{BTreeSet, HashMap, HashSet};

use crate::access::{GrantKey, RoleFacts};
use crate::model::{
    ChangeKind, DepartmentId, FindingCode, GroupId, Member, NewFinding, ObjectKind, PositionId, RoleGrant, Status,
};

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
    let facts = RoleFacts {
        people: future.people().collect(),
        departments: organisation
            .departments
            .iter()
            .map(|(id, (code, parent))| (*id, (code.as_str(), *parent)))
            .collect(),
        positions: organisation.positions.iter().map(|(id, code)| (*id, code.as_str())).collect(),
        groups: organisation.groups.iter().map(|(id, code)| (*id, code.as_str())).collect(),
        members: members.to_vec(),
    };
    let wanted = means.rules.evaluate(&facts);
    let held: BTreeSet<GrantKey> = state.grants.iter().map(held).collect();
    draft.roles_before = i64::try_from(held.len()).unwrap_or(i64::MAX);
    for grant in wanted.difference(&held) {
        step(ChangeKind::RoleGranted, grant, draft);
        draft.roles.entry(grant.role.to_string()).or_default().granted += 1;
    }
    let mut kept = BTreeSet::new();
    for grant in held.difference(&wanted).filter(|grant| future.is_active(grant.user_id)) {
        let user = state.users.get(&grant.user_id);
        if user.is_some_and(|user| protected.contains(&user.login_key)) {
            kept.insert(grant);
            continue;
        }
        step(ChangeKind::RoleRevoked, grant, draft);
        draft.roles.entry(grant.role.to_string()).or_default().revoked += 1;
        draft.roles_revoked += 1;
    }
    for GrantKey { user_id, role, rule, .. } in kept {
        let arguments = arguments([("rule", rule.to_string()), ("role", role.to_string())]);
        findings.push(finding(FindingCode::ProtectedRole, (&user_id.to_string(), role), arguments, false));
    }
}

fn held(grant: &RoleGrant) -> GrantKey {
    let RoleGrant { user_id, role, rule, scope, .. } = grant;
    GrantKey { user_id: *user_id, role: role.as_str().into(), rule: rule.as_str().into(), scope: scope.as_str().into() }
}

fn step(kind: ChangeKind, grant: &GrantKey, draft: &mut Draft) {
    let document =
        RoleDocument { role: grant.role.to_string(), rule: grant.rule.to_string(), scope: grant.scope.to_string() };
    let (before, after) =
        if kind == ChangeKind::RoleGranted { (None, Some(&document)) } else { (Some(&document), None) };
    draft.push(kind, (ObjectKind::User, grant.user_id.0), before, after);
}

/// Codes of what is in use after the plan.
struct Organisation {
    departments: HashMap<DepartmentId, (String, Option<DepartmentId>)>,
    positions: HashMap<PositionId, String>,
    groups: HashMap<GroupId, String>,
}

impl Organisation {
    /// The state with the planned steps laid over it.
    fn after(state: &State, draft: &Draft) -> Self {
        let mut all = Self { departments: HashMap::new(), positions: HashMap::new(), groups: HashMap::new() };
        for row in state.departments.values().filter(|row| row.status == Status::Active) {
            all.departments.insert(row.id, (row.code.clone(), row.parent_id));
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
            let after = after.clone();
            match change.object_kind {
                ObjectKind::Department => all.department(DepartmentId(change.object_id), after),
                ObjectKind::Position => coded(&mut all.positions, PositionId(change.object_id), after),
                ObjectKind::Group => coded(&mut all.groups, GroupId(change.object_id), after),
                ObjectKind::User => {}
            }
        }
        all
    }

    fn department(&mut self, id: DepartmentId, after: serde_json::Value) {
        match serde_json::from_value::<DepartmentDocument>(after) {
            Ok(row) if row.status == Status::Active => drop(self.departments.insert(id, (row.code, row.parent_id))),
            Ok(_) => drop(self.departments.remove(&id)),
            Err(_) => {}
        }
    }
}

/// Membership steps carry other documents and are passed over.
fn coded<I: std::hash::Hash + Eq>(rows: &mut HashMap<I, String>, id: I, after: serde_json::Value) {
    match serde_json::from_value::<CodedDocument>(after) {
        Ok(row) if row.status == Status::Active => drop(rows.insert(id, row.code)),
        Ok(_) => drop(rows.remove(&id)),
        Err(_) => {}
    }
}
