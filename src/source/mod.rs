//! Reading masters: LDAP servers, LDIF files and tables become sealed snapshots.
//!
//! How to add a source: a table in `config/source.rs`, a folder or file here with a `read` that gives a [`Snapshot`]
//! only when it saw everything, a line in [`read`]; where it can tell what changed, its ways in `changes.rs`.

mod changes;
mod check;
mod collect;
mod content;
mod csv;
mod delta;
mod dn;
mod error;
mod filter;
mod generalized_time;
pub mod ldap;
mod ldif;
mod live;
mod select;
mod snapshot;
mod values;

use std::path::Path;
use std::sync::Arc;

use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::config::SourceConfig;
use select::Selection;

pub use changes::{look_up, position, read_changes};
pub use check::{Finding, Level, check};
pub use delta::{Changes, Delta, DeltaRefusal, Found, Gone, KnownIds, MemberChange, Position};
pub use dn::{Dn, DnError, PartValue, Rdn, path_above, path_of};
pub use error::SourceError;
pub use filter::{Filter, FilterError};
pub use live::follow;
pub use snapshot::{ACCOUNT_STATE, Entry, Part, Read, Rejected, Snapshot};
pub use values::{Texts, Values};

/// How far a read has come.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[non_exhaustive]
pub struct Progress {
    /// Entries read so far, of all parts.
    pub entries: u64,
}

/// Reads everything that the source's mapping asks for. `folder` is what relative paths are relative to; `progress` is
/// called now and then, and once at the end.
///
/// The reader works in a task of its own: whatever an odd server makes it do, this function only fails. Dropping the
/// future ends the read.
///
/// # Errors
/// [`SourceError`]: the read was not completed, nothing may be concluded from it.
pub async fn read(
    config: &SourceConfig,
    folder: &Path,
    progress: &mut (dyn FnMut(Progress) + Send),
) -> Result<Snapshot, SourceError> {
    match read_unless(config, folder, None, progress).await? {
        Read::Whole(snapshot) => Ok(*snapshot),
        // Nothing was known that it could be the same as.
        Read::Same => Err(SourceError::Stopped),
    }
}

/// Like [`read`]; a source whose entries have the fingerprint `known` ([`Snapshot::content`]) is read to the end and not
/// decoded.
///
/// # Errors
/// Like [`read`].
pub async fn read_unless(
    config: &SourceConfig,
    folder: &Path,
    known: Option<String>,
    progress: &mut (dyn FnMut(Progress) + Send),
) -> Result<Read, SourceError> {
    read_selected(config, folder, select::selections(config)?, known, progress).await
}

/// Reads these searches of the source.
async fn read_selected(
    config: &SourceConfig,
    folder: &Path,
    selections: Vec<Selection>,
    known: Option<String>,
    progress: &mut (dyn FnMut(Progress) + Send),
) -> Result<Read, SourceError> {
    let (sender, mut receiver) = watch::channel(Progress::default());
    let mut tasks = JoinSet::new();
    let source = config.name.clone();
    if let Some(ldif) = &config.ldif {
        let path = folder.join(&ldif.file);
        tasks.spawn_blocking(move || ldif::read(&source, path, &selections, known.as_deref(), &sender));
    } else if let Some(server) = &config.ldap {
        tasks.spawn(ldap::read(source, Arc::new(server.clone()), folder.into(), selections, known, sender));
    } else if let Some(table) = &config.csv {
        let manager = config.users.manager.as_deref().filter(|manager| !manager.contains('{'));
        let manager = manager.map(|manager| filter::base_name(manager.trim()));
        let plan = csv::Plan { source, folder: folder.to_owned(), config: table.clone(), manager };
        tasks.spawn_blocking(move || {
            csv::read(&plan, &selections, &sender).map(|snapshot| Read::Whole(Box::new(snapshot)))
        });
    } else {
        let reason = "the source needs one of [source.ldap], [source.ldif] and [source.csv]".to_owned();
        return Err(SourceError::Config { key: format!("source `{source}`"), reason });
    }
    loop {
        tokio::select! {
            Ok(()) = receiver.changed() => progress(*receiver.borrow_and_update()),
            done = tasks.join_next() => {
                progress(*receiver.borrow_and_update());
                return done.and_then(Result::ok).unwrap_or(Err(SourceError::Stopped));
            }
        }
    }
}
