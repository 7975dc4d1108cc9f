//! `[application.proof]`: how an application proves itself without a shared secret, and what its tokens are bound to.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use url::Url;

use crate::string_enum;

string_enum! {
    /// Algorithms of what applications sign (RFC 7518 section 3.1, RFC 8037 section 3.1).
    ProofAlgorithm {
        /// ECDSA on P-256 with SHA-256.
        Es256 = "ES256",
        /// ECDSA on P-384 with SHA-384.
        Es384 = "ES384",
        /// RSASSA-PSS with SHA-256.
        Ps256 = "PS256",
        /// RSASSA-PKCS1-v1_5 with SHA-256.
        Rs256 = "RS256",
        /// Ed25519.
        EdDsa = "EdDSA",
        /// HMAC with SHA-256 under a shared secret: for `client_secret_jwt` alone.
        Hs256 = "HS256",
    }
}

impl ProofAlgorithm {
    /// Those with a key pair.
    pub const ASYMMETRIC: &[Self] = &[Self::Es256, Self::Es384, Self::Ps256, Self::Rs256, Self::EdDsa];
    /// Those of the FAPI 2.0 Security Profile, section 5.4.1.
    pub const FAPI2: &[Self] = &[Self::Ps256, Self::Es256, Self::EdDsa];

    /// The algorithm that `alg` names. `Ed25519` is what newer clients call `EdDSA` (RFC 9864).
    #[must_use]
    pub fn of_header(alg: &str) -> Option<Self> {
        if alg == "Ed25519" { Some(Self::EdDsa) } else { alg.parse().ok() }
    }
}

/// `[application.proof]`. One struct is what the configuration says and what is stored.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ProofSettings {
    /// Its public keys as a JWK set (RFC 7517 section 5): an object, or its text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub jwks: Option<Value>,
    /// A file with that JWK set, read at start; only in the configuration.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub jwks_file: Option<String>,
    /// Where the JWK set is fetched from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub jwks_uri: Option<Url>,
}

impl ProofSettings {
    /// What is wrong with these settings, in words for whoever wrote them.
    #[must_use]
    pub fn problems(&self) -> Vec<String> {
        let mut problems = Vec::new();
        let sources = [self.jwks.is_some(), self.jwks_file.is_some(), self.jwks_uri.is_some()];
        if sources.iter().filter(|is_there| **is_there).count() > 1 {
            problems.push("proof: jwks, jwks_file and jwks_uri exclude each other: keep one".to_owned());
        }
        if let Some(Err(why)) = self.jwks.as_ref().map(check_jwks) {
            problems.push(format!("proof: jwks {why}"));
        }
        if let Some(uri) = &self.jwks_uri
            && (!matches!(uri.scheme(), "https" | "http") || uri.host().is_none())
        {
            problems.push(format!("proof: jwks_uri `{uri}` must begin with https://"));
        }
        problems
    }
}

/// Whether this has the shape of a JWK set without private keys: an object with `keys`, or the text of one.
///
/// # Errors
/// What is wrong, to be put after the name of the setting.
pub fn check_jwks(jwks: &Value) -> Result<(), String> {
    let read;
    let set = match jwks {
        Value::String(text) => {
            read = serde_json::from_str::<Value>(text).map_err(|error| format!("is no JSON: {error}"))?;
            &read
        }
        other => other,
    };
    let keys = set.get("keys").and_then(Value::as_array).ok_or("is no JWK set: an object with an array `keys`")?;
    let is_private = |key: &Value| key.get("d").is_some() || key.get("k").is_some();
    if keys.iter().any(is_private) {
        return Err("holds a private or shared key: give the public half only, and make a new key pair".to_owned());
    }
    if keys.is_empty() { Err("holds no key".to_owned()) } else { Ok(()) }
}
