//! A table: a header and rows, as text; the columns that the configuration names become attributes.

use std::collections::BTreeMap;
use std::path::Path;

use super::malformed;
use crate::config::CsvConfig;
use crate::source::error::SourceError;
use crate::source::filter::base_name;
use crate::text::Fault;

/// A header and the lines below it.
#[derive(Debug, Default)]
pub(super) struct Table {
    pub header: Vec<String>,
    /// Line in the file (counted from 1) and its fields.
    pub lines: Vec<(u64, Vec<String>)>,
}

/// One line, by attribute (lower case); empty fields are left out.
#[derive(Debug)]
pub(super) struct Row {
    pub line: u64,
    pub values: BTreeMap<String, String>,
}

impl Table {
    /// The rows; every column that the configuration names must be there once.
    pub fn rows(self, path: &Path, config: &CsvConfig) -> Result<Vec<Row>, SourceError> {
        let header: Vec<&str> = self.header.iter().map(|name| name.trim()).collect();
        let mut places = Vec::new();
        for (attribute, column) in &config.columns {
            let mut found = header.iter().enumerate().filter(|(_, name)| **name == column.trim());
            let (Some((place, _)), None) = (found.next(), found.next()) else {
                let times = header.iter().filter(|name| **name == column.trim()).count();
                let code = if times == 0 { "no-column" } else { "two-columns" };
                let there = header.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
                let reason = Fault::new(code).with("column", column).with("attribute", attribute).with("there", there);
                return Err(malformed(path, Some(1), reason));
            };
            places.push((base_name(attribute), place));
        }
        if self.lines.is_empty() {
            return Err(malformed(path, None, Fault::new("no-row")));
        }
        let row = |(line, fields): (u64, Vec<String>)| {
            let field = |(name, place): &(String, usize)| {
                let text = fields.get(*place).map(|text| text.trim()).filter(|text| !text.is_empty())?;
                Some((name.clone(), text.to_owned()))
            };
            Row { line, values: places.iter().filter_map(field).collect() }
        };
        // A row of blanks, which spreadsheets like to leave at the end, is nobody.
        let is_blank = |fields: &[String]| fields.iter().all(|field| field.trim().is_empty());
        Ok(self.lines.into_iter().filter(|(_, fields)| !is_blank(fields)).map(row).collect())
    }
}
