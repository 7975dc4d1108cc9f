//! `bind = { kerberos = { … } }` of a source: whose keytab, and who speaks Kerberos.

use std::path::{Path, PathBuf};

use serde::Deserialize;

/// The program beside this one that speaks Kerberos.
const PROGRAM: &str = "yaopai-kerberos";

/// A service account that proves itself with a key from a file (SASL GSSAPI, RFC 4752).
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KerberosConfig {
    /// File with the account's keys, in MIT's format.
    pub keytab: PathBuf,
    /// The account: `svc-yaopai@EXAMPLE.COM`, realm and all.
    pub principal: String,
    /// Name of the LDAP server in its realm, where it is not `ldap/HOST@REALM` with the URL's host and our own realm;
    /// `{host}` stands for the URL's host.
    pub service: Option<String>,
    /// A `krb5.conf` of this source's own, instead of the system's.
    pub krb5_config: Option<PathBuf>,
    /// Where the program `yaopai-kerberos` is, when it is not beside `yaopai`.
    pub program: Option<PathBuf>,
}

impl KerberosConfig {
    /// Our realm.
    #[must_use]
    pub fn realm(&self) -> &str {
        self.principal.rsplit_once('@').map_or("", |(_, realm)| realm)
    }

    /// Name of the server `host` in its realm.
    #[must_use]
    pub fn service_of(&self, host: &str) -> String {
        match &self.service {
            Some(service) => service.replace("{host}", host),
            None => format!("ldap/{}@{}", host.to_ascii_lowercase(), self.realm()),
        }
    }

    /// The program that speaks Kerberos, which must be there. `folder` is what relative paths are relative to.
    ///
    /// # Errors
    /// A sentence with the remedy when it is not.
    pub fn program(&self, folder: &Path) -> Result<PathBuf, String> {
        let path = match &self.program {
            Some(program) => folder.join(program),
            None => std::env::current_exe().map_or_else(|_| PROGRAM.into(), |own| own.with_file_name(PROGRAM)),
        };
        if path.is_file() {
            return Ok(path);
        }
        Err(format!(
            "needs the program `{}`, which is not there: build it with `cargo build --features kerberos` (MIT Kerberos and \
             libclang must be installed) and put it beside yaopai, or use bind_dn and bind_password",
            path.display()
        ))
    }

    pub(super) fn check(&self, mut problem: impl FnMut(&str)) {
        let is_whole = |name: &str| {
            name.rsplit_once('@').is_some_and(|(name, realm)| !name.is_empty() && !realm.is_empty())
                && !name.contains(char::is_whitespace)
        };
        if !is_whole(&self.principal) {
            problem(&format!(
                "kerberos.principal `{}` names no account and realm; write it like svc-yaopai@EXAMPLE.COM",
                self.principal
            ));
        }
        if let Some(service) = self.service.as_ref().filter(|service| !is_whole(service)) {
            problem(&format!(
                "kerberos.service `{service}` is no service of a realm; write it like ldap/dc1.example.com@EXAMPLE.COM"
            ));
        }
        if self.keytab.as_os_str().is_empty() {
            problem("kerberos.keytab is empty; name the file with the account's key");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::KerberosConfig;

    #[test]
    fn the_server_is_called_by_the_host_of_its_url_without_asking_dns() {
        let mut config = KerberosConfig {
            keytab: "k".into(),
            principal: "svc@EXAMPLE.COM".into(),
            service: None,
            krb5_config: None,
            program: Some("no-such-program".into()),
        };
        assert_eq!(config.service_of("DC1.example.com"), "ldap/dc1.example.com@EXAMPLE.COM");
        config.service = Some("ldap/{host}@CHILD.EXAMPLE.COM".into());
        assert_eq!(config.service_of("dc9"), "ldap/dc9@CHILD.EXAMPLE.COM");
        let why = config.program("/nowhere".as_ref()).unwrap_err();
        assert!(why.contains("/nowhere/no-such-program") && why.contains("--features kerberos"), "{why}");
    }
}
