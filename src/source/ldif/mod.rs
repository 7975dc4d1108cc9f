//! An LDIF file as a source (RFC 2849 content records). Change records and values by URL are refused: a snapshot is
//! what is, and a file does not make the broker read other files.

mod parse;

use std::fs::File;
use std::io::{BufRead, BufReader, Seek as _};
use std::path::{Path, PathBuf};

use tokio::sync::watch;

use super::collect::{Collector, Duplicates, Raw};
use super::dn::Dn;
use super::error::SourceError;
use super::select::Selection;
use super::{Progress, Read};
use crate::crypto::Sha256;

use parse::Reader;

/// Reads the whole file. Blocking.
pub(super) fn read(
    source: &str,
    path: PathBuf,
    selections: &[Selection],
    known: Option<&str>,
    progress: &watch::Sender<Progress>,
) -> Result<Read, SourceError> {
    let failed = |cause| SourceError::File { path: path.clone(), cause };
    let mut file = File::open(&path).map_err(failed)?;
    let before = file.metadata().map_err(failed)?;
    let is_changed = || -> Result<bool, SourceError> {
        let after = std::fs::metadata(&path).map_err(failed)?;
        Ok(before.len() != after.len() || before.modified().ok() != after.modified().ok())
    };
    if let Some(known) = known {
        // Much faster than parsing, and most nights it is all there is to do.
        let mut hashed = Hashed { file, digest: Sha256::new() };
        std::io::copy(&mut hashed, &mut std::io::sink()).map_err(failed)?;
        if hashed.digest.finish_hex() == known && !is_changed()? {
            return Ok(Read::Same);
        }
        file = hashed.file;
        file.rewind().map_err(failed)?;
    }
    let mut collector = Collector::new(source, Duplicates::Reject);
    let mut count = 0;
    let mut reader = Reader::new(BufReader::with_capacity(1 << 16, Hashed { file, digest: Sha256::new() }));
    while let Some(raw) = next_record(&mut reader, &path)? {
        count += 1;
        if count % 256 == 0 {
            progress.send_replace(Progress { entries: count });
        }
        place(&mut collector, selections, &raw);
    }
    progress.send_replace(Progress { entries: count });
    if count == 0 {
        let reason = "the file holds no entry; was it written completely?".to_owned();
        return Err(SourceError::Ldif { path, line: reader.line().max(1), reason });
    }
    if is_changed()? {
        return Err(SourceError::FileChanged { path });
    }
    let mut snapshot = collector.seal();
    snapshot.content = Some(reader.into_inner().into_inner().digest.finish_hex());
    Ok(Read::Whole(Box::new(snapshot)))
}

/// A file that is fingerprinted while it is read.
struct Hashed {
    file: File,
    digest: Sha256,
}

impl std::io::Read for Hashed {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let count = self.file.read(buffer)?;
        self.digest.update(buffer.get(..count).unwrap_or_default());
        Ok(count)
    }
}

fn next_record<R: BufRead>(reader: &mut Reader<R>, path: &Path) -> Result<Option<Raw>, SourceError> {
    reader.record().map_err(|error| match error {
        parse::LdifError::Io(cause) => SourceError::File { path: path.to_owned(), cause },
        parse::LdifError::Syntax { line, reason } => SourceError::Ldif { path: path.to_owned(), line, reason },
    })
}

/// Gives the entry to every part of the mapping that covers it; an entry whose name cannot be read belongs to those
/// whose filter finds it, so that it is reported.
fn place(collector: &mut Collector, selections: &[Selection], raw: &Raw) {
    let text = String::from_utf8_lossy(&raw.dn).into_owned();
    let dn = Dn::parse(&text).ok();
    let covering = selections.iter().filter(|selection| match &dn {
        Some(dn) => selection.covers(&text, dn, &raw.values),
        None => selection.filter.matches(&raw.values),
    });
    for selection in covering {
        collector.take(selection, raw);
    }
}
