//! After an apply has written: does the store hold what the plan says? Counted in the same transaction; where it does
//! not, nothing is committed and the run has failed, whatever the statements answered.

use std::collections::HashMap;

use uuid::Uuid;

use crate::model::{Change, ChangeKind, ObjectKind, RunId};
use crate::store::Tx;

use super::SyncError;
use super::document::Glance;

/// Counts what the plan touched, and compares.
pub(super) async fn confirm(tx: &mut Tx, changes: &[Change], run: RunId) -> Result<(), SyncError> {
    let mut last: HashMap<(ObjectKind, Uuid), bool> = HashMap::new();
    let mut granted: HashMap<Uuid, i64> = HashMap::new();
    for change in changes {
        match change.kind {
            ChangeKind::MemberAdded | ChangeKind::MemberRemoved | ChangeKind::RoleRevoked => {}
            ChangeKind::RoleGranted => *granted.entry(change.object_id).or_default() += 1,
            _ => {
                let is_active = Glance::at(change.after.as_ref()).is_active();
                last.insert((change.object_kind, change.object_id), is_active);
            }
        }
    }
    for kind in [ObjectKind::User, ObjectKind::Department, ObjectKind::Group] {
        let ids: Vec<Uuid> = last.keys().filter(|(of, _)| *of == kind).map(|(_, id)| *id).collect();
        let expected = last.iter().filter(|((of, _), is_active)| *of == kind && **is_active).count();
        let found = match kind {
            ObjectKind::User => tx.census().active_people(&ids).await?,
            ObjectKind::Department => tx.census().active_departments(&ids).await?,
            ObjectKind::Group | ObjectKind::Position => tx.census().active_groups(&ids).await?,
        };
        compare(&format!("active {kind}s"), i64::try_from(expected).unwrap_or(i64::MAX), found)?;
    }
    let people: Vec<Uuid> = granted.keys().copied().collect();
    compare("roles granted", granted.values().sum(), tx.census().roles_of_run(run, &people).await?)
}

fn compare(what: &str, expected: i64, found: i64) -> Result<(), SyncError> {
    if expected == found {
        return Ok(());
    }
    Err(SyncError::NotConfirmed { what: what.to_owned(), expected, found })
}
