//! `[application.proof]`: how an application proves itself without a shared secret, and what its tokens are bound to.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use url::Url;

use super::{AuthMethod, Profile};
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
#[expect(clippy::struct_excessive_bools, reason = "members of the standards")]
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
    /// The one algorithm of its assertions; PS256, ES256 or `EdDSA` when none. RS256 and ES384 have to be named here.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub signing_algorithm: Option<ProofAlgorithm>,
    /// An assertion may be for any endpoint of ours, and for others too: for old clients only.
    #[serde(skip_serializing_if = "is_not")]
    pub wide_audience: bool,
    /// The subject of its certificate, as in RFC 4514.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tls_client_auth_subject_dn: Option<String>,
    /// A DNS name of its certificate.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tls_client_auth_san_dns: Option<String>,
    /// A URI of its certificate.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tls_client_auth_san_uri: Option<String>,
    /// An address of its certificate.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tls_client_auth_san_ip: Option<IpAddr>,
    /// A mail address of its certificate.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tls_client_auth_san_email: Option<String>,
    /// Its tokens are bound to its certificate (RFC 8705 section 3); without one it gets none.
    #[serde(skip_serializing_if = "is_not")]
    pub tls_client_certificate_bound_access_tokens: bool,
    /// Its tokens are bound to a key by `DPoP` (RFC 9449 section 5.2); without a proof it gets none.
    #[serde(skip_serializing_if = "is_not")]
    pub dpop_bound_access_tokens: bool,
    /// Its proofs carry a nonce of ours (RFC 9449 section 8).
    #[serde(skip_serializing_if = "is_not")]
    pub dpop_nonce: bool,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "what serde calls it with")]
fn is_not(value: &bool) -> bool {
    !*value
}

impl ProofSettings {
    /// What is wrong with these settings of an application of this method and profile, in words for whoever wrote them.
    #[must_use]
    pub fn problems(&self, method: AuthMethod, profile: Profile) -> Vec<String> {
        let mut problems = self.key_problems();
        let has_keys = self.jwks.is_some() || self.jwks_file.is_some() || self.jwks_uri.is_some();
        if method.has_keys() && !has_keys {
            problems.push(format!("proof: {method} needs its public keys: set jwks, jwks_file or jwks_uri"));
        }
        let names = [
            self.tls_client_auth_subject_dn.is_some(),
            self.tls_client_auth_san_dns.is_some(),
            self.tls_client_auth_san_uri.is_some(),
            self.tls_client_auth_san_ip.is_some(),
            self.tls_client_auth_san_email.is_some(),
        ];
        let names = names.iter().filter(|is_there| **is_there).count();
        if method == AuthMethod::TlsClientAuth && names != 1 {
            problems.push(format!("proof: tls_client_auth needs exactly one tls_client_auth_* name, not {names}"));
        } else if method != AuthMethod::TlsClientAuth && names != 0 {
            problems.push("proof: tls_client_auth_* names go with auth_method = \"tls_client_auth\" only".to_owned());
        }
        if self
            .signing_algorithm
            .is_some_and(|one| (one == ProofAlgorithm::Hs256) != (method == AuthMethod::ClientSecretJwt))
        {
            problems.push("proof: signing_algorithm does not go with auth_method".to_owned());
        }
        if self.dpop_bound_access_tokens && self.tls_client_certificate_bound_access_tokens {
            problems.push("proof: tokens are bound to a key or to a certificate, not to both: keep one".to_owned());
        }
        if profile == Profile::Fapi2 {
            if !(method == AuthMethod::PrivateKeyJwt || method.has_certificate()) {
                problems.push(format!(
                    "profile fapi2 does not take {method}: use private_key_jwt, tls_client_auth or self_signed_tls_client_auth"
                ));
            }
            if self.wide_audience || self.signing_algorithm.is_some_and(|one| !ProofAlgorithm::FAPI2.contains(&one)) {
                problems.push(
                    "proof: profile fapi2 takes neither wide_audience nor other algorithms than PS256, ES256, EdDSA"
                        .to_owned(),
                );
            }
        }
        problems
    }

    fn key_problems(&self) -> Vec<String> {
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
