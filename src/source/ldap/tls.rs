//! TLS towards an LDAP server: the certificate is always verified, against the CA file of the source or the system's
//! roots; there is no way to switch that off.

use std::path::Path;
use std::sync::Arc;

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{CertificateError, ClientConfig, Error as TlsError, RootCertStore};
use url::Url;

use crate::config::LdapConfig;
use crate::source::error::SourceError;
use crate::text::Fault;

/// The settings for this source's server.
pub(super) fn settings(config: &LdapConfig, url: &Url, folder: &Path) -> Result<Arc<ClientConfig>, SourceError> {
    let failed = |reason: Fault| SourceError::Tls { url: url.to_string(), reason: reason.into() };
    let mut roots = RootCertStore::empty();
    match &config.ca_file {
        Some(file) => {
            for certificate in ca_certificates(&folder.join(file)).map_err(failed)? {
                let added = roots.add(certificate);
                added.map_err(|error| {
                    failed(Fault::new("tls-ca-file").with("path", file.display()).with("error", error))
                })?;
            }
        }
        None => {
            roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        }
    }
    if roots.is_empty() {
        return Err(failed(Fault::new("tls-no-roots")));
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| failed(Fault::new("tls-other").with("error", error)))?;
    let builder = builder.with_root_certificates(roots);
    let (Some(certificate), Some(key)) = (&config.client_certificate, &config.client_key) else {
        return Ok(Arc::new(builder.with_no_client_auth()));
    };
    let chain = certificates("tls-client-certificate", &folder.join(certificate)).map_err(failed)?;
    let path = folder.join(key);
    let unusable = |error: &dyn std::fmt::Display| {
        failed(Fault::new("tls-client-key").with("path", path.display()).with("error", error))
    };
    let key = PrivateKeyDer::from_pem_file(&path).map_err(|error| unusable(&error))?;
    Ok(Arc::new(builder.with_client_auth_cert(chain, key).map_err(|error| unusable(&error))?))
}

/// The certificates of a PEM file; at least one.
pub(super) fn ca_certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, Fault> {
    certificates("tls-ca-file", path)
}

fn certificates(code: &str, path: &Path) -> Result<Vec<CertificateDer<'static>>, Fault> {
    let named = |reason: String| Fault::new(code).with("path", path.display()).with("error", reason);
    let found = CertificateDer::pem_file_iter(path).map_err(|error| named(error.to_string()))?;
    let found: Result<Vec<_>, _> = found.collect();
    match found {
        Ok(certificates) if certificates.is_empty() => Err(named("it holds no PEM certificate".to_owned())),
        Ok(certificates) => Ok(certificates),
        Err(error) => Err(named(error.to_string())),
    }
}

/// What a failed handshake means, with the remedy.
pub(super) fn explain(error: &TlsError) -> Fault {
    use CertificateError as C;
    match error {
        TlsError::InvalidCertificate(C::Expired | C::ExpiredContext { .. }) => Fault::new("tls-expired"),
        TlsError::InvalidCertificate(C::NotValidYet | C::NotValidYetContext { .. }) => Fault::new("tls-not-yet"),
        TlsError::InvalidCertificate(C::UnknownIssuer | C::BadSignature) => Fault::new("tls-issuer"),
        TlsError::InvalidCertificate(C::NotValidForName | C::NotValidForNameContext { .. }) => Fault::new("tls-name"),
        TlsError::InvalidCertificate(error) => Fault::new("tls-unusable").with("error", error),
        other => Fault::new("tls-other").with("error", other),
    }
}
