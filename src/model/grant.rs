//! Grants and what hangs on them: authorization codes and refresh tokens.

use super::{EndReason, GrantId, SessionId, UserId};
use crate::time::Instant;

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
