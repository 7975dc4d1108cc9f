//! Entries that have no link yet: who they are, only a full run can say, where they may be somebody who is known.

use std::collections::HashSet;

use crate::config::SourceConfig;
use crate::model::{JoinKey, ObjectKind};
use crate::store::Tx;

use super::super::SyncError;
use super::super::record::{Mapped, UserRecord};
use super::reach::Ground;

/// Leaves those to a full run who may be known: by number, by the login name of somebody who is locked out, or by what
/// `[source.join]` compares. True when there are any.
pub(super) async fn defer(
    tx: &mut Tx,
    (config, is_shared): (&SourceConfig, bool),
    ground: &Ground,
    mapped: &mut Mapped,
) -> Result<bool, SyncError> {
    let is_new = |record: &&UserRecord| !ground.links.contains_key(&(ObjectKind::User, record.external_id.clone()));
    let new: Vec<&UserRecord> = mapped.users.iter().map(AsRef::as_ref).filter(is_new).collect();
    if new.is_empty() {
        return Ok(false);
    }
    let join = config.join.as_ref().filter(|_| is_shared);
    // What others are found by besides is not looked up here.
    let is_unclear = join.is_some_and(|join| {
        let is_other = |key: &JoinKey| matches!(key, JoinKey::Mail | JoinKey::Attribute(_));
        !join.creates || join.by.iter().any(is_other)
    });
    let numbers: Vec<String> = new.iter().filter_map(|record| record.employee_number.clone()).collect();
    let logins: Vec<String> = new.iter().map(|record| record.login_key.clone()).collect();
    let numbers = tx.touched().known_numbers(&numbers).await?;
    let numbers: HashSet<String> = numbers.into_iter().map(|row| row.0).collect();
    let mut known = tx.touched().locked_logins(&logins).await?;
    if join.is_some_and(|join| join.by.contains(&JoinKey::Login)) {
        known.extend(tx.touched().foreign_logins(&config.name, &logins).await?);
    }
    let logins: HashSet<String> = known.into_iter().map(|row| row.0).collect();
    let may_be_known = |record: &&&UserRecord| {
        is_unclear
            || record.employee_number.as_ref().is_some_and(|number| numbers.contains(number))
            || logins.contains(&record.login_key)
    };
    let left: Vec<String> = new.iter().filter(may_be_known).map(|record| record.external_id.clone()).collect();
    mapped.defer(ObjectKind::User, &left);
    Ok(!left.is_empty())
}
