//! What increments keep: where a source is continued from, and how long its leavers could still get in.

use serde::Serialize;
use serde_json::Value;
use sqlx::types::Json;

use super::{PlanId, RunId, UserId};
use crate::time::Instant;

/// Where a source is continued from.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, sqlx::FromRow)]
pub struct SyncPosition {
    /// The source.
    pub source: String,
    /// `sync`'s note of the position; none when the source cannot be continued.
    pub position: Option<Json<Value>>,
    /// When it was written; tells one writer from another.
    pub taken_at: Instant,
    /// Why a full run is wanted before the night, one of `sync::FullReason`.
    pub full_because: Option<String>,
    /// The held plan that increments wait for.
    pub blocked_by: Option<PlanId>,
}

/// From the change at the source to the commit that locked a person out.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, sqlx::FromRow)]
pub struct Lockout {
    /// The run that did it.
    pub run_id: RunId,
    /// The person.
    pub user_id: UserId,
    /// The source.
    pub source: String,
    /// When the entry was changed, by the server's clock; none where it did not say.
    pub changed_at: Option<Instant>,
    /// When the change was read.
    pub read_at: Instant,
    /// When it took effect.
    pub committed_at: Instant,
    /// Milliseconds from the change (else the read) to the effect.
    pub millis: i64,
}
