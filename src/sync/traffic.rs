//! Comings and goings by department, counted from a plan's changes.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use uuid::Uuid;

use crate::model::{Change, ChangeKind, Document, ObjectKind};
use crate::store::{StoreError, Tx};

use super::document::Glance;
use super::report::{RunReport, Traffic};

/// Writes who joined, left, came and went, by department, into the report.
pub(super) async fn describe(tx: &mut Tx, changes: &[Change], report: &mut RunReport) -> Result<(), StoreError> {
    let mut by_id: BTreeMap<Option<Uuid>, Traffic> = BTreeMap::new();
    for change in changes.iter().filter(|change| change.object_kind == ObjectKind::User) {
        let from = || department(change.before.as_ref());
        let to = || department(change.after.as_ref());
        match change.kind {
            ChangeKind::Created => by_id.entry(to()).or_default().joined += 1,
            ChangeKind::Disabled => by_id.entry(from()).or_default().left += 1,
            ChangeKind::Moved => {
                by_id.entry(from()).or_default().moved_out += 1;
                by_id.entry(to()).or_default().moved_in += 1;
            }
            _ => {}
        }
    }
    let ids: BTreeSet<Uuid> = by_id.keys().copied().flatten().collect();
    let ids: Vec<Uuid> = ids.into_iter().collect();
    let mut named: HashMap<Uuid, (String, String)> =
        tx.census().department_names(&ids).await?.into_iter().map(|(id, code, name)| (id, (code, name))).collect();
    for change in changes.iter().filter(|change| change.object_kind == ObjectKind::Department) {
        let Glance { code, name, .. } = Glance::at(change.after.as_ref());
        if let (Some(code), Some(name)) = (code, name) {
            named.insert(change.object_id, (code, name));
        }
    }
    report.by_department.clear();
    for (id, traffic) in by_id {
        let (code, name) = id.and_then(|id| named.get(&id).cloned()).unwrap_or_default();
        let sum = report.by_department.entry(code.clone()).or_default();
        sum.joined += traffic.joined;
        sum.left += traffic.left;
        sum.moved_in += traffic.moved_in;
        sum.moved_out += traffic.moved_out;
        if !code.is_empty() {
            report.department_names.insert(code, name);
        }
    }
    Ok(())
}

fn department(document: Option<&Document>) -> Option<Uuid> {
    Glance::at(document).department_id
}
