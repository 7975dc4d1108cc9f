//! Certificates (RFC 8705 section 2): TLS has proved that the caller holds the private key; here is judged whose it is.
//!
//! `tls_client_auth` asks a certification authority of `mtls.ca_file` and compares one name of the certificate;
//! `self_signed_tls_client_auth` compares the key with those that the application registered.

use std::net::IpAddr;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use x509_parser::asn1_rs::Oid;
use x509_parser::extensions::GeneralName;
use x509_parser::objects::{oid_registry, oid2abbrev};
use x509_parser::prelude::{FromDer as _, X509Certificate, X509Name};

use super::Why;
use crate::crypto::{PublicKey, sha256, spki_thumbprint};
use crate::model::{Application, AuthMethod, ProofSettings};
use crate::oidc::Provider;
use crate::oidc::client_keys::client_keys;

/// The certificate that a caller's TLS connection proved.
#[derive(Clone, PartialEq, Eq)]
pub struct ClientCertificate {
    pub(super) der: Vec<u8>,
    /// What came with it to lead to an authority.
    pub(super) chain: Vec<Vec<u8>>,
}

impl std::fmt::Debug for ClientCertificate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "ClientCertificate({})", self.thumbprint())
    }
}

impl ClientCertificate {
    /// A certificate in DER, with those that came along to lead to an authority.
    #[must_use]
    pub fn new(der: Vec<u8>, chain: Vec<Vec<u8>>) -> Self {
        Self { der, chain }
    }

    /// `x5t#S256`: SHA-256 of the certificate, base64url without padding (RFC 8705 section 3.1).
    #[must_use]
    pub fn thumbprint(&self) -> String {
        URL_SAFE_NO_PAD.encode(sha256(&self.der))
    }
}

pub(super) async fn check(
    provider: Provider<'_>,
    app: &Application,
    certificate: Option<&ClientCertificate>,
) -> Result<(), Why> {
    let certificate = certificate.ok_or(Why::Certificate("there is none"))?;
    let (_, parsed) = X509Certificate::from_der(&certificate.der).map_err(|_| Why::Certificate("it cannot be read"))?;
    let now = provider.broker.clock.now().timestamp();
    let validity = parsed.validity();
    if now < validity.not_before.timestamp() || now > validity.not_after.timestamp() {
        return Err(Why::Certificate("it has expired, or is not valid yet"));
    }
    if app.auth_method == AuthMethod::TlsClientAuth {
        if !provider.applications.authorities().vouch_for(provider.broker, certificate) {
            return Err(Why::Certificate("no trusted authority vouches for it"));
        }
        return if is_named(&parsed, &app.settings.proof) {
            Ok(())
        } else {
            Err(Why::Certificate("it names somebody else"))
        };
    }
    let key = spki_thumbprint(parsed.public_key()).ok_or(Why::Certificate("its key is of an unsupported kind"))?;
    let is_it = |one: &PublicKey| {
        let written = one.certificate().map(|text| STANDARD.decode(text).ok());
        one.thumbprint() == key && written.is_none_or(|der| der.as_deref() == Some(certificate.der.as_slice()))
    };
    let is_there = |keys: &[PublicKey]| keys.iter().any(is_it);
    let keys = client_keys(provider, app, is_there).await?;
    if is_there(&keys) { Ok(()) } else { Err(Why::Certificate("its key is not registered")) }
}

/// Whether the certificate has the one name that the application registered (RFC 8705 section 2.1.2).
fn is_named(certificate: &X509Certificate<'_>, settings: &ProofSettings) -> bool {
    if let Some(subject) = &settings.tls_client_auth_subject_dn {
        return same_name(certificate.subject(), subject);
    }
    let names = certificate.subject_alternative_name().ok().flatten().map(|names| names.value.general_names.as_slice());
    let names = names.unwrap_or_default();
    let has = |is_it: &dyn Fn(&GeneralName<'_>) -> bool| names.iter().any(is_it);
    if let Some(dns) = &settings.tls_client_auth_san_dns {
        return has(&|name| matches!(name, GeneralName::DNSName(name) if name.eq_ignore_ascii_case(dns)));
    }
    if let Some(uri) = &settings.tls_client_auth_san_uri {
        return has(&|name| matches!(name, GeneralName::URI(name) if name == uri));
    }
    if let Some(address) = &settings.tls_client_auth_san_ip {
        return has(&|name| matches!(name, GeneralName::IPAddress(bytes) if ip(bytes) == Some(*address)));
    }
    if let Some(email) = &settings.tls_client_auth_san_email {
        return has(&|name| matches!(name, GeneralName::RFC822Name(name) if name == email));
    }
    false
}

fn ip(bytes: &[u8]) -> Option<IpAddr> {
    match bytes.len() {
        4 => <[u8; 4]>::try_from(bytes).ok().map(IpAddr::from),
        16 => <[u8; 16]>::try_from(bytes).ok().map(IpAddr::from),
        _ => None,
    }
}

/// Whether the subject is the registered name (RFC 4514): part by part, in either order of writing. Blanks around commas
/// do not count; a comma within a value is written `\\,`.
fn same_name(subject: &X509Name<'_>, registered: &str) -> bool {
    let own: Option<Vec<(String, String)>> = subject
        .iter_attributes()
        .map(|part| Some((short(part.attr_type())?, part.as_str().ok()?.to_owned())))
        .collect();
    let (Some(own), Some(mut registered)) = (own, parts(registered)) else { return false };
    if own.is_empty() || own == registered {
        return !own.is_empty();
    }
    registered.reverse();
    own == registered
}

/// The short name of an attribute, in capitals.
fn short(oid: &Oid<'_>) -> Option<String> {
    let known = oid2abbrev(oid, oid_registry()).ok().map(str::to_ascii_uppercase);
    known.or_else(|| Some(oid.to_id_string()))
}

fn parts(name: &str) -> Option<Vec<(String, String)>> {
    let (mut all, mut part, mut is_escaped) = (Vec::new(), String::new(), false);
    for letter in name.chars() {
        match letter {
            _ if is_escaped => {
                part.push(letter);
                is_escaped = false;
            }
            '\\' => is_escaped = true,
            ',' => all.push(std::mem::take(&mut part)),
            other => part.push(other),
        }
    }
    all.push(part);
    let split = |part: &String| {
        let (kind, value) = part.split_once('=')?;
        Some((kind.trim().to_ascii_uppercase(), value.trim().to_owned()))
    };
    all.iter().map(split).collect()
}

#[cfg(test)]
mod tests {
    use x509_parser::prelude::{FromDer as _, X509Certificate};

    use super::same_name;

    /// OAUTH-070
    #[test]
    fn a_subject_is_compared_part_by_part() {
        let key = rcgen::KeyPair::generate().unwrap();
        let made = |common: &str, organisation: &str| {
            let mut params = rcgen::CertificateParams::default();
            params.distinguished_name = rcgen::DistinguishedName::new();
            params.distinguished_name.push(rcgen::DnType::OrganizationName, organisation);
            params.distinguished_name.push(rcgen::DnType::CommonName, common);
            params.self_signed(&key).unwrap().der().to_vec()
        };
        let judged = |der: &[u8], name: &str| same_name(X509Certificate::from_der(der).unwrap().1.subject(), name);
        let plain = made("billing", "Corp");
        for good in ["O=Corp,CN=billing", "cn=billing, o=Corp", "CN=billing , O=Corp"] {
            assert!(judged(&plain, good), "{good}");
        }
        for bad in ["", "CN=billing", "CN=Billing,O=Corp", "CN=billing,O=Corp,C=CN", "CN=billing\\,O=Corp", "billing"] {
            assert!(!judged(&plain, bad), "{bad}");
        }
        let tricky = made("billing, O=Corp", "Evil");
        assert!(!judged(&tricky, "CN=billing, O=Corp"));
        assert!(judged(&tricky, "CN=billing\\, O=Corp,O=Evil"));
    }
}
