//! One connection: opened with verified TLS, bound as the service account or as a person, driven by its own task.

use std::path::Path;
use std::time::Duration;

use ldap3::{Ldap, LdapConnAsync, LdapConnSettings, LdapError, StdStream};
use tokio::task::JoinHandle;
use url::Url;

use super::wire::Link;
use super::{answer, sasl, tls};
use crate::config::{BindMethod, LdapConfig};
use crate::source::dn::Dn;
use crate::source::error::SourceError;

/// A connection and the task that moves its bytes; dropping it ends both.
#[derive(Debug)]
pub(super) struct Connection {
    pub ldap: Ldap,
    pub url: String,
    pub timeout: Duration,
    /// Normalized names: references to them or below hide nobody.
    pub passed_over: Vec<Dn>,
    /// Normalized names: references to anything else hide nobody either; empty when every reference counts.
    pub bases: Vec<Dn>,
    /// The server's certificate, where the connection was opened by ourselves.
    certificate: Option<Vec<u8>>,
    driver: JoinHandle<Result<(), LdapError>>,
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.driver.abort();
    }
}

impl Connection {
    /// Connects, with TLS where the configuration says so. Nothing secret has been sent yet.
    pub async fn open(config: &LdapConfig, url: &Url, folder: &Path) -> Result<Self, SourceError> {
        let is_secure = config.is_secure(url);
        if !is_secure && !config.allow_plaintext {
            let reason = "passwords would be sent in clear text; use ldaps://, or starttls = true".to_owned();
            return Err(SourceError::Config { key: "source.ldap.url".to_owned(), reason });
        }
        let timeout = config.timeout.as_std();
        let wait = config.connect_timeout.as_std().min(timeout);
        let mut settings = LdapConnSettings::new().set_conn_timeout(wait).set_starttls(config.starttls);
        if is_secure {
            settings = settings.set_config(tls::settings(config, url, folder)?);
        }
        let opened = LdapConnAsync::from_url_with_settings(settings, url).await;
        let (connection, ldap) = opened.map_err(|error| answer::not_opened(url, wait, error))?;
        Ok(Self::new(connection, ldap, url.to_string(), timeout))
    }

    fn new(connection: LdapConnAsync, ldap: Ldap, url: String, timeout: Duration) -> Self {
        let driver = tokio::spawn(connection.drive());
        Self { ldap, url, timeout, passed_over: Vec::new(), bases: Vec::new(), certificate: None, driver }
    }

    /// Connects and binds as the service account of the source.
    pub async fn service(config: &LdapConfig, url: &Url, folder: &Path) -> Result<Self, SourceError> {
        if let Some(kerberos) = config.kerberos() {
            let mut link = Link::open(config, url, folder).await?;
            let sealing = sasl::bind(&mut link, kerberos, folder).await?;
            return Self::over(link, sealing).await;
        }
        let mut connection = Self::open(config, url, folder).await?;
        connection.bind_service(config, folder).await?;
        Ok(connection)
    }

    /// Hands a connection of our own, which is bound already, to the library.
    async fn over(mut link: Link, sealing: Option<sasl::Sealing>) -> Result<Self, SourceError> {
        let plain = sasl::start(link.take_stream(), sealing).and_then(tokio::net::UnixStream::into_std);
        let plain = plain.map_err(|cause| link.broken("binding", "", &cause))?;
        let settings = LdapConnSettings::new().set_std_stream(StdStream::Unix(plain));
        let opened = LdapConnAsync::with_settings(settings, "ldapi:///").await;
        let (connection, ldap) = opened.map_err(|cause| link.malformed(&answer::plain(&cause)))?;
        let mut new = Self::new(connection, ldap, link.url, link.timeout);
        new.certificate = link.certificate;
        Ok(new)
    }

    /// The server's certificate; none without TLS.
    pub async fn certificate(&mut self) -> Result<Option<Vec<u8>>, SourceError> {
        if self.certificate.is_some() {
            return Ok(self.certificate.clone());
        }
        match self.ldap.get_peer_certificate().await {
            Ok(certificate) => Ok(certificate),
            Err(error) => Err(self.broken(error, "asking for the certificate", "").await),
        }
    }

    /// Binds by password or by client certificate. A bind by Kerberos comes before the library has the connection.
    pub async fn bind_service(&mut self, config: &LdapConfig, folder: &Path) -> Result<(), SourceError> {
        let (who, bound) = match &config.bind {
            BindMethod::Kerberos(_) => return Ok(()),
            BindMethod::Simple => {
                let unusable = |reason| SourceError::Config { key: "source.ldap.bind_password".to_owned(), reason };
                let password =
                    config.bind_password.as_ref().ok_or_else(|| unusable("is missing; set it".to_owned()))?;
                let password = password.read(folder).map_err(unusable)?;
                let dn = config.bind_dn.as_str();
                refuse_empty(dn, &password)?;
                (dn, self.ldap.with_timeout(self.timeout).simple_bind(dn, &password).await)
            }
            BindMethod::External => {
                ("the client certificate", self.ldap.with_timeout(self.timeout).sasl_external_bind().await)
            }
        };
        match bound {
            Ok(result) if result.rc == 0 => Ok(()),
            Ok(result) => Err(answer::bind_refused(&self.url, who, &result)),
            Err(error) => Err(self.broken(error, "binding", "").await),
        }
    }

    /// Whether a reference of this server (an LDAP URL) hides nobody.
    pub fn passes_over(&self, reference: &str) -> bool {
        let Some(dn) = Url::parse(reference).ok().and_then(|url| {
            let path = percent_encoding::percent_decode_str(url.path().trim_start_matches('/'));
            Dn::parse(&path.decode_utf8().ok()?).ok().map(|dn| dn.normalized())
        }) else {
            return false;
        };
        let is_elsewhere = !self.bases.is_empty() && !self.bases.iter().any(|base| dn.is_within(base));
        !dn.0.is_empty() && (is_elsewhere || self.passed_over.iter().any(|over| dn.is_within(over)))
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
