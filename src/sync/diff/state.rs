//! What is here of a source: loaded whole, a query a table.

use std::collections::{HashMap, HashSet};

use uuid::Uuid;

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

    /// Adds what a plan of one of several sources depends on besides: people of other sources whom this one knows, has in
    /// a group or names now (`besides`), their roles, and the organisation of all sources.
    pub async fn widen(&mut self, tx: &mut Tx, source: &str, besides: &[Uuid]) -> Result<(), StoreError> {
        let around = tx.users().list_around(source, besides).await?;
        let people: Vec<UserId> = around.iter().map(|user| user.id).collect();
        let mut assignments = tx.assignments().list_by_users(&people).await?;
        self.users.extend(around.into_iter().map(|mut user| {
            user.assignments = assignments.remove(&user.id).unwrap_or_default();
            (user.id, user)
        }));
        self.grants.extend(tx.role_grants().list_of(&people).await?);
        self.grants.sort();
        self.grants.dedup();
        self.departments.extend(tx.departments().list().await?.into_iter().map(|row| (row.id, row)));
        self.positions.extend(tx.positions().list_elsewhere(source).await?.into_iter().map(|row| (row.id, row)));
        self.groups.extend(tx.groups().list_elsewhere(source).await?.into_iter().map(|row| (row.id, row)));
        self.members.extend(tx.groups().list_members_elsewhere(source).await?);
        self.acting = tx.acting().list().await?;
        Ok(())
    }
}
