//! What changed on an LDAP server since a position, in the way that the server offers.
//!
//! OpenLDAP and 389 Directory Server: content synchronisation (`syncrepl`). Active Directory: `DirSync` (`dirsync`), or, where
//! the account may not, the update sequence numbers of one domain controller (`usn`). Any other: time stamps and everybody's
//! id (`timestamp`). Each way finds out whom to look at; entries are then read whole (`whole`) like in a full read.

mod dirsync;
mod domain;
mod newcomers;
mod standing;
mod sync_389;
mod syncrepl;
mod timestamp;
mod usn;
mod whole;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::Path;
use std::sync::Arc;

use super::connect::Connection;
use super::kind::Kind;
use super::root::Root;
use super::{control, servers};
use crate::config::{ChangesBy, DirectorySchema, LdapConfig};
use crate::source::collect::{Collector, Duplicates};
use crate::source::delta::{Delta, DeltaRefusal, Gone, MemberChange, Position};
use crate::source::error::SourceError;
use crate::source::select::Selection;
use crate::source::snapshot::{Part, Snapshot};
use crate::time::Instant;

pub(in crate::source) use newcomers::{Newcomers, Settled};
use standing::{Standing, Way};
pub(super) use standing::{cookie_of, is_by_sync};
pub(super) use whole::{CHUNK, any_of, narrowed};

/// One source: where and what is read.
#[derive(Clone, Debug)]
pub(in crate::source) struct Reader {
    /// Name of the source.
    pub source: String,
    /// `[source.ldap]`.
    pub config: Arc<LdapConfig>,
    /// What relative paths are relative to.
    pub folder: Arc<Path>,
    /// The searches of the mapping.
    pub selections: Vec<Selection>,
    /// Attribute with the names of a group's members, lower case; none when groups are not mapped.
    pub member: Option<String>,
}

/// What a read of changes came to.
#[derive(Debug)]
pub(in crate::source) enum Outcome {
    /// Complete.
    Read(Box<Reading>),
    /// Everything must be read.
    Full(DeltaRefusal),
}

/// A delta of which a part may still have to be concluded from what is known.
#[derive(Debug)]
pub(in crate::source) struct Reading {
    /// What the server told.
    pub delta: Delta,
    /// Everybody who is there, where the server listed them: who is known and not among them is gone.
    pub present: HashMap<Part, HashSet<String>>,
}

/// Why a way ended before its end.
#[derive(Debug)]
enum Stop {
    /// Everything must be read.
    Full(DeltaRefusal),
    /// The read was not completed.
    Failed(SourceError),
}

impl From<SourceError> for Stop {
    fn from(error: SourceError) -> Self {
        Self::Failed(error)
    }
}

impl From<DeltaRefusal> for Stop {
    fn from(why: DeltaRefusal) -> Self {
        Self::Full(why)
    }
}

/// A connection on which changes are read.
struct Session<'a> {
    reader: &'a Reader,
    connection: Connection,
    root: Root,
    kind: Kind,
}

/// What a way found out.
#[derive(Default)]
struct Changed {
    /// Entries that came whole.
    snapshot: Snapshot,
    members: Vec<MemberChange>,
    gone: Vec<Gone>,
    /// When they went, where the server says so: id → time.
    gone_at: BTreeMap<String, Instant>,
    present: HashMap<Part, HashSet<String>>,
}

impl Reader {
    /// Where the server stands; none when it offers no way.
    pub async fn position(self) -> Result<Option<Position>, SourceError> {
        if self.config.changes == ChangesBy::Nothing {
            return Ok(None);
        }
        let mut session = Session::open(&self).await?;
        let mut found = None;
        for way in session.ways() {
            let stood = match way {
                Way::Syncrepl if self.config.schema == DirectorySchema::Ds389 => sync_389::stand(&mut session).await,
                Way::Syncrepl => syncrepl::stand(&mut session).await,
                Way::Dirsync => dirsync::stand(&mut session).await,
                Way::Usn => usn::stand(&mut session).await,
                Way::Timestamp => timestamp::stand(&mut session).await,
            };
            match stood {
                Ok(standing) => {
                    found = Some(standing.position());
                    break;
                }
                Err(Stop::Failed(error)) => return Err(error),
                Err(Stop::Full(why)) => {
                    let reason = why.fault();
                    tracing::warn!(source = self.source, ?way, %reason, "changes cannot be read in this way");
                }
            }
        }
        session.connection.close().await;
        Ok(found)
    }

    /// What changed since then.
    pub async fn changes(self, since: Position) -> Result<Outcome, SourceError> {
        let Some(standing) = Standing::of(&self, &since) else { return Ok(Outcome::Full(DeltaRefusal::Reconfigured)) };
        let mut session = Session::open(&self).await?;
        let read = match standing.way {
            Way::Syncrepl if self.config.schema == DirectorySchema::Ds389 => {
                sync_389::read(&mut session, standing).await
            }
            Way::Syncrepl => syncrepl::read(&mut session, standing).await,
            Way::Dirsync => dirsync::read(&mut session, standing).await,
            Way::Usn => usn::read(&mut session, standing).await,
            Way::Timestamp => timestamp::read(&mut session, standing).await,
        };
        session.connection.close().await;
        match read {
            Ok((changed, standing)) => Ok(Outcome::Read(Box::new(changed.reading(&self.source, &standing)))),
            Err(Stop::Full(why)) => Ok(Outcome::Full(why)),
            Err(Stop::Failed(error)) => Err(error),
        }
    }

    fn selection(&self, part: Part) -> Option<&Selection> {
        self.selections.iter().find(|selection| selection.part == part)
    }
}

impl<'a> Session<'a> {
    async fn open(reader: &'a Reader) -> Result<Self, SourceError> {
        let mut connection = servers::service(&reader.config, &reader.folder).await?;
        let kind = Kind::learn(&mut connection, &reader.config, &reader.selections).await?;
        // What is on another server and outside of every base hides nobody.
        connection.bases =
            reader.selections.iter().filter_map(|one| one.base.as_ref()).map(super::super::select::Base::dn).collect();
        let root = Root::read(&mut connection).await?;
        Ok(Self { reader, connection, root, kind })
    }

    /// The ways to try, the best one first.
    fn ways(&self) -> Vec<Way> {
        let config = &self.reader.config;
        match (config.changes, config.schema) {
            (ChangesBy::Nothing, _) => vec![],
            (ChangesBy::Syncrepl, _) => vec![Way::Syncrepl],
            (ChangesBy::Dirsync, _) => vec![Way::Dirsync],
            (ChangesBy::Usn, _) => vec![Way::Usn],
            (ChangesBy::Timestamp, _) | (ChangesBy::Auto, DirectorySchema::Generic) => vec![Way::Timestamp],
            (ChangesBy::Auto, DirectorySchema::ActiveDirectory) => vec![Way::Dirsync, Way::Usn],
            (ChangesBy::Auto, DirectorySchema::OpenLdap | DirectorySchema::Ds389) => {
                let is_offered = self.root.has_control(control::SYNC_REQUEST);
                if is_offered { vec![Way::Syncrepl, Way::Timestamp] } else { vec![Way::Timestamp] }
            }
        }
    }

    /// The parts that the mapping reads, people first.
    fn parts(&self) -> Vec<Part> {
        self.reader.selections.iter().map(|selection| selection.part).collect()
    }

    fn malformed(&self, reason: &str) -> SourceError {
        SourceError::Malformed { url: self.connection.url.clone(), reason: reason.to_owned() }
    }

    fn collector(&self) -> Collector {
        Collector::new(&self.reader.source, Duplicates::Merge)
    }
}

impl Changed {
    fn reading(self, source: &str, standing: &Standing) -> Reading {
        let Snapshot { users, departments, groups, rejected, warnings, changed_at, .. } = self.snapshot;
        let mut delta = Delta::new(source, standing.position());
        (delta.users, delta.departments, delta.groups) = (users, departments, groups);
        (delta.rejected, delta.warnings) = (rejected, warnings);
        (delta.members, delta.gone) = (self.members, self.gone);
        delta.changed_at = self.gone_at;
        delta.changed_at.extend(changed_at);
        Reading { delta, present: self.present }
    }
}
