//! Is the file all there? A copy under way looks like a shorter file, and a shorter file like people who left.

use std::fs::Metadata;
use std::path::{Path, PathBuf};

use crate::config::{Complete, CsvConfig};
use crate::crypto::sha256_hex;
use crate::source::error::SourceError;
use crate::text::Fault;

/// The bytes of the file, once it is known to be complete.
pub(super) fn read(folder: &Path, config: &CsvConfig) -> Result<Vec<u8>, SourceError> {
    let path = folder.join(&config.file);
    let before = metadata(&path)?;
    if let Complete::Marker(marker) = &config.complete {
        marked(&path, &before, &folder.join(marker))?;
    }
    let bytes = std::fs::read(&path).map_err(|cause| unreadable(&path, cause))?;
    let after = metadata(&path)?;
    let is_same_size = u64::try_from(bytes.len()).is_ok_and(|size| size == after.len());
    if !is_same_size || before.len() != after.len() || before.modified().ok() != after.modified().ok() {
        return Err(SourceError::FileChanged { path });
    }
    if let Complete::Checksum(file) = &config.complete {
        summed(&path, &bytes, &folder.join(file))?;
    }
    Ok(bytes)
}

/// The marker is written after the file: an older one belongs to the file of yesterday.
fn marked(path: &Path, data: &Metadata, marker: &Path) -> Result<(), SourceError> {
    let incomplete = |reason: Fault| SourceError::Incomplete { path: path.to_owned(), reason: reason.into() };
    let found = match std::fs::metadata(marker) {
        Ok(found) => found,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return Err(incomplete(Fault::new("no-marker").with("marker", marker.display())));
        }
        Err(cause) => return Err(unreadable(marker, cause)),
    };
    match (found.modified(), data.modified()) {
        (Ok(marker_time), Ok(data_time)) if marker_time < data_time => {
            Err(incomplete(Fault::new("old-marker").with("marker", marker.display())))
        }
        (Ok(_), Ok(_)) => Ok(()),
        (Err(cause), _) | (_, Err(cause)) => Err(unreadable(marker, cause)),
    }
}

/// The checksum file holds the SHA-256 in hexadecimal at its beginning, as `sha256sum` writes it.
fn summed(path: &Path, bytes: &[u8], file: &Path) -> Result<(), SourceError> {
    let text = std::fs::read_to_string(file).map_err(|cause| unreadable(file, cause))?;
    let wanted = text.split_whitespace().next().unwrap_or_default().trim_start_matches('\\');
    let is_sum = wanted.len() == 64 && wanted.bytes().all(|byte| byte.is_ascii_hexdigit());
    let reason = if !is_sum {
        Fault::new("no-checksum").with("file", file.display())
    } else if !wanted.eq_ignore_ascii_case(&sha256_hex(bytes)) {
        Fault::new("other-checksum").with("file", file.display())
    } else {
        return Ok(());
    };
    Err(SourceError::Incomplete { path: path.to_owned(), reason: reason.into() })
}

fn metadata(path: &Path) -> Result<Metadata, SourceError> {
    std::fs::metadata(path).map_err(|cause| unreadable(path, cause))
}

fn unreadable(path: &Path, cause: std::io::Error) -> SourceError {
    SourceError::File { path: PathBuf::from(path), cause }
}
