//! The certification authorities of `mtls.ca_file`, read at the first certificate that needs them.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use rustls::RootCertStore;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, UnixTime};
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::ClientCertVerifier;

use super::ClientCertificate;
use crate::broker::Broker;
use crate::config::Config;

/// Who vouches for client certificates.
#[derive(Debug, Default)]
pub(in crate::oidc) struct Authorities(OnceLock<Option<Arc<dyn ClientCertVerifier>>>);

impl Authorities {
    /// Whether a chain leads from `certificate` to an authority, now, and it is for client authentication.
    pub fn vouch_for(&self, broker: &Broker, certificate: &ClientCertificate) -> bool {
        let Some(verifier) = self.0.get_or_init(|| read(&broker.config)) else { return false };
        let now = u64::try_from(broker.clock.now().timestamp()).unwrap_or(0);
        let now = UnixTime::since_unix_epoch(Duration::from_secs(now));
        let chain: Vec<CertificateDer<'_>> = certificate.chain.iter().map(|der| der.as_slice().into()).collect();
        verifier.verify_client_cert(&certificate.der.as_slice().into(), &chain, now).is_ok()
    }
}

fn read(config: &Config) -> Option<Arc<dyn ClientCertVerifier>> {
    match authorities(config) {
        Ok(verifier) => verifier,
        Err(why) => {
            tracing::error!(why, "mtls.ca_file cannot be used: no certificate is accepted for tls_client_auth");
            None
        }
    }
}

fn authorities(config: &Config) -> Result<Option<Arc<dyn ClientCertVerifier>>, String> {
    let Some(file) = config.mtls.as_ref().and_then(|mtls| mtls.ca_file.as_ref()) else { return Ok(None) };
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_file_iter(config.resolve(file)).map_err(|error| error.to_string())? {
        let certificate = certificate.map_err(|error| error.to_string())?;
        roots.add(certificate).map_err(|error| error.to_string())?;
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider).build();
    verifier.map(|verifier| Some(verifier as Arc<dyn ClientCertVerifier>)).map_err(|error| error.to_string())
}
