//! Positions: made, let in again, taken out of use.

use std::collections::HashSet;

use crate::model::{ChangeKind, ObjectKind, PositionId, Status};

use super::super::document::CodedDocument;
use super::super::link::GONE;
use super::pending::Work;
use super::{Draft, State};

const KIND: ObjectKind = ObjectKind::Position;

/// Plans positions. Their external id is the folded value, so no two of them share a code.
pub(super) fn diff(work: &mut Work, state: &State, draft: &mut Draft) {
    for item in &work.positions {
        let record = &item.record;
        let target = CodedDocument { code: record.code.clone(), name: record.code.clone(), status: Status::Active };
        draft.link(KIND, &record.external_id, item.id, "", &item.digest);
        let object = (KIND, item.id);
        let Some(row) = state.positions.get(&PositionId(item.id)) else {
            draft.push(ChangeKind::Created, object, None, Some(&target));
            draft.count(KIND).created += 1;
            continue;
        };
        let before = CodedDocument::of_position(row);
        if before == target {
            draft.count(KIND).unchanged += 1;
            continue;
        }
        let is_back = before.status != Status::Active;
        let kind = if is_back { ChangeKind::Enabled } else { ChangeKind::Changed };
        draft.push(kind, object, Some(&before), Some(&target));
        let counts = draft.count(KIND);
        counts.changed += 1;
        counts.enabled += u64::from(is_back);
    }
    let kept: HashSet<Option<PositionId>> = work.untouched_people(state).map(|user| user.position_id).collect();
    for link in &work.absent_positions {
        // Somebody whose entry was left out still holds it.
        if kept.contains(&Some(PositionId(link.object_id))) {
            continue;
        }
        draft.link(KIND, &link.external_id, link.object_id, "", GONE);
        let Some(row) = state.positions.get(&PositionId(link.object_id)) else { continue };
        if row.status == Status::Active {
            let before = CodedDocument::of_position(row);
            let after = CodedDocument { status: Status::Disabled, ..before.clone() };
            draft.push_late((KIND, link.object_id), &before, &after);
            draft.count(KIND).absent += 1;
        }
    }
}
