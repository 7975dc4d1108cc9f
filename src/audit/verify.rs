//! Verification: is the log what was written? In batches, however long it is; writing may go on meanwhile.

use std::io::BufRead;

use serde::{Deserialize, Serialize};

use super::chain::{ChainFault, Walk};
use crate::store::{AuditRow, Db, StoreError};

/// Rows read at once.
const BATCH: i64 = 2_000;

/// What a verification found.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Verification {
    /// The last good row: everything up to it is as it was written.
    pub rows: i64,
    /// Its hash: noted elsewhere, it proves later that nothing up to it was rewritten.
    pub hash: String,
    /// The first bad record; none when all is well.
    pub fault: Option<ChainFault>,
}

/// Verifies the whole log against its head.
///
/// # Errors
/// When the database fails; a bad chain is no error but a fault in the answer.
pub async fn verify(db: &Db) -> Result<Verification, StoreError> {
    let mut tx = db.read().await?;
    let mut walk = Walk::after(0, String::new());
    let Some((head, head_hash)) = tx.audit().head().await? else {
        return Ok(found(walk, Some(ChainFault::NoHead)));
    };
    while walk.last < head {
        let rows = tx.audit().list_after(walk.last, head, BATCH).await?;
        if rows.is_empty() {
            let last = walk.last;
            return Ok(found(walk, Some(ChainFault::Cut { last, head })));
        }
        for row in &rows {
            if let Err(fault) = walk.step(row) {
                return Ok(found(walk, Some(fault)));
            }
        }
    }
    let fault = if walk.hash == head_hash {
        tx.audit().first_outside().await?.map(|row| ChainFault::Beyond { row })
    } else {
        Some(ChainFault::Head { row: walk.last })
    };
    Ok(found(walk, fault))
}

fn found(walk: Walk, fault: Option<ChainFault>) -> Verification {
    Verification { rows: walk.last, hash: walk.hash, fault }
}

/// A row as it is exported: one JSON object a line, with the hash of the row before, so that each line can be verified.
///
/// The hash is SHA-256, in hexadecimal, over `previous`, `seq`, `at` in microseconds since 1970, `action`, `outcome`,
/// `actor`, `subject`, `address`, `request_id` and `details`, each as its length in bytes, a colon and the text.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ExportedRow {
    /// The row.
    #[serde(flatten)]
    pub row: AuditRow,
    /// Hash of the row before; empty for the first.
    pub previous: String,
}

/// An exported file cannot be verified.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// It cannot be read.
    #[error("the file cannot be read: {0}")]
    Read(#[from] std::io::Error),
    /// A line is no exported row.
    #[error("line {line} is no exported row: {cause}")]
    Line {
        /// Which line, from 1.
        line: usize,
        /// What is wrong.
        cause: serde_json::Error,
    },
}

/// Verifies an exported file, which may begin anywhere in the chain. That its end was cut shows only against the
/// database: compare `rows` and `hash` with those of [`verify`] at the time of the export.
///
/// # Errors
/// [`FileError`]; a bad chain is no error but a fault in the answer.
pub fn verify_file(file: impl BufRead) -> Result<Verification, FileError> {
    let mut walk: Option<Walk> = None;
    for (text, line) in file.lines().zip(1..) {
        let exported: ExportedRow = serde_json::from_str(&text?).map_err(|cause| FileError::Line { line, cause })?;
        let walk = walk.get_or_insert_with(|| Walk::after(exported.row.seq - 1, exported.previous.clone()));
        let fits = if exported.previous == walk.hash {
            walk.step(&exported.row)
        } else if exported.row.seq == walk.last + 1 {
            Err(ChainFault::Changed { row: exported.row.seq })
        } else {
            Err(ChainFault::Gap { after: walk.last, found: exported.row.seq })
        };
        if let Err(fault) = fits {
            return Ok(found(walk.clone(), Some(fault)));
        }
    }
    Ok(found(walk.unwrap_or_else(|| Walk::after(0, String::new())), None))
}

/// Exports the rows after `after`, in order: `write` gets batches of lines. Gives the number of rows.
///
/// # Errors
/// When the database fails.
pub async fn export<E: From<StoreError>>(
    db: &Db,
    after: i64,
    mut write: impl FnMut(&[ExportedRow]) -> Result<(), E>,
) -> Result<i64, E> {
    let mut tx = db.read().await.map_err(E::from)?;
    // Without a head, which verification tells, everything there is.
    let head = tx.audit().head().await.map_err(E::from)?.map_or(i64::MAX, |(head, _)| head);
    let mut previous = tx.audit().hash_of(after).await.map_err(E::from)?.unwrap_or_default();
    let (mut last, mut count) = (after, 0);
    loop {
        let rows = tx.audit().list_after(last, head, BATCH).await.map_err(E::from)?;
        let Some(end) = rows.last().map(|row| row.seq) else { return Ok(count) };
        let mut lines = Vec::with_capacity(rows.len());
        for row in rows {
            let hash = row.hash.clone();
            lines.push(ExportedRow { row, previous: std::mem::replace(&mut previous, hash) });
        }
        write(&lines)?;
        count += i64::try_from(lines.len()).unwrap_or(0);
        last = end;
    }
}
