//! An administrator that lives in no directory.

use super::OperatorId;
use crate::time::Instant;

/// The recovery administrator: gets in when no directory answers. Its password works for one sign-in.
#[derive(Clone, PartialEq, Eq, Debug, sqlx::FromRow)]
pub struct Operator {
    /// Our id.
    pub id: OperatorId,
    /// Login name.
    pub login: String,
    /// Login name folded for comparison.
    pub login_key: String,
    /// Argon2id PHC string.
    pub password_hash: String,
    /// Whether the password works only once.
    pub one_time: bool,
    /// When it was last used.
    pub used_at: Option<Instant>,
    /// When made.
    pub created_at: Instant,
}
