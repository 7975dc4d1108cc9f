//! A sheet of an Excel workbook (.xlsx).

use std::io::Cursor;
use std::path::Path;

use calamine::{Data, Reader as _, Xlsx};

use super::table::Table;
use super::{Read, malformed};
use crate::config::CsvConfig;
use crate::text::Fault;

/// The table of one sheet: the first that has a header, unless the configuration names another.
pub(super) fn table(path: &Path, bytes: Vec<u8>, config: &CsvConfig) -> Read {
    let failed = |error: calamine::XlsxError| malformed(path, None, Fault::new("workbook").with("error", error));
    let mut book: Xlsx<_> = Xlsx::new(Cursor::new(bytes)).map_err(failed)?;
    let names = book.sheet_names();
    let name = match &config.sheet {
        Some(wanted) if names.contains(wanted) => wanted.clone(),
        Some(wanted) => {
            let reason = Fault::new("no-sheet").with("wanted", wanted).with("there", names.join(", "));
            return Err(malformed(path, None, reason));
        }
        None => names.into_iter().next().ok_or_else(|| malformed(path, None, Fault::new("empty-workbook")))?,
    };
    let range = book.worksheet_range(&name).map_err(failed)?;
    let mut table = Table::default();
    let top = range.start().map_or(0, |(row, _)| row);
    for (number, row) in range.rows().enumerate() {
        let line = u64::from(top) + u64::try_from(number).unwrap_or(0) + 1;
        let mut fields = Vec::with_capacity(row.len());
        for cell in row {
            let text =
                text(cell).map_err(|error| malformed(path, Some(line), Fault::new("cell").with("error", error)))?;
            fields.push(text);
        }
        if table.header.is_empty() {
            table.header = fields;
        } else {
            table.lines.push((line, fields));
        }
    }
    Ok(table)
}

/// A cell as a person reads it: numbers without `.0`, dates as 2026-11-22.
fn text(cell: &Data) -> Result<String, String> {
    Ok(match cell {
        Data::Empty => String::new(),
        Data::String(text) | Data::DateTimeIso(text) | Data::DurationIso(text) => text.clone(),
        Data::Int(number) => number.to_string(),
        // Rust prints whole floats without a fraction.
        Data::Float(number) => number.to_string(),
        Data::Bool(value) => value.to_string(),
        Data::DateTime(moment) => {
            let (year, month, day, hour, minute, second, _) = moment.to_ymd_hms_milli();
            if (hour, minute, second) == (0, 0, 0) {
                format!("{year:04}-{month:02}-{day:02}")
            } else {
                format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}")
            }
        }
        Data::Error(error) => return Err(error.to_string()),
    })
}
