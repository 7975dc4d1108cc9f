//! `[oidc]`: lifetimes, algorithm and audience of what the OpenID provider issues.

use serde::Deserialize;

use super::Lifetime;
use crate::model::Algorithm;

/// `[oidc]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct OidcConfig {
    /// Algorithm of tokens, where an application does not choose.
    pub algorithm: Algorithm,
    /// Life of an authorization code.
    pub code_lifetime: Lifetime,
    /// Life of an access token.
    pub access_token_lifetime: Lifetime,
    /// Life of an ID token.
    pub id_token_lifetime: Lifetime,
    /// A refresh token unused for so long dies.
    pub refresh_idle: Lifetime,
    /// A grant with its refresh tokens dies after so long in any case.
    pub refresh_absolute: Lifetime,
    /// A refresh token used twice within so long (browser tabs) does not kill the grant.
    pub refresh_grace: Lifetime,
    /// A device waits so long for a person to type its code (RFC 8628).
    pub device_code_lifetime: Lifetime,
    /// A person is waited for so long at the most when an application asks for them (CIBA).
    pub backchannel_lifetime: Lifetime,
    /// `aud` of access tokens, where an application does not choose; the issuer with `/api` when none.
    pub audience: Option<String>,
    /// Every application pushes its authorization requests (RFC 9126).
    pub require_pushed_authorization_requests: bool,
    /// Life of a pushed request until a browser comes with it: 5 seconds to 10 minutes.
    pub pushed_request_lifetime: Lifetime,
    /// How long a new key is published before it signs.
    pub key_publish_ahead: Lifetime,
    /// `[oidc.keys]`: when keys are changed.
    pub keys: KeysConfig,
}

/// `[oidc.keys]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct KeysConfig {
    /// Whether a running broker changes keys by itself; otherwise only `yaopai key rotate` does.
    pub automatic: bool,
    /// How long a key signs.
    pub rotate_every: Lifetime,
}

impl Default for KeysConfig {
    fn default() -> Self {
        Self { automatic: true, rotate_every: Lifetime::seconds(90 * 86_400) }
    }
}

impl Default for OidcConfig {
    fn default() -> Self {
        Self {
            algorithm: Algorithm::Es256,
            code_lifetime: Lifetime::seconds(60),
            access_token_lifetime: Lifetime::seconds(600),
            id_token_lifetime: Lifetime::seconds(600),
            refresh_idle: Lifetime::seconds(14 * 86_400),
            refresh_absolute: Lifetime::seconds(90 * 86_400),
            refresh_grace: Lifetime::seconds(5),
            device_code_lifetime: Lifetime::seconds(600),
            backchannel_lifetime: Lifetime::seconds(300),
            audience: None,
            require_pushed_authorization_requests: false,
            pushed_request_lifetime: Lifetime::seconds(90),
            key_publish_ahead: Lifetime::seconds(86_400),
            keys: KeysConfig::default(),
        }
    }
}

impl OidcConfig {
    pub(super) fn check(&self, problems: &mut Vec<String>) {
        if !(5..600).contains(&self.pushed_request_lifetime.0.num_seconds()) {
            problems.push("oidc.pushed_request_lifetime must be from 5 seconds to under 10 minutes".to_owned());
        }
    }
}
