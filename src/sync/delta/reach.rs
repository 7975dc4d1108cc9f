//! What a delta is about: the links of its entries, of whom they refer to, of what is below a renamed department; all
//! found by id and by name, in a number of statements that does not depend on the size of the source.

use std::collections::{BTreeSet, HashMap, HashSet};

use uuid::Uuid;

use crate::config::{DepartmentMapping, SourceConfig};
use crate::model::{Finding, Link, ObjectKind, UserId};
use crate::source::{Delta, Dn, Gone, Snapshot, path_above};
use crate::store::Tx;

use super::super::SyncError;
use super::super::diff::{KINDS, MemberPatch, Partial};
use super::super::link::{GONE, path, referred_key};
use super::super::map::{Index, map, render, template};
use super::super::merge::named_elsewhere;
use super::super::record::Mapped;
use super::super::report::FullReason;
use super::conflicts;
use super::known::kind_of;

pub(super) type Key = (ObjectKind, String);

/// A delta with everything that it is about.
pub(in crate::sync) struct Reached {
    pub mapped: Mapped,
    pub links: Vec<Link>,
    pub partial: Partial,
    /// Members whom other sources returned.
    pub referred: Vec<(ObjectKind, Uuid)>,
    pub full_follows: BTreeSet<FullReason>,
    /// Names that lead nowhere.
    pub dangling: Vec<String>,
    /// External ids that the delta decides about.
    pub about: Vec<String>,
}

/// Links on their way in.
#[derive(Default)]
pub(super) struct Ground {
    /// Links by kind and id, with the names that they have now.
    pub links: HashMap<Key, Link>,
    /// What the delta holds itself: entries, whole or not.
    pub own: HashSet<Key>,
    /// Their names now, as paths: also of those that cannot be mapped.
    pub paths: HashMap<Key, String>,
    /// What is said to be gone, known or not.
    pub left: HashSet<Key>,
    /// Links of who is gone.
    pub gone: HashMap<Key, Link>,
    /// Links that have another name because something above has.
    pub renamed: Vec<Link>,
    /// What an earlier run left out or kept.
    pub findings: Vec<Finding>,
    /// Departments that have another name: (path before, path now, DN now).
    moves: Vec<(String, String, Dn)>,
}

/// Finds out what a delta is about, and maps it.
pub(in crate::sync) async fn reach(
    tx: &mut Tx,
    config: &SourceConfig,
    is_shared: bool,
    delta: &Delta,
) -> Result<Reached, SyncError> {
    let findings = tx.findings().list_kept(&config.name).await?;
    let mut ground = Ground { findings, ..Ground::default() };
    ground.enter_own(tx, config, delta).await?;
    ground.enter_moved(tx, config, delta).await?;
    ground.enter_references(tx, config, delta).await?;
    let snapshot = snapshot(delta);
    let known = ground.known();
    let mut mapped = map(config, &snapshot, &known)?;
    ground.enter_values(tx, config, &mut mapped).await?;
    let elsewhere = if is_shared { elsewhere(tx, config, delta).await? } else { HashMap::new() };
    let (members, unknown) = members(delta, &snapshot, &known, &ground, &elsewhere);
    let referred = elsewhere.into_values().flatten().collect();
    mapped.members_skipped += u64::try_from(unknown.len()).unwrap_or(0);
    let mut dangling = mapped.dangling();
    dangling.extend(unknown);
    let mut partial = Partial { members, renamed: std::mem::take(&mut ground.renamed), ..Partial::default() };
    partial.absent = ground.gone.values().filter(|link| link.digest != GONE).cloned().collect();
    partial.absent.sort_by(|a, b| a.external_id.cmp(&b.external_id));
    if !conflicts::keeps_references(config) {
        dangling.extend(partial.absent.iter().map(|link| link.dn_path.clone()).filter(|path| !path.is_empty()));
    }
    let full_follows = conflicts::settle(tx, (config, is_shared), &mut ground, &mut mapped, &mut partial).await?;
    let absent: Vec<UserId> =
        partial.absent.iter().filter(|link| link.kind == ObjectKind::User).map(|link| UserId(link.object_id)).collect();
    partial.reports = reports(tx, config, &ground, &absent).await?;
    let about = ground.own.iter().chain(ground.gone.keys()).map(|(_, id)| id.clone()).collect();
    let links = ground.links.into_values().collect();
    Ok(Reached { mapped, links, partial, referred, full_follows, dangling, about })
}

/// The entries of a delta, for mapping.
fn snapshot(delta: &Delta) -> Snapshot {
    let mut snapshot = Snapshot::default();
    snapshot.source.clone_from(&delta.source);
    snapshot.users.clone_from(&delta.users);
    snapshot.departments.clone_from(&delta.departments);
    snapshot.groups.clone_from(&delta.groups);
    snapshot.rejected.clone_from(&delta.rejected);
    snapshot
}

impl Ground {
    /// People and groups with another name whose entries are left out: others may refer to them by the old one.
    pub fn renamed_and_left_out(&self, mapped: &Mapped) -> Vec<(Uuid, String)> {
        let users = mapped.users.iter().map(|record| (ObjectKind::User, record.external_id.as_str()));
        let groups = mapped.groups.iter().map(|record| (ObjectKind::Group, record.external_id.as_str()));
        let taken: HashSet<(ObjectKind, &str)> = users.chain(groups).collect();
        let differs = |(key, path): (&Key, &String)| {
            // Whoever was gone answers to a name again.
            let link = self.links.get(key).filter(|link| link.digest == GONE || link.dn_path != *path)?;
            Some((link.object_id, path.clone()))
        };
        let is_left = |(kind, id): &Key| {
            matches!(kind, ObjectKind::User | ObjectKind::Group) && !taken.contains(&(*kind, id.as_str()))
        };
        self.paths.iter().filter(|(key, _)| is_left(key)).filter_map(differs).collect()
    }

    /// Links of what the delta holds, and of who is gone.
    async fn enter_own(&mut self, tx: &mut Tx, config: &SourceConfig, delta: &Delta) -> Result<(), SyncError> {
        let lists = [
            (ObjectKind::User, &delta.users),
            (ObjectKind::Department, &delta.departments),
            (ObjectKind::Group, &delta.groups),
        ];
        for (kind, entries) in lists {
            self.own.extend(entries.iter().map(|entry| (kind, entry.external_id.clone())));
            self.paths.extend(entries.iter().map(|entry| ((kind, entry.external_id.clone()), path(&entry.dn))));
        }
        for rejected in &delta.rejected {
            let id = rejected.external_id.clone().unwrap_or_else(|| rejected.dn.clone());
            self.paths.insert((kind_of(rejected.part), id.clone()), path(&rejected.dn));
            self.own.insert((kind_of(rejected.part), id));
        }
        let mut asked: HashSet<Key> = self.own.clone();
        asked.extend(delta.members.iter().map(|change| (ObjectKind::Group, change.external_id.clone())));
        let mut gone_paths = Vec::new();
        let mut gone_ids = HashSet::new();
        for gone in &delta.gone {
            match gone {
                Gone::Id { part: Some(part), external_id } => {
                    gone_ids.insert((kind_of(*part), external_id.clone()));
                }
                Gone::Id { part: None, external_id } => {
                    gone_ids.extend(PARTS.map(|kind| (kind, external_id.clone())));
                }
                Gone::Dn(dn) => gone_paths.push(path(dn)),
            }
        }
        asked.extend(gone_ids.iter().cloned());
        self.left.clone_from(&gone_ids);
        self.enter(tx, config, asked).await?;
        let by_path = tx.links().list_by_paths(&config.name, &gone_paths).await?;
        let unread: HashSet<String> = delta.rejected.iter().map(|rejected| path(&rejected.dn)).collect();
        let by_id = gone_ids.iter().filter_map(|key| self.links.get(key)).cloned();
        for link in by_id.chain(by_path).collect::<Vec<_>>() {
            let key = (link.kind, link.external_id.clone());
            // Whoever is in the delta as well has come back, or could not be read.
            if !self.own.contains(&key) && !unread.contains(&link.dn_path) {
                self.links.insert(key.clone(), link.clone());
                self.gone.insert(key, link);
            }
        }
        Ok(())
    }

    async fn enter(
        &mut self,
        tx: &mut Tx,
        config: &SourceConfig,
        keys: impl IntoIterator<Item = Key>,
    ) -> Result<(), SyncError> {
        let mut by_kind: HashMap<ObjectKind, Vec<String>> = HashMap::new();
        for (kind, id) in keys {
            by_kind.entry(kind).or_default().push(id);
        }
        for (kind, ids) in by_kind {
            for link in tx.links().list_by_ids(&config.name, kind, &ids).await? {
                self.links.entry((kind, link.external_id.clone())).or_insert(link);
            }
        }
        Ok(())
    }

    /// What is below departments that have another name now has another name too: a directory does not send it again.
    async fn enter_moved(&mut self, tx: &mut Tx, config: &SourceConfig, delta: &Delta) -> Result<(), SyncError> {
        for entry in &delta.departments {
            let Some(link) = self.links.get(&(ObjectKind::Department, entry.external_id.clone())) else { continue };
            let (before, Ok(dn)) = (link.dn_path.clone(), Dn::parse(&entry.dn)) else { continue };
            let now = dn.path();
            if link.digest != GONE && !before.is_empty() && before != now {
                self.moves.push((before, now, dn));
            }
        }
        // The nearest above decides: the deepest first.
        self.moves.sort_by_key(|(before, ..)| std::cmp::Reverse(before.len()));
        let mut done: HashSet<Uuid> = HashSet::new();
        for (before, now, dn) in self.moves.clone() {
            for mut link in tx.links().list_below(&config.name, &before).await? {
                let key = (link.kind, link.external_id.clone());
                if link.digest == GONE || !done.insert(link.object_id) {
                    continue;
                }
                if let Some(rest) = link.dn_path.strip_prefix(&before) {
                    link.dn_path = format!("{now}{rest}");
                    link.dn = below(&link.dn, &before, &dn);
                    if !self.own.contains(&key) && !self.gone.contains_key(&key) {
                        self.renamed.push(link.clone());
                        self.links.insert(key, link);
                    }
                }
            }
        }
        Ok(())
    }

    /// Links of everything that the entries refer to by name: managers, members, and what stands above.
    async fn enter_references(&mut self, tx: &mut Tx, config: &SourceConfig, delta: &Delta) -> Result<(), SyncError> {
        let manager = config.users.manager.as_deref().map(|manager| template("users.manager", manager)).transpose()?;
        let member = config.groups.as_ref().map(|groups| groups.member.trim().to_ascii_lowercase());
        let mut paths: HashSet<String> = HashSet::new();
        for entry in delta.users.iter().chain(&delta.departments) {
            let own = path(&entry.dn);
            let mut above = path_above(&own);
            while let Some(path) = above.filter(|path| !paths.contains(*path)) {
                paths.insert(path.to_owned());
                above = path_above(path);
            }
        }
        if let Some(manager) = &manager {
            paths.extend(delta.users.iter().filter_map(|entry| render(manager, entry)).map(|dn| path(&dn)));
        }
        let named = member.as_deref().unwrap_or_default();
        paths.extend(delta.groups.iter().flat_map(|entry| entry.attributes.all(named)).map(path));
        let changed = delta.members.iter().flat_map(|change| change.added.iter().chain(&change.removed));
        paths.extend(changed.map(|dn| path(dn)));
        // What was below a department that has another name now is stored under the old one.
        let before: Vec<String> = paths.iter().filter_map(|path| self.before(path)).collect();
        let all: Vec<String> = paths.into_iter().chain(before).collect();
        for link in tx.links().list_by_paths(&config.name, &all).await? {
            self.links.entry((link.kind, link.external_id.clone())).or_insert(link);
        }
        self.enter_left_out(tx, config, &all).await
    }

    /// Entries that are left out answer to the name that they had when they were read last, which their links do not know.
    async fn enter_left_out(&mut self, tx: &mut Tx, config: &SourceConfig, named: &[String]) -> Result<(), SyncError> {
        let left_out: HashMap<String, String> = self
            .findings
            .iter()
            .filter(|one| one.quarantined && named.contains(&path(&one.dn)))
            .map(|one| (one.external_id.clone(), one.dn.clone()))
            .collect();
        let ids: Vec<String> = left_out.keys().cloned().collect();
        for kind in [ObjectKind::User, ObjectKind::Group] {
            for mut link in tx.links().list_by_ids(&config.name, kind, &ids).await? {
                let key = (kind, link.external_id.clone());
                if let Some(dn) = left_out.get(&link.external_id).filter(|_| !self.own.contains(&key)) {
                    link.dn.clone_from(dn);
                    link.dn_path = path(dn);
                    self.links.insert(key, link);
                }
            }
        }
        Ok(())
    }

    /// Under which path a link is stored whose path is this one now.
    fn before(&self, path: &str) -> Option<String> {
        let fits =
            |(_, now, _): &&(String, String, Dn)| path.strip_prefix(now).is_some_and(|rest| rest.starts_with(','));
        let (before, now, _) = self.moves.iter().filter(fits).max_by_key(|(_, now, _)| now.len())?;
        Some(format!("{before}{}", path.strip_prefix(now)?))
    }

    /// Links of entries that are not in the delta, and are there.
    fn known(&self) -> Vec<Link> {
        // Whoever was not returned and is kept all the same answers to no name, as in a full run.
        let absent = self.findings.iter().filter(|one| one.keeps_account() && !one.quarantined);
        let absent: HashSet<&str> = absent.map(|one| one.external_id.as_str()).collect();
        let stays = |(key, link): &(&Key, &Link)| {
            let is_there = key.0 != ObjectKind::User || !absent.contains(key.1.as_str());
            is_there && !self.own.contains(key) && !self.gone.contains_key(key) && link.digest != GONE
        };
        self.links.iter().filter(stays).map(|(_, link)| link.clone()).collect()
    }

    /// Links of what attributes name: positions, and departments out of paths. Those that are there stay as they are.
    async fn enter_values(&mut self, tx: &mut Tx, config: &SourceConfig, mapped: &mut Mapped) -> Result<(), SyncError> {
        let of_paths = matches!(config.departments, Some(DepartmentMapping::Attribute { .. }));
        let positions = mapped.positions.iter().map(|record| (ObjectKind::Position, record.external_id.clone()));
        let departments = mapped.departments.iter().filter(|_| of_paths);
        let departments = departments.map(|record| (ObjectKind::Department, record.external_id.clone()));
        self.enter(tx, config, positions.chain(departments).collect::<Vec<_>>()).await?;
        let is_there =
            |kind: ObjectKind, id: &String| self.links.get(&(kind, id.clone())).is_some_and(|link| link.digest != GONE);
        mapped.positions.retain(|record| !is_there(ObjectKind::Position, &record.external_id));
        if of_paths {
            mapped.departments.retain(|record| !is_there(ObjectKind::Department, &record.external_id));
        }
        for (kind, left) in
            [(ObjectKind::Position, mapped.positions.len()), (ObjectKind::Department, mapped.departments.len())]
        {
            if kind == ObjectKind::Position || of_paths {
                mapped.read.insert(kind, u64::try_from(left).unwrap_or(0));
            }
        }
        Ok(())
    }
}

const PARTS: [ObjectKind; 3] = [ObjectKind::User, ObjectKind::Department, ObjectKind::Group];

/// The name of something below a department that was called `before` and is called `now`.
fn below(dn: &str, before: &str, now: &Dn) -> String {
    let Ok(own) = Dn::parse(dn) else { return dn.to_owned() };
    let mut depth = 1;
    let mut above = path_above(before);
    while let Some(path) = above {
        depth += 1;
        above = path_above(path);
    }
    let kept = own.0.len().saturating_sub(depth);
    Dn(own.0.into_iter().take(kept).chain(now.0.iter().cloned()).collect()).to_string()
}

/// Objects of other sources by the names that groups gained and lost.
type Elsewhere = HashMap<String, Option<(ObjectKind, Uuid)>>;

async fn elsewhere(tx: &mut Tx, config: &SourceConfig, delta: &Delta) -> Result<Elsewhere, SyncError> {
    let names = delta.members.iter().flat_map(|change| change.added.iter().chain(&change.removed));
    let paths: Vec<String> = names.map(|dn| path(dn)).collect();
    Ok(named_elsewhere(tx, &config.name, &paths).await?)
}

/// Member changes with ids instead of names, and the paths that are nobody's.
fn members(
    delta: &Delta,
    snapshot: &Snapshot,
    known: &[Link],
    ground: &Ground,
    elsewhere: &Elsewhere,
) -> (Vec<MemberPatch>, Vec<String>) {
    let index = Index::new(snapshot, known);
    let mut unknown = Vec::new();
    let mut patches = Vec::new();
    // A name that somebody had before the delta means them where nobody has it now.
    let links = ground.links.values().filter(|link| !link.dn_path.is_empty() && KINDS.contains(&link.kind));
    let old: HashMap<&str, &Link> = links.map(|link| (link.dn_path.as_str(), link)).collect();
    for change in &delta.members {
        let key = (ObjectKind::Group, change.external_id.clone());
        let Some(link) = ground.links.get(&key).filter(|link| link.digest != GONE && !ground.own.contains(&key)) else {
            continue;
        };
        let of_others = |dn: &String| {
            let (kind, id) = elsewhere.get(&path(dn)).copied().flatten()?;
            Some((kind, referred_key(id)))
        };
        let find = |dn: &String| index.find(dn).map(|(kind, id)| (kind, id.to_owned())).or_else(|| of_others(dn));
        let (mut added, mut removed) = (Vec::new(), Vec::new());
        for dn in &change.added {
            match find(dn) {
                Some(member) => added.push(member),
                None => unknown.push(path(dn)),
            }
        }
        for dn in &change.removed {
            let before = || old.get(path(dn).as_str()).map(|link| (link.kind, link.external_id.clone()));
            removed.extend(find(dn).or_else(before));
        }
        patches.push(MemberPatch { link: link.clone(), added, removed });
    }
    (patches, unknown)
}

/// People whose manager is gone and whose entries are not in the delta.
async fn reports(
    tx: &mut Tx,
    config: &SourceConfig,
    ground: &Ground,
    absent: &[UserId],
) -> Result<Vec<(crate::model::User, Link)>, SyncError> {
    let users = tx.touched().reports(absent).await?;
    let ids: Vec<Uuid> = users.iter().map(|user| user.id.0).collect();
    let links = tx.links().list_by_objects(&config.name, &ids).await?;
    let mut links: HashMap<Uuid, Link> = links.into_iter().map(|link| (link.object_id, link)).collect();
    let own = |link: &Link| {
        let key = (link.kind, link.external_id.clone());
        ground.own.contains(&key) || ground.gone.contains_key(&key)
    };
    let pairs = users.into_iter().filter_map(|user| Some((links.remove(&user.id.0)?, user)));
    Ok(pairs.filter(|(link, _)| link.digest != GONE && !own(link)).map(|(link, user)| (user, link)).collect())
}
