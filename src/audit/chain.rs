//! Appending to the hash chain, inside the transaction of what is recorded.

use super::Event;
use crate::crypto::sha256_hex;
use crate::store::{AuditRow, StoreError, Tx};
use crate::time::Instant;

/// Appends `events` to the log in the caller's transaction. The head row is locked until it commits.
///
/// # Errors
/// When the database fails.
pub async fn append(tx: &mut Tx, at: Instant, events: &[Event]) -> Result<(), StoreError> {
    if events.is_empty() {
        return Ok(());
    }
    let count = i64::try_from(events.len()).unwrap_or(i64::MAX);
    let (last, mut hash) = tx.audit().lock_head(count).await?;
    let mut rows = Vec::with_capacity(events.len());
    for (event, seq) in events.iter().zip(last - count + 1..) {
        let mut row = AuditRow {
            seq,
            at,
            action: event.action.to_string(),
            outcome: event.outcome.to_string(),
            actor: event.actor.clone(),
            subject: event.subject.clone(),
            address: event.address.clone(),
            request_id: event.request_id.clone(),
            details: event.details.to_string(),
            hash: String::new(),
        };
        row.hash = row_hash(&hash, &row);
        hash.clone_from(&row.hash);
        rows.push(row);
    }
    tx.audit().insert(&rows).await?;
    tx.audit().set_head(&hash).await
}

/// The hash of a row: SHA-256 over the hash before it and every field, each with its length, so that no two rows
/// share an encoding.
pub(super) fn row_hash(previous: &str, row: &AuditRow) -> String {
    let seq = row.seq.to_string();
    let at = row.at.timestamp_micros().to_string();
    let fields = [
        previous,
        &seq,
        &at,
        &row.action,
        &row.outcome,
        &row.actor,
        &row.subject,
        &row.address,
        &row.request_id,
        &row.details,
    ];
    let mut text = String::new();
    for field in fields {
        text.push_str(&field.len().to_string());
        text.push(':');
        text.push_str(field);
    }
    sha256_hex(text.as_bytes())
}
