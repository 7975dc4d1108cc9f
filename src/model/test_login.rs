//! One-time links for looking at what an application would be told.

use crate::time::Instant;

/// A link. Its token is stored hashed.
#[derive(Clone, PartialEq, Eq, Debug, sqlx::FromRow)]
pub struct TestLogin {
    /// Keyed hash of the token.
    pub token_hash: String,
    /// Which application is tried.
    pub application_id: String,
    /// What it asks for; everything it may have when none.
    pub scope: Option<String>,
    /// When made.
    pub created_at: Instant,
    /// Dead after that.
    pub expires_at: Instant,
    /// When used.
    pub used_at: Option<Instant>,
}
