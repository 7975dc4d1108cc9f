//! Why a read gave no snapshot. Each sentence says what happened and what to do; nothing may be concluded from it.

use std::path::PathBuf;

use super::dn::DnError;
use super::filter::FilterError;

/// A read that was not completed. Nothing may be concluded: nobody is absent, nothing has changed.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// The configuration of the source cannot be used.
    #[error("{key}: {reason}")]
    Config {
        /// Key below `[[source]]`.
        key: String,
        /// What is wrong, with the remedy.
        reason: String,
    },
    /// A filter of the configuration does not parse.
    #[error("{key}: {cause}")]
    Filter {
        /// Key below `[[source]]`.
        key: &'static str,
        /// Where and what.
        cause: FilterError,
    },
    /// A base of the configuration is no DN.
    #[error("{key}: {cause}")]
    Base {
        /// Key below `[[source]]`.
        key: &'static str,
        /// Where and what.
        cause: DnError,
    },
    /// A file cannot be read.
    #[error("the file `{path}` cannot be read: {cause}; check its name in the configuration and its permissions", path = .path.display())]
    File {
        /// Which file.
        path: PathBuf,
        /// What the system says.
        cause: std::io::Error,
    },
    /// A file is no LDIF.
    #[error("{path}, line {line}: {reason}", path = .path.display())]
    Ldif {
        /// Which file.
        path: PathBuf,
        /// Counted from 1.
        line: u64,
        /// What is wrong, with the remedy.
        reason: String,
    },
    /// The file was written to while it was read.
    #[error("the file `{path}` changed while it was read; write it under another name and rename it into place", path = .path.display())]
    FileChanged {
        /// Which file.
        path: PathBuf,
    },
    /// A table cannot be used.
    #[error("{path}{place}: {reason}", path = .path.display(), place = at(*.line))]
    Table {
        /// Which file.
        path: PathBuf,
        /// Counted from 1.
        line: Option<u64>,
        /// What is wrong, with the remedy.
        reason: String,
    },
    /// The file is not known to be all there.
    #[error("the file `{path}` is not complete: {reason}; the next run tries again", path = .path.display())]
    Incomplete {
        /// Which file.
        path: PathBuf,
        /// How that is known.
        reason: String,
    },
    /// The server could not be reached.
    #[error("the LDAP server {url} cannot be reached: {reason}; is it running, and does a firewall stand between?")]
    Connect {
        /// Which server.
        url: String,
        /// What the network says.
        reason: String,
    },
    /// No trusted TLS connection; nothing was sent over it.
    #[error("no trusted TLS connection to {url}: {reason}")]
    Tls {
        /// Which server.
        url: String,
        /// What is wrong, with the remedy.
        reason: String,
    },
    /// The DN or password is empty: a bind with it would be anonymous or unauthenticated (RFC 4513 section 5.1).
    #[error("the {what} is empty: an LDAP server would take that for an anonymous bind; set it in source.ldap")]
    EmptyCredentials {
        /// `bind_dn` or `password`.
        what: &'static str,
    },
    /// The service account may not bind.
    #[error("{url} refused the bind as `{dn}`: {reason}")]
    Bind {
        /// Which server.
        url: String,
        /// As whom.
        dn: String,
        /// LDAP result code.
        code: u32,
        /// Why, with the remedy.
        reason: String,
    },
    /// None of several servers can be used.
    #[error("none of the {count} servers can be used: {reasons}", count = .0.len(), reasons = each(.0))]
    NoServer(Vec<SourceError>),
    /// A search did not end with success.
    #[error("the search below `{base}` ended early with {name} ({code}): {remedy}{said}", said = said(.text))]
    Result {
        /// Where the search began.
        base: String,
        /// LDAP result code (RFC 4511 section 4.1.9).
        code: u32,
        /// Its name.
        name: &'static str,
        /// What to do.
        remedy: &'static str,
        /// What the server says.
        text: String,
    },
    /// A part of the base lives on another server.
    #[error(
        "below `{base}` the server refers to another one ({to}), so a part of the entries is not here; name that server as a source of its own, or choose a base without the reference"
    )]
    Referral {
        /// Where the search began.
        base: String,
        /// Where the server points.
        to: String,
    },
    /// The connection ended before the search did.
    #[error(
        "the connection to {url} broke off during the search below `{base}`: {reason}; try again, and look into the server's log"
    )]
    Broken {
        /// Which server.
        url: String,
        /// Where the search began.
        base: String,
        /// What the library saw.
        reason: String,
    },
    /// No answer in time.
    #[error("{url} gave no answer for {seconds} s while {doing}; is it overloaded? source.ldap.timeout can be raised")]
    Timeout {
        /// Which server.
        url: String,
        /// How long was waited.
        seconds: u64,
        /// What was going on.
        doing: String,
    },
    /// An answer that is no LDAP.
    #[error("{url} sent an answer that is malformed ({reason}); is it an LDAP server?")]
    Malformed {
        /// Which server.
        url: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The LDAP library gave up inside; its task was ended, nothing else is touched.
    #[error("the reader stopped on an answer that it does not understand; the log has the details")]
    Stopped,
}

fn at(line: Option<u64>) -> String {
    line.map(|line| format!(", line {line}")).unwrap_or_default()
}

fn each(errors: &[SourceError]) -> String {
    errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

fn said(text: &str) -> String {
    if text.is_empty() { String::new() } else { format!("; the server says `{text}`") }
}

impl SourceError {
    /// A stable code for the run's record.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Config { .. } | Self::Filter { .. } | Self::Base { .. } => "source_config",
            Self::File { .. } => "file_unreadable",
            Self::Ldif { .. } => "ldif_malformed",
            Self::FileChanged { .. } => "file_changed",
            Self::Table { .. } => "table_malformed",
            Self::Incomplete { .. } => "file_incomplete",
            Self::Connect { .. } => "unreachable",
            Self::Tls { .. } => "tls",
            Self::EmptyCredentials { .. } => "empty_credentials",
            Self::Bind { .. } => "bind_refused",
            Self::NoServer(errors) => match errors.as_slice() {
                [first, ..] => first.code(),
                [] => "unreachable",
            },
            Self::Result { .. } => "search_cut",
            Self::Referral { .. } => "referral",
            Self::Broken { .. } => "connection_broken",
            Self::Timeout { .. } => "timeout",
            Self::Malformed { .. } | Self::Stopped => "malformed_answer",
        }
    }
}
