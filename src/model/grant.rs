//! Grants and what hangs on them: authorization codes and refresh tokens.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use sqlx::types::Json;

use super::{EndReason, GrantId, SessionId, UserId};
use crate::time::Instant;

/// What tokens are bound to (RFC 7800 `cnf`): whoever uses them proves that they hold the key.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Confirmation {
    /// The RFC 7638 thumbprint of a key, proved by DPoP (RFC 9449 section 6).
    #[serde(rename = "jkt")]
    Key(String),
    /// The SHA-256 of a client certificate, in base64url (RFC 8705 section 3.1).
    #[serde(rename = "x5t#S256")]
    Certificate(String),
}

/// What was granted beyond scopes, stored as one document.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct GrantDetails {
    /// The APIs that tokens may be for (RFC 8707); the application's audience when empty.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub resources: Vec<String>,
    /// What may be done, in detail (RFC 9396).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub authorization_details: Vec<Value>,
    /// Single claims asked for (OpenID Connect Core 1.0 section 5.5).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub claims: Option<Value>,
    /// How strongly the person had proved who they are.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub acr: Option<String>,
    /// It rests on a consent of the person: with the consent it ends.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub consented: bool,
    /// What code and refresh tokens are bound to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub confirmation: Option<Confirmation>,
    /// Who acts for the person (RFC 8693 section 4.1 `act`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub actor: Option<Value>,
}

/// All that was issued from one authorization. Revoking it kills every refresh and access token of it.
#[derive(Clone, PartialEq, Eq, Debug, sqlx::FromRow)]
pub struct Grant {
    /// Id, carried by access tokens.
    pub id: GrantId,
    /// To which application.
    pub application_id: String,
    /// By whom.
    pub user_id: Option<UserId>,
    /// From which session.
    pub session_id: Option<SessionId>,
    /// What was granted, space separated.
    pub scope: String,
    /// When the person had last proved who they are.
    pub auth_time: Instant,
    /// How (RFC 8176 values, space separated).
    pub amr: String,
    /// When granted.
    pub created_at: Instant,
    /// Dead after that in any case.
    pub expires_at: Instant,
    /// When ended early.
    pub revoked_at: Option<Instant>,
    /// Why ended early.
    pub revoked_reason: Option<EndReason>,
    /// What was granted beyond scopes.
    pub details: Json<GrantDetails>,
}

impl Grant {
    /// Whether the grant still stands at `now`.
    #[must_use]
    pub fn is_live(&self, now: Instant) -> bool {
        self.revoked_at.is_none() && now < self.expires_at
    }

    /// Whether `scope` was granted.
    #[must_use]
    pub fn has_scope(&self, scope: &str) -> bool {
        self.scope.split(' ').any(|granted| granted == scope)
    }
}

/// An authorization code (RFC 6749 section 4.1.2): stored hashed, good for one redemption.
#[derive(Clone, PartialEq, Eq, Debug, sqlx::FromRow)]
pub struct AuthorizationCode {
    /// Keyed hash of the code.
    pub code_hash: String,
    /// The grant it stands for.
    pub grant_id: GrantId,
    /// Redirect URI of the authorization request, which the token request must repeat.
    pub redirect_uri: String,
    /// `nonce` of the authorization request.
    pub nonce: Option<String>,
    /// PKCE challenge, S256.
    pub code_challenge: Option<String>,
    /// When made.
    pub created_at: Instant,
    /// Dead after that.
    pub expires_at: Instant,
    /// When redeemed.
    pub used_at: Option<Instant>,
}

/// A refresh token (RFC 6749 section 1.5): stored hashed, replaced at each use.
#[derive(Clone, PartialEq, Eq, Debug, sqlx::FromRow)]
pub struct RefreshToken {
    /// Keyed hash of the token.
    pub token_hash: String,
    /// The grant it belongs to.
    pub grant_id: GrantId,
    /// When made.
    pub created_at: Instant,
    /// Dead after that unless used before.
    pub expires_at: Instant,
    /// When used.
    pub used_at: Option<Instant>,
}
