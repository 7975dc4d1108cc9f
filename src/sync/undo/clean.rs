//! Whether what an undo leaves fits together: nobody is in a department that it takes out of use, nobody has a login
//! name that somebody else has got since.

use std::collections::{HashMap, HashSet};

use serde_json::Value;
use uuid::Uuid;

use crate::model::{Change, ChangeKind, ObjectKind, Status};
use crate::store::Tx;
use crate::text::fold;

use super::super::SyncError;

/// How the touched objects will be: kind and id → the last document.
type After = HashMap<(ObjectKind, Uuid), Value>;

/// Refuses an undo that leaves loose ends.
pub(super) async fn check(tx: &mut Tx, source: &str, changes: &[Change]) -> Result<(), SyncError> {
    let mut after: After = HashMap::new();
    for change in changes {
        use ChangeKind::{MemberAdded, MemberRemoved, RoleGranted, RoleRevoked};
        if let Some(document) = &change.after
            && !matches!(change.kind, MemberAdded | MemberRemoved | RoleGranted | RoleRevoked)
        {
            after.insert((change.object_kind, change.object_id), document.value());
        }
    }
    let gone: HashSet<Uuid> = after
        .iter()
        .filter(|((kind, _), document)| {
            matches!(kind, ObjectKind::Department | ObjectKind::Position) && !is_active(document)
        })
        .map(|((_, id), _)| *id)
        .collect();
    let mut loose = Vec::new();
    let mut logins: HashMap<String, Uuid> = HashMap::new();
    for ((kind, id), document) in after.iter().filter(|(_, document)| is_active(document)) {
        if *kind == ObjectKind::User {
            logins.insert(fold(text(document, "login").unwrap_or_default()), *id);
        }
        let places =
            ["department_id", "position_id", "parent_id"].iter().filter_map(|key| text(document, key)?.parse().ok());
        for place in places.filter(|place| gone.contains(place)) {
            loose.push(format!("{kind} {} would be in {place}, which goes", name(document)));
        }
    }
    for user in tx.users().list_by_source(source).await?.iter().filter(|user| user.status == Status::Active) {
        if after.contains_key(&(ObjectKind::User, user.id.0)) {
            continue;
        }
        if logins.contains_key(&user.login_key) {
            loose.push(format!("the login name {} belongs to somebody else by now", user.login));
        }
        let places = [user.department_id.map(|id| id.0), user.position_id.map(|id| id.0)];
        if places.into_iter().flatten().any(|place| gone.contains(&place)) {
            loose.push(format!("user {} is in a department or position that goes", user.login));
        }
    }
    for (login,) in tx.users().other_logins(source).await? {
        if logins.contains_key(&login) {
            loose.push(format!("the login name {login} belongs to somebody of another source by now"));
        }
    }
    if gone.is_empty() {
        return verdict(loose);
    }
    for row in tx.departments().list_by_source(source).await?.iter().filter(|row| row.status == Status::Active) {
        let is_below = row.parent_id.is_some_and(|parent| gone.contains(&parent.0));
        if is_below && !after.contains_key(&(ObjectKind::Department, row.id.0)) {
            loose.push(format!("department {} is below one that goes", row.code));
        }
    }
    verdict(loose)
}

fn verdict(loose: Vec<String>) -> Result<(), SyncError> {
    if loose.is_empty() { Ok(()) } else { Err(SyncError::UndoUnclean(loose)) }
}

fn text<'a>(document: &'a Value, key: &str) -> Option<&'a str> {
    document.get(key)?.as_str()
}

fn is_active(document: &Value) -> bool {
    text(document, "status") == Some("active")
}

fn name(document: &Value) -> &str {
    text(document, "login").or_else(|| text(document, "code")).unwrap_or_default()
}
