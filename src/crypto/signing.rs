//! Signing keys: aws-lc-rs key pairs, parsed once and kept in memory.
//!
//! A key's `kid` is its RFC 7638 thumbprint, so that two nodes never disagree about it. The private half leaves this
//! file only as PKCS#8 for sealing.

use aws_lc_rs::encoding::AsDer as _;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, ED25519, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _,
    ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_SHA256, RsaKeyPair,
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
    Es256(EcdsaKeyPair),
    Rs256(RsaKeyPair),
    EdDsa(Ed25519KeyPair),
}

/// A key pair that signs and verifies.
pub struct SigningKey {
    pair: Pair,
    public: ParsedPublicKey,
    kid: String,
    jwk: Value,
}

impl std::fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SigningKey({} {}, hidden)", self.algorithm(), self.kid)
    }
}

impl SigningKey {
    /// Makes a new key; gives its PKCS#8 document too, which is to be sealed at once.
    ///
    /// # Errors
    /// [`SigningError::Generate`].
    pub fn generate(algorithm: Algorithm) -> Result<(Self, Zeroizing<Vec<u8>>), SigningError> {
        let failed = |_| SigningError::Generate;
        let (pair, pkcs8) = match algorithm {
            Algorithm::Es256 => {
                let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).map_err(failed)?;
                let pkcs8 = pair.to_pkcs8v1().map_err(failed)?.as_ref().to_vec();
                (Pair::Es256(pair), pkcs8)
            }
            Algorithm::Rs256 => {
                let pair = RsaKeyPair::generate(KeySize::Rsa2048).map_err(failed)?;
                let pkcs8 = pair.as_der().map_err(failed)?.as_ref().to_vec();
                (Pair::Rs256(pair), pkcs8)
            }
            Algorithm::EdDsa => {
                let pair = Ed25519KeyPair::generate().map_err(failed)?;
                let pkcs8 = pair.to_pkcs8v1().map_err(failed)?.as_ref().to_vec();
                (Pair::EdDsa(pair), pkcs8)
            }
        };
        Ok((Self::of(pair)?, Zeroizing::new(pkcs8)))
    }

    /// Reads a key from PKCS#8.
    ///
    /// # Errors
    /// [`SigningError::Rejected`].
    pub fn from_pkcs8(algorithm: Algorithm, pkcs8: &[u8]) -> Result<Self, SigningError> {
        let rejected = |_| SigningError::Rejected;
        Self::of(match algorithm {
            Algorithm::Es256 => {
                Pair::Es256(EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8).map_err(rejected)?)
            }
            Algorithm::Rs256 => Pair::Rs256(RsaKeyPair::from_pkcs8(pkcs8).map_err(rejected)?),
            Algorithm::EdDsa => Pair::EdDsa(Ed25519KeyPair::from_pkcs8(pkcs8).map_err(rejected)?),
        })
    }

    fn of(pair: Pair) -> Result<Self, SigningError> {
        let rejected = |_| SigningError::Rejected;
        let (public, members) = match &pair {
            Pair::Es256(pair) => {
                let point = pair.public_key().as_ref();
                let parsed = ParsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point).map_err(rejected)?;
                // SEC 1 section 2.3.3: 0x04, then x and y of 32 bytes each.
                let (x, y) = point.get(1..33).zip(point.get(33..65)).ok_or(SigningError::Rejected)?;
                (parsed, json!({ "crv": "P-256", "kty": "EC", "x": encode(x), "y": encode(y) }))
            }
            Pair::Rs256(pair) => {
                let parsed =
                    ParsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, pair.public_key().as_ref()).map_err(rejected)?;
                let der = pair.public_key().as_der().map_err(|_| SigningError::Rejected)?;
                let (_, spki) = SubjectPublicKeyInfo::from_der(der.as_ref()).map_err(|_| SigningError::Rejected)?;
                let Ok(PublicKey::RSA(key)) = spki.parsed() else { return Err(SigningError::Rejected) };
                (parsed, json!({ "e": uint(key.exponent), "kty": "RSA", "n": uint(key.modulus) }))
            }
            Pair::EdDsa(pair) => {
                let bytes = pair.public_key().as_ref();
                let parsed = ParsedPublicKey::new(&ED25519, bytes).map_err(rejected)?;
                (parsed, json!({ "crv": "Ed25519", "kty": "OKP", "x": encode(bytes) }))
            }
        };
        // RFC 7638 section 3: the required members only, in the order of their names, without blanks.
        let kid = encode(&sha256(members.to_string().as_bytes()));
        let mut key = Self { pair, public, kid, jwk: members };
        if let Some(jwk) = key.jwk.as_object_mut() {
            jwk.insert("kid".to_owned(), key.kid.clone().into());
            jwk.insert("alg".to_owned(), algorithm(&key.pair).as_str().into());
            jwk.insert("use".to_owned(), "sig".into());
        }
        Ok(key)
    }

    /// What it signs with.
    #[must_use]
    pub fn algorithm(&self) -> Algorithm {
        algorithm(&self.pair)
    }

    /// RFC 7638 thumbprint.
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
            Pair::Es256(pair) => Ok(pair.sign(&Rng::for_signatures(), message).map_err(failed)?.as_ref().to_vec()),
            Pair::EdDsa(pair) => Ok(pair.try_sign(message).map_err(failed)?.as_ref().to_vec()),
            Pair::Rs256(pair) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(&RSA_PKCS1_SHA256, &Rng::for_signatures(), message, &mut signature).map_err(failed)?;
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

fn algorithm(pair: &Pair) -> Algorithm {
    match pair {
        Pair::Es256(_) => Algorithm::Es256,
        Pair::Rs256(_) => Algorithm::Rs256,
        Pair::EdDsa(_) => Algorithm::EdDsa,
    }
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
    use super::SigningKey;
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
