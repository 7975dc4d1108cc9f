//! Steps back: each change turned round, and counted for the report.

use std::collections::HashSet;

use crate::model::{Change, ChangeKind, Link, ObjectKind, PlannedLink};

use super::super::diff::UNDONE;
use super::super::document::Glance;
use super::super::report::{Counts, RunReport};

/// The step back.
pub(super) fn reverse(change: Change) -> Change {
    let kind = match change.kind {
        ChangeKind::Created => return withdraw(change),
        ChangeKind::Disabled => ChangeKind::Enabled,
        ChangeKind::Enabled => ChangeKind::Disabled,
        ChangeKind::MemberAdded => ChangeKind::MemberRemoved,
        ChangeKind::MemberRemoved => ChangeKind::MemberAdded,
        ChangeKind::RoleGranted => ChangeKind::RoleRevoked,
        ChangeKind::RoleRevoked => ChangeKind::RoleGranted,
        ChangeKind::Changed | ChangeKind::Moved | ChangeKind::Deleted => change.kind,
    };
    Change { kind, before: change.after, after: change.before, ..change }
}

/// What was made is taken out of use, with the reason `undone`.
fn withdraw(change: Change) -> Change {
    let after = change.after.as_ref().map(|document| {
        let mut value = document.value();
        if let Some(fields) = value.as_object_mut() {
            fields.insert("status".to_owned(), "disabled".into());
            if change.object_kind == ObjectKind::User {
                fields.insert("status_reason".to_owned(), UNDONE.into());
            }
        }
        value.into()
    });
    Change { kind: ChangeKind::Disabled, before: change.after, after, ..change }
}

/// Links of the touched objects lose their digests: the next run compares them with the source again.
pub(super) fn links(changes: &[Change], links: Vec<Link>) -> Vec<PlannedLink> {
    let touched: HashSet<uuid::Uuid> = changes.iter().map(|change| change.object_id).collect();
    let touched = links.into_iter().filter(|link| touched.contains(&link.object_id));
    touched
        .map(|link| PlannedLink {
            kind: link.kind,
            external_id: link.external_id,
            object_id: link.object_id,
            dn: link.dn,
            digest: String::new(),
            password: None,
        })
        .collect()
}

/// Counts the steps back.
pub(super) fn count(changes: &[Change], report: &mut RunReport) {
    let mut seen = HashSet::new();
    for change in changes {
        let counts: &mut Counts = match change.object_kind {
            ObjectKind::User => &mut report.users,
            ObjectKind::Department => &mut report.departments,
            ObjectKind::Position => &mut report.positions,
            ObjectKind::Group => &mut report.groups,
        };
        match change.kind {
            ChangeKind::MemberAdded => report.members.added += 1,
            ChangeKind::MemberRemoved => report.members.removed += 1,
            ChangeKind::RoleGranted | ChangeKind::RoleRevoked => {
                let is_granted = change.kind == ChangeKind::RoleGranted;
                let document = if is_granted { &change.after } else { &change.before };
                let role = Glance::at(document.as_ref()).role.unwrap_or_default();
                let role = report.roles.entry(role).or_default();
                role.granted += u64::from(is_granted);
                role.revoked += u64::from(!is_granted);
            }
            kind => {
                counts.moved += u64::from(kind == ChangeKind::Moved);
                counts.enabled += u64::from(kind == ChangeKind::Enabled);
                counts.locked_out += u64::from(kind == ChangeKind::Disabled);
                if seen.insert((change.object_kind, change.object_id)) {
                    counts.changed += 1;
                    counts.read += 1;
                }
            }
        }
    }
}
