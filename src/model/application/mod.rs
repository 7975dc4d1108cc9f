//! Applications: systems that people sign in to, and services that call others.

mod claim_rule;
mod details;
mod grants;
mod identity;
mod logout;
mod proof;
mod request;
mod tokens;

use serde::{Deserialize, Serialize};
use sqlx::types::Json;

pub use claim_rule::{ClaimPlace, ClaimRule, PersonField, TemplatePart, template_parts};
pub use details::{DetailField, DetailType, FieldKind};
pub use grants::{BackchannelMode, GrantSettings};
pub use identity::{ConsentRule, IdentitySettings, RESERVED_CLAIMS, SubjectType};
pub use logout::LogoutSettings;
pub use proof::{ProofAlgorithm, ProofSettings, check_jwks};
pub use request::{RequestSettings, ResponseType};
pub use tokens::{ContentEncryption, Encryption, KeyManagement, TokenFormat, TokenSettings};

use crate::string_enum;
use crate::time::Instant;

string_enum! {
    /// How an application proves itself at the token endpoint (RFC 7591 section 2 names).
    AuthMethod {
        /// HTTP Basic with form-encoded id and secret.
        ClientSecretBasic = "client_secret_basic",
        /// Id and secret in the body.
        ClientSecretPost = "client_secret_post",
        /// A JWT under the shared secret (RFC 7523, `HS256`).
        ClientSecretJwt = "client_secret_jwt",
        /// A JWT under the application's private key (RFC 7523).
        PrivateKeyJwt = "private_key_jwt",
        /// A certificate of a trusted authority (RFC 8705 section 2.1).
        TlsClientAuth = "tls_client_auth",
        /// A certificate whose key the application registered (RFC 8705 section 2.2).
        SelfSignedTlsClientAuth = "self_signed_tls_client_auth",
        /// A public client: PKCE only.
        None = "none",
    }
}

impl AuthMethod {
    /// Whether it rests on a shared secret.
    #[must_use]
    pub const fn has_secret(self) -> bool {
        matches!(self, Self::ClientSecretBasic | Self::ClientSecretPost | Self::ClientSecretJwt)
    }

    /// Whether it rests on a certificate.
    #[must_use]
    pub const fn has_certificate(self) -> bool {
        matches!(self, Self::TlsClientAuth | Self::SelfSignedTlsClientAuth)
    }

    /// Whether it rests on keys that the application registered.
    #[must_use]
    pub const fn has_keys(self) -> bool {
        matches!(self, Self::PrivateKeyJwt | Self::SelfSignedTlsClientAuth)
    }
}

string_enum! {
    /// What an application may ask for at the token endpoint (RFC 7591 section 2 names).
    GrantType {
        /// RFC 6749 section 4.1.
        AuthorizationCode = "authorization_code",
        /// RFC 6749 section 6.
        RefreshToken = "refresh_token",
        /// RFC 6749 section 4.4.
        ClientCredentials = "client_credentials",
        /// OpenID Connect CIBA Core 1.0.
        Ciba = "urn:openid:params:grant-type:ciba",
        /// RFC 7523 section 2.1.
        JwtBearer = "urn:ietf:params:oauth:grant-type:jwt-bearer",
        /// RFC 8693.
        TokenExchange = "urn:ietf:params:oauth:grant-type:token-exchange",
        /// RFC 8628.
        DeviceCode = "urn:ietf:params:oauth:grant-type:device_code",
    }
}

string_enum! {
    /// Which rules hold for an application as a whole.
    #[derive(Default)]
    Profile {
        /// The rules of OAuth 2.1 and OpenID Connect, as its other settings say.
        #[default]
        Standard = "standard",
        /// FAPI 2.0 Security Profile: pushed requests, keys instead of secrets, tokens bound to a key.
        Fapi2 = "fapi2",
    }
}

/// What is known of an application. The id is its OAuth `client_id`.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, sqlx::FromRow)]
pub struct Application {
    /// Client id.
    pub id: String,
    /// Name as shown to people.
    pub name: String,
    /// Declared in the configuration: read-only at run time.
    pub declared: bool,
    /// Switched off applications get nothing.
    pub enabled: bool,
    /// The one accepted way to authenticate.
    pub auth_method: AuthMethod,
    /// Keyed hash of the secret; none for public clients.
    #[serde(skip)]
    pub secret_hash: Option<String>,
    /// Since when the secret is that one.
    pub secret_since: Option<Instant>,
    /// Keyed hash of the secret before, while both are accepted.
    #[serde(skip)]
    pub old_secret_hash: Option<String>,
    /// Until when the secret before is accepted; without an end where the configuration names two.
    pub old_secret_until: Option<Instant>,
    /// Everything else.
    pub settings: Json<ApplicationSettings>,
    /// When made.
    pub created_at: Instant,
    /// When last changed.
    pub updated_at: Instant,
}

impl Application {
    /// The hash of the secret before, where it is still accepted at `now`.
    #[must_use]
    pub fn old_secret(&self, now: Instant) -> Option<&str> {
        let is_over = self.old_secret_until.is_some_and(|until| now >= until);
        self.old_secret_hash.as_deref().filter(|_| !is_over)
    }
}

/// The settings of an application, stored as one document.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct ApplicationSettings {
    /// Exact redirect URIs.
    pub redirect_uris: Vec<String>,
    /// Exact URIs to return to after logout.
    pub post_logout_redirect_uris: Vec<String>,
    /// Allowed grants.
    pub grant_types: Vec<GrantType>,
    /// Scopes it may ask for.
    pub scopes: Vec<String>,
    /// Where the portal sends people; none hides it there.
    pub launch_url: Option<String>,
    /// One line for the portal.
    pub description: Option<String>,
    /// PKCE demanded of a confidential client too.
    pub require_pkce: bool,
    /// `aud` of its access tokens; the configured default when empty.
    pub audience: Vec<String>,
    /// `alg` of its tokens; the configured default when none.
    pub signing_algorithm: Option<String>,
    /// Lifetime of its access tokens in seconds; the configured default when none.
    pub access_token_seconds: Option<i64>,
    /// Which rules hold for it as a whole.
    pub profile: Profile,
    /// Authorization requests: what it may send, and how it is answered.
    pub request: RequestSettings,
    /// What it learns of a person, under which name, and whether the person is asked.
    pub identity: IdentitySettings,
    /// How it proves itself, and what its tokens are bound to.
    pub proof: ProofSettings,
    /// Form and life of its tokens.
    pub tokens: TokenSettings,
    /// Limits of the grants beyond code and refresh token.
    pub grants: GrantSettings,
    /// How it learns that a session ended.
    pub logout: LogoutSettings,
}
