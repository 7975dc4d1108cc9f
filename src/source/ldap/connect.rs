//! One connection: opened with verified TLS, bound as the service account or as a person, driven by its own task.

use std::path::Path;
use std::time::Duration;

use ldap3::{Ldap, LdapConnAsync, LdapConnSettings, LdapError};
use tokio::task::JoinHandle;

use super::{answer, tls};
use crate::config::LdapConfig;
use crate::source::error::SourceError;

/// A connection and the task that moves its bytes; dropping it ends both.
#[derive(Debug)]
pub(super) struct Connection {
    pub ldap: Ldap,
    pub url: String,
    pub timeout: Duration,
    driver: JoinHandle<Result<(), LdapError>>,
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.driver.abort();
    }
}

impl Connection {
    /// Connects, with TLS where the configuration says so. Nothing secret has been sent yet.
    pub async fn open(config: &LdapConfig, folder: &Path) -> Result<Self, SourceError> {
        let is_secure = config.starttls || config.url.scheme() == "ldaps";
        if !is_secure && !config.allow_plaintext {
            let reason = "passwords would be sent in clear text; use ldaps://, or starttls = true".to_owned();
            return Err(SourceError::Config { key: "source.ldap.url".to_owned(), reason });
        }
        let timeout = config.timeout.as_std();
        let mut settings = LdapConnSettings::new().set_conn_timeout(timeout).set_starttls(config.starttls);
        if is_secure {
            settings = settings.set_config(tls::settings(config, folder)?);
        }
        let url = config.url.to_string();
        let opened = LdapConnAsync::from_url_with_settings(settings, &config.url).await;
        let (connection, ldap) = opened.map_err(|error| answer::not_opened(config, error))?;
        Ok(Self { ldap, url, timeout, driver: tokio::spawn(connection.drive()) })
    }

    /// Binds as the service account of the source.
    pub async fn bind_service(&mut self, config: &LdapConfig, folder: &Path) -> Result<(), SourceError> {
        let password = config.bind_password.read(folder);
        let password =
            password.map_err(|reason| SourceError::Config { key: "source.ldap.bind_password".to_owned(), reason })?;
        let dn = config.bind_dn.as_str();
        refuse_empty(dn, &password)?;
        let bound = self.ldap.with_timeout(self.timeout).simple_bind(dn, &password).await;
        match bound {
            Ok(result) if result.rc == 0 => Ok(()),
            Ok(result) => Err(answer::bind_refused(&self.url, dn, &result)),
            Err(error) => Err(self.broken(error, "binding", "").await),
        }
    }

    /// Says goodbye; the server may have hung up already, which does not matter any more.
    pub async fn close(mut self) {
        if let Err(error) = self.ldap.unbind().await {
            tracing::debug!(%error, "the LDAP server was gone before the goodbye");
        }
    }

    /// Why an operation failed without a result. `base` is where a search began.
    pub async fn broken(&mut self, error: LdapError, doing: &str, base: &str) -> SourceError {
        if matches!(error, LdapError::Timeout { .. }) {
            return answer::timeout(&self.url, self.timeout, doing);
        }
        // The task of the connection knows more than the operation, and ends with the connection.
        let ended = tokio::time::timeout(Duration::from_millis(200), &mut self.driver).await;
        let url = self.url.clone();
        match ended {
            Ok(Err(stopped)) if stopped.is_panic() => {
                SourceError::Malformed { url, reason: "the LDAP library could not read it".to_owned() }
            }
            Ok(Ok(Err(cause))) => SourceError::Broken { url, base: base.to_owned(), reason: answer::plain(&cause) },
            Ok(Ok(Ok(()))) => {
                let reason = format!("the server closed it while {doing}");
                SourceError::Broken { url, base: base.to_owned(), reason }
            }
            _ => SourceError::Broken { url, base: base.to_owned(), reason: answer::plain(&error) },
        }
    }
}

/// An empty DN makes a bind anonymous, an empty password unauthenticated; both end with success (RFC 4513 sections 5.1.1
/// and 5.1.2). Servers written in C take a password that begins with NUL for an empty one.
pub(super) fn refuse_empty(dn: &str, password: &str) -> Result<(), SourceError> {
    if dn.trim().is_empty() || dn.starts_with('\0') {
        return Err(SourceError::EmptyCredentials { what: "bind DN" });
    }
    if password.trim().is_empty() || password.starts_with('\0') {
        return Err(SourceError::EmptyCredentials { what: "password" });
    }
    Ok(())
}
