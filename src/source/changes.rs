//! Reading what changed, and looking somebody up: the doors of this folder beside the full read.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use tokio::sync::mpsc;

use super::delta::{Changes, DeltaRefusal, Found, KnownIds, Position};
use super::error::SourceError;
use super::filter::Filter;
use super::select::{self, Selection};
use super::snapshot::{Part, Read, Snapshot};
use super::{Progress, read_selected};
use crate::config::SourceConfig;

/// Where the source stands now. Taken *before* a full read starts, so that nothing in between is missed; it goes with the
/// snapshot only when [`Position::goes_with`] says so. None where the source cannot tell what changes: files are always
/// read whole.
///
/// # Errors
/// [`SourceError`]: the server could not be asked.
pub async fn position(config: &SourceConfig, folder: &Path) -> Result<Option<Position>, SourceError> {
    let _ = (config, folder);
    Ok(None)
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
    let _ = (config, folder, since, known, progress);
    Ok(Changes::FullNeeded { why: DeltaRefusal::NotSupported })
}

/// Follows the source: what changes comes within moments, as deltas that each begin where the last one ended. Errors come
/// between; after one the connection is made anew, ever more slowly. Ends after [`Changes::FullNeeded`], and when nobody
/// listens any more.
pub async fn follow(
    config: &SourceConfig,
    folder: &Path,
    since: Position,
    known: Arc<dyn KnownIds>,
    sink: mpsc::Sender<Result<Changes, SourceError>>,
) {
    let _ = (config, folder, since, known);
    // Whoever listens has gone: nobody misses the answer.
    let _ = sink.send(Ok(Changes::FullNeeded { why: DeltaRefusal::NotSupported })).await;
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
    let selections = select::selections(config)?;
    look_into_file(config, folder, ids, selections.into_iter().filter(|one| one.part == part).collect()).await
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
        Read::Whole(snapshot) => Ok(snapshot),
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
