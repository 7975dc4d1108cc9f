//! What an increment cannot decide alone: it is left to a full run, which follows; the rest of the increment is applied.

use std::collections::{BTreeSet, HashMap, HashSet};

use uuid::Uuid;

use crate::config::{DepartmentMapping, DirectorySchema, SourceConfig};
use crate::model::{DepartmentId, FindingCode, Link, ObjectKind, PositionId, Status, User, UserId};
use crate::store::Tx;
use crate::text::fold;

use super::super::SyncError;
use super::super::diff::Partial;
use super::super::link::{GONE, path};
use super::super::record::Mapped;
use super::super::report::FullReason;
use super::left_out;
use super::newcomers;
use super::reach::{Ground, Key};

/// Findings that are about a name, number or code that several entries want.
const SHARED: [FindingCode; 5] = [
    FindingCode::DuplicateLogin,
    FindingCode::DuplicateEmployeeNumber,
    FindingCode::DuplicateCode,
    FindingCode::LoginTaken,
    FindingCode::CodeTaken,
];

/// Whether references follow by themselves when somebody is renamed or goes: Active Directory keeps them as links.
/// Elsewhere a plug-in may do it, and whoever was changed by it is then in the delta.
pub(super) fn keeps_references(config: &SourceConfig) -> bool {
    config.ldap.as_ref().is_some_and(|ldap| ldap.schema == DirectorySchema::ActiveDirectory)
}

/// Takes out of the delta what cannot be judged alone, and says why a full run has to follow.
pub(super) async fn settle(
    tx: &mut Tx,
    (config, is_shared): (&SourceConfig, bool),
    all: &mut Ground,
    mapped: &mut Mapped,
    partial: &mut Partial,
) -> Result<BTreeSet<FullReason>, SyncError> {
    let ground = &*all;
    let mut look = Look {
        tx: &mut *tx,
        config,
        ground,
        rows: HashMap::new(),
        shared: Vec::new(),
        left_out: HashSet::new(),
        why: BTreeSet::new(),
    };
    look.load().await?;
    look.intricate(mapped);
    if newcomers::defer(look.tx, (config, is_shared), ground, mapped).await? {
        look.why.insert(FullReason::Returned);
    }
    look.people(mapped).await?;
    look.groups(mapped).await?;
    look.departments(mapped, partial).await?;
    look.names(mapped, partial).await?;
    look.emptied(mapped, partial).await?;
    let Look { left_out, mut why, .. } = look;
    if left_out::enter(tx, config, all, mapped, (partial, &left_out)).await? {
        why.insert(FullReason::Returned);
    }
    Ok(why)
}

struct Look<'a> {
    tx: &'a mut Tx,
    config: &'a SourceConfig,
    ground: &'a Ground,
    /// People of the delta, as they are here.
    rows: HashMap<Uuid, User>,
    /// Names, numbers and codes that findings are about: (folded value, external id).
    shared: Vec<(String, String)>,
    /// External ids of entries that findings leave out, or whose accounts they keep.
    left_out: HashSet<String>,
    why: BTreeSet<FullReason>,
}

impl Look<'_> {
    async fn load(&mut self) -> Result<(), SyncError> {
        let own = self.ground.own.iter().chain(self.ground.gone.keys());
        let links = own.filter(|(kind, _)| *kind == ObjectKind::User).filter_map(|key| self.ground.links.get(key));
        let ids: Vec<UserId> = links.map(|link| UserId(link.object_id)).collect();
        let rows = self.tx.touched().people(&ids).await?;
        self.rows = rows.into_iter().map(|user| (user.id.0, user)).collect();
        for finding in &self.ground.findings {
            let is_shared = SHARED.iter().any(|code| code.as_str() == finding.code);
            if let Some(value) = finding.arguments.0.get("value").filter(|_| is_shared) {
                self.shared.push((fold(value), finding.external_id.clone()));
            }
            if finding.keeps_account() {
                self.left_out.insert(finding.external_id.clone());
            }
        }
        let touched = |id: &String| self.is_own(id);
        let mut old: HashSet<String> = self.rows.values().map(|row| row.login_key.clone()).collect();
        old.extend(self.rows.values().filter_map(|row| row.employee_number.as_deref()).map(fold));
        if self.shared.iter().any(|(value, id)| touched(id) || old.contains(value)) {
            self.why.insert(FullReason::Duplicate);
        }
        Ok(())
    }

    /// Where entries name others by code, login name or number, a part of them cannot be understood alone: who may sign in
    /// and what departments are is left to a full run, who may not is locked out now.
    fn intricate(&mut self, mapped: &mut Mapped) {
        let by_code = match &self.config.departments {
            Some(DepartmentMapping::Ou { parent, head, .. }) => parent.is_some() || head.is_some(),
            Some(DepartmentMapping::Attribute { levels, head, .. }) => !levels.is_empty() || head.is_some(),
            None => false,
        };
        if !(by_code || self.config.assignments.is_some()) {
            return;
        }
        let people: Vec<String> =
            mapped.users.iter().filter(|of| of.enabled).map(|of| of.external_id.clone()).collect();
        let departments: Vec<String> = mapped.departments.iter().map(|of| of.external_id.clone()).collect();
        if !(self.ground.own.is_empty() && self.ground.gone.is_empty()) {
            self.why.insert(FullReason::Reference);
        }
        mapped.defer(ObjectKind::User, &people);
        mapped.defer(ObjectKind::Department, &departments);
    }

    fn is_own(&self, external_id: &str) -> bool {
        [ObjectKind::User, ObjectKind::Department, ObjectKind::Group].into_iter().any(|kind| {
            let key = (kind, external_id.to_owned());
            self.ground.own.contains(&key) || self.ground.left.contains(&key) || self.ground.gone.contains_key(&key)
        })
    }

    fn row(&self, external_id: &str) -> Option<&User> {
        self.rows.get(&self.ground.links.get(&(ObjectKind::User, external_id.to_owned()))?.object_id)
    }

    fn is_shared(&self, value: &str, own: &str) -> bool {
        self.shared.iter().any(|(shared, id)| shared == value && id != own)
    }

    /// People whose login name or number somebody else has, and people who return to memberships that were kept.
    async fn people(&mut self, mapped: &mut Mapped) -> Result<(), SyncError> {
        let enabled = || mapped.users.iter().filter(|record| record.enabled);
        let logins: Vec<String> = enabled().map(|record| record.login_key.clone()).collect();
        let numbers: Vec<String> = enabled().filter_map(|record| record.employee_number.clone()).collect();
        let others = |(id, value): (UserId, String)| (!self.rows.contains_key(&id.0)).then_some(value);
        let logins = self.tx.touched().by_logins(&self.config.name, &logins).await?;
        let logins: HashSet<String> = logins.into_iter().filter_map(others).collect();
        let numbers = self.tx.touched().by_numbers(&self.config.name, &numbers).await?;
        let numbers: HashSet<String> = numbers.into_iter().filter_map(others).collect();
        let returning = enabled().filter_map(|record| self.row(&record.external_id));
        let returning: Vec<Uuid> = returning.filter(|row| row.status != Status::Active).map(|row| row.id.0).collect();
        let returning: HashSet<Uuid> =
            self.tx.touched().groups_of(&returning).await?.into_iter().map(|(_, member)| member).collect();
        let mut left = Vec::new();
        for record in mapped.users.iter().filter(|record| record.enabled) {
            let number = record.employee_number.as_ref();
            let is_taken = logins.contains(&record.login_key)
                || number.is_some_and(|number| {
                    numbers.contains(number) || self.is_shared(&fold(number), &record.external_id)
                })
                || self.is_shared(&record.login_key, &record.external_id);
            let returns = self.row(&record.external_id).is_some_and(|row| returning.contains(&row.id.0));
            if is_taken || returns {
                left.push(record.external_id.clone());
                self.why.insert(if is_taken { FullReason::Duplicate } else { FullReason::Returned });
            }
        }
        mapped.defer(ObjectKind::User, &left);
        Ok(())
    }

    /// Groups whose code another has.
    async fn groups(&mut self, mapped: &mut Mapped) -> Result<(), SyncError> {
        let codes: Vec<String> = mapped.groups.iter().map(|record| record.code.clone()).collect();
        let own: HashSet<Uuid> =
            self.ground.own.iter().filter_map(|key| self.ground.links.get(key)).map(|link| link.object_id).collect();
        let taken = self.tx.touched().by_codes(&self.config.name, &codes).await?;
        let taken: HashSet<String> =
            taken.into_iter().filter(|(id, _)| !own.contains(&id.0)).map(|(_, code)| code).collect();
        let is_taken = |code: &String, id: &str| taken.contains(code) || self.is_shared(&fold(code), id);
        let left = mapped.groups.iter().filter(|record| is_taken(&record.code, &record.external_id));
        let left: Vec<String> = left.map(|record| record.external_id.clone()).collect();
        if !left.is_empty() {
            self.why.insert(FullReason::Duplicate);
        }
        mapped.defer(ObjectKind::Group, &left);
        Ok(())
    }

    /// Departments whose code another has or that lend theirs to those below, that come or go above people who are not
    /// in the delta.
    async fn departments(&mut self, mapped: &mut Mapped, partial: &mut Partial) -> Result<(), SyncError> {
        let gone: Vec<Link> =
            partial.absent.iter().filter(|link| link.kind == ObjectKind::Department).cloned().collect();
        if gone.is_empty() && mapped.departments.is_empty() {
            return Ok(());
        }
        if let Some(DepartmentMapping::Ou { code, .. }) = &self.config.departments {
            self.codes(mapped, code.is_none()).await?;
        }
        for link in gone {
            if self.has_others_below(&link.dn_path).await? {
                self.why.insert(FullReason::Department);
                partial.absent.retain(|absent| absent.object_id != link.object_id);
            }
        }
        let is_new = |id: &String| {
            let link = self.ground.links.get(&(ObjectKind::Department, id.clone()));
            // One that was kept without being returned lost whoever was below it.
            link.is_none_or(|link| link.digest == GONE || link.digest.is_empty())
        };
        let new: Vec<String> = mapped
            .departments
            .iter()
            .filter(|record| is_new(&record.external_id))
            .map(|record| path(&record.dn))
            .collect();
        for path in new.iter().filter(|path| !path.is_empty()) {
            if self.has_others_below(path).await? {
                self.why.insert(FullReason::Department);
            }
        }
        Ok(())
    }

    async fn codes(&mut self, mapped: &mut Mapped, are_paths: bool) -> Result<(), SyncError> {
        let own: HashSet<Uuid> =
            self.ground.own.iter().filter_map(|key| self.ground.links.get(key)).map(|link| link.object_id).collect();
        let rows = self.tx.departments().list_by_source(&self.config.name).await?;
        let rows: Vec<(DepartmentId, String)> =
            rows.into_iter().filter(|row| row.status == Status::Active).map(|row| (row.id, fold(&row.code))).collect();
        let has_paths = are_paths && rows.iter().any(|(_, code)| code.contains('/'));
        let others: HashSet<&String> =
            rows.iter().filter(|(id, _)| !own.contains(&id.0)).map(|(_, code)| code).collect();
        let is_known =
            |id: &String| self.ground.links.get(&(ObjectKind::Department, id.clone())).map(|link| link.object_id);
        let differs = |id: &String, code: &String| {
            is_known(id).is_none_or(|id| rows.iter().all(|(row, known)| row.0 != id || known != code))
        };
        let left = mapped.departments.iter().filter(|record| {
            let code = fold(&record.code);
            others.contains(&code)
                || self.is_shared(&code, &record.external_id)
                || (has_paths && differs(&record.external_id, &code))
        });
        let left: Vec<String> = left.map(|record| record.external_id.clone()).collect();
        if !left.is_empty() {
            self.why.insert(FullReason::Duplicate);
        }
        mapped.defer(ObjectKind::Department, &left);
        Ok(())
    }

    async fn has_others_below(&mut self, path: &str) -> Result<bool, SyncError> {
        if path.is_empty() {
            return Ok(false);
        }
        let below = self.tx.links().list_below(&self.config.name, path).await?;
        Ok(below.iter().filter(|link| link.digest != GONE && link.kind != ObjectKind::Group).any(|link| {
            let key: Key = (link.kind, link.external_id.clone());
            !self.ground.own.contains(&key) && !self.ground.gone.contains_key(&key)
        }))
    }

    /// Names that others refer to: of who came, and, where a directory does not keep references, of who was renamed.
    async fn names(&mut self, mapped: &Mapped, partial: &Partial) -> Result<(), SyncError> {
        let mut new = Vec::new();
        let mut renamed: Vec<Uuid> = partial
            .renamed
            .iter()
            .filter(|link| matches!(link.kind, ObjectKind::User | ObjectKind::Group))
            .map(|link| link.object_id)
            .collect();
        let users = mapped.users.iter().map(|record| (ObjectKind::User, &record.external_id, &record.dn));
        let groups = mapped.groups.iter().map(|record| (ObjectKind::Group, &record.external_id, &record.dn));
        for (kind, id, dn) in users.chain(groups) {
            let path = path(dn);
            match self.ground.links.get(&(kind, id.clone())) {
                // Who was kept without being returned answers to their name again.
                Some(link) if link.digest != GONE && link.dn_path == path && self.left_out.contains(id) => {
                    new.push(path);
                }
                Some(link) if link.digest != GONE && link.dn_path == path => {}
                Some(link) if link.digest != GONE => {
                    renamed.push(link.object_id);
                    new.push(path);
                }
                _ => {
                    if self.left_out.contains(id) {
                        self.why.insert(FullReason::Reference);
                    }
                    new.push(path);
                }
            }
        }
        for (link, path) in self.ground.renamed_and_left_out(mapped) {
            renamed.push(link);
            new.push(path);
        }
        let renamed_paths = partial.renamed.iter().map(|link| link.dn_path.clone());
        new.extend(renamed_paths);
        let mut is_referred = !self.tx.sync_positions().dangling_among(&self.config.name, &new).await?.is_empty();
        if !is_referred && !keeps_references(self.config) {
            is_referred = self.is_referred_to(&renamed).await?;
        }
        if is_referred {
            self.why.insert(FullReason::Reference);
        }
        Ok(())
    }

    /// Whether somebody who is not in the delta refers to one of these.
    async fn is_referred_to(&mut self, objects: &[Uuid]) -> Result<bool, SyncError> {
        let own: HashSet<Uuid> =
            self.ground.own.iter().filter_map(|key| self.ground.links.get(key)).map(|link| link.object_id).collect();
        let groups = self.tx.touched().groups_of(objects).await?;
        if groups.iter().any(|(group, _)| !own.contains(&group.0)) {
            return Ok(true);
        }
        let managers: Vec<UserId> = objects.iter().copied().map(UserId).collect();
        Ok(self.tx.touched().reports(&managers).await?.iter().any(|user| !own.contains(&user.id.0)))
    }

    /// Positions that nobody holds any more go; a department out of paths that may be empty is left to a full run.
    async fn emptied(&mut self, mapped: &Mapped, partial: &mut Partial) -> Result<(), SyncError> {
        let source = &self.config.name;
        let of_paths = matches!(self.config.departments, Some(DepartmentMapping::Attribute { .. }));
        let stays: HashMap<&String, (Option<&String>, Option<&String>)> = mapped
            .users
            .iter()
            .map(|record| (&record.external_id, (record.position.as_ref(), record.department.as_ref())))
            .collect();
        let mut positions: HashMap<PositionId, i64> = HashMap::new();
        let mut departments: HashMap<DepartmentId, i64> = HashMap::new();
        let find = |kind, id: Option<&String>| Some(self.ground.links.get(&(kind, id?.clone()))?.object_id);
        let keys = self.ground.own.iter().chain(self.ground.gone.keys()).filter(|(kind, _)| *kind == ObjectKind::User);
        for (link, row) in keys.filter_map(|key| {
            let link = self.ground.links.get(key).filter(|link| link.digest != GONE)?;
            Some((link, self.rows.get(&link.object_id)?))
        }) {
            let is_gone = self.ground.gone.contains_key(&(ObjectKind::User, link.external_id.clone()));
            let Some((position, department)) =
                stays.get(&link.external_id).copied().or(is_gone.then_some((None, None)))
            else {
                // Left out: they stay where they are.
                continue;
            };
            let (position, department) =
                (find(ObjectKind::Position, position), find(ObjectKind::Department, department));
            if let Some(id) = row.position_id.filter(|id| Some(id.0) != position) {
                *positions.entry(id).or_default() += 1;
            }
            if let Some(id) = row.department_id.filter(|id| of_paths && Some(id.0) != department) {
                *departments.entry(id).or_default() += 1;
            }
        }
        let ids: Vec<PositionId> = positions.keys().copied().collect();
        let held: HashMap<PositionId, i64> = self.tx.touched().holders(source, &ids).await?.into_iter().collect();
        let wanted: HashSet<Uuid> =
            mapped.users.iter().filter_map(|record| find(ObjectKind::Position, record.position.as_ref())).collect();
        let empty = positions
            .iter()
            .filter(|(id, left)| held.get(id).copied().unwrap_or(0) <= **left && !wanted.contains(&id.0));
        let empty: Vec<Uuid> = empty.map(|(id, _)| id.0).collect();
        let ids: Vec<DepartmentId> = departments.keys().copied().collect();
        let full: HashMap<DepartmentId, i64> = self.tx.touched().residents(source, &ids).await?.into_iter().collect();
        if departments.iter().any(|(id, left)| full.get(id).copied().unwrap_or(0) <= *left) {
            self.why.insert(FullReason::Emptied);
        }
        if !empty.is_empty() && !self.left_out.is_empty() {
            // An entry that is left out may name it.
            self.why.insert(FullReason::Emptied);
            return Ok(());
        }
        partial.absent.extend(
            self.tx.links().list_by_objects(source, &empty).await?.into_iter().filter(|link| link.digest != GONE),
        );
        Ok(())
    }
}
