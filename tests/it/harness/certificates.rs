//! Client certificates: of an authority, and signed by themselves.

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa,
    KeyPair, SanType,
};
use yaopai::time::Instant;

/// An authority that vouches for applications.
pub struct Authority(CertifiedIssuer<'static, KeyPair>);

/// A certificate.
pub struct Certificate {
    /// DER.
    pub der: Vec<u8>,
    /// PEM.
    pub pem: String,
}

impl Authority {
    pub fn new() -> Self {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, "Authority of the tests");
        Self(CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap())
    }

    /// Its own certificate, PEM.
    pub fn pem(&self) -> String {
        self.0.pem()
    }

    /// A certificate of this common name, good around `at`.
    pub fn issue(&self, name: &str, at: Instant) -> Certificate {
        let key = KeyPair::generate().unwrap();
        let made = params(name, at).signed_by(&key, &self.0).unwrap();
        Certificate { der: made.der().to_vec(), pem: made.pem() }
    }
}

/// A certificate that only its own key signed.
pub fn self_signed(name: &str, at: Instant) -> Certificate {
    let key = KeyPair::generate().unwrap();
    let made = params(name, at).self_signed(&key).unwrap();
    Certificate { der: made.der().to_vec(), pem: made.pem() }
}

fn params(name: &str, at: Instant) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::OrganizationName, "Corp");
    params.distinguished_name.push(DnType::CommonName, name);
    let day = |days: i64| {
        let at = at + chrono::Duration::days(days);
        rcgen::date_time_ymd(
            chrono::Datelike::year(&at),
            u8::try_from(chrono::Datelike::month(&at)).unwrap(),
            u8::try_from(chrono::Datelike::day(&at)).unwrap(),
        )
    };
    (params.not_before, params.not_after) = (day(-30), day(30));
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    params.subject_alt_names = vec![
        SanType::DnsName(format!("{name}.example").try_into().unwrap()),
        SanType::URI(format!("spiffe://corp/{name}").try_into().unwrap()),
        SanType::Rfc822Name(format!("{name}@corp.example").try_into().unwrap()),
        SanType::IpAddress("192.0.2.7".parse().unwrap()),
    ];
    params
}
