//! Public keys of others, as JWK (RFC 7517, RFC 7518 section 6, RFC 8037): read strictly, used to verify.
//!
//! RSA from 2048 to 8192 bits, P-256, P-384 and Ed25519. A key that shows its private half, or a symmetric one, is
//! refused: whoever sends such a thing has nothing left to prove with it.

use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P384_SHA384_FIXED, ED25519, ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256,
    RSA_PSS_2048_8192_SHA256, RsaPublicKeyComponents,
};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value, json};
use x509_parser::public_key::PublicKey as Spki;
use x509_parser::x509::SubjectPublicKeyInfo;

use super::json::strict_json;
use super::jwe::Recipient;
use super::master::sha256;
use crate::model::{KeyManagement, ProofAlgorithm};

/// Keys of one set that are looked at.
const MOST_KEYS: usize = 50;
/// Members that only a private or symmetric key has (RFC 7518 sections 6.2.2, 6.3.2, 6.4).
const PRIVATE: [&str; 8] = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];
/// RFC 8410 section 3.
const ED25519_OID: &str = "1.3.101.112";
/// Ed25519 points of small order, sign bit cleared: under them anybody's signature can be made to hold.
const SMALL_ORDER: [[u8; 32]; 7] = [
    [0; 32],
    little_endian(1),
    *b"\x26\xe8\x95\x8f\xc2\xb2\x27\xb0\x45\xc3\xf4\x89\xf2\xef\x98\xf0\xd5\xdf\xac\x05\xd3\xc6\x33\x39\xb1\x38\x02\x88\x6d\x53\xfc\x05",
    *b"\xc7\x17\x6a\x70\x3d\x4d\xd8\x4f\xba\x3c\x0b\x76\x0d\x10\x67\x0f\x2a\x20\x53\xfa\x2c\x39\xcc\xc6\x4e\xc7\xfd\x77\x92\xac\x03\x7a",
    near_prime(0xec),
    near_prime(0xed),
    near_prime(0xee),
];

const fn little_endian(low: u8) -> [u8; 32] {
    let mut bytes = [0; 32];
    bytes[0] = low;
    bytes
}

const fn near_prime(low: u8) -> [u8; 32] {
    let mut bytes = [0xff; 32];
    bytes[0] = low;
    bytes[31] = 0x7f;
    bytes
}

/// Why a JWK is no key for us.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum JwkError {
    /// No JSON, or a member is missing or malformed.
    #[error("the JWK is malformed")]
    Malformed,
    /// Another kind of key than RSA, P-256, P-384 and Ed25519.
    #[error("the JWK is of a kind that is not supported (RSA from 2048 bits, P-256, P-384, Ed25519 are)")]
    Unsupported,
    /// The private half of a key, or a shared secret.
    #[error("the JWK shows a private key")]
    Private,
    /// The numbers are no key.
    #[error("the JWK is no valid key")]
    Invalid,
}

enum Kind {
    P256(ParsedPublicKey),
    P384(ParsedPublicKey),
    Ed25519(ParsedPublicKey),
    Rsa { n: Vec<u8>, e: Vec<u8> },
}

/// Somebody's public key.
pub struct PublicKey {
    kind: Kind,
    kid: Option<String>,
    algorithm: Option<String>,
    is_for_signatures: bool,
    is_for_encryption: bool,
    thumbprint: String,
    certificates: Vec<String>,
}

impl std::fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "PublicKey({})", self.thumbprint)
    }
}

impl PublicKey {
    /// Reads a JWK.
    ///
    /// # Errors
    /// [`JwkError`].
    pub fn from_jwk(jwk: &Map<String, Value>) -> Result<Self, JwkError> {
        if PRIVATE.iter().any(|member| jwk.contains_key(*member)) {
            return Err(JwkError::Private);
        }
        let text = |name: &str| jwk.get(name).and_then(Value::as_str).ok_or(JwkError::Malformed);
        let (kind, members) = match (text("kty")?, jwk.get("crv").and_then(Value::as_str)) {
            ("EC", Some("P-256")) => {
                (Kind::P256(point(jwk, 32, &ECDSA_P256_SHA256_FIXED)?), ["crv", "kty", "x", "y"].as_slice())
            }
            ("EC", Some("P-384")) => {
                (Kind::P384(point(jwk, 48, &ECDSA_P384_SHA384_FIXED)?), ["crv", "kty", "x", "y"].as_slice())
            }
            ("OKP", Some("Ed25519")) => (Kind::Ed25519(edwards(jwk)?), ["crv", "kty", "x"].as_slice()),
            ("RSA", _) => (rsa(jwk)?, ["e", "kty", "n"].as_slice()),
            _ => return Err(JwkError::Unsupported),
        };
        // RFC 7638 section 3: the required members only, in the order of their names, without blanks.
        let mut required = Map::new();
        for member in members {
            required.insert((*member).to_owned(), json!(text(member)?));
        }
        let operations = jwk.get("key_ops").and_then(Value::as_array);
        let may_verify = operations.is_none_or(|all| all.iter().any(|operation| operation == "verify"));
        let may_encrypt = operations
            .is_none_or(|all| all.iter().any(|one| one == "wrapKey" || one == "deriveKey" || one == "deriveBits"));
        let chain = jwk.get("x5c").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        Ok(Self {
            kind,
            kid: jwk.get("kid").and_then(Value::as_str).map(str::to_owned),
            algorithm: jwk.get("alg").and_then(Value::as_str).map(str::to_owned),
            is_for_signatures: may_verify && jwk.get("use").is_none_or(|what| what == "sig"),
            is_for_encryption: may_encrypt && jwk.get("use").is_none_or(|what| what == "enc"),
            thumbprint: URL_SAFE_NO_PAD.encode(sha256(Value::Object(required).to_string().as_bytes())),
            certificates: chain.iter().take(1).filter_map(Value::as_str).map(str::to_owned).collect(),
        })
    }

    /// Its id, where the owner gave it one.
    #[must_use]
    pub fn kid(&self) -> Option<&str> {
        self.kid.as_deref()
    }

    /// RFC 7638 thumbprint: SHA-256, base64url without padding.
    #[must_use]
    pub fn thumbprint(&self) -> &str {
        &self.thumbprint
    }

    /// The certificate that stands with the key: `x5c`, base64 of DER (RFC 7517 section 4.7).
    #[must_use]
    pub fn certificate(&self) -> Option<&str> {
        self.certificates.first().map(String::as_str)
    }

    /// Whether the key can, and by its owner's word may, verify signatures of this algorithm.
    #[must_use]
    pub fn takes(&self, algorithm: ProofAlgorithm) -> bool {
        let fits = match algorithm {
            ProofAlgorithm::Es256 => matches!(self.kind, Kind::P256(_)),
            ProofAlgorithm::Es384 => matches!(self.kind, Kind::P384(_)),
            ProofAlgorithm::EdDsa => matches!(self.kind, Kind::Ed25519(_)),
            ProofAlgorithm::Rs256 | ProofAlgorithm::Ps256 => matches!(self.kind, Kind::Rsa { .. }),
            ProofAlgorithm::Hs256 => false,
        };
        let named = self.algorithm.as_deref().is_none_or(|own| ProofAlgorithm::of_header(own) == Some(algorithm));
        fits && named && self.is_for_signatures
    }

    /// Whether something can, and by its owner's word may, be encrypted to the key so.
    #[must_use]
    pub fn encrypts(&self, algorithm: KeyManagement) -> bool {
        let fits = match algorithm {
            KeyManagement::RsaOaep256 => matches!(self.kind, Kind::Rsa { .. }),
            KeyManagement::EcdhEs | KeyManagement::EcdhEsA256Kw => matches!(self.kind, Kind::P256(_) | Kind::P384(_)),
        };
        let named = self.algorithm.as_deref().is_none_or(|own| own == algorithm.as_str());
        fits && named && self.is_for_encryption
    }

    /// What is encrypted to; nothing for a key that only signs.
    pub(super) fn recipient(&self) -> Option<Recipient<'_>> {
        match &self.kind {
            Kind::P256(point) => Some(Recipient::P256(point.as_ref())),
            Kind::P384(point) => Some(Recipient::P384(point.as_ref())),
            Kind::Rsa { n, e } => Some(Recipient::Rsa(n, e)),
            Kind::Ed25519(_) => None,
        }
    }

    /// Whether `signature` is this key's over `message`.
    #[must_use]
    pub fn verifies(&self, algorithm: ProofAlgorithm, message: &[u8], signature: &[u8]) -> bool {
        if !self.takes(algorithm) {
            return false;
        }
        match &self.kind {
            Kind::P256(key) | Kind::P384(key) | Kind::Ed25519(key) => key.verify_sig(message, signature).is_ok(),
            Kind::Rsa { n, e } => {
                let rules = if algorithm == ProofAlgorithm::Ps256 {
                    &RSA_PSS_2048_8192_SHA256
                } else {
                    &RSA_PKCS1_2048_8192_SHA256
                };
                RsaPublicKeyComponents { n, e }.verify(rules, message, signature).is_ok()
            }
        }
    }
}

fn bytes(jwk: &Map<String, Value>, name: &str) -> Result<Vec<u8>, JwkError> {
    let text = jwk.get(name).and_then(Value::as_str).ok_or(JwkError::Malformed)?;
    URL_SAFE_NO_PAD.decode(text).map_err(|_| JwkError::Malformed)
}

/// A point of a curve, uncompressed (SEC 1 section 2.3.3); one that is not on the curve is refused.
fn point(
    jwk: &Map<String, Value>,
    length: usize,
    rules: &'static aws_lc_rs::signature::EcdsaVerificationAlgorithm,
) -> Result<ParsedPublicKey, JwkError> {
    let (x, y) = (bytes(jwk, "x")?, bytes(jwk, "y")?);
    if x.len() != length || y.len() != length {
        return Err(JwkError::Malformed);
    }
    ParsedPublicKey::new(rules, [&[4], x.as_slice(), &y].concat()).map_err(|_| JwkError::Invalid)
}

fn edwards(jwk: &Map<String, Value>) -> Result<ParsedPublicKey, JwkError> {
    let x = bytes(jwk, "x")?;
    let mut unsigned: [u8; 32] = x.as_slice().try_into().map_err(|_| JwkError::Malformed)?;
    unsigned[31] &= 0x7f;
    if SMALL_ORDER.contains(&unsigned) {
        return Err(JwkError::Invalid);
    }
    ParsedPublicKey::new(&ED25519, x).map_err(|_| JwkError::Invalid)
}

fn rsa(jwk: &Map<String, Value>) -> Result<Kind, JwkError> {
    let plain = |name| {
        let bytes = bytes(jwk, name)?;
        let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
        Ok(bytes.get(zeros..).unwrap_or_default().to_vec())
    };
    let (n, e): (Vec<u8>, Vec<u8>) = (plain("n")?, plain("e")?);
    let bits = n.len() * 8 - n.first().map_or(0, |byte| byte.leading_zeros() as usize);
    // Long exponents only make us work.
    if !(2048..=8192).contains(&bits) || e.len() > 4 {
        return Err(JwkError::Unsupported);
    }
    Ok(Kind::Rsa { n, e })
}

/// The RFC 7638 thumbprint of the key of a certificate; none where it is of a kind that we do not take.
#[must_use]
pub fn spki_thumbprint(spki: &SubjectPublicKeyInfo<'_>) -> Option<String> {
    let encode = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
    let bits = spki.subject_public_key.data.as_ref();
    let uint =
        |bytes: &[u8]| encode(bytes.get(bytes.iter().take_while(|byte| **byte == 0).count()..).unwrap_or_default());
    let jwk = match spki.parsed().ok()? {
        Spki::RSA(key) => json!({ "e": uint(key.exponent), "kty": "RSA", "n": uint(key.modulus) }),
        Spki::EC(_) => {
            let (curve, half) = match bits.len() {
                65 => ("P-256", 32),
                97 => ("P-384", 48),
                _ => return None,
            };
            let (x, y) = bits.get(1..)?.split_at_checked(half)?;
            json!({ "crv": curve, "kty": "EC", "x": encode(x), "y": encode(y) })
        }
        _ if spki.algorithm.algorithm.to_id_string() == ED25519_OID => {
            json!({ "crv": "Ed25519", "kty": "OKP", "x": encode(bits) })
        }
        _ => return None,
    };
    PublicKey::from_jwk(jwk.as_object()?).ok().map(|key| key.thumbprint)
}

/// The keys of a JWK set (RFC 7517 section 5) that we can use; of others nothing is said. At most 50 are looked at.
///
/// # Errors
/// [`JwkError::Malformed`] when it is no JWK set at all.
pub fn read_key_set(text: &[u8]) -> Result<Vec<PublicKey>, JwkError> {
    let set = strict_json(text).map_err(|_| JwkError::Malformed)?;
    let keys = set.get("keys").and_then(Value::as_array).ok_or(JwkError::Malformed)?;
    let keys = keys.iter().take(MOST_KEYS).filter_map(Value::as_object);
    Ok(keys.filter_map(|jwk| PublicKey::from_jwk(jwk).ok()).collect())
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{JwkError, PublicKey, read_key_set};
    use crate::crypto::SigningKey;
    use crate::model::{Algorithm, ProofAlgorithm};

    fn read(jwk: &Value) -> Result<PublicKey, JwkError> {
        PublicKey::from_jwk(jwk.as_object().unwrap())
    }

    #[test]
    fn keys_of_others_verify_and_have_the_thumbprint_of_the_standard() {
        for algorithm in [Algorithm::Es256, Algorithm::Rs256, Algorithm::EdDsa] {
            let own = SigningKey::generate(algorithm).unwrap().0;
            let key = read(own.public_jwk()).unwrap();
            assert_eq!((key.thumbprint(), key.kid()), (own.kid(), Some(own.kid())));
            let signature = own.sign(b"message").unwrap();
            for other in ProofAlgorithm::ALL {
                let is_own = other.as_str() == algorithm.as_str();
                assert_eq!(key.verifies(*other, b"message", &signature), is_own, "{algorithm} as {other}");
            }
            assert!(!key.verifies(algorithm.as_str().parse().unwrap(), b"massage", &signature));
        }
    }

    /// RFC 7638 section 3.1
    #[test]
    fn the_thumbprint_of_the_example_is_that_of_the_standard() {
        let n = "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMs\
                 tn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbI\
                 SD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw";
        let jwk = json!({ "kty": "RSA", "n": n, "e": "AQAB", "alg": "RS256", "kid": "2011-04-29" });
        assert_eq!(read(&jwk).unwrap().thumbprint(), "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs");
    }

    /// GW-041, OAUTH-068
    #[test]
    fn keys_that_prove_nothing_are_refused() {
        let es = SigningKey::generate(Algorithm::Es256).unwrap().0.public_jwk().clone();
        let with = |name: &str, value: &str| {
            let mut jwk = es.clone();
            jwk[name] = value.into();
            read(&jwk).err()
        };
        assert_eq!(with("d", "AA"), Some(JwkError::Private));
        assert_eq!(with("k", "AA"), Some(JwkError::Private));
        assert_eq!(with("x", es["y"].as_str().unwrap()), Some(JwkError::Invalid), "not on the curve");
        assert_eq!(with("x", "AAAA"), Some(JwkError::Malformed));
        assert_eq!(with("crv", "P-521"), Some(JwkError::Unsupported));
        assert_eq!(read(&json!({ "kty": "oct" })).err(), Some(JwkError::Unsupported));
        let rsa = |n: &str| read(&json!({ "kty": "RSA", "e": "AQAB", "n": n })).err();
        assert_eq!(rsa(&"_".repeat(168)), Some(JwkError::Unsupported), "1008 bits");
        assert_eq!(rsa(&"_".repeat(3_000)), Some(JwkError::Unsupported), "18000 bits");
        let small = json!({ "kty": "OKP", "crv": "Ed25519", "x": "AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA" });
        assert_eq!(read(&small).err(), Some(JwkError::Invalid));
    }

    /// GW-044
    #[test]
    fn a_set_gives_what_can_be_used() {
        let own = SigningKey::generate(Algorithm::EdDsa).unwrap().0;
        let set = json!({ "keys": [own.public_jwk(), { "kty": "XX" }, 7, { "kty": "oct", "k": "AA" }] });
        assert_eq!(read_key_set(set.to_string().as_bytes()).unwrap().len(), 1);
        for bad in ["", "<html>", "[]", r#"{"keys":1}"#, r#"{"keys":[],"keys":[]}"#] {
            assert_eq!(read_key_set(bad.as_bytes()).err(), Some(JwkError::Malformed), "{bad}");
        }
    }
}
