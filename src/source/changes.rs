//! Reading what changed, and looking somebody up: the doors of this folder beside the full read.

use std::collections::{HashMap, HashSet};
use std::path::Path;
use std::sync::Arc;

use tokio::task::JoinSet;

use super::delta::{Changes, Delta, DeltaRefusal, Found, Gone, KnownIds, Position};
use super::error::SourceError;
use super::filter::{Filter, base_name};
use super::ldap::{self, Newcomers, Outcome, Reader, Reading, Settled};
use super::select::{self, Selection};
use super::snapshot::{Entry, Part, Read, Snapshot};
use super::{Progress, read_selected};
use crate::config::SourceConfig;

/// Where the source stands now. Taken *before* a full read starts, so that nothing in between is missed; it goes with the
/// snapshot only when [`Position::goes_with`] says so. None where the source cannot tell what changes: files are always
/// read whole.
///
/// # Errors
/// [`SourceError`]: the server could not be asked.
pub async fn position(config: &SourceConfig, folder: &Path) -> Result<Option<Position>, SourceError> {
    match reader(config, folder)? {
        Some(reader) => in_task(reader.position()).await,
        None => Ok(None),
    }
}

/// What changed since `since`. The position in the answer is to be stored together with what it brought.
///
/// # Errors
/// [`SourceError`]: the read was not completed, nothing may be concluded from it, and the position stays where it was.
pub async fn read_changes(
    config: &SourceConfig,
    folder: &Path,
    since: &Position,
    known: &dyn KnownIds,
    progress: &mut (dyn FnMut(Progress) + Send),
) -> Result<Changes, SourceError> {
    let Some(reader) = reader(config, folder)? else {
        return Ok(Changes::FullNeeded { why: DeltaRefusal::NotSupported });
    };
    let changes = match in_task(reader.clone().changes(since.clone())).await? {
        Outcome::Full(why) => Changes::FullNeeded { why },
        Outcome::Read(reading) => settle(reader, *reading, known).await?,
    };
    if let Changes::Delta(delta) = &changes {
        let entries = [delta.users.len(), delta.departments.len(), delta.groups.len()].into_iter().sum::<usize>();
        progress(Progress { entries: u64::try_from(entries).unwrap_or(u64::MAX) });
    }
    Ok(changes)
}

/// Concludes what only whoever knows the source can: who is gone where the server lists who is there, and what belongs to
/// those whom nobody knew.
async fn settle(reader: Reader, reading: Reading, known: &dyn KnownIds) -> Result<Changes, SourceError> {
    let Reading { mut delta, present } = reading;
    for (part, present) in present {
        let missing = known.all(part).await?.into_iter().filter(|id| !present.contains(id));
        delta.gone.extend(missing.map(|external_id| Gone::Id { part: Some(part), external_id }));
    }
    delta.gone = of_those_known(&delta, known).await?;
    if let Some(dn) = moved_out(&reader, &delta).await? {
        return Ok(Changes::FullNeeded { why: DeltaRefusal::SubtreeMoved { dn } });
    }
    let users = unknown(&delta.users, Part::Users, known).await?;
    let departments = unknown(&delta.departments, Part::Departments, known).await?;
    if users.is_empty() && departments.is_empty() {
        return Ok(Changes::Delta(Box::new(delta)));
    }
    let Settled { below, members } = in_task(reader.settle(Newcomers { users, departments })).await?;
    add(&mut delta.users, below.users);
    add(&mut delta.departments, below.departments);
    add(&mut delta.groups, below.groups);
    delta.rejected.extend(below.rejected);
    let whole: HashSet<&str> = delta.groups.iter().map(|group| group.external_id.as_str()).collect();
    for change in members.into_iter().filter(|change| !whole.contains(change.external_id.as_str())) {
        match delta.members.iter_mut().find(|known| known.external_id == change.external_id) {
            Some(known) => known.added.extend(change.added.into_iter().filter(|name| !known.removed.contains(name))),
            None => delta.members.push(change),
        }
    }
    Ok(Changes::Delta(Box::new(delta)))
}

/// Servers also tell of what never matched: only who is known can be gone. Where a server does not say what somebody was,
/// that is known here.
async fn of_those_known(delta: &Delta, known: &dyn KnownIds) -> Result<Vec<Gone>, SourceError> {
    let mut all = Vec::new();
    for part in [Part::Users, Part::Departments, Part::Groups] {
        let entries = match part {
            Part::Users => &delta.users,
            Part::Departments => &delta.departments,
            Part::Groups => &delta.groups,
        };
        let there: HashSet<&str> = entries.iter().map(|entry| entry.external_id.as_str()).collect();
        let mut ids = HashSet::new();
        for gone in &delta.gone {
            match gone {
                Gone::Id { part: of, external_id } if of.is_none_or(|of| of == part) => {
                    if !there.contains(external_id.as_str()) {
                        ids.insert(external_id.clone());
                    }
                }
                Gone::Id { .. } | Gone::Dn(_) => {}
            }
        }
        if !ids.is_empty() {
            let ids: Vec<String> = ids.into_iter().collect();
            let known = known.among(part, &ids).await?;
            all.extend(known.into_iter().map(|external_id| Gone::Id { part: Some(part), external_id }));
        }
    }
    Ok(all)
}

/// A department that is gone from the base and is somewhere else: whoever is below it is gone as well, and nobody says so.
async fn moved_out(reader: &Reader, delta: &Delta) -> Result<Option<String>, SourceError> {
    let id = |gone: &Gone| match gone {
        Gone::Id { part: Some(Part::Departments), external_id } => Some(external_id.clone()),
        _ => None,
    };
    let departments: Vec<String> = delta.gone.iter().filter_map(id).collect();
    if departments.is_empty() {
        return Ok(None);
    }
    let found = in_task(ldap::look_up(reader.clone(), departments, Part::Departments)).await?;
    Ok(found.into_values().next().map(|found| found.dn))
}

async fn unknown(entries: &[Entry], part: Part, known: &dyn KnownIds) -> Result<Vec<String>, SourceError> {
    if entries.is_empty() {
        return Ok(Vec::new());
    }
    let ids: Vec<String> = entries.iter().map(|entry| entry.external_id.clone()).collect();
    let known = known.among(part, &ids).await?;
    Ok(entries.iter().filter(|entry| !known.contains(&entry.external_id)).map(|entry| entry.dn.clone()).collect())
}

/// Adds entries that are not there yet.
fn add(entries: &mut Vec<Entry>, more: Vec<Entry>) {
    let there: HashSet<String> = entries.iter().map(|entry| entry.external_id.clone()).collect();
    entries.extend(more.into_iter().filter(|entry| !there.contains(&entry.external_id)));
}

/// Looks ids up outside of base and filter. Who is not in the answer is nowhere: deleted at the source, or hidden from the
/// service account.
///
/// # Errors
/// [`SourceError`]: the look was not completed, nobody may be taken for absent.
pub async fn look_up(
    config: &SourceConfig,
    folder: &Path,
    ids: &[String],
    part: Part,
) -> Result<HashMap<String, Found>, SourceError> {
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    if let Some(reader) = reader(config, folder)? {
        in_task(ldap::look_up(reader, ids.to_vec(), part)).await
    } else {
        let selections = select::selections(config)?.into_iter().filter(|one| one.part == part).collect();
        look_into_file(config, folder, ids, selections).await
    }
}

/// What reads changes of this source; none for a file.
pub(super) fn reader(config: &SourceConfig, folder: &Path) -> Result<Option<Reader>, SourceError> {
    let Some(server) = &config.ldap else { return Ok(None) };
    let mut selections = select::selections(config)?;
    // When somebody was last changed is of interest where changes are read.
    selections
        .iter_mut()
        .filter(|one| one.part == Part::Users)
        .for_each(|one| one.stamp = Some(ldap::stamp(server.schema)));
    let member = config.groups.as_ref().map(|groups| base_name(groups.member.trim()));
    let (source, config) = (config.name.clone(), Arc::new(server.clone()));
    Ok(Some(Reader { source, config, folder: folder.into(), selections, member }))
}

/// In a task of its own: whatever an odd server makes it do, this function only fails; dropping the future ends it.
pub(super) async fn in_task<T: Send + 'static>(
    work: impl Future<Output = Result<T, SourceError>> + Send + 'static,
) -> Result<T, SourceError> {
    let mut tasks = JoinSet::new();
    tasks.spawn(work);
    tasks.join_next().await.and_then(Result::ok).unwrap_or(Err(SourceError::Stopped))
}

/// A file is read whole, once as it is meant and once without base and filter.
async fn look_into_file(
    config: &SourceConfig,
    folder: &Path,
    ids: &[String],
    meant: Vec<Selection>,
) -> Result<HashMap<String, Found>, SourceError> {
    let everything = Filter::parse("(objectClass=*)");
    let everything = everything.map_err(|cause| SourceError::Filter { key: "source.users.filter", cause })?;
    let widen = |one: &Selection| Selection { base: None, filter: everything.clone(), ..one.clone() };
    let wide = meant.iter().map(widen).collect();
    let inside = names(whole(read_selected(config, folder, meant, None, &mut |_| {}).await?)?);
    let anywhere = names(whole(read_selected(config, folder, wide, None, &mut |_| {}).await?)?);
    let find = |id: &String| {
        let (dn, is_in_scope) = match inside.get(id) {
            Some(dn) => (dn, true),
            None => (anywhere.get(id)?, false),
        };
        Some((id.clone(), Found { dn: dn.clone(), is_in_scope }))
    };
    Ok(ids.iter().filter_map(find).collect())
}

fn whole(read: Read) -> Result<Snapshot, SourceError> {
    match read {
        Read::Whole(snapshot) => Ok(*snapshot),
        // Nothing was known that it could be the same as.
        Read::Same => Err(SourceError::Stopped),
    }
}

/// Id → name of everything that was there, what could not be read besides.
fn names(snapshot: Snapshot) -> HashMap<String, String> {
    let rejected = snapshot.rejected.into_iter().filter_map(|rejected| Some((rejected.external_id?, rejected.dn)));
    let entries = [snapshot.users, snapshot.departments, snapshot.groups].into_iter().flatten();
    rejected.chain(entries.map(|entry| (entry.external_id, entry.dn))).collect()
}
