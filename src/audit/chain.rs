//! The hash chain: appending inside the transaction of what is recorded, and walking along it.
//!
//! Appending locks the head row until the transaction ends, so that several nodes write one chain. Append last in a
//! transaction: whoever else records waits for it.

use std::borrow::Borrow;
use std::fmt::Write as _;

use super::Event;
use crate::crypto::sha256_hex;
use crate::store::{AuditRow, StoreError, Tx};
use crate::time::Instant;

/// Characters of a field at the most: what is recorded comes from outside too.
const MAX_CHARS: usize = 300;

/// Appends `events` to the log in the caller's transaction. The head row is locked until it commits.
///
/// # Errors
/// When the database fails.
pub async fn append<E: Borrow<Event> + Sync>(tx: &mut Tx, at: Instant, events: &[E]) -> Result<(), StoreError> {
    if events.is_empty() {
        return Ok(());
    }
    let count = i64::try_from(events.len()).unwrap_or(i64::MAX);
    let (last, hash) = tx.audit().lock_head(count).await?;
    let rows = rows(at, events.iter().map(Borrow::borrow), last - count, hash);
    tx.audit().insert(&rows).await?;
    tx.audit().set_head(rows.last().map_or("", |row| &row.hash)).await
}

/// The rows of `events`, chained to the row with the number `last` and that hash.
pub(super) fn rows<'a>(
    at: Instant,
    events: impl Iterator<Item = &'a Event>,
    last: i64,
    mut hash: String,
) -> Vec<AuditRow> {
    let mut rows = Vec::new();
    for (event, seq) in events.zip(last + 1..) {
        let mut row = AuditRow {
            seq,
            at,
            action: event.action.to_string(),
            outcome: event.outcome.to_string(),
            actor: inert(&event.actor),
            subject: inert(&event.subject),
            address: inert(&event.address),
            request_id: inert(&event.request_id),
            details: escaped(&event.details.to_string()),
            hash: String::new(),
        };
        row.hash = row_hash(&hash, &row);
        hash.clone_from(&row.hash);
        rows.push(row);
    }
    rows
}

/// Text from outside that can do nothing to a console, a file or a database, cut to a length.
fn inert(text: &str) -> String {
    defused(&text.chars().take(MAX_CHARS).collect::<String>())
}

/// Text in which control and bidirectional characters are replaced.
pub fn defused(text: &str) -> String {
    text.chars().map(|c| if is_harmful(c) { '\u{FFFD}' } else { c }).collect()
}

/// JSON in which they are written as `\uXXXX`, so that it still says the same. Of the first 32 they already are; the
/// others may stand within its strings.
fn escaped(json: &str) -> String {
    json.chars().fold(String::with_capacity(json.len()), |mut text, c| {
        if is_harmful(c) {
            let _ = write!(text, "\\u{:04x}", u32::from(c));
        } else {
            text.push(c);
        }
        text
    })
}

fn is_harmful(c: char) -> bool {
    c.is_control() || matches!(c, '\u{200B}'..='\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
}

/// The hash of a row: SHA-256 over the hash before it and every field, each with its length, so that no two rows
/// share an encoding.
fn row_hash(previous: &str, row: &AuditRow) -> String {
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

/// What is wrong with a chain: the first bad record.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error, serde::Serialize)]
#[serde(tag = "fault", rename_all = "snake_case")]
pub enum ChainFault {
    /// Numbers are missing, doubled or out of order.
    #[error("after row {after} comes row {found}: rows were removed, inserted or renumbered there")]
    Gap {
        /// The last good row.
        after: i64,
        /// The number found instead of the next.
        found: i64,
    },
    /// The row does not fit its hash.
    #[error("row {row} was changed or inserted: its content does not fit its hash and the row before")]
    Changed {
        /// Which row.
        row: i64,
    },
    /// The head knows of more rows.
    #[error("the log ends at row {last}, but row {head} was written once: the end was removed")]
    Cut {
        /// The last row that is there.
        last: i64,
        /// The last row that was written.
        head: i64,
    },
    /// There is no head.
    #[error("the head of the log is gone, so nobody can say where the log ends: restore the database from a backup")]
    NoHead,
    /// The head's hash is not that of the last row.
    #[error("the head does not fit row {row}: the row and its hash, or the head, were changed")]
    Head {
        /// The last row.
        row: i64,
    },
    /// A row before the first or beyond the head.
    #[error("row {row} stands outside the numbers of the log: it was inserted")]
    Beyond {
        /// Which row.
        row: i64,
    },
}

/// Walks along a chain, row by row, and stops at the first bad one.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Walk {
    /// The last good row; 0 before the first.
    pub(super) last: i64,
    /// Its hash; empty before the first.
    pub(super) hash: String,
}

impl Walk {
    /// A walk that begins after the row `last` with that hash: (0, "") for the whole chain.
    pub(super) fn after(last: i64, hash: String) -> Self {
        Self { last, hash }
    }

    /// The next row.
    pub(super) fn step(&mut self, row: &AuditRow) -> Result<(), ChainFault> {
        if row.seq != self.last + 1 {
            return Err(ChainFault::Gap { after: self.last, found: row.seq });
        }
        if row.hash != row_hash(&self.hash, row) {
            return Err(ChainFault::Changed { row: row.seq });
        }
        self.last = row.seq;
        self.hash.clone_from(&row.hash);
        Ok(())
    }
}
