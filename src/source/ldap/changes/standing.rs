//! What a [`Position`] of an LDAP server holds.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde::{Deserialize, Serialize};

use super::Reader;
use crate::config::ChangesBy;
use crate::crypto::sha256_hex;
use crate::source::delta::Position;

/// How changes are read.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Way {
    /// RFC 4533.
    Syncrepl,
    /// The `DirSync` control of Active Directory.
    Dirsync,
    /// By `uSNChanged`, of one domain controller.
    Usn,
    /// By `modifyTimestamp`, with everybody's id.
    Timestamp,
}

/// How far a domain controller had counted, under which identity.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(super) struct Mark {
    /// `invocationId`: a restored domain controller gets a new one.
    pub invocation: String,
    /// `highestCommittedUSN`.
    pub usn: u64,
}

/// Where a server stood.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(super) struct Standing {
    pub way: Way,
    /// Digest of what was asked for: another question has other changes.
    pub ground: String,
    /// URL of the server.
    pub server: String,
    /// Name of a search → its cookie, in hexadecimal.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub cookies: BTreeMap<String, String>,
    /// Domain controller (`dsServiceName`) → how far it was read.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub marks: BTreeMap<String, Mark>,
    /// The server's time as it writes it: its clock, or the latest time stamp seen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<String>,
}

impl Standing {
    pub fn new(reader: &Reader, way: Way, server: &str) -> Self {
        let (cookies, marks) = (BTreeMap::new(), BTreeMap::new());
        Self { way, ground: ground(reader), server: server.to_owned(), cookies, marks, at: None }
    }

    /// Of a position; none when it is not one of this reader's.
    pub fn of(reader: &Reader, position: &Position) -> Option<Self> {
        let standing: Self = serde_json::from_value(position.0.clone()).ok()?;
        (standing.ground == ground(reader)).then_some(standing)
    }

    pub fn position(&self) -> Position {
        // Maps with text as keys always become JSON.
        Position(serde_json::to_value(self).unwrap_or_default())
    }

    pub fn cookie(&self, name: &str) -> Option<Vec<u8>> {
        let text = self.cookies.get(name)?;
        let pairs = text.as_bytes().chunks(2);
        pairs.map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()).collect()
    }

    pub fn set_cookie(&mut self, name: &str, cookie: &[u8]) {
        self.cookies.insert(name.to_owned(), hex(cookie));
    }
}

/// Bytes as lower-case hexadecimal.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a text never fails.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// Whether a position is of content synchronisation.
pub(in crate::source::ldap) fn is_by_sync(position: &Position) -> bool {
    position.way() == Some("syncrepl")
}

/// A cookie to listen with: that of the base where there is one (389 Directory Server), else any (OpenLDAP, where it is of
/// the whole database).
pub(in crate::source::ldap) fn cookie_of(position: &Position, base: &str) -> Option<Vec<u8>> {
    let standing: Standing = serde_json::from_value(position.0.clone()).ok()?;
    let name =
        if standing.cookies.contains_key(base) { base.to_owned() } else { standing.cookies.keys().next()?.clone() };
    standing.cookie(&name)
}

/// Everything that decides which entries are read and what is read of them.
fn ground(reader: &Reader) -> String {
    let by: ChangesBy = reader.config.changes;
    sha256_hex(format!("{by} {} {:?}", reader.config.schema, reader.selections).as_bytes())
}
