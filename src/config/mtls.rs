//! `[mtls]`: where applications are asked for a certificate (RFC 8705). The addresses that people use never ask for one: browsers
//! would show a list of certificates.

use std::net::SocketAddr;
use std::path::PathBuf;

use serde::Deserialize;
use url::Url;

/// `[mtls]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MtlsConfig {
    /// What applications with a certificate call the broker: scheme, host, port, no path (RFC 8705 section 5).
    pub public_url: Url,
    /// Address and port of a TLS listener of our own that asks for a certificate.
    pub listen: Option<SocketAddr>,
    /// PEM certificate chain of that listener.
    pub tls_cert_file: Option<PathBuf>,
    /// PEM private key of that certificate.
    pub tls_key_file: Option<PathBuf>,
    /// Header in which a proxy of `server.trusted_proxies` passes the certificate on: `client-cert` (RFC 9440), or one
    /// with percent-encoded PEM, as nginx's `$ssl_client_escaped_cert` is.
    pub header: Option<String>,
    /// PEM file of the authorities that vouch for certificates of `tls_client_auth`.
    pub ca_file: Option<PathBuf>,
}

impl MtlsConfig {
    /// An absolute URL of one of our paths, for applications with a certificate.
    #[must_use]
    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.public_url.as_str().trim_end_matches('/'))
    }

    pub(super) fn check(&self, has_proxies: bool, problems: &mut Vec<String>) {
        let url = &self.public_url;
        if url.scheme() != "https" || url.path() != "/" || url.query().is_some() || !url.username().is_empty() {
            problems.push(format!("mtls.public_url `{url}` must be https://host[:port] without a path"));
        }
        if self.listen.is_none() && self.header.is_none() {
            problems
                .push("mtls: set listen, or header for a proxy in front: nothing would show a certificate".to_owned());
        }
        let has_files = self.tls_cert_file.is_some() && self.tls_key_file.is_some();
        if self.listen.is_some() && !has_files {
            problems.push("mtls.listen needs mtls.tls_cert_file and mtls.tls_key_file".to_owned());
        }
        let is_name = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        if let Some(header) = &self.header {
            if header.is_empty() || !header.bytes().all(is_name) {
                problems.push(format!("mtls.header `{header}` is no header name in small letters"));
            }
            if !has_proxies {
                problems
                    .push("mtls.header is believed only from server.trusted_proxies, and there are none".to_owned());
            }
        }
    }
}
