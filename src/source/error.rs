//! Why a read gave no snapshot. Each sentence says what happened and what to do; nothing may be concluded from it.

use std::fmt;
use std::path::PathBuf;

use super::dn::DnError;
use super::filter::FilterError;
use crate::text::Fault;

/// A read that was not completed. Nothing may be concluded: nobody is absent, nothing has changed.
#[derive(Debug)]
pub enum SourceError {
    /// The configuration of the source cannot be used.
    Config {
        /// Key below `[[source]]`.
        key: String,
        /// What is wrong, with the remedy.
        reason: String,
    },
    /// A filter of the configuration does not parse.
    Filter {
        /// Key below `[[source]]`.
        key: &'static str,
        /// Where and what.
        cause: FilterError,
    },
    /// A base of the configuration is no DN.
    Base {
        /// Key below `[[source]]`.
        key: &'static str,
        /// Where and what.
        cause: DnError,
    },
    /// A file cannot be read.
    File {
        /// Which file.
        path: PathBuf,
        /// What the system says.
        cause: std::io::Error,
    },
    /// A file is no LDIF.
    Ldif {
        /// Which file.
        path: PathBuf,
        /// Counted from 1.
        line: u64,
        /// What is wrong, with the remedy.
        reason: String,
    },
    /// The file was written to while it was read.
    FileChanged {
        /// Which file.
        path: PathBuf,
    },
    /// A table cannot be used.
    Table {
        /// Which file.
        path: PathBuf,
        /// Counted from 1.
        line: Option<u64>,
        /// What is wrong, with the remedy.
        reason: Box<Fault>,
    },
    /// The file is not known to be all there.
    Incomplete {
        /// Which file.
        path: PathBuf,
        /// How that is known.
        reason: Box<Fault>,
    },
    /// The server could not be reached.
    Connect {
        /// Which server.
        url: String,
        /// What the network says.
        reason: String,
    },
    /// No trusted TLS connection; nothing was sent over it.
    Tls {
        /// Which server.
        url: String,
        /// What is wrong, with the remedy.
        reason: Box<Fault>,
    },
    /// The DN or password is empty: a bind with it would be anonymous or unauthenticated (RFC 4513 section 5.1).
    EmptyCredentials {
        /// `bind_dn` or `password`.
        what: &'static str,
    },
    /// The service account may not bind.
    Bind {
        /// Which server.
        url: String,
        /// As whom.
        dn: String,
        /// LDAP result code.
        code: u32,
        /// Why, with the remedy.
        reason: Box<Fault>,
    },
    /// The service account cannot prove itself by Kerberos.
    Kerberos {
        /// Which server.
        url: String,
        /// As whom.
        principal: String,
        /// Why, with the remedy.
        reason: Box<Fault>,
    },
    /// None of several servers can be used.
    NoServer(Vec<SourceError>),
    /// A search did not end with success.
    Result {
        /// Where the search began.
        base: String,
        /// LDAP result code (RFC 4511 section 4.1.9).
        code: u32,
        /// Its name.
        name: &'static str,
        /// What the server says.
        text: String,
    },
    /// A part of the base lives on another server.
    Referral {
        /// Where the search began.
        base: String,
        /// Where the server points.
        to: String,
    },
    /// The connection ended before the search did.
    Broken {
        /// Which server.
        url: String,
        /// Where the search began.
        base: String,
        /// What the library saw.
        reason: String,
    },
    /// No answer in time.
    Timeout {
        /// Which server.
        url: String,
        /// How long was waited.
        seconds: u64,
        /// What was going on.
        doing: String,
    },
    /// An answer that is no LDAP.
    Malformed {
        /// Which server.
        url: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The server is a replica that has not received yet what was read before.
    Behind {
        /// Which server.
        url: String,
    },
    /// The LDAP library gave up inside; its task was ended, nothing else is touched.
    Stopped,
    /// What is known already could not be asked for.
    Known {
        /// Why.
        reason: String,
    },
}

impl std::error::Error for SourceError {}

/// In English; [`SourceError::fault`] has both languages.
impl fmt::Display for SourceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.fault().fmt(f)
    }
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
            Self::Kerberos { .. } => "kerberos",
            Self::NoServer(errors) => match errors.as_slice() {
                [first, ..] => first.code(),
                [] => "unreachable",
            },
            Self::Result { .. } => "search_cut",
            Self::Referral { .. } => "referral",
            Self::Broken { .. } => "connection_broken",
            Self::Timeout { .. } => "timeout",
            Self::Malformed { .. } | Self::Stopped => "malformed_answer",
            Self::Behind { .. } => "replica_behind",
            Self::Known { .. } => "known_unreadable",
        }
    }

    /// What went wrong and what to do, for people of either language.
    #[must_use]
    pub fn fault(&self) -> Fault {
        match self {
            Self::Config { key, reason } => Fault::new("config").with("key", key).with("reason", reason),
            Self::Filter { key, cause } => Fault::new("config").with("key", key).with("reason", cause),
            Self::Base { key, cause } => Fault::new("config").with("key", key).with("reason", cause),
            Self::EmptyCredentials { what } => Fault::new("empty-credentials").with("what", what),
            Self::Stopped => Fault::new("stopped"),
            Self::Known { reason } => Fault::new("known").with("reason", reason),
            Self::File { .. }
            | Self::Ldif { .. }
            | Self::FileChanged { .. }
            | Self::Table { .. }
            | Self::Incomplete { .. } => self.of_file(),
            _ => self.of_server(),
        }
    }

    fn of_file(&self) -> Fault {
        match self {
            Self::File { path, cause } => Fault::new("file").with("path", path.display()).with("cause", cause),
            Self::Ldif { path, line, reason } => {
                Fault::new("ldif").with("path", path.display()).with("line", line).with("reason", reason)
            }
            Self::FileChanged { path } => Fault::new("file-changed").with("path", path.display()),
            Self::Table { path, line: Some(line), reason } => {
                let fault = Fault::new("table-line").with("path", path.display()).with("line", line);
                fault.because("reason", reason.as_ref().clone())
            }
            Self::Table { path, line: None, reason } => {
                Fault::new("table").with("path", path.display()).because("reason", reason.as_ref().clone())
            }
            Self::Incomplete { path, reason } => {
                Fault::new("incomplete").with("path", path.display()).because("reason", reason.as_ref().clone())
            }
            _ => Fault::new("stopped"),
        }
    }

    fn of_server(&self) -> Fault {
        match self {
            Self::Connect { url, reason } => Fault::new("connect").with("url", url).with("reason", reason),
            Self::Tls { url, reason } => Fault::new("tls").with("url", url).because("reason", reason.as_ref().clone()),
            Self::Bind { url, dn, reason, .. } => {
                Fault::new("bind").with("url", url).with("dn", dn).because("reason", reason.as_ref().clone())
            }
            Self::Kerberos { url, principal, reason } => {
                let fault = Fault::new("kerberos").with("url", url).with("principal", principal);
                fault.because("reason", reason.as_ref().clone())
            }
            Self::NoServer(errors) => {
                let none = Fault::new("no-server").with("count", errors.len());
                errors.iter().fold(none, |fault, error| fault.because("reasons", error.fault()))
            }
            Self::Result { base, code, name, text } => {
                let said = if text.is_empty() { "search" } else { "search-said" };
                let fault =
                    Fault::new(said).with("base", base).with("code", code).with("name", name).with("text", text);
                fault.because("remedy", remedy(*code))
            }
            Self::Referral { base, to } => Fault::new("referral").with("base", base).with("to", to),
            Self::Broken { url, base, reason } if base.is_empty() => {
                Fault::new("broken").with("url", url).with("reason", reason)
            }
            Self::Broken { url, base, reason } => {
                Fault::new("broken-search").with("url", url).with("base", base).with("reason", reason)
            }
            Self::Timeout { url, seconds, doing } => {
                Fault::new("timeout").with("url", url).with("seconds", seconds).with("doing", doing)
            }
            Self::Behind { url } => Fault::new("behind").with("url", url),
            Self::Malformed { url, reason } => Fault::new("malformed").with("url", url).with("reason", reason),
            _ => Fault::new("stopped"),
        }
    }
}

/// LDAP result codes (RFC 4511 section 4.1.9) that have a message of their own.
const KNOWN: &[u32] = &[1, 2, 3, 4, 7, 8, 10, 11, 12, 13, 14, 19, 32, 34, 48, 49, 50, 51, 52, 53, 80];

/// What to do about a result code.
pub(super) fn remedy(code: u32) -> Fault {
    if KNOWN.contains(&code) { Fault::new(&format!("remedy-{code}")) } else { Fault::new("remedy-other") }
}
