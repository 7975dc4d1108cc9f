//! Entries that an earlier run left out or kept, and that a delta does not hold: they count as present for it as well, so
//! that their accounts keep memberships which the source no longer lists. Once they can be read a full run compares.

use std::collections::HashSet;

use uuid::Uuid;

use crate::config::SourceConfig;
use crate::model::ObjectKind;
use crate::store::Tx;

use super::super::SyncError;
use super::super::diff::Partial;
use super::super::record::Mapped;
use super::reach::{Ground, Key};

/// Who may be a member of a group.
const MEMBERS: [ObjectKind; 2] = [ObjectKind::User, ObjectKind::Group];

/// Takes in those of `left_out` that the delta does not hold, where it changes groups. True when somebody can be read
/// again for whom a membership was kept.
pub(super) async fn enter(
    tx: &mut Tx,
    config: &SourceConfig,
    ground: &mut Ground,
    mapped: &mut Mapped,
    (partial, left_out): (&Partial, &HashSet<String>),
) -> Result<bool, SyncError> {
    if left_out.is_empty() {
        return Ok(false);
    }
    if !(mapped.groups.is_empty() && partial.members.is_empty()) {
        for kind in MEMBERS {
            let is_elsewhere = |id: &&String| {
                let key: Key = (kind, (*id).clone());
                !ground.own.contains(&key) && !ground.gone.contains_key(&key)
            };
            let others: Vec<String> = left_out.iter().filter(is_elsewhere).cloned().collect();
            for link in tx.links().list_by_ids(&config.name, kind, &others).await? {
                mapped.quarantined.entry(kind).or_default().insert(link.external_id.clone());
                ground.links.entry((kind, link.external_id.clone())).or_insert(link);
            }
        }
    }
    let users = mapped.users.iter().map(|record| (ObjectKind::User, &record.external_id));
    let groups = mapped.groups.iter().map(|record| (ObjectKind::Group, &record.external_id));
    let readable = users.chain(groups).filter(|(_, id)| left_out.contains(*id));
    let readable = readable.filter_map(|(kind, id)| Some(ground.links.get(&(kind, id.clone()))?.object_id));
    let readable: Vec<Uuid> = readable.collect();
    if readable.is_empty() {
        return Ok(false);
    }
    let groups = tx.touched().groups_of(&readable).await?.into_iter().map(|(group, _)| group.0);
    let groups: Vec<Uuid> = groups.collect::<HashSet<_>>().into_iter().collect();
    let is_compared = |id: &String| mapped.groups.iter().any(|record| record.external_id == *id);
    let links = tx.links().list_by_objects(&config.name, &groups).await?;
    Ok(links.iter().any(|link| link.digest.is_empty() && !is_compared(&link.external_id)))
}
