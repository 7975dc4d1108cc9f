//! Pushed authorization requests (RFC 9126).

use crate::time::Instant;

/// An authorization request that an application pushed ahead: stored under the hash of its `request_uri`, good for one
/// answer.
#[derive(Clone, PartialEq, Eq, Debug, sqlx::FromRow)]
pub struct PushedRequest {
    /// Keyed hash of the reference.
    pub request_hash: String,
    /// Who pushed it.
    pub application_id: String,
    /// The parameters, form-encoded, without what proved the application.
    pub parameters: String,
    /// Whether it came as a signed request object (RFC 9101).
    pub is_signed: bool,
    /// When pushed.
    pub created_at: Instant,
    /// Dead after that.
    pub expires_at: Instant,
    /// When a browser first came with it and was sent to a page of ours.
    pub opened_at: Option<Instant>,
    /// When it was answered.
    pub used_at: Option<Instant>,
}
