//! Channel bindings of the kind `tls-server-end-point` (RFC 5929 section 4): a hash of the server's certificate, by the
//! hash of its signature, and by SHA-256 where that is MD5 or SHA-1.

use aws_lc_rs::digest::{Algorithm, SHA256, SHA384, SHA512, digest};
use x509_parser::prelude::{FromDer as _, X509Certificate};
use x509_parser::signature_algorithm::SignatureAlgorithm;

/// The bindings; none for a signature without a hash of its own, such as Ed25519, for which there are none.
pub(super) fn bindings(certificate: &[u8]) -> Option<Vec<u8>> {
    let (_, parsed) = X509Certificate::from_der(certificate).ok()?;
    let oid = match SignatureAlgorithm::try_from(&parsed.signature_algorithm) {
        Ok(SignatureAlgorithm::RSASSA_PSS(parameters)) => parameters.hash_algorithm_oid().to_id_string(),
        _ => parsed.signature_algorithm.algorithm.to_id_string(),
    };
    let hash = digest(of(&oid)?, certificate);
    Some([b"tls-server-end-point:", hash.as_ref()].concat())
}

/// The hash, by the identifier of a signature or a hash.
fn of(oid: &str) -> Option<&'static Algorithm> {
    match oid {
        // md5WithRSA, sha1WithRSA, sha256WithRSA, ecdsa-with-SHA1, ecdsa-with-SHA256, SHA-1, SHA-256
        "1.2.840.113549.1.1.4"
        | "1.2.840.113549.1.1.5"
        | "1.2.840.113549.1.1.11"
        | "1.2.840.10045.4.1"
        | "1.2.840.10045.4.3.2"
        | "1.3.14.3.2.26"
        | "2.16.840.1.101.3.4.2.1" => Some(&SHA256),
        "1.2.840.113549.1.1.12" | "1.2.840.10045.4.3.3" | "2.16.840.1.101.3.4.2.2" => Some(&SHA384),
        "1.2.840.113549.1.1.13" | "1.2.840.10045.4.3.4" | "2.16.840.1.101.3.4.2.3" => Some(&SHA512),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::digest::{SHA256, SHA384, digest};

    use super::bindings;

    #[test]
    fn the_hash_is_the_one_of_the_certificates_signature() {
        for (algorithm, hash) in [
            (&rcgen::PKCS_ECDSA_P256_SHA256, Some(&SHA256)),
            (&rcgen::PKCS_ECDSA_P384_SHA384, Some(&SHA384)),
            (&rcgen::PKCS_ED25519, None),
        ] {
            let key = rcgen::KeyPair::generate_for(algorithm).unwrap();
            let certificate = rcgen::CertificateParams::new(vec!["dc1.example.com".into()]).unwrap();
            let certificate = certificate.self_signed(&key).unwrap();
            let expected =
                hash.map(|hash| [b"tls-server-end-point:", digest(hash, certificate.der()).as_ref()].concat());
            assert_eq!(bindings(certificate.der()), expected);
        }
        assert_eq!(bindings(b"no certificate"), None);
    }
}
