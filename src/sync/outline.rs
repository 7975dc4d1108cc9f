//! A plan in a person's words: who joins, leaves, moves, changes, gains and loses roles.

use std::collections::HashMap;

use serde::Serialize;
use serde_json::Value;
use uuid::Uuid;

use crate::model::{Change, ChangeKind, ObjectKind, PlanId};
use crate::store::{StoreError, Tx};
use crate::string_enum;

string_enum! {
    /// What a group of steps is about; a message `sync-step-…` says it in words.
    StepGroup {
        /// New people.
        Joined = "joined",
        /// People the source no longer returns.
        Left = "left",
        /// People in another department.
        Moved = "moved",
        /// People whose attributes differ.
        Changed = "changed",
        /// People whom the source locks out.
        LockedOut = "locked_out",
        /// People let in again.
        Returned = "returned",
        /// Departments made, changed, moved, in and out of use.
        Departments = "departments",
        /// Positions.
        Positions = "positions",
        /// Groups.
        Groups = "groups",
        /// Memberships.
        Memberships = "memberships",
        /// Roles that rules begin to give.
        RoleGained = "role_gained",
        /// Roles that rules cease to give.
        RoleLost = "role_lost",
    }
}

/// The steps of one group.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Outlined {
    /// What they are about.
    pub group: StepGroup,
    /// How many.
    pub count: u64,
    /// The first of them, named.
    pub named: Vec<String>,
}

/// The outline of a stored plan, groups without steps left out, up to `most` steps of each named.
///
/// # Errors
/// When the database fails.
pub async fn outline(tx: &mut Tx, plan: PlanId, most: usize) -> Result<Vec<Outlined>, StoreError> {
    let changes = tx.plans().changes(plan).await?;
    let source = tx.plans().find(plan).await?.map(|plan| plan.source).unwrap_or_default();
    let mut names: HashMap<Uuid, String> = HashMap::new();
    if changes.iter().any(|change| is_relation(change.kind)) {
        names.extend(tx.users().list_by_source(&source).await?.into_iter().map(|user| (user.id.0, user.login)));
        names.extend(tx.groups().list_by_source(&source).await?.into_iter().map(|group| (group.id.0, group.code)));
    }
    for change in changes.iter().filter(|change| !is_relation(change.kind)) {
        if let Some(name) = change.after.as_ref().and_then(name) {
            names.insert(change.object_id, name);
        }
    }
    let mut all: Vec<Outlined> =
        StepGroup::ALL.iter().map(|group| Outlined { group: *group, count: 0, named: Vec::new() }).collect();
    for change in &changes {
        let group = group(change);
        if let Some(outlined) = all.iter_mut().find(|outlined| outlined.group == group) {
            outlined.count += 1;
            if outlined.named.len() < most {
                outlined.named.push(describe(change, &names));
            }
        }
    }
    all.retain(|outlined| outlined.count > 0);
    Ok(all)
}

fn is_relation(kind: ChangeKind) -> bool {
    use ChangeKind::{MemberAdded, MemberRemoved, RoleGranted, RoleRevoked};
    matches!(kind, MemberAdded | MemberRemoved | RoleGranted | RoleRevoked)
}

fn group(change: &Change) -> StepGroup {
    let reason = change.after.as_ref().and_then(|after| after.get("status_reason")).and_then(Value::as_str);
    match (change.object_kind, change.kind) {
        (_, ChangeKind::RoleGranted) => StepGroup::RoleGained,
        (_, ChangeKind::RoleRevoked) => StepGroup::RoleLost,
        (_, ChangeKind::MemberAdded | ChangeKind::MemberRemoved) => StepGroup::Memberships,
        (ObjectKind::Department, _) => StepGroup::Departments,
        (ObjectKind::Position, _) => StepGroup::Positions,
        (ObjectKind::Group, _) => StepGroup::Groups,
        (ObjectKind::User, ChangeKind::Created) => StepGroup::Joined,
        (ObjectKind::User, ChangeKind::Moved) => StepGroup::Moved,
        (ObjectKind::User, ChangeKind::Changed) => StepGroup::Changed,
        (ObjectKind::User, ChangeKind::Enabled) => StepGroup::Returned,
        (ObjectKind::User, ChangeKind::Disabled) if reason == Some("source_disabled") => StepGroup::LockedOut,
        (ObjectKind::User, ChangeKind::Disabled | ChangeKind::Deleted) => StepGroup::Left,
    }
}

/// `wang.fang 王芳`, `QY-HQ 总部`.
fn name(document: &Value) -> Option<String> {
    let text = |key: &str| document.get(key).and_then(Value::as_str);
    let (short, long) = (text("login").or_else(|| text("code"))?, text("display_name").or_else(|| text("name")));
    Some(long.filter(|long| *long != short).map_or_else(|| short.to_owned(), |long| format!("{short} {long}")))
}

fn describe(change: &Change, names: &HashMap<Uuid, String>) -> String {
    let name = |id: Uuid| names.get(&id).cloned().unwrap_or_else(|| id.to_string());
    let document = change.after.as_ref().or(change.before.as_ref());
    let text = |key: &str| document.and_then(|document| document.get(key)?.as_str()).unwrap_or_default();
    let short = |id: Uuid| name(id).split(' ').next().unwrap_or_default().to_owned();
    match change.kind {
        ChangeKind::RoleGranted | ChangeKind::RoleRevoked => format!("{} {}", short(change.object_id), text("role")),
        ChangeKind::MemberAdded | ChangeKind::MemberRemoved => {
            let sign = if change.kind == ChangeKind::MemberAdded { '+' } else { '-' };
            let member = text("member_id").parse().map(short).unwrap_or_default();
            format!("{sign}{member} {}", short(change.object_id))
        }
        _ => name(change.object_id),
    }
}
