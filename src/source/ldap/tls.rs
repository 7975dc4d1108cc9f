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

/// The settings for this source's server.
pub(super) fn settings(config: &LdapConfig, url: &Url, folder: &Path) -> Result<Arc<ClientConfig>, SourceError> {
    let failed = |reason: String| SourceError::Tls { url: url.to_string(), reason };
    let mut roots = RootCertStore::empty();
    match &config.ca_file {
        Some(file) => {
            for certificate in ca_certificates(&folder.join(file)).map_err(failed)? {
                let added = roots.add(certificate);
                added
                    .map_err(|error| failed(format!("a certificate in `{}` is malformed: {error}", file.display())))?;
            }
        }
        None => {
            roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        }
    }
    if roots.is_empty() {
        let reason = "the system trusts no certification authority; name the server's in source.ldap.ca_file";
        return Err(failed(reason.to_owned()));
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| failed(error.to_string()))?;
    let builder = builder.with_root_certificates(roots);
    let (Some(certificate), Some(key)) = (&config.client_certificate, &config.client_key) else {
        return Ok(Arc::new(builder.with_no_client_auth()));
    };
    let chain = certificates("client certificate", &folder.join(certificate)).map_err(failed)?;
    let path = folder.join(key);
    let unusable =
        |error: &dyn std::fmt::Display| failed(format!("the client key `{}` cannot be used: {error}", path.display()));
    let key = PrivateKeyDer::from_pem_file(&path).map_err(|error| unusable(&error))?;
    Ok(Arc::new(builder.with_client_auth_cert(chain, key).map_err(|error| unusable(&error))?))
}

/// The certificates of a PEM file; at least one.
pub(super) fn ca_certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, String> {
    certificates("CA file", path)
}

fn certificates(what: &str, path: &Path) -> Result<Vec<CertificateDer<'static>>, String> {
    let named = |reason: String| format!("the {what} `{}` cannot be used: {reason}", path.display());
    let found = CertificateDer::pem_file_iter(path).map_err(|error| named(error.to_string()))?;
    let found: Result<Vec<_>, _> = found.collect();
    match found {
        Ok(certificates) if certificates.is_empty() => Err(named("it holds no PEM certificate".to_owned())),
        Ok(certificates) => Ok(certificates),
        Err(error) => Err(named(error.to_string())),
    }
}

/// What a failed handshake means, with the remedy.
pub(super) fn explain(error: &TlsError) -> String {
    use CertificateError as C;
    match error {
        TlsError::InvalidCertificate(C::Expired | C::ExpiredContext { .. }) => {
            "the server's certificate has expired; renew it on the server".to_owned()
        }
        TlsError::InvalidCertificate(C::NotValidYet | C::NotValidYetContext { .. }) => {
            "the server's certificate is not valid yet; compare the clocks of both machines".to_owned()
        }
        TlsError::InvalidCertificate(C::UnknownIssuer | C::BadSignature) => {
            "the server's certificate is signed by nobody who is trusted here; name its CA in source.ldap.ca_file"
                .to_owned()
        }
        TlsError::InvalidCertificate(C::NotValidForName | C::NotValidForNameContext { .. }) => {
            "the server's certificate is for another host name; use a name from it in source.ldap.url".to_owned()
        }
        TlsError::InvalidCertificate(error) => {
            format!(
                "the server's certificate cannot be used ({error}); it must be a version 3 server certificate, not a CA's own"
            )
        }
        other => format!("{other}; does the server speak TLS on this port?"),
    }
}
