//! CSV (RFC 4180) in whatever encoding and with whatever separator it was exported.

use std::path::Path;

use encoding_rs::{Encoding, GB18030};

use super::table::Table;
use super::{Read, malformed};
use crate::config::CsvConfig;
use crate::source::error::SourceError;
use crate::text::Fault;

/// What exports put between fields, by how common it is.
const SEPARATORS: &[u8] = b",;\t|";

/// The table of a CSV file.
pub(super) fn table(path: &Path, bytes: Vec<u8>, config: &CsvConfig) -> Read {
    let text = decode(path, bytes, &config.encoding)?;
    let first = text.lines().next().unwrap_or_default();
    let separator = match config.separator.as_deref().map(str::as_bytes) {
        Some([one]) => *one,
        _ => most_common(first),
    };
    let mut reader = csv::ReaderBuilder::new().delimiter(separator).has_headers(true).from_reader(text.as_bytes());
    let failed = |error: csv::Error| {
        let line = error.position().map(csv::Position::line);
        let reason = match error.kind() {
            csv::ErrorKind::UnequalLengths { expected_len, len, .. } => Fault::new("unequal-row")
                .with("count", len)
                .with("expected", expected_len)
                .with("separator", char::from(separator)),
            _ => Fault::new("said").with("text", &error),
        };
        malformed(path, line, reason)
    };
    let header = reader.headers().map_err(failed)?.iter().map(str::to_owned).collect();
    let mut table = Table { header, lines: Vec::new() };
    for record in reader.records() {
        let record = record.map_err(failed)?;
        let line = record.position().map_or(0, csv::Position::line);
        table.lines.push((line, record.iter().map(str::to_owned).collect()));
    }
    Ok(table)
}

fn most_common(header: &str) -> u8 {
    let count = |separator: u8| header.bytes().filter(|byte| *byte == separator).count();
    let mut best = (0, b',');
    for separator in SEPARATORS {
        if count(*separator) > best.0 {
            best = (count(*separator), *separator);
        }
    }
    best.1
}

/// The file as text: by its byte order mark, else as configured, else UTF-8, else GB 18030 (which holds GBK and GB 2312),
/// the usual encoding of Chinese spreadsheets. A byte that does not fit is a fault, never a question mark in a name.
fn decode(path: &Path, bytes: Vec<u8>, wanted: &str) -> Result<String, SourceError> {
    if let Some((encoding, skip)) = Encoding::for_bom(&bytes) {
        return strict(path, encoding, bytes.get(skip..).unwrap_or_default());
    }
    if !wanted.eq_ignore_ascii_case("auto") {
        let encoding = Encoding::for_label(wanted.as_bytes()).ok_or_else(|| {
            let reason = format!("`{wanted}` is no encoding; write auto, utf-8 or gb18030");
            SourceError::Config { key: "source.csv.encoding".to_owned(), reason }
        })?;
        return strict(path, encoding, &bytes);
    }
    String::from_utf8(bytes).or_else(|error| strict(path, GB18030, error.as_bytes()))
}

fn strict(path: &Path, encoding: &'static Encoding, bytes: &[u8]) -> Result<String, SourceError> {
    let text = encoding.decode_without_bom_handling_and_without_replacement(bytes);
    text.map(std::borrow::Cow::into_owned).ok_or_else(|| {
        let reason = Fault::new("encoding").with("name", encoding.name());
        malformed(path, None, reason)
    })
}
