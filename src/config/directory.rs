//! `[source.ldap]` and `[source.ldif]`: where a source's entries are.

use std::path::PathBuf;

use serde::Deserialize;
use url::Url;

use super::{KerberosConfig, Lifetime, SecretRef};
use crate::string_enum;

string_enum! {
    /// What kind of directory answers: decides what the mapping means where it says nothing, and how entries are read.
    DirectorySchema {
        /// RFC 4530 `entryUUID`, and the password policy of OpenLDAP.
        OpenLdap = "openldap",
        /// Microsoft Active Directory and Samba: `objectGUID`, `userAccountControl`, members in ranges.
        ActiveDirectory = "active-directory",
        /// 389 Directory Server and its relatives: `nsUniqueId`, `nsAccountLock`.
        Ds389 = "389",
        /// Only what the mapping names.
        Generic = "generic",
    }
}

/// One server, or several that hold the same: the first that answers is used, from the first page to the last.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged, expecting = "needs an address such as \"ldaps://dc1.example.com\", or a list of them")]
pub enum Servers {
    /// `"ldaps://dc1.example.com"`
    One(Url),
    /// `["ldaps://dc1.example.com", "ldaps://dc2.example.com"]`
    Several(Vec<Url>),
}

impl Servers {
    /// Their addresses, in the order of preference.
    #[must_use]
    pub fn urls(&self) -> &[Url] {
        match self {
            Self::One(url) => std::slice::from_ref(url),
            Self::Several(urls) => urls,
        }
    }
}

/// How the source proves itself to the server.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum BindMethod {
    /// `"simple"`: DN and password (RFC 4513 section 5.1.3).
    Simple,
    /// `"external"`: SASL EXTERNAL (RFC 4422 appendix A), by the client certificate of the TLS connection.
    External,
    /// `{ kerberos = { … } }`: SASL GSSAPI (RFC 4752), by a keytab.
    Kerberos(KerberosConfig),
}

string_enum! {
    /// How changes are read between full reads.
    ChangesBy {
        /// In the best way that the server offers and the account may use.
        Auto = "auto",
        /// Content synchronisation (RFC 4533): OpenLDAP, 389 Directory Server.
        Syncrepl = "syncrepl",
        /// `DirSync`: Active Directory, with the right *Replicating Directory Changes*.
        Dirsync = "dirsync",
        /// Update sequence numbers: Active Directory, with any account.
        Usn = "usn",
        /// `modifyTimestamp` and a sweep over all ids: any server.
        Timestamp = "timestamp",
        /// Not at all.
        Nothing = "none",
    }
}

/// `[source.ldap]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LdapConfig {
    /// `ldap://HOST[:PORT]` or `ldaps://HOST[:PORT]`; a list for several servers with the same content.
    pub url: Servers,
    /// StartTLS on an `ldap://` URL.
    #[serde(default)]
    pub starttls: bool,
    /// Allows passwords over a connection without TLS; only for a server on this machine.
    #[serde(default)]
    pub allow_plaintext: bool,
    /// PEM file of the CA that signed the server's certificate; the system's roots when missing.
    pub ca_file: Option<PathBuf>,
    /// How to prove oneself.
    #[serde(default = "default_bind")]
    pub bind: BindMethod,
    /// DN of the service account; Active Directory also takes `name@example.com`.
    #[serde(default)]
    pub bind_dn: String,
    /// Its password.
    pub bind_password: Option<SecretRef>,
    /// PEM file of the client certificate (and its chain), for servers that ask for one.
    pub client_certificate: Option<PathBuf>,
    /// PEM file of its key.
    pub client_key: Option<PathBuf>,
    /// Where searches begin, unless a mapping names a base of its own.
    pub base_dn: String,
    /// What kind of server.
    #[serde(default = "default_kind")]
    pub schema: DirectorySchema,
    /// Entries a page.
    #[serde(default = "default_page")]
    pub page_size: i32,
    /// How long to wait for a bind, or the next answer of a search.
    #[serde(default = "default_timeout")]
    pub timeout: Lifetime,
    /// How long to wait for a connection before the next server is tried.
    #[serde(default = "default_connect_timeout")]
    pub connect_timeout: Lifetime,
    /// DNs below the base that live on another server and are left out on purpose, such as a child domain.
    #[serde(default)]
    pub left_out: Vec<String>,
    /// How changes are read between full reads.
    #[serde(default = "default_changes")]
    pub changes: ChangesBy,
    /// By time stamps, how far back each read begins before the latest one seen: clocks of servers differ, and what was
    /// written on one arrives late on another.
    #[serde(default = "default_overlap")]
    pub overlap: Lifetime,
}

fn default_changes() -> ChangesBy {
    ChangesBy::Auto
}

fn default_overlap() -> Lifetime {
    Lifetime::seconds(300)
}

fn default_bind() -> BindMethod {
    BindMethod::Simple
}

fn default_connect_timeout() -> Lifetime {
    Lifetime::seconds(5)
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
    /// Where the service account proves itself by Kerberos: how.
    #[must_use]
    pub const fn kerberos(&self) -> Option<&KerberosConfig> {
        match &self.bind {
            BindMethod::Kerberos(kerberos) => Some(kerberos),
            BindMethod::Simple | BindMethod::External => None,
        }
    }

    /// Whether nothing is sent to the server without TLS.
    #[must_use]
    pub fn is_secure(&self, url: &Url) -> bool {
        self.starttls || url.scheme() == "ldaps"
    }

    pub(super) fn check(&self, name: &str, problems: &mut Vec<String>) {
        if self.url.urls().is_empty() {
            problems.push(format!("source `{name}`: url is an empty list; name a server"));
        }
        for url in self.url.urls() {
            self.check_url(name, url, problems);
        }
        self.check_bind(name, problems);
        if self.base_dn.trim().is_empty() {
            problems.push(format!(
                "source `{name}`: base_dn is empty; name where the people are, such as dc=example,dc=com"
            ));
        }
        if !(1..=10_000).contains(&self.page_size) {
            problems.push(format!("source `{name}`: page_size {} is not from 1 to 10000", self.page_size));
        }
    }

    fn check_url(&self, name: &str, url: &Url, problems: &mut Vec<String>) {
        match url.scheme() {
            "ldaps" if self.starttls => problems.push(format!("source `{name}`: ldaps:// needs no starttls")),
            "ldaps" => {}
            // Kerberos seals what is read, without TLS too.
            "ldap" if self.starttls || self.allow_plaintext || self.kerberos().is_some() => {}
            "ldap" => problems.push(format!(
                "source `{name}`: {url} would send the password in clear text; use ldaps://, or starttls = true"
            )),
            other => problems.push(format!("source `{name}`: `{other}://` is not ldap:// or ldaps://")),
        }
        if url.host_str().is_none_or(str::is_empty) {
            problems.push(format!("source `{name}`: `{url}` names no host"));
        }
    }

    fn check_bind(&self, name: &str, problems: &mut Vec<String>) {
        let mut problem = |text: &str| problems.push(format!("source `{name}`: {text}"));
        if self.client_certificate.is_some() != self.client_key.is_some() {
            problem("client_certificate and client_key go together; set both");
        }
        match &self.bind {
            BindMethod::Kerberos(kerberos) => {
                if self.bind_password.is_some() || !self.bind_dn.is_empty() {
                    problem("bind = { kerberos = … } uses the keytab; remove bind_dn and bind_password");
                }
                kerberos.check(problem);
            }
            BindMethod::Simple => {
                if self.bind_dn.trim().is_empty() {
                    problem("bind_dn is empty, which would be an anonymous bind");
                }
                if self.bind_password.is_none() {
                    problem("bind_password is missing; write bind_password = { file = \"…\" }");
                }
            }
            BindMethod::External => {
                if self.client_certificate.is_none() {
                    problem("bind = \"external\" needs client_certificate and client_key");
                }
                if self.bind_password.is_some() || !self.bind_dn.is_empty() {
                    problem("bind = \"external\" uses the client certificate; remove bind_dn and bind_password");
                }
                if self.url.urls().iter().any(|url| !self.is_secure(url)) {
                    problem("bind = \"external\" needs TLS; use ldaps://, or starttls = true");
                }
            }
        }
    }
}
