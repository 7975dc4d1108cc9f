//! What each kind of directory does in its own way: further attributes that are asked for, entries brought into the one
//! form that the rest understands, references that hide nobody.
//!
//! The common currency is the raw entry: a kind changes it before the collector takes it, and nothing after that knows
//! which directory it came from. How to add a kind: a file here, a variant, its usual mapping in `config/usual.rs`.

mod active_directory;
mod active_directory_checks;
mod ds389;
mod openldap;

use super::connect::Connection;
use super::root::Root;
use crate::config::{DirectorySchema, LdapConfig};
use crate::source::check::Finding;
use crate::source::collect::Raw;
use crate::source::dn::Dn;
use crate::source::error::SourceError;
use crate::source::select::Selection;
use crate::source::snapshot::{ACCOUNT_STATE, Part};

use active_directory::Domain;
pub(super) use active_directory::{guid, guid_bytes, sid};
pub(super) use active_directory_checks::SHOW_DELETED;

/// A kind of directory, with what was learned about the server.
#[derive(Debug)]
pub(super) enum Kind {
    /// Entries are taken as they are.
    Generic,
    /// OpenLDAP.
    OpenLdap,
    /// 389 Directory Server.
    Ds389,
    /// Active Directory.
    ActiveDirectory(Box<Domain>),
}

/// Attributes that the server is asked for besides those of the mapping.
pub(in crate::source) const fn asked(schema: DirectorySchema, part: Part) -> &'static [&'static str] {
    match (schema, part) {
        (DirectorySchema::ActiveDirectory, Part::Users) => active_directory::OF_USERS,
        (DirectorySchema::ActiveDirectory, Part::Groups) => active_directory::OF_GROUPS,
        (DirectorySchema::Ds389, Part::Users) => ds389::OF_USERS,
        (DirectorySchema::Ds389, Part::Groups) => ds389::OF_GROUPS,
        (DirectorySchema::OpenLdap, Part::Users) => openldap::OF_USERS,
        _ => &[],
    }
}

/// The operational attribute with the time of the last change. That of Active Directory is of one domain controller: when
/// the change came there. The other is what the server says that took the change.
pub(in crate::source) const fn stamp(schema: DirectorySchema) -> &'static str {
    match schema {
        DirectorySchema::ActiveDirectory => "whenchanged",
        DirectorySchema::Generic | DirectorySchema::OpenLdap | DirectorySchema::Ds389 => "modifytimestamp",
    }
}

impl Kind {
    /// The kind that the configuration names; asks the server what the kind needs to know. From here on the connection
    /// passes over references that hide nobody.
    pub async fn learn(
        connection: &mut Connection,
        config: &LdapConfig,
        selections: &[Selection],
    ) -> Result<Self, SourceError> {
        for text in &config.left_out {
            let dn = Dn::parse(text).map_err(|cause| SourceError::Base { key: "source.ldap.left_out", cause })?;
            connection.passed_over.push(dn.normalized());
        }
        Ok(match config.schema {
            DirectorySchema::Generic => Self::Generic,
            DirectorySchema::OpenLdap => Self::OpenLdap,
            DirectorySchema::Ds389 => Self::Ds389,
            DirectorySchema::ActiveDirectory => {
                let root = Root::read(connection).await?;
                let is_dn = |text: &String| Dn::parse(text).ok().map(|dn| dn.normalized());
                active_directory_checks::refuse_partial_attributes(connection, &root, selections).await?;
                connection.passed_over.extend(active_directory::without_people(&root).iter().filter_map(is_dn));
                Self::ActiveDirectory(Box::new(Domain::new(&root)))
            }
        })
    }

    /// What an operator should know before the first read. Only Active Directory has something of its own to say.
    pub async fn check(&self, connection: &mut Connection, root: &Root) -> Result<Vec<Finding>, SourceError> {
        match self {
            Self::ActiveDirectory(_) => active_directory_checks::check(connection, root).await,
            _ => Ok(Vec::new()),
        }
    }

    /// Who has which primary group, of the people seen so far: SID of the group, names.
    pub fn primary_members(&self) -> Vec<(String, Vec<String>)> {
        match self {
            Self::ActiveDirectory(domain) => domain.primary_members(),
            _ => Vec::new(),
        }
    }

    /// Brings an entry into the one form.
    pub fn shape(&mut self, part: Part, raw: &mut Raw) {
        match self {
            Self::Generic => {}
            Self::OpenLdap => openldap::shape(part, raw),
            Self::Ds389 => ds389::shape(part, raw),
            Self::ActiveDirectory(domain) => domain.shape(part, raw),
        }
    }
}

/// Notes what the directory itself holds against a sign-in: see [`ACCOUNT_STATE`].
fn note(raw: &mut Raw, state: &str) {
    raw.values.entry(ACCOUNT_STATE.to_owned()).or_default().push(state.as_bytes().to_vec());
}

/// The first value of an attribute as text.
fn first<'a>(raw: &'a Raw, name: &str) -> Option<&'a str> {
    raw.values.get(name)?.first().and_then(|value| std::str::from_utf8(value).ok())
}
