//! What changed at a source since it was last read: the types of incremental and live reads.
//!
//! A [`Position`] says where a source stood. [`super::read_changes`] gives what changed since as a [`Delta`], or says why
//! only a full read can go on from there. Like a snapshot, a delta is made only from complete answers: what was cut, timed
//! out or ended early is an error, and the position stays where it was.

use std::collections::{BTreeMap, HashSet};

use futures_util::future::BoxFuture;
use serde::{Deserialize, Serialize};

use super::error::SourceError;
use super::snapshot::{Entry, Part, Rejected, Snapshot};
use crate::text::Fault;
use crate::time::Instant;

/// Where a source stood when it was last read: opaque, stored by `sync` with the data in one transaction, made only here.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Position(pub(super) serde_json::Value);

impl Position {
    /// Whether a snapshot may be continued from here: it was read from the server that this position is of. What one
    /// replica has another may not have yet.
    #[must_use]
    pub fn goes_with(&self, snapshot: &Snapshot) -> bool {
        let server = self.0.get("server").and_then(serde_json::Value::as_str);
        server.is_some() && server == snapshot.server.as_deref()
    }

    /// The way of reading that it is of: `syncrepl`, `dirsync`, `usn`, `timestamp`.
    #[must_use]
    pub fn way(&self) -> Option<&str> {
        self.0.get("way").and_then(serde_json::Value::as_str)
    }

    /// The server, where it stands before what was read from another one of the same directory (OpenLDAP: its `contextCSN`
    /// is older): a replica that lags does not have everybody yet.
    #[must_use]
    pub fn behind(&self, known: &Self) -> Option<String> {
        let (now, known) = (self.latest_changes(), known.latest_changes());
        let is_behind = known.iter().any(|(writer, change)| now.get(writer).is_some_and(|own| own < change));
        is_behind.then(|| self.0.get("server").and_then(serde_json::Value::as_str).unwrap_or_default().to_owned())
    }

    /// The last change of each server that takes changes, where the position says so: ground and server id → CSN.
    fn latest_changes(&self) -> BTreeMap<(String, String), String> {
        let text =
            |value: Option<&serde_json::Value>| value.and_then(|text| text.as_str()).unwrap_or_default().to_owned();
        let ground = text(self.0.get("ground"));
        let mut latest: BTreeMap<(String, String), String> = BTreeMap::new();
        for cookie in
            self.0.get("cookies").and_then(serde_json::Value::as_object).into_iter().flat_map(|all| all.values())
        {
            let bytes = text(Some(cookie));
            let pairs =
                bytes.as_bytes().chunks(2).map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok());
            let cookie: String = pairs.map(|byte| byte.map_or('?', char::from)).collect();
            for csn in cookie.split(',').filter_map(|part| part.strip_prefix("csn=")).flat_map(|all| all.split(';')) {
                // Time, count, server, modification (RFC 4533 leaves it to the server; OpenLDAP writes it so).
                let Some(writer) = csn.split('#').nth(2) else { continue };
                let slot = latest.entry((ground.clone(), writer.to_owned())).or_default();
                if slot.as_str() < csn {
                    csn.clone_into(slot);
                }
            }
        }
        latest
    }

    /// This position with what an older one knew of other servers: after a failover and back, what was read from the first
    /// one need not be read again.
    #[must_use]
    pub fn remembering(mut self, older: &Self) -> Self {
        let (Some(new), Some(old)) = (self.0.get_mut("marks"), older.0.get("marks")) else { return self };
        if let (Some(new), Some(old)) = (new.as_object_mut(), old.as_object()) {
            for (server, mark) in old {
                if !new.contains_key(server) {
                    new.insert(server.clone(), mark.clone());
                }
            }
        }
        self
    }
}

/// Somebody or something that a source no longer returns. Like absence from a snapshot: to be looked at a second time.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Gone {
    /// By stable id. Without a part where the source does not say what it was: ids that nobody knows mean nothing.
    Id {
        /// What it was.
        part: Option<Part>,
        /// Stable id.
        external_id: String,
    },
    /// By name, where a source knows no more.
    Dn(String),
}

/// Members that a group gained and lost; the rest of the group is as it was. Gaining one that is a member already, or
/// losing one that is none, is no change.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct MemberChange {
    /// Stable id of the group.
    pub external_id: String,
    /// Distinguished names.
    pub added: Vec<String>,
    /// Distinguished names.
    pub removed: Vec<String>,
}

/// What changed between two positions. Entries are whole, as a full read would give them.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Delta {
    /// Name of the source.
    pub source: String,
    /// People who are new or changed.
    pub users: Vec<Entry>,
    /// Departments that are new or changed. What is below one that was renamed or moved is not sent again.
    pub departments: Vec<Entry>,
    /// Groups that are new or changed, with all their members.
    pub groups: Vec<Entry>,
    /// Groups of which nothing but members changed.
    pub members: Vec<MemberChange>,
    /// Entries that changed and cannot be read: they count as present.
    pub rejected: Vec<Rejected>,
    /// Who is no longer returned, of those who were known.
    pub gone: Vec<Gone>,
    /// What an operator should look at.
    pub warnings: Vec<String>,
    /// When entries changed, by the server's clock, where it says so: stable id → time.
    pub changed_at: BTreeMap<String, Instant>,
    /// Where to go on from, once all this is stored.
    pub position: Position,
}

impl Delta {
    /// A delta without a change.
    #[must_use]
    pub fn new(source: &str, position: Position) -> Self {
        Self {
            source: source.to_owned(),
            users: Vec::new(),
            departments: Vec::new(),
            groups: Vec::new(),
            members: Vec::new(),
            rejected: Vec::new(),
            gone: Vec::new(),
            warnings: Vec::new(),
            changed_at: BTreeMap::new(),
            position,
        }
    }

    /// Whether nothing changed but the position.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.users.is_empty()
            && self.departments.is_empty()
            && self.groups.is_empty()
            && self.members.is_empty()
            && self.rejected.is_empty()
            && self.gone.is_empty()
    }
}

/// What a read of changes came to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Changes {
    /// Complete: what changed since.
    Delta(Box<Delta>),
    /// What was known cannot be continued from: read everything, beginning with a new [`super::position`].
    FullNeeded {
        /// Why, for the report.
        why: DeltaRefusal,
    },
}

/// Why changes cannot be told from a position.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum DeltaRefusal {
    /// The source cannot tell what changed: a file, or a server without any of the ways.
    NotSupported,
    /// The position is of another way of reading, or of another base, filter or mapping.
    Reconfigured,
    /// The server no longer knows what changed since (RFC 4533 section 3.3.2 `e-syncRefreshRequired`, a cookie that it does
    /// not accept, a change log that was cut).
    Expired {
        /// What the server says.
        said: String,
    },
    /// The server was set back: it has counted less far than it had.
    RolledBack {
        /// Which server.
        server: String,
        /// How far it had counted.
        was: u64,
        /// How far it has counted now.
        is: u64,
    },
    /// The server was restored from a backup: it has a new identity.
    Restored {
        /// Which server.
        server: String,
    },
    /// Another server answers than the one that the position is of.
    OtherServer {
        /// Which server answers.
        server: String,
    },
    /// Something with entries below it came into the base or left it; a directory does not send these again.
    SubtreeMoved {
        /// Its name now.
        dn: String,
    },
    /// More changed than the server sends at once.
    TooMany {
        /// LDAP result code.
        code: u32,
    },
}

impl DeltaRefusal {
    /// A stable code for the run's record.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NotSupported => "not_supported",
            Self::Reconfigured => "reconfigured",
            Self::Expired { .. } => "expired",
            Self::RolledBack { .. } => "rolled_back",
            Self::Restored { .. } => "restored",
            Self::OtherServer { .. } => "other_server",
            Self::SubtreeMoved { .. } => "subtree_moved",
            Self::TooMany { .. } => "too_many",
        }
    }

    /// The reason for people of either language.
    #[must_use]
    pub fn fault(&self) -> Fault {
        match self {
            Self::NotSupported => Fault::new("full-not-supported"),
            Self::Reconfigured => Fault::new("full-reconfigured"),
            Self::Expired { said } => Fault::new("full-expired").with("said", said),
            Self::RolledBack { server, was, is } => {
                Fault::new("full-rolled-back").with("server", server).with("was", was).with("is", is)
            }
            Self::Restored { server } => Fault::new("full-restored").with("server", server),
            Self::OtherServer { server } => Fault::new("full-other-server").with("server", server),
            Self::SubtreeMoved { dn } => Fault::new("full-subtree-moved").with("dn", dn),
            Self::TooMany { code } => Fault::new("full-too-many").with("code", code),
        }
    }
}

/// Where an entry was found that was looked up by its id.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Found {
    /// Its name now.
    pub dn: String,
    /// Whether base and filter cover it: false means that it was moved out of scope, and is not deleted.
    pub is_in_scope: bool,
}

/// What `sync` knows of a source, for the readers that must compare: servers that list who is there instead of who is gone.
pub trait KnownIds: Send + Sync {
    /// Every external id of the part that is linked.
    ///
    /// # Errors
    /// [`SourceError::Known`]: it could not be asked, nothing may be concluded.
    fn all(&self, part: Part) -> BoxFuture<'_, Result<HashSet<String>, SourceError>>;

    /// Those of `ids` that are linked.
    ///
    /// # Errors
    /// [`SourceError::Known`]: it could not be asked, nothing may be concluded.
    fn among<'a>(&'a self, part: Part, ids: &'a [String]) -> BoxFuture<'a, Result<HashSet<String>, SourceError>>;
}

#[cfg(test)]
mod tests {
    use super::Position;

    /// LDAP-018
    #[test]
    fn a_replica_that_lags_is_known_by_its_changes() {
        let position = |ground: &str, cookie: &str| {
            let hex = cookie.bytes().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().concat();
            Position(serde_json::json!({ "server": "ldap://b", "ground": ground, "cookies": { "users": hex } }))
        };
        let csn = |second: u32, writer: &str| format!("202611221200{second:02}.000000Z#000000#{writer}#000000");
        let known = position("g", &format!("rid=000,csn={};{}", csn(5, "001"), csn(9, "002")));
        for (cookie, is_behind) in [
            (format!("rid=000,csn={};{}", csn(5, "001"), csn(9, "002")), false),
            (format!("rid=000,csn={};{}", csn(6, "001"), csn(9, "002")), false),
            (format!("rid=000,csn={};{}", csn(9, "001"), csn(8, "002")), true),
            (format!("rid=000,csn={}", csn(4, "001")), true),
            // Of other servers nothing is known.
            (format!("rid=000,csn={}", csn(1, "003")), false),
            ("rid=000".to_owned(), false),
            ("ldap://b:389#cn=x#17".to_owned(), false),
        ] {
            let behind = position("g", &cookie).behind(&known);
            assert_eq!(behind.is_some(), is_behind, "{cookie}");
            assert_eq!(behind.unwrap_or("ldap://b".to_owned()), "ldap://b");
        }
        // Another base or filter may be another directory.
        assert_eq!(position("other", &format!("rid=000,csn={}", csn(4, "001"))).behind(&known), None);
    }
}
