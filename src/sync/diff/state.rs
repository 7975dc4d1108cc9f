//! What is here of a source: loaded whole, a query a table, or as far as a plan touches it.

use std::collections::{HashMap, HashSet};

use uuid::Uuid;

use crate::model::{
    Acting, Department, DepartmentId, Group, GroupId, Link, Member, ObjectKind, Position, PositionId, RoleGrant,
    Status, User, UserId,
};
use crate::store::{StoreError, Tx};
use crate::text::fold;

use super::super::merge::Named;
use super::groups::wanted;
use super::pending::Work;

/// Everything the source owns, or what a plan touches of it: the people whose facts it changes with their departments
/// and all above, their positions, their groups and all above, and their roles. Rules are asked for the people in here.
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
    /// What only a part of it needs.
    pub part: Option<Part>,
}

/// What a part of the state knows of the rest.
#[derive(Debug, Default)]
pub(in crate::sync) struct Part {
    /// Links of groups whose members change without their entries.
    pub group_links: HashMap<Uuid, Link>,
    /// How many members such a group has.
    pub group_sizes: HashMap<Uuid, i64>,
    /// Roles that people of the source hold.
    pub roles: i64,
    /// People to whom somebody reports who is not loaded.
    pub managers: HashSet<UserId>,
}

impl Part {
    /// Groups that lose somebody who is gone or change without their entries.
    pub(super) async fn load(tx: &mut Tx, source: &str, work: &Work, members: &[Member]) -> Result<Self, StoreError> {
        let mut part = Self { roles: tx.touched().count_grants(source).await?, ..Self::default() };
        if work.is_part {
            let absent = work.absent_users.iter().chain(&work.absent_groups);
            let absent: HashSet<Uuid> = absent.map(|link| link.object_id).collect();
            let losing = members.iter().filter(|edge| absent.contains(&edge.member_id)).map(|edge| edge.group_id.0);
            let patched = work.members.iter().map(|patch| patch.link.object_id);
            let groups: HashSet<Uuid> = losing.chain(patched).collect();
            let groups: Vec<Uuid> = groups.into_iter().collect();
            let links = tx.links().list_by_objects(source, &groups).await?;
            part.group_links = links.into_iter().map(|link| (link.object_id, link)).collect();
            let losing = work.members.iter().filter(|patch| !patch.removed.is_empty());
            let losing: Vec<GroupId> = losing.map(|patch| GroupId(patch.link.object_id)).collect();
            part.group_sizes = tx.touched().sizes(&losing).await?.into_iter().map(|(id, size)| (id.0, size)).collect();
        }
        Ok(part)
    }
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
            part: None,
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

    /// What the plan touches, in a number of statements that does not depend on the size of the source.
    /// `named` is what other sources name where there are several: their masters may come to count.
    pub(super) async fn load_for(
        tx: &mut Tx,
        source: &str,
        work: &Work,
        named: Option<Named>,
    ) -> Result<Self, StoreError> {
        let people = work.people();
        let mut loading = Loading { tx, work, named, state: Self::default(), people, edges: HashSet::new() };
        loading.departments().await?;
        loading.groups().await?;
        loading.users().await?;
        loading.relations(source).await?;
        loading.memberships().await?;
        loading.organisation().await?;
        loading.rest(source).await
    }

    /// Whether somebody who is locked out is let in by this plan: memberships that they kept must be compared then.
    pub(super) fn has_returning(&self, work: &Work) -> bool {
        work.users
            .iter()
            .filter(|item| item.is_known && item.record.enabled)
            .any(|item| self.users.get(&UserId(item.id)).is_some_and(|user| user.status != Status::Active))
    }
}

/// A part of the state on its way in.
struct Loading<'a> {
    tx: &'a mut Tx,
    work: &'a Work,
    /// None where there is one source.
    named: Option<Named>,
    state: State,
    /// Whom to load.
    people: HashSet<Uuid>,
    edges: HashSet<Member>,
}

impl Loading<'_> {
    /// Departments that differ or go, and everybody below one of which rules may see another side.
    async fn departments(&mut self) -> Result<(), StoreError> {
        let work = self.work;
        let known = work.departments.iter().filter(|item| item.is_known).map(|item| item.id);
        let gone: HashSet<Uuid> = work.absent_departments.iter().map(|link| link.object_id).collect();
        let ids: Vec<DepartmentId> = known
            .chain(gone.iter().copied())
            .chain(work.untouched.get(&ObjectKind::Department).into_iter().flatten().copied())
            .map(DepartmentId)
            .collect();
        self.enter_departments(&ids).await?;
        let moved = work.departments.iter().filter(|item| item.is_known).filter(|item| {
            let parent = work.ids.find(ObjectKind::Department, item.record.parent.as_ref()).map(DepartmentId);
            self.state.departments.get(&DepartmentId(item.id)).is_none_or(|row| {
                row.status != Status::Active
                    || row.parent_id != parent
                    || fold(&row.code) != fold(&item.record.code)
                    || (row.kind, &row.cost_centre, &row.legal_entity)
                        != (item.record.kind, &item.record.cost_centre, &item.record.legal_entity)
            })
        });
        let moved: Vec<DepartmentId> = moved.map(|item| item.id).chain(gone).map(DepartmentId).collect();
        let heads = work.departments.iter();
        self.people.extend(heads.filter_map(|item| work.ids.find(ObjectKind::User, item.record.head.as_ref())));
        self.people.extend(self.state.departments.values().filter_map(|row| row.head_id).map(|id| id.0));
        let below = self.tx.touched().people_below(&moved).await?;
        self.state.users.extend(below.into_iter().map(|user| (user.id, user)));
        Ok(())
    }

    async fn enter_departments(&mut self, ids: &[DepartmentId]) -> Result<(), StoreError> {
        let new: Vec<DepartmentId> =
            ids.iter().filter(|id| !self.state.departments.contains_key(id)).copied().collect();
        let rows = self.tx.touched().departments_above(&new).await?;
        self.state.departments.extend(rows.into_iter().map(|row| (row.id, row)));
        Ok(())
    }

    /// Groups that differ, with all their members; whoever comes or goes is touched, also through a group within.
    async fn groups(&mut self) -> Result<(), StoreError> {
        let work = self.work;
        let known: Vec<GroupId> =
            work.groups.iter().filter(|item| item.is_known).map(|item| GroupId(item.id)).collect();
        let gone = work.absent_groups.iter().map(|link| GroupId(link.object_id));
        let kept = work.untouched.get(&ObjectKind::Group).into_iter().flatten().copied().map(GroupId);
        let mut ids: Vec<GroupId> = known.iter().copied().chain(gone.clone()).chain(kept).collect();
        ids.extend(work.members.iter().map(|patch| GroupId(patch.link.object_id)));
        let rows = self.tx.touched().groups(&ids).await?;
        self.state.groups.extend(rows.into_iter().map(|row| (row.id, row)));
        self.edges.extend(self.tx.touched().members(&known).await?);
        let mut nested: HashSet<Uuid> = work.absent_groups.iter().map(|link| link.object_id).collect();
        let mut present: HashMap<Uuid, HashSet<Member>> = HashMap::new();
        for edge in &self.edges {
            present.entry(edge.group_id.0).or_default().insert(*edge);
        }
        let mut differing: Vec<(ObjectKind, Uuid)> = Vec::new();
        for item in &work.groups {
            let (before, after) = (present.remove(&item.id).unwrap_or_default(), wanted(item.id, &item.record, work));
            let joined = after.iter().filter(|member| !before.contains(member));
            let left = before.iter().filter(|member| !after.contains(member));
            differing.extend(joined.chain(left).map(|member| (member.member_kind, member.member_id)));
            let row = self.state.groups.get(&GroupId(item.id));
            if row.is_some_and(|row| row.status != Status::Active || fold(&row.code) != fold(&item.record.code)) {
                nested.insert(item.id);
            }
        }
        for patch in &work.members {
            let all = patch.added.iter().chain(&patch.removed);
            differing.extend(all.filter_map(|(kind, id)| Some((*kind, work.ids.find(*kind, Some(id))?))));
        }
        for (kind, id) in differing {
            if kind == ObjectKind::Group {
                nested.insert(id)
            } else {
                self.people.insert(id)
            };
        }
        let nested: Vec<GroupId> = nested.into_iter().map(GroupId).collect();
        for edge in self.tx.touched().within(&nested).await? {
            if edge.member_kind == ObjectKind::User {
                self.people.insert(edge.member_id);
            }
            self.edges.insert(edge);
        }
        Ok(())
    }

    async fn users(&mut self) -> Result<(), StoreError> {
        let mut ids: Vec<UserId> = self.people.iter().copied().map(UserId).collect();
        ids.retain(|id| !self.state.users.contains_key(id));
        let rows = self.tx.touched().people(&ids).await?;
        self.state.users.extend(rows.into_iter().map(|user| (user.id, user)));
        Ok(())
    }

    /// Managers before and after, and who acts for whom: rules look from either side.
    async fn relations(&mut self, source: &str) -> Result<(), StoreError> {
        let work = self.work;
        let before = self.state.users.values().filter_map(|user| user.manager_id);
        let after = work.users.iter().filter_map(|item| work.ids.find(ObjectKind::User, item.record.manager.as_ref()));
        let mut more: HashSet<Uuid> = before.map(|id| id.0).chain(after).collect();
        for item in &work.users {
            let managers = item.record.assignments.iter().filter_map(|of| of.manager.as_ref());
            more.extend(managers.filter_map(|id| work.ids.find(ObjectKind::User, Some(id))));
        }
        self.state.acting = match &self.named {
            Some(named) => {
                more.extend(named.managers.iter().map(|id| id.0));
                self.tx.acting().list().await?
            }
            None => self.tx.acting().list_by_source(source).await?,
        };
        let mut known: HashSet<Uuid> = self.state.users.keys().map(|id| id.0).chain(more.iter().copied()).collect();
        loop {
            let pairs = self.state.acting.iter().map(|of| (of.user_id.0, of.deputy_id.0));
            let new = pairs.filter(|(one, other)| known.contains(one) != known.contains(other));
            let new: Vec<Uuid> = new.flat_map(|(one, other)| [one, other]).collect();
            if new.is_empty() {
                break;
            }
            known.extend(&new);
            more.extend(new);
        }
        self.people.extend(more);
        self.users().await
    }

    /// Every group that the touched people are in, and all above.
    async fn memberships(&mut self) -> Result<(), StoreError> {
        let work = self.work;
        let groups = work.groups.iter().map(|item| item.id).chain(work.members.iter().map(|p| p.link.object_id));
        let absent = work.absent_groups.iter().map(|link| link.object_id);
        let mut ids: HashSet<Uuid> = self.state.users.keys().map(|id| id.0).chain(groups).chain(absent).collect();
        for patch in &work.members {
            let all = patch.added.iter().chain(&patch.removed);
            ids.extend(all.filter_map(|(kind, id)| work.ids.find(*kind, Some(id))));
        }
        let ids: Vec<Uuid> = ids.into_iter().collect();
        self.edges.extend(self.tx.touched().memberships(&ids).await?);
        let inner = self.edges.iter().filter(|edge| edge.member_kind == ObjectKind::Group);
        let inner = inner.map(|edge| GroupId(edge.member_id));
        let mut groups: HashSet<GroupId> = self.edges.iter().map(|edge| edge.group_id).chain(inner).collect();
        groups.retain(|id| !self.state.groups.contains_key(id));
        let groups: Vec<GroupId> = groups.into_iter().collect();
        let rows = self.tx.touched().groups(&groups).await?;
        self.state.groups.extend(rows.into_iter().map(|row| (row.id, row)));
        Ok(())
    }

    /// Departments and positions of the touched people, as they are and as they will be.
    async fn organisation(&mut self) -> Result<(), StoreError> {
        let work = self.work;
        let all: Vec<UserId> = self.state.users.keys().copied().collect();
        for (user, assignments) in self.tx.assignments().list_by_users(&all).await? {
            if let Some(user) = self.state.users.get_mut(&user) {
                user.assignments = assignments;
            }
        }
        let find = |kind, id: Option<&String>| work.ids.find(kind, id);
        let concurrent = work.users.iter().flat_map(|item| &item.record.assignments);
        let concurrent = concurrent.filter_map(|of| find(ObjectKind::Department, Some(&of.department)));
        let targets =
            work.users.iter().filter_map(|item| find(ObjectKind::Department, item.record.department.as_ref()));
        let parents =
            work.departments.iter().filter_map(|item| find(ObjectKind::Department, item.record.parent.as_ref()));
        let mut departments: HashSet<DepartmentId> =
            targets.chain(parents).chain(concurrent).map(DepartmentId).collect();
        departments.extend(self.state.users.values().filter_map(|user| user.department_id));
        let held = self.state.users.values().flat_map(|user| &user.assignments);
        departments.extend(held.map(|of| of.department_id));
        departments.extend(self.tx.touched().headed(&all).await?.into_iter().map(|row| row.0));
        departments.extend(self.named.iter().flat_map(|named| &named.departments).copied());
        let departments: Vec<DepartmentId> = departments.into_iter().collect();
        self.enter_departments(&departments).await?;
        let targets = work.users.iter().filter_map(|item| find(ObjectKind::Position, item.record.position.as_ref()));
        let own = work.positions.iter().filter(|item| item.is_known).map(|item| item.id);
        let gone = work.absent_positions.iter().map(|link| link.object_id);
        let mut positions: HashSet<PositionId> = targets.chain(own).chain(gone).map(PositionId).collect();
        let concurrent = work.users.iter().flat_map(|item| &item.record.assignments);
        let concurrent = concurrent.filter_map(|of| find(ObjectKind::Position, of.position.as_ref()));
        positions.extend(concurrent.map(PositionId));
        positions.extend(self.state.users.values().filter_map(|user| user.position_id));
        let held = self.state.users.values().flat_map(|user| &user.assignments);
        positions.extend(held.filter_map(|of| of.position_id));
        positions.extend(self.named.iter().flat_map(|named| &named.positions).copied());
        let positions: Vec<PositionId> = positions.into_iter().collect();
        let rows = self.tx.touched().positions(&positions).await?;
        self.state.positions.extend(rows.into_iter().map(|row| (row.id, row)));
        Ok(())
    }

    /// Roles, names that others have, and what is needed of groups that lose somebody who is gone.
    async fn rest(self, source: &str) -> Result<State, StoreError> {
        let Self { tx, work, mut state, edges, .. } = self;
        let people: Vec<UserId> = state.users.keys().copied().collect();
        state.grants = tx.touched().grants(&people).await?;
        let mut logins: Vec<String> = work.users.iter().map(|item| item.record.login_key.clone()).collect();
        logins.sort();
        logins.dedup();
        state.other_logins = tx.touched().foreign_logins(source, &logins).await?.into_iter().map(|row| row.0).collect();
        let reporting = tx.touched().reporting(&people).await?.into_iter();
        let managers =
            reporting.filter(|(_, who)| !state.users.contains_key(who)).map(|(manager, _)| manager).collect();
        state.members = edges.into_iter().collect();
        state.part = Some(Part { managers, ..Part::load(tx, source, work, &state.members).await? });
        Ok(state)
    }
}
