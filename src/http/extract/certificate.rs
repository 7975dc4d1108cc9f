//! The certificate that the caller's TLS proved: on a connection of ours, or on one of a trusted proxy, which then says
//! so in a header. From anybody else the header counts for nothing.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::extract::ConnectInfo;
use axum::http::HeaderMap;
use axum::http::request::Parts;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use percent_encoding::percent_decode_str;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;

use crate::http::state::App;
use crate::oidc::ClientCertificate;

/// The certificate of a request.
#[must_use]
pub fn client_certificate(parts: &Parts, app: &App) -> Option<Arc<ClientCertificate>> {
    let mtls = app.broker.config.mtls.as_ref()?;
    if let Some(own) = parts.extensions.get::<Arc<ClientCertificate>>() {
        return Some(own.clone());
    }
    let header = mtls.header.as_deref()?;
    let ConnectInfo(peer) = parts.extensions.get::<ConnectInfo<SocketAddr>>()?;
    if !app.broker.config.server.trusts(peer.ip()) {
        return None;
    }
    forwarded(&parts.headers, header).map(|der| Arc::new(ClientCertificate::new(der, Vec::new())))
}

/// The certificate of the one header of that name.
fn forwarded(headers: &HeaderMap, name: &str) -> Option<Vec<u8>> {
    let mut values = headers.get_all(name).iter();
    let (Some(value), None) = (values.next(), values.next()) else { return None };
    let text = value.to_str().ok()?.trim();
    // RFC 9440 section 2.1: base64 between colons (RFC 8941 section 3.3.5).
    if let Some(encoded) = text.strip_prefix(':').and_then(|text| text.strip_suffix(':')) {
        return STANDARD.decode(encoded).ok();
    }
    let pem: Vec<u8> = percent_decode_str(text).collect();
    CertificateDer::from_pem_slice(&pem).ok().map(|der| der.to_vec())
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderMap, HeaderValue};
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

    use super::forwarded;

    /// OAUTH-073
    #[test]
    fn both_forms_are_read_and_doubled_ones_are_not() {
        let key = rcgen::KeyPair::generate().unwrap();
        let made = rcgen::CertificateParams::default().self_signed(&key).unwrap();
        let der = made.der().to_vec();
        let read = |values: &[String]| {
            let mut headers = HeaderMap::new();
            for value in values {
                headers.append("client-cert", HeaderValue::from_str(value).unwrap());
            }
            forwarded(&headers, "client-cert")
        };
        let binary = format!(":{}:", STANDARD.encode(&der));
        let pem = utf8_percent_encode(&made.pem(), NON_ALPHANUMERIC).to_string();
        assert_eq!(read(std::slice::from_ref(&binary)), Some(der.clone()));
        assert_eq!(read(&[pem]), Some(der));
        for bad in
            [vec![], vec![binary.clone(), binary], vec!["::x".to_owned()], vec!["x".to_owned()], vec![String::new()]]
        {
            assert_eq!(read(&bad), None, "{bad:?}");
        }
    }
}
