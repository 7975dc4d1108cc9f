//! `[source.ldap]` and `[source.ldif]`: where a source's entries are.

use std::path::PathBuf;

use serde::Deserialize;
use url::Url;

use super::{Lifetime, SecretRef};
use crate::string_enum;

string_enum! {
    /// What kind of directory answers: decides the attribute of the stable id when the mapping names none.
    DirectorySchema {
        /// RFC 4530 `entryUUID`.
        OpenLdap = "openldap",
        /// Only what the mapping names.
        Generic = "generic",
    }
}

/// `[source.ldap]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LdapConfig {
    /// `ldap://HOST[:PORT]` or `ldaps://HOST[:PORT]`.
    pub url: Url,
    /// StartTLS on an `ldap://` URL.
    #[serde(default)]
    pub starttls: bool,
    /// Allows passwords over a connection without TLS; only for a server on this machine.
    #[serde(default)]
    pub allow_plaintext: bool,
    /// PEM file of the CA that signed the server's certificate; the system's roots when missing.
    pub ca_file: Option<PathBuf>,
    /// DN of the service account.
    pub bind_dn: String,
    /// Its password.
    pub bind_password: SecretRef,
    /// Where searches begin, unless a mapping names a base of its own.
    pub base_dn: String,
    /// What kind of server.
    #[serde(default = "default_kind")]
    pub schema: DirectorySchema,
    /// Entries a page.
    #[serde(default = "default_page")]
    pub page_size: i32,
    /// How long to wait for a connection, a bind, or the next answer of a search.
    #[serde(default = "default_timeout")]
    pub timeout: Lifetime,
}

fn default_kind() -> DirectorySchema {
    DirectorySchema::OpenLdap
}

fn default_page() -> i32 {
    500
}

fn default_timeout() -> Lifetime {
    Lifetime::seconds(30)
}

/// `[source.ldif]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LdifConfig {
    /// The file (RFC 2849 content records).
    pub file: PathBuf,
    /// Ignores entries outside of this base; none when missing.
    pub base_dn: Option<String>,
}

impl LdapConfig {
    pub(super) fn check(&self, name: &str, problems: &mut Vec<String>) {
        match self.url.scheme() {
            "ldaps" if self.starttls => problems.push(format!("source `{name}`: ldaps:// needs no starttls")),
            "ldaps" => {}
            "ldap" if self.starttls || self.allow_plaintext => {}
            "ldap" => problems.push(format!(
                "source `{name}`: {} would send the password in clear text; use ldaps://, or starttls = true",
                self.url
            )),
            other => problems.push(format!("source `{name}`: `{other}://` is not ldap:// or ldaps://")),
        }
        if self.bind_dn.trim().is_empty() {
            problems.push(format!("source `{name}`: bind_dn is empty, which would be an anonymous bind"));
        }
        if self.url.host_str().is_none_or(str::is_empty) {
            problems.push(format!("source `{name}`: `{}` names no host", self.url));
        }
        if self.base_dn.trim().is_empty() {
            problems.push(format!(
                "source `{name}`: base_dn is empty; name where the people are, such as dc=example,dc=com"
            ));
        }
        if !(1..=10_000).contains(&self.page_size) {
            problems.push(format!("source `{name}`: page_size {} is not from 1 to 10000", self.page_size));
        }
    }
}
