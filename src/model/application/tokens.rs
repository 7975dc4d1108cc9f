//! `[application.tokens]`: form and life of what is issued to an application.

use serde::{Deserialize, Serialize};

use crate::model::{Algorithm, Lifetime};
use crate::string_enum;

use super::Profile;

string_enum! {
    /// What an access token looks like.
    #[derive(Default)]
    TokenFormat {
        /// A signed JWT that services check by themselves (RFC 9068).
        #[default]
        Jwt = "jwt",
        /// A random word that only the broker can read: services ask by introspection (RFC 7662).
        Opaque = "opaque",
    }
}

string_enum! {
    /// How the key of an encrypted token reaches the application (RFC 7518 section 4.1).
    KeyManagement {
        /// Encrypted to an RSA key.
        RsaOaep256 = "RSA-OAEP-256",
        /// Agreed with a key on P-256 or P-384.
        EcdhEs = "ECDH-ES",
        /// Wrapped by a key agreed so.
        EcdhEsA256Kw = "ECDH-ES+A256KW",
    }
}

string_enum! {
    /// How the content of an encrypted token is encrypted (RFC 7518 section 5.1).
    ContentEncryption {
        /// AES-128 in CBC mode with HMAC-SHA-256: what is assumed where nothing is said.
        A128CbcHs256 = "A128CBC-HS256",
        /// AES-256 in Galois/Counter mode.
        A256Gcm = "A256GCM",
    }
}

/// How something is encrypted to an application.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Encryption {
    /// How the key travels.
    pub alg: KeyManagement,
    /// How the content is encrypted.
    pub enc: ContentEncryption,
}

/// `[application.tokens]`. One struct is what the configuration says and what is stored. Names are those of dynamic
/// registration (OpenID Connect Dynamic Client Registration 1.0 section 2, RFC 9701 section 6) where it has one.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TokenSettings {
    /// What its access tokens look like.
    pub format: TokenFormat,
    /// Life of its access tokens; the older `access_token_lifetime` of the application, or `[oidc]`, when missing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub access_token_lifetime: Option<Lifetime>,
    /// Life of its ID tokens.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id_token_lifetime: Option<Lifetime>,
    /// Life of its authorization codes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code_lifetime: Option<Lifetime>,
    /// A refresh token of it that is unused for so long dies.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refresh_idle: Option<Lifetime>,
    /// Its grants die after so long in any case.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refresh_absolute: Option<Lifetime>,
    /// `alg` of its ID tokens; its `signing_algorithm`, or `[oidc] algorithm`, when missing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id_token_signed_response_alg: Option<Algorithm>,
    /// How its ID tokens are encrypted; they are not when missing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id_token_encrypted_response_alg: Option<KeyManagement>,
    /// How the content of its encrypted ID tokens is encrypted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id_token_encrypted_response_enc: Option<ContentEncryption>,
    /// `UserInfo` is answered as a JWT signed so; as plain JSON when missing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub userinfo_signed_response_alg: Option<Algorithm>,
    /// `UserInfo` is answered as a JWE of this kind.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub userinfo_encrypted_response_alg: Option<KeyManagement>,
    /// How the content of its encrypted `UserInfo` answers is encrypted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub userinfo_encrypted_response_enc: Option<ContentEncryption>,
    /// `alg` of the signed introspection answers it asks for (RFC 9701).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub introspection_signed_response_alg: Option<Algorithm>,
}

impl TokenSettings {
    /// How its ID tokens are encrypted.
    #[must_use]
    pub fn id_token_encryption(&self) -> Option<Encryption> {
        encryption(self.id_token_encrypted_response_alg, self.id_token_encrypted_response_enc)
    }

    /// How its `UserInfo` answers are encrypted.
    #[must_use]
    pub fn userinfo_encryption(&self) -> Option<Encryption> {
        encryption(self.userinfo_encrypted_response_alg, self.userinfo_encrypted_response_enc)
    }

    /// What is wrong, each with its key: an encryption that says only half, and what FAPI 2.0 forbids.
    #[must_use]
    pub fn problems(&self, profile: Profile) -> Vec<String> {
        let mut problems = Vec::new();
        for (name, alg, enc) in [
            ("id_token", self.id_token_encrypted_response_alg, self.id_token_encrypted_response_enc),
            ("userinfo", self.userinfo_encrypted_response_alg, self.userinfo_encrypted_response_enc),
        ] {
            if alg.is_none() && enc.is_some() {
                problems.push(format!(
                    "tokens.{name}_encrypted_response_enc: give {name}_encrypted_response_alg too, such as \"RSA-OAEP-256\""
                ));
            }
        }
        let signed = [
            self.id_token_signed_response_alg,
            self.userinfo_signed_response_alg,
            self.introspection_signed_response_alg,
        ];
        if profile == Profile::Fapi2 && signed.contains(&Some(Algorithm::Rs256)) {
            problems.push("tokens: FAPI 2.0 knows PS256, ES256 and EdDSA, not RS256".to_owned());
        }
        if profile == Profile::Fapi2 && self.code_lifetime.is_some_and(|life| life > Lifetime::seconds(60)) {
            problems.push("tokens.code_lifetime: FAPI 2.0 allows 60s at the most".to_owned());
        }
        problems
    }
}

fn encryption(alg: Option<KeyManagement>, enc: Option<ContentEncryption>) -> Option<Encryption> {
    alg.map(|alg| Encryption { alg, enc: enc.unwrap_or(ContentEncryption::A128CbcHs256) })
}
