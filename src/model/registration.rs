//! Applications that registered themselves (RFC 7591).

use serde_json::{Map, Value};
use sqlx::types::Json;

use crate::time::Instant;

/// What was registered, beside the application itself.
#[derive(Clone, PartialEq, Debug, sqlx::FromRow)]
pub struct Registration {
    /// Client id.
    pub application_id: String,
    /// Keyed hash of the registration access token (RFC 7592 section 3).
    pub token_hash: String,
    /// The members that count, as they are answered.
    pub document: Json<Map<String, Value>>,
    /// When registered.
    pub created_at: Instant,
    /// When last changed.
    pub updated_at: Instant,
}
