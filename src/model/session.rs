//! One sign-in at the broker, shared by all applications.

use serde::{Deserialize, Serialize};

use super::{OperatorId, SessionId, UserId};
use crate::string_enum;
use crate::time::Instant;

string_enum! {
    /// Why a session or a grant ended.
    EndReason {
        /// The person signed out.
        SignedOut = "signed_out",
        /// Revoked from the list of sessions.
        Revoked = "revoked",
        /// The person was disabled by a sync or an administrator.
        Disabled = "disabled",
        /// Replaced by another person's sign-in in the same browser, or by one after it had expired.
        Replaced = "replaced",
        /// Not used for too long, or at the end of its life.
        Expired = "expired",
        /// A refresh token or code was used twice.
        Reused = "reused",
        /// The application revoked its token.
        ApplicationRevoked = "application_revoked",
        /// The person took back what they had agreed to.
        ConsentWithdrawn = "consent_withdrawn",
        /// The application was removed or disabled.
        ApplicationRemoved = "application_removed",
    }
}

/// A session. The cookie holds the token, the table only its keyed hash.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, sqlx::FromRow)]
pub struct Session {
    /// Public id: the `sid` of tokens.
    pub id: SessionId,
    /// Keyed hash of the cookie's token.
    #[serde(skip)]
    pub token_hash: String,
    /// The person; none for a recovery administrator's session.
    pub user_id: Option<UserId>,
    /// The recovery administrator; none for a person's session.
    pub operator_id: Option<OperatorId>,
    /// When the person last proved who they are.
    pub auth_time: Instant,
    /// How (RFC 8176 values, space separated).
    pub amr: String,
    /// Address of the last proof.
    pub address: String,
    /// Browser of the last proof.
    pub user_agent: String,
    /// When opened.
    pub created_at: Instant,
    /// When last used.
    pub last_seen_at: Instant,
    /// Ends unless used before.
    pub idle_expires_at: Instant,
    /// Ends in any case, unless the person proves themselves again before.
    pub expires_at: Instant,
    /// When ended early.
    pub ended_at: Option<Instant>,
    /// Why ended early.
    pub ended_reason: Option<EndReason>,
}

impl Session {
    /// Whether the session still stands at `now`.
    #[must_use]
    pub fn is_live(&self, now: Instant) -> bool {
        self.ended_at.is_none() && now < self.idle_expires_at && now < self.expires_at
    }
}
