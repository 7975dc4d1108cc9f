//! From a plan's documents to rows: what each object is after the last step that touches it.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use serde::de::DeserializeOwned;
use uuid::Uuid;

use crate::model::{
    Assignment, Change, ChangeKind, Department, DepartmentId, Document, Group, GroupId, Member, ObjectKind, Position,
    PositionId, RoleGrant, RunId, Status, User, UserId,
};
use crate::store::Json;
use crate::text::fold;
use crate::time::Instant;

use super::document::{CodedDocument, DepartmentDocument, MemberDocument, RoleDocument, UserDocument};

/// A document at two ends of a plan: before its first step (none when it is new) and after its last.
struct Ends<D> {
    first: Option<D>,
    last: D,
}

/// The rows that a plan writes.
#[derive(Debug, Default)]
pub(super) struct Rows<'a> {
    /// People who were there before.
    pub users: Vec<User>,
    /// New people, by id, and what they are: most of an import, and made rows a portion at a time.
    pub created: Vec<(Uuid, &'a Document)>,
    /// Whose owner changes, and to whom.
    pub owned: Vec<(UserId, String)>,
    pub departments: Vec<Department>,
    pub positions: Vec<Position>,
    pub groups: Vec<Group>,
    /// Whose names have to be out of the way first.
    pub parked_users: Vec<UserId>,
    pub parked_departments: Vec<DepartmentId>,
    pub parked_groups: Vec<GroupId>,
    pub members_added: Vec<Member>,
    pub members_removed: Vec<Member>,
    pub granted: Vec<RoleGrant>,
    pub revoked: Vec<(UserId, String, String, String)>,
    /// Concurrent assignments of those whose differ.
    pub assignments: Vec<(UserId, Vec<Assignment>)>,
    /// Who could sign in before and no longer can.
    pub disabled: Vec<UserId>,
    /// Whose facts changed without a row of their own.
    pub touched: Vec<UserId>,
    /// Whether facts of many changed: the tree, a nested group, a code.
    pub is_wide: bool,
}

/// Where and when the rows are written.
pub(super) struct Stamp<'a> {
    pub source: &'a str,
    pub run: RunId,
    pub now: Instant,
    pub passwords: HashMap<Uuid, String>,
}

impl<'a> Rows<'a> {
    /// Reads the changes of a plan.
    pub fn collect(changes: &'a [Change], stamp: &Stamp<'_>) -> Result<Self, serde_json::Error> {
        let mut rows = Self::default();
        for (id, span) in spans(changes, ObjectKind::User) {
            match span {
                (None, Some(last)) => rows.created.push((id, last)),
                span => {
                    let ends = ends_of(span)?;
                    rows.user(id, ends, stamp);
                }
            }
        }
        rows.departments(ends(changes, ObjectKind::Department)?, stamp);
        rows.positions(ends(changes, ObjectKind::Position)?, stamp);
        rows.groups(ends(changes, ObjectKind::Group)?, stamp);
        let mut touched = HashSet::new();
        for change in changes {
            rows.relation(change, stamp, &mut touched)?;
        }
        let new = rows.created.iter().map(|(id, _)| UserId(*id));
        let own: HashSet<UserId> = rows.users.iter().map(|user| user.id).chain(new).collect();
        rows.touched = touched.into_iter().filter(|id| !own.contains(id)).collect();
        Ok(rows)
    }

    /// A portion of the new people as rows; what goes into other tables is noted.
    pub fn join(&mut self, portion: &[(Uuid, &Document)], stamp: &Stamp<'_>) -> Result<Vec<User>, serde_json::Error> {
        let mut users = Vec::with_capacity(portion.len());
        for (id, document) in portion {
            users.push(self.row(*id, None, document.read()?, stamp));
        }
        Ok(users)
    }

    fn user(&mut self, id: Uuid, Ends { first, last }: Ends<UserDocument>, stamp: &Stamp<'_>) {
        if let Some(first) = first.as_ref().filter(|first| first.status == Status::Active) {
            let is_active = last.status == Status::Active;
            if !is_active {
                self.disabled.push(UserId(id));
            }
            if !is_active || fold(&first.login) != fold(&last.login) {
                self.parked_users.push(UserId(id));
            }
        }
        let user = self.row(id, first.as_ref(), last, stamp);
        self.users.push(user);
    }

    fn row(&mut self, id: Uuid, first: Option<&UserDocument>, last: UserDocument, stamp: &Stamp<'_>) -> User {
        if first.map_or(!last.assignments.is_empty(), |first| first.assignments != last.assignments) {
            self.assignments.push((UserId(id), last.assignments.clone()));
        }
        if let Some(owner) = &last.source {
            self.owned.push((UserId(id), owner.clone()));
        }
        User {
            id: UserId(id),
            source: stamp.source.to_owned(),
            login_key: fold(&last.login),
            login: last.login,
            employee_number: last.employee_number,
            display_name: last.display_name,
            given_name: last.given_name,
            family_name: last.family_name,
            mail: last.mail,
            mobile: last.mobile,
            title: last.title,
            department_id: last.department_id,
            position_id: last.position_id,
            manager_id: last.manager_id,
            attributes: Json(Arc::unwrap_or_clone(last.attributes)),
            password_hash: stamp.passwords.get(&id).cloned(),
            status: last.status,
            status_reason: last.status_reason,
            disabled_at: (last.status != Status::Active).then_some(stamp.now),
            version: 1,
            created_at: stamp.now,
            updated_at: stamp.now,
            starts_on: last.starts_on,
            ends_on: last.ends_on,
            assignments: last.assignments,
        }
    }

    fn departments(&mut self, departments: BTreeMap<Uuid, Ends<DepartmentDocument>>, stamp: &Stamp<'_>) {
        for (id, Ends { first, last }) in departments {
            if let Some(first) = first {
                self.is_wide = true;
                if first.status == Status::Active && (last.status != Status::Active || first.code != last.code) {
                    self.parked_departments.push(DepartmentId(id));
                }
            }
            self.departments.push(Department {
                id: DepartmentId(id),
                source: stamp.source.to_owned(),
                code: last.code,
                name: last.name,
                parent_id: last.parent_id,
                sort_order: last.sort_order,
                status: last.status,
                created_at: stamp.now,
                updated_at: stamp.now,
                kind: last.kind,
                head_id: last.head_id,
                cost_centre: last.cost_centre,
                legal_entity: last.legal_entity,
            });
        }
    }

    fn positions(&mut self, positions: BTreeMap<Uuid, Ends<CodedDocument>>, stamp: &Stamp<'_>) {
        for (id, Ends { first, last }) in positions {
            self.is_wide |= first.is_some();
            self.positions.push(Position {
                id: PositionId(id),
                source: stamp.source.to_owned(),
                code: last.code,
                name: last.name,
                status: last.status,
                created_at: stamp.now,
                updated_at: stamp.now,
            });
        }
    }

    fn groups(&mut self, groups: BTreeMap<Uuid, Ends<CodedDocument>>, stamp: &Stamp<'_>) {
        for (id, Ends { first, last }) in groups {
            if let Some(first) = first {
                self.is_wide = true;
                if first.status == Status::Active && (last.status != Status::Active || first.code != last.code) {
                    self.parked_groups.push(GroupId(id));
                }
            }
            self.groups.push(Group {
                id: GroupId(id),
                source: stamp.source.to_owned(),
                code: last.code,
                name: last.name,
                status: last.status,
                created_at: stamp.now,
                updated_at: stamp.now,
            });
        }
    }

    /// Memberships and roles.
    fn relation(
        &mut self,
        change: &Change,
        stamp: &Stamp<'_>,
        touched: &mut HashSet<UserId>,
    ) -> Result<(), serde_json::Error> {
        let is_added = matches!(change.kind, ChangeKind::MemberAdded | ChangeKind::RoleGranted);
        let document = if is_added { &change.after } else { &change.before };
        match change.kind {
            ChangeKind::MemberAdded | ChangeKind::MemberRemoved => {
                let MemberDocument { member_kind, member_id } = read(document.as_ref())?;
                let member = Member { group_id: GroupId(change.object_id), member_kind, member_id };
                let list = if is_added { &mut self.members_added } else { &mut self.members_removed };
                list.push(member);
                if member_kind == ObjectKind::User {
                    touched.insert(UserId(member_id));
                } else {
                    self.is_wide = true;
                }
            }
            ChangeKind::RoleGranted | ChangeKind::RoleRevoked => {
                let RoleDocument { role, rule, scope } = read(document.as_ref())?;
                let user_id = UserId(change.object_id);
                touched.insert(user_id);
                if is_added {
                    let (run_id, granted_at) = (Some(stamp.run), stamp.now);
                    self.granted.push(RoleGrant { user_id, role, rule, run_id, granted_at, scope });
                } else {
                    self.revoked.push((user_id, role, rule, scope));
                }
            }
            _ => {}
        }
        Ok(())
    }
}

fn read<D: DeserializeOwned>(document: Option<&Document>) -> Result<D, serde_json::Error> {
    // A step without the document that it needs is refused, as one that says nothing is.
    document.map_or_else(|| serde_json::from_str("null"), Document::read)
}

/// Documents of an object: before its first step and after its last.
type Span<'a> = (Option<&'a Document>, Option<&'a Document>);

/// First and last documents of every object of a kind.
fn spans(changes: &[Change], kind: ObjectKind) -> BTreeMap<Uuid, Span<'_>> {
    let is_own = |change: &&Change| {
        use ChangeKind::{MemberAdded, MemberRemoved, RoleGranted, RoleRevoked};
        change.object_kind == kind && !matches!(change.kind, MemberAdded | MemberRemoved | RoleGranted | RoleRevoked)
    };
    let mut spans: BTreeMap<Uuid, Span<'_>> = BTreeMap::new();
    for change in changes.iter().filter(is_own) {
        let span = spans.entry(change.object_id).or_insert((change.before.as_ref(), None));
        span.1 = change.after.as_ref();
    }
    spans
}

fn ends_of<D: DeserializeOwned>((first, last): Span<'_>) -> Result<Ends<D>, serde_json::Error> {
    let first = first.map(|document| read(Some(document))).transpose()?;
    Ok(Ends { first, last: read(last)? })
}

fn ends<D: DeserializeOwned>(
    changes: &[Change],
    kind: ObjectKind,
) -> Result<BTreeMap<Uuid, Ends<D>>, serde_json::Error> {
    spans(changes, kind).into_iter().map(|(id, span)| Ok((id, ends_of(span)?))).collect()
}
