//! What is here of a source: loaded whole, a query a table.

use std::collections::{HashMap, HashSet};

use crate::model::{
    Acting, Department, DepartmentId, Group, GroupId, Member, Position, PositionId, RoleGrant, User, UserId,
};
use crate::store::{StoreError, Tx};

/// Everything the source owns.
#[derive(Debug, Default)]
pub(in crate::sync) struct State {
    pub users: HashMap<UserId, User>,
    pub departments: HashMap<DepartmentId, Department>,
    pub positions: HashMap<PositionId, Position>,
    pub groups: HashMap<GroupId, Group>,
    pub members: Vec<Member>,
    pub grants: Vec<RoleGrant>,
    /// Who acts for one of the source's people.
    pub acting: Vec<Acting>,
    /// Folded login names of active people of other sources.
    pub other_logins: HashSet<String>,
}

impl State {
    pub async fn load(tx: &mut Tx, source: &str) -> Result<Self, StoreError> {
        Ok(Self {
            users: tx.users().list_by_source(source).await?.into_iter().map(|user| (user.id, user)).collect(),
            departments: tx.departments().list_by_source(source).await?.into_iter().map(|row| (row.id, row)).collect(),
            positions: tx.positions().list_by_source(source).await?.into_iter().map(|row| (row.id, row)).collect(),
            groups: tx.groups().list_by_source(source).await?.into_iter().map(|row| (row.id, row)).collect(),
            members: tx.groups().list_members(source).await?,
            grants: tx.role_grants().list_by_source(source).await?,
            acting: tx.acting().list_by_source(source).await?,
            other_logins: tx.users().other_logins(source).await?.into_iter().map(|row| row.0).collect(),
        })
    }
}
