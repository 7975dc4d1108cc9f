//! Our own certificate: readable, matching its key, for our host, and not about to end.

use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject as _;
use x509_parser::prelude::{FromDer as _, GeneralName, X509Certificate};

use super::finding::Finding;
use crate::config::Config;
use crate::time::Instant;

/// A certificate that ends sooner is a warning: days.
const SOON: i64 = 21;

pub(super) fn check(config: &Config, now: Instant) -> Option<Finding> {
    let (cert, key) = (config.server.tls_cert_file.as_ref()?, config.server.tls_key_file.as_ref()?);
    let path = config.resolve(cert);
    let failed =
        |why: String| Finding::failed("certificate", format!("`{}`: {why}", path.display()), "renew or correct it");
    if let Err(error) = rustls_pki_types::PrivateKeyDer::from_pem_file(config.resolve(key)) {
        return Some(failed(format!("its key `{}` cannot be read: {error}", config.resolve(key).display())));
    }
    let first = match CertificateDer::from_pem_file(&path) {
        Ok(first) => first,
        Err(error) => return Some(failed(error.to_string())),
    };
    let Ok((_, certificate)) = X509Certificate::from_der(&first) else {
        return Some(failed("it is no X.509 certificate".to_owned()));
    };
    let host = config.server.public_url.host_str().unwrap_or_default();
    Some(judge(&path.display().to_string(), &certificate, host, now))
}

fn judge(path: &str, certificate: &X509Certificate<'_>, host: &str, now: Instant) -> Finding {
    let (begin, end) = (certificate.validity().not_before.timestamp(), certificate.validity().not_after.timestamp());
    let days = (end - now.timestamp()) / 86_400;
    if end <= now.timestamp() {
        return Finding::failed("certificate", format!("`{path}` has expired"), "renew it");
    }
    if begin > now.timestamp() {
        return Finding::failed("certificate", format!("`{path}` is not valid yet"), "look at this machine's clock");
    }
    if !names(certificate).iter().any(|name| covers(name, host)) {
        let message = format!("`{path}` is not for `{host}`, the host of server.public_url");
        return Finding::failed("certificate", message, "get one for that name, or correct server.public_url");
    }
    let message = format!("`{path}` ends in {days} days");
    if days < SOON { Finding::warning("certificate", message, "renew it") } else { Finding::ok("certificate", message) }
}

/// The names in the certificate, lower case; addresses as text.
fn names(certificate: &X509Certificate<'_>) -> Vec<String> {
    let Ok(Some(names)) = certificate.subject_alternative_name() else { return Vec::new() };
    let text = |name: &GeneralName<'_>| match name {
        GeneralName::DNSName(name) => Some(name.to_ascii_lowercase()),
        GeneralName::IPAddress(bytes) => match <[u8; 4]>::try_from(*bytes) {
            Ok(bytes) => Some(std::net::Ipv4Addr::from(bytes).to_string()),
            Err(_) => Some(format!("[{}]", std::net::Ipv6Addr::from(<[u8; 16]>::try_from(*bytes).ok()?))),
        },
        _ => None,
    };
    names.value.general_names.iter().filter_map(text).collect()
}

/// Whether the certificate's `name`, perhaps with a `*` as its first label, is for `host`.
fn covers(name: &str, host: &str) -> bool {
    name == host
        || name.strip_prefix("*.").is_some_and(|rest| host.split_once('.').is_some_and(|(_, domain)| domain == rest))
}

#[cfg(test)]
mod tests {
    use chrono::Duration;
    use x509_parser::prelude::{FromDer as _, X509Certificate};

    use super::super::finding::State;
    use super::{covers, judge};
    use crate::time::Instant;

    #[test]
    fn a_certificate_is_judged_by_its_dates_and_names() {
        let made =
            rcgen::generate_simple_self_signed(vec!["sso.example.com".to_owned(), "127.0.0.1".to_owned()]).unwrap();
        let (_, certificate) = X509Certificate::from_der(made.cert.der()).unwrap();
        let begin = Instant::from_timestamp(certificate.validity().not_before.timestamp(), 0).unwrap();
        let end = Instant::from_timestamp(certificate.validity().not_after.timestamp(), 0).unwrap();
        let state = |host: &str, at: Instant| judge("x", &certificate, host, at).state;
        assert_eq!(state("sso.example.com", begin), State::Ok);
        assert_eq!(state("127.0.0.1", begin), State::Ok);
        assert_eq!(state("other.example.com", begin), State::Failed);
        assert_eq!(state("sso.example.com", begin - Duration::days(1)), State::Failed);
        assert_eq!(state("sso.example.com", end - Duration::days(3)), State::Warning);
        assert_eq!(state("sso.example.com", end), State::Failed);
    }

    #[test]
    fn a_star_stands_for_one_label() {
        assert!(covers("*.example.com", "sso.example.com") && covers("a.b", "a.b"));
        assert!(!covers("*.example.com", "example.com") && !covers("*.example.com", "a.b.example.com"));
    }
}
