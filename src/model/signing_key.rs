//! Signing keys as stored: sealed, with a state.

use sqlx::types::Json;

use super::Algorithm;
use crate::string_enum;
use crate::time::Instant;

string_enum! {
    /// Where a key stands in its life: published before it signs, published after it signed.
    KeyState {
        /// Published, does not sign yet.
        Next = "next",
        /// Signs.
        Active = "active",
        /// Signs no more; published until the last token it signed is dead.
        Retired = "retired",
    }
}

/// A signing key. The private half is sealed with the master key.
#[derive(Clone, PartialEq, Debug, sqlx::FromRow)]
pub struct SigningKeyRow {
    /// RFC 7638 thumbprint of the public key.
    pub kid: String,
    /// What it signs with.
    pub algorithm: Algorithm,
    /// Where it stands.
    pub state: KeyState,
    /// PKCS#8, sealed.
    pub sealed: String,
    /// The public key as a JWK (RFC 7517).
    pub public_jwk: Json<serde_json::Value>,
    /// When made, which is when it was first published.
    pub created_at: Instant,
    /// When it began to sign.
    pub activated_at: Option<Instant>,
    /// When it ceased to sign.
    pub retired_at: Option<Instant>,
}
