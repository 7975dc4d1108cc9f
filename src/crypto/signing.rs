//! Signing keys: aws-lc-rs key pairs, parsed once and kept in memory.
//!
//! A key's `kid` is its RFC 7638 thumbprint, so that two nodes never disagree about it. The private half leaves this
//! file only as PKCS#8 for sealing.

use aws_lc_rs::digest::{SHA256, SHA384, SHA512, digest};
use aws_lc_rs::encoding::AsDer as _;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED, ECDSA_P384_SHA384_FIXED_SIGNING,
    ED25519, EcdsaKeyPair, EcdsaSigningAlgorithm, EcdsaVerificationAlgorithm, Ed25519KeyPair, KeyPair as _,
    ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_SHA256, RSA_PSS_2048_8192_SHA256, RSA_PSS_SHA256,
    RsaEncoding, RsaKeyPair,
};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use x509_parser::prelude::FromDer as _;
use x509_parser::public_key::PublicKey;
use x509_parser::x509::SubjectPublicKeyInfo;
use zeroize::Zeroizing;

use super::master::sha256;
use crate::model::Algorithm;
use crate::random::Rng;

/// A key cannot be made, read or used.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum SigningError {
    /// Key generation failed.
    #[error("a signing key could not be made")]
    Generate,
    /// The PKCS#8 document holds no such key.
    #[error("the stored key is no key of this algorithm")]
    Rejected,
    /// The signature could not be made.
    #[error("the signature could not be made")]
    Sign,
    /// The claims are no JSON.
    #[error("the claims could not be written as JSON")]
    Claims,
}

enum Pair {
    Ec(EcdsaKeyPair),
    Rsa(RsaKeyPair),
    Ed(Ed25519KeyPair),
}

/// A key pair that signs and verifies.
pub struct SigningKey {
    algorithm: Algorithm,
    pair: Pair,
    public: ParsedPublicKey,
    kid: String,
    jwk: Value,
}

impl std::fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SigningKey({} {}, hidden)", self.algorithm, self.kid)
    }
}

impl SigningKey {
    /// Makes a new key; gives its PKCS#8 document too, which is to be sealed at once.
    ///
    /// # Errors
    /// [`SigningError::Generate`].
    pub fn generate(algorithm: Algorithm) -> Result<(Self, Zeroizing<Vec<u8>>), SigningError> {
        let failed = |_| SigningError::Generate;
        let pair = match algorithm {
            Algorithm::Es256 | Algorithm::Es384 => {
                Pair::Ec(EcdsaKeyPair::generate(curve(algorithm).0).map_err(failed)?)
            }
            Algorithm::Rs256 | Algorithm::Ps256 => Pair::Rsa(RsaKeyPair::generate(KeySize::Rsa2048).map_err(failed)?),
            Algorithm::EdDsa => Pair::Ed(Ed25519KeyPair::generate().map_err(failed)?),
        };
        let key = Self::of(algorithm, pair)?;
        let pkcs8 = key.pkcs8()?;
        Ok((key, pkcs8))
    }

    /// Reads a key from PKCS#8.
    ///
    /// # Errors
    /// [`SigningError::Rejected`].
    pub fn from_pkcs8(algorithm: Algorithm, pkcs8: &[u8]) -> Result<Self, SigningError> {
        let rejected = |_| SigningError::Rejected;
        let pair = match algorithm {
            Algorithm::Es256 | Algorithm::Es384 => {
                Pair::Ec(EcdsaKeyPair::from_pkcs8(curve(algorithm).0, pkcs8).map_err(rejected)?)
            }
            Algorithm::Rs256 | Algorithm::Ps256 => Pair::Rsa(RsaKeyPair::from_pkcs8(pkcs8).map_err(rejected)?),
            Algorithm::EdDsa => Pair::Ed(Ed25519KeyPair::from_pkcs8(pkcs8).map_err(rejected)?),
        };
        Self::of(algorithm, pair)
    }

    /// Reads a key from the document of its kind: PKCS#1 for RSA, SEC 1 for elliptic curves.
    ///
    /// # Errors
    /// [`SigningError::Rejected`].
    pub(super) fn from_traditional(algorithm: Algorithm, der: &[u8]) -> Result<Self, SigningError> {
        let rejected = |_| SigningError::Rejected;
        let pair = match algorithm {
            Algorithm::Es256 | Algorithm::Es384 => {
                Pair::Ec(EcdsaKeyPair::from_private_key_der(curve(algorithm).0, der).map_err(rejected)?)
            }
            Algorithm::Rs256 | Algorithm::Ps256 => Pair::Rsa(RsaKeyPair::from_der(der).map_err(rejected)?),
            Algorithm::EdDsa => return Err(SigningError::Rejected),
        };
        Self::of(algorithm, pair)
    }

    /// Reads a key from the numbers of a JWK: the private one and the public point (SEC 1, uncompressed) or key.
    ///
    /// # Errors
    /// [`SigningError::Rejected`], also when the two do not belong together.
    pub(super) fn from_parts(algorithm: Algorithm, private: &[u8], public: &[u8]) -> Result<Self, SigningError> {
        let rejected = |_| SigningError::Rejected;
        let pair = match algorithm {
            Algorithm::Es256 | Algorithm::Es384 => Pair::Ec(
                EcdsaKeyPair::from_private_key_and_public_key(curve(algorithm).0, private, public).map_err(rejected)?,
            ),
            Algorithm::EdDsa => Pair::Ed(Ed25519KeyPair::from_seed_and_public_key(private, public).map_err(rejected)?),
            Algorithm::Rs256 | Algorithm::Ps256 => return Err(SigningError::Rejected),
        };
        Self::of(algorithm, pair)
    }

    fn of(algorithm: Algorithm, pair: Pair) -> Result<Self, SigningError> {
        let rejected = |_| SigningError::Rejected;
        let (public, members) = match &pair {
            Pair::Ec(pair) => {
                let (_, verification, name, size) = curve(algorithm);
                let point = pair.public_key().as_ref();
                let parsed = ParsedPublicKey::new(verification, point).map_err(rejected)?;
                // SEC 1 section 2.3.3: 0x04, then x and y.
                let (x, y) = point.get(1..=size).zip(point.get(size + 1..)).ok_or(SigningError::Rejected)?;
                (parsed, json!({ "crv": name, "kty": "EC", "x": encode(x), "y": encode(y) }))
            }
            Pair::Rsa(pair) => {
                let verification =
                    if algorithm == Algorithm::Ps256 { &RSA_PSS_2048_8192_SHA256 } else { &RSA_PKCS1_2048_8192_SHA256 };
                let parsed = ParsedPublicKey::new(verification, pair.public_key().as_ref()).map_err(rejected)?;
                let der = pair.public_key().as_der().map_err(|_| SigningError::Rejected)?;
                let (_, spki) = SubjectPublicKeyInfo::from_der(der.as_ref()).map_err(|_| SigningError::Rejected)?;
                let Ok(PublicKey::RSA(key)) = spki.parsed() else { return Err(SigningError::Rejected) };
                (parsed, json!({ "e": uint(key.exponent), "kty": "RSA", "n": uint(key.modulus) }))
            }
            Pair::Ed(pair) => {
                let bytes = pair.public_key().as_ref();
                let parsed = ParsedPublicKey::new(&ED25519, bytes).map_err(rejected)?;
                (parsed, json!({ "crv": "Ed25519", "kty": "OKP", "x": encode(bytes) }))
            }
        };
        // RFC 7638 section 3: the required members only, in the order of their names, without blanks.
        let kid = encode(&sha256(members.to_string().as_bytes()));
        let mut jwk = members;
        if let Some(jwk) = jwk.as_object_mut() {
            jwk.insert("kid".to_owned(), kid.clone().into());
            jwk.insert("alg".to_owned(), algorithm.as_str().into());
            jwk.insert("use".to_owned(), "sig".into());
        }
        Ok(Self { algorithm, pair, public, kid, jwk })
    }

    /// The same key under another id: what a key from elsewhere was known by there.
    #[must_use]
    pub fn named(mut self, kid: &str) -> Self {
        kid.clone_into(&mut self.kid);
        if let Some(jwk) = self.jwk.as_object_mut() {
            jwk.insert("kid".to_owned(), kid.into());
        }
        self
    }

    /// The private key as a PKCS#8 document, to be sealed at once.
    ///
    /// # Errors
    /// [`SigningError::Rejected`].
    pub fn pkcs8(&self) -> Result<Zeroizing<Vec<u8>>, SigningError> {
        let rejected = |_| SigningError::Rejected;
        Ok(Zeroizing::new(match &self.pair {
            Pair::Ec(pair) => pair.to_pkcs8v1().map_err(rejected)?.as_ref().to_vec(),
            Pair::Rsa(pair) => pair.as_der().map_err(rejected)?.as_ref().to_vec(),
            Pair::Ed(pair) => pair.to_pkcs8v1().map_err(rejected)?.as_ref().to_vec(),
        }))
    }

    /// What it signs with.
    #[must_use]
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// RFC 7638 thumbprint, or the name an imported key had.
    #[must_use]
    pub fn kid(&self) -> &str {
        &self.kid
    }

    /// The public key as a JWK, with `kid`, `alg` and `use`; no private member.
    #[must_use]
    pub fn public_jwk(&self) -> &Value {
        &self.jwk
    }

    /// The signature over `message`, as JWS wants it (RFC 7518 section 3.4: r and s of fixed length).
    ///
    /// # Errors
    /// [`SigningError::Sign`].
    pub fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SigningError> {
        let failed = |_| SigningError::Sign;
        match &self.pair {
            Pair::Ec(pair) => Ok(pair.sign(&Rng::for_signatures(), message).map_err(failed)?.as_ref().to_vec()),
            Pair::Ed(pair) => Ok(pair.try_sign(message).map_err(failed)?.as_ref().to_vec()),
            Pair::Rsa(pair) => {
                // RFC 7518 section 3.5: the salt of PSS is as long as the hash, which this encoding does.
                let encoding: &'static dyn RsaEncoding =
                    if self.algorithm == Algorithm::Ps256 { &RSA_PSS_SHA256 } else { &RSA_PKCS1_SHA256 };
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(encoding, &Rng::for_signatures(), message, &mut signature).map_err(failed)?;
                Ok(signature)
            }
        }
    }

    /// Whether `signature` is this key's over `message`.
    #[must_use]
    pub fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        self.public.verify_sig(message, signature).is_ok()
    }
}

/// How an elliptic curve signs and verifies, its name in a JWK, and the bytes of a coordinate.
fn curve(
    algorithm: Algorithm,
) -> (&'static EcdsaSigningAlgorithm, &'static EcdsaVerificationAlgorithm, &'static str, usize) {
    if algorithm == Algorithm::Es384 {
        (&ECDSA_P384_SHA384_FIXED_SIGNING, &ECDSA_P384_SHA384_FIXED, "P-384", 48)
    } else {
        (&ECDSA_P256_SHA256_FIXED_SIGNING, &ECDSA_P256_SHA256_FIXED, "P-256", 32)
    }
}

/// The left half of a value's hash, as `at_hash` and `c_hash` hold it (OpenID Connect Core 1.0 sections 3.1.3.6 and
/// 3.3.2.11): the hash of the ID token's `alg`. Ed25519 signs with SHA-512, so that is its hash.
#[must_use]
pub fn left_half(algorithm: Algorithm, value: &str) -> String {
    let hash = match algorithm {
        Algorithm::Es256 | Algorithm::Rs256 | Algorithm::Ps256 => digest(&SHA256, value.as_bytes()),
        Algorithm::Es384 => digest(&SHA384, value.as_bytes()),
        Algorithm::EdDsa => digest(&SHA512, value.as_bytes()),
    };
    let hash = hash.as_ref();
    encode(hash.get(..hash.len() / 2).unwrap_or_default())
}

fn encode(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// `Base64urlUInt` (RFC 7518 section 2): without leading zero bytes.
fn uint(bytes: &[u8]) -> String {
    let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
    encode(bytes.get(zeros..).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::{SigningKey, left_half};
    use crate::model::Algorithm;

    #[test]
    fn a_key_reads_back_as_itself_and_verifies_its_own_only() {
        for algorithm in Algorithm::ALL {
            let (key, pkcs8) = SigningKey::generate(*algorithm).unwrap();
            let read = SigningKey::from_pkcs8(*algorithm, &pkcs8).unwrap();
            assert_eq!((read.kid(), read.public_jwk()), (key.kid(), key.public_jwk()));
            let signature = key.sign(b"message").unwrap();
            assert!(read.verifies(b"message", &signature));
            assert!(!read.verifies(b"massage", &signature));
            assert!(!SigningKey::generate(*algorithm).unwrap().0.verifies(b"message", &signature));
            for private in ["d", "p", "q", "dp", "dq", "qi", "k"] {
                assert!(key.public_jwk().get(private).is_none());
            }
        }
    }

    /// The halves that each algorithm's hash gives for one token, by `printf … | openssl dgst`.
    #[test]
    fn half_hashes_are_those_of_the_algorithm() {
        for (algorithm, half) in [
            (Algorithm::Es256, "LPJNul-wow4m6Dsqxbning"),
            (Algorithm::Es384, "WeF0h3dEjGnea4ANejO7-5_xtGPkQ1TD"),
            (Algorithm::EdDsa, "m3HSJL1i83hdltRq0-o9czGb-8KJDKra4t_3JRlnPKc"),
        ] {
            assert_eq!(left_half(algorithm, "hello"), half);
        }
        assert_eq!(left_half(Algorithm::Es256, "hello"), left_half(Algorithm::Ps256, "hello"));
    }

    /// RFC 8037 appendix A.3: the thumbprint of the example key.
    #[test]
    fn the_thumbprint_is_that_of_the_standard() {
        let seed = b"\x9d\x61\xb1\x9d\xef\xfd\x5a\x60\xba\x84\x4a\xf4\x92\xec\x2c\xc4\
                     \x44\x49\xc5\x69\x7b\x32\x69\x19\x70\x3b\xac\x03\x1c\xae\x7f\x60";
        let head = b"\x30\x2e\x02\x01\x00\x30\x05\x06\x03\x2b\x65\x70\x04\x22\x04\x20";
        let key = SigningKey::from_pkcs8(Algorithm::EdDsa, &[head.as_slice(), seed].concat()).unwrap();
        assert_eq!(key.kid(), "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
    }
}
