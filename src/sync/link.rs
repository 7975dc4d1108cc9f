//! Linking: (source, external id) ↔ our id, and references that lead nowhere.

use std::collections::{HashMap, HashSet};

use uuid::Uuid;

use crate::model::{FindingCode, Link, ObjectKind, RunId};
use crate::source::{Dn, path_of};

use super::finding::arguments;
use super::record::Mapped;

/// Digest of a link whose object is absent from the source and disabled: whatever comes back differs from it.
pub(super) const GONE: &str = "gone";

/// Digest of a link that another took the place of: the apply removes it.
pub(super) const REPLACED: &str = "replaced";

/// The links of a source.
#[derive(Debug, Default)]
pub(super) struct Links {
    all: HashMap<ObjectKind, HashMap<String, Link>>,
    /// Objects of other sources that entries refer to, by a key of their own.
    referred: HashMap<(ObjectKind, String), Uuid>,
    /// Links that others take the place of, by the new external id.
    replaced: HashMap<String, Link>,
}

impl Links {
    pub fn new(links: Vec<Link>) -> Self {
        let mut all: HashMap<ObjectKind, HashMap<String, Link>> = HashMap::new();
        for link in links {
            all.entry(link.kind).or_default().insert(link.external_id.clone(), link);
        }
        Self { all, ..Self::default() }
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.all.values().map(HashMap::len).sum()
    }

    pub fn find(&self, kind: ObjectKind, external_id: &str) -> Option<&Link> {
        self.all.get(&kind)?.get(external_id)
    }

    pub fn of_kind(&self, kind: ObjectKind) -> impl Iterator<Item = &Link> {
        self.all.get(&kind).into_iter().flat_map(HashMap::values)
    }

    /// The key of an object that another source returned.
    pub fn refer(&mut self, kind: ObjectKind, id: Uuid) -> String {
        let key = referred_key(id);
        self.referred.insert((kind, key.clone()), id);
        key
    }

    pub fn referred(&self) -> impl Iterator<Item = (&(ObjectKind, String), &Uuid)> {
        self.referred.iter()
    }

    /// Gives a person's entry a link, which may take the place of a former one.
    pub fn join(&mut self, source: &str, external_id: &str, dn: &str, id: Uuid, former: Option<String>) {
        let people = self.all.entry(ObjectKind::User).or_default();
        if let Some(former) = former.and_then(|former| people.remove(&former)) {
            self.replaced.insert(external_id.to_owned(), former);
        }
        let link = Link {
            source: source.to_owned(),
            kind: ObjectKind::User,
            external_id: external_id.to_owned(),
            object_id: id,
            dn: dn.to_owned(),
            digest: String::new(),
            run_id: RunId(Uuid::nil()),
            dn_path: String::new(),
        };
        people.insert(external_id.to_owned(), link);
    }

    /// Takes a link back that [`Links::join`] gave; the former one holds again, and is told.
    pub fn part(&mut self, external_id: &str) -> Option<String> {
        let people = self.all.entry(ObjectKind::User).or_default();
        people.remove(external_id);
        let former = self.replaced.remove(external_id)?;
        let id = former.external_id.clone();
        people.insert(id.clone(), former);
        Some(id)
    }

    /// Links that others take the place of: (new external id, link).
    pub fn replaced(&self) -> impl Iterator<Item = (&String, &Link)> {
        self.replaced.iter()
    }

    /// Links of a kind that no record and no entry left out answers for, and that are not known to be gone already:
    /// their objects are absent. In the order of their external ids.
    pub fn absent(&self, kind: ObjectKind, mapped: &Mapped, records: &HashSet<&str>) -> Vec<Link> {
        let unread: HashSet<String> = mapped.unread.iter().map(|dn| key(dn)).collect();
        let mut absent: Vec<Link> = self
            .of_kind(kind)
            .filter(|link| link.digest != GONE && !records.contains(link.external_id.as_str()))
            .filter(|link| !mapped.is_quarantined(kind, &link.external_id))
            .filter(|link| unread.is_empty() || !unread.contains(&key(&link.dn)))
            .cloned()
            .collect();
        absent.sort_by(|a, b| a.external_id.cmp(&b.external_id));
        absent
    }
}

/// The key of an object that another source returned: no external id looks like it.
pub(super) fn referred_key(id: Uuid) -> String {
    format!("\u{1f}{id}")
}

fn key(dn: &str) -> String {
    Dn::parse(dn).map_or_else(|_| dn.to_owned(), |dn| dn.key())
}

/// What a name is stored and found by; a name that does not parse is only equal to itself.
pub(super) fn path(dn: &str) -> String {
    path_of(dn).unwrap_or_else(|_| dn.to_owned())
}

/// Whether the link has this name already, however it is spelled.
pub(super) fn is_named(link: &Link, dn: &str) -> bool {
    if link.dn == dn { dn.is_empty() || !link.dn_path.is_empty() } else { link.dn_path == path(dn) }
}

/// Empties references to entries that are left out and have no account here; notes it where a person loses by it.
pub(super) fn resolve(mapped: &mut Mapped, links: &Links) {
    if mapped.quarantined.values().all(HashSet::is_empty) {
        return;
    }
    let is_nobody = {
        let quarantined = mapped.quarantined.clone();
        move |kind: ObjectKind, id: &str| {
            quarantined.get(&kind).is_some_and(|ids| ids.contains(id)) && links.find(kind, id).is_none()
        }
    };
    let mut notes = Vec::new();
    for user in &mut mapped.users {
        if let Some(id) = user.department.take_if(|id| is_nobody(ObjectKind::Department, id)) {
            notes.push((FindingCode::DepartmentLeftOut, user.external_id.clone(), user.dn.clone(), id));
        }
        if let Some(id) = user.manager.take_if(|id| is_nobody(ObjectKind::User, id)) {
            notes.push((FindingCode::ManagerLeftOut, user.external_id.clone(), user.dn.clone(), id));
        }
    }
    for department in &mut mapped.departments {
        if let Some(id) = department.parent.take_if(|id| is_nobody(ObjectKind::Department, id)) {
            notes.push((FindingCode::DepartmentLeftOut, department.external_id.clone(), department.dn.clone(), id));
        }
    }
    for group in &mut mapped.groups {
        let before = group.members.len();
        group.members.retain(|(kind, id)| !is_nobody(*kind, id));
        mapped.members_skipped += u64::try_from(before - group.members.len()).unwrap_or(0);
    }
    for (code, external_id, dn, id) in notes {
        mapped.warn(code, (&external_id, &dn), arguments([("entry", id)]));
    }
}

/// A record on its way into the plan.
#[derive(Debug)]
pub(super) struct Pending<R> {
    pub record: R,
    pub digest: String,
    /// Our id; a new one where there is no link.
    pub id: Uuid,
    /// Whether there is a link.
    pub is_known: bool,
}
