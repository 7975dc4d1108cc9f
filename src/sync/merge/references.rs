//! References that the source itself does not answer: managers and members whom another source returned, by DN or by
//! employee number.

use std::collections::{BTreeMap, HashMap};

use uuid::Uuid;

use super::Sharing;
use crate::model::{FindingCode, ObjectKind, Status};
use crate::store::{StoreError, Tx};

use super::super::finding::arguments;
use super::super::link::{Links, path};
use super::super::record::{Mapped, Unresolved};

/// Looks unanswered references up among the links of all other sources, and among employee numbers. What nobody or more
/// than one answers becomes a finding, as if there were one source.
pub(in crate::sync) async fn resolve(
    tx: &mut Tx,
    sharing: Option<&Sharing>,
    mapped: &mut Mapped,
    links: &mut Links,
) -> Result<(), StoreError> {
    let unresolved = std::mem::take(&mut mapped.unresolved);
    if unresolved.is_empty() {
        return Ok(());
    }
    let elsewhere = match sharing {
        Some(sharing) => Elsewhere::load(tx, &sharing.source, &unresolved).await?,
        None => Elsewhere::default(),
    };
    let mut managers: HashMap<String, String> = HashMap::new();
    let mut members: HashMap<String, Vec<(ObjectKind, String)>> = HashMap::new();
    let mut unknown: BTreeMap<(String, String), u64> = BTreeMap::new();
    for one in unresolved {
        let found =
            elsewhere.find(&one.reference).filter(|(kind, _)| one.of == ObjectKind::Group || *kind == ObjectKind::User);
        match (found, one.of) {
            (Some((kind, id)), ObjectKind::Group) => {
                members.entry(one.external_id).or_default().push((kind, links.refer(kind, id)));
            }
            (Some((kind, id)), _) => drop(managers.insert(one.external_id, links.refer(kind, id))),
            (None, ObjectKind::Group) => *unknown.entry((one.external_id, one.dn)).or_default() += 1,
            (None, _) => {
                let said = arguments([("manager", one.reference)]);
                mapped.warn(FindingCode::UnknownManager, (&one.external_id, &one.dn), said);
            }
        }
    }
    for ((external_id, dn), count) in unknown {
        mapped.members_skipped += count;
        mapped.warn(FindingCode::UnknownMember, (&external_id, &dn), arguments([("count", count.to_string())]));
    }
    for user in &mut mapped.users {
        if let Some(manager) = managers.remove(&user.external_id) {
            user.manager = Some(manager);
        }
    }
    for group in &mut mapped.groups {
        if let Some(more) = members.remove(&group.external_id) {
            group.members.extend(more);
            group.members.sort();
            group.members.dedup();
        }
    }
    Ok(())
}

/// What other sources return: none where two objects answer to one name.
#[derive(Default)]
struct Elsewhere {
    by_path: HashMap<String, Option<(ObjectKind, Uuid)>>,
    by_number: HashMap<String, Option<Uuid>>,
}

impl Elsewhere {
    async fn load(tx: &mut Tx, source: &str, unresolved: &[Unresolved]) -> Result<Self, StoreError> {
        let mut all = Self::default();
        let names: Vec<String> =
            unresolved.iter().filter(|one| is_name(&one.reference)).map(|one| path(&one.reference)).collect();
        all.by_path = named_elsewhere(tx, source, &names).await?;
        let numbers: Vec<&str> =
            unresolved.iter().map(|one| one.reference.trim()).filter(|text| !is_name(text)).collect();
        for person in tx.users().candidates_by_number(&numbers).await? {
            let Some(number) = person.employee_number.filter(|_| person.status == Status::Active) else { continue };
            let slot = all.by_number.entry(number).or_insert(Some(person.id.0));
            if *slot != Some(person.id.0) {
                *slot = None;
            }
        }
        Ok(all)
    }

    fn find(&self, reference: &str) -> Option<(ObjectKind, Uuid)> {
        if is_name(reference) {
            return self.by_path.get(&path(reference)).copied().flatten();
        }
        self.by_number.get(reference.trim()).copied().flatten().map(|id| (ObjectKind::User, id))
    }
}

fn is_name(reference: &str) -> bool {
    reference.contains('=')
}

/// People and groups of other sources by the path of their name; none where two answer to one.
pub(in crate::sync) async fn named_elsewhere(
    tx: &mut Tx,
    source: &str,
    paths: &[String],
) -> Result<HashMap<String, Option<(ObjectKind, Uuid)>>, StoreError> {
    let mut all = HashMap::new();
    for link in tx.links().named_elsewhere(source, paths).await? {
        let found = Some((link.kind, link.object_id));
        let slot = all.entry(link.dn_path).or_insert(found);
        if *slot != found {
            *slot = None;
        }
    }
    Ok(all)
}
