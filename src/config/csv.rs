//! `[source.csv]`: a table in a CSV or Excel file.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::Deserialize;

/// `[source.csv]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CsvConfig {
    /// The file: `.xlsx` is read as an Excel workbook, anything else as CSV.
    pub file: PathBuf,
    /// How it is known that the file is all there.
    pub complete: Complete,
    /// Attribute of the mapping → name of the column in the header.
    pub columns: BTreeMap<String, String>,
    /// Encoding of a CSV file without byte order mark; `auto` tells UTF-8 and GB 18030 apart.
    #[serde(default = "default_encoding")]
    pub encoding: String,
    /// What stands between fields; found out from the header when missing.
    pub separator: Option<String>,
    /// Sheet of a workbook; the first one when missing.
    pub sheet: Option<String>,
    /// Attribute that the column of the manager holds; the stable id when missing.
    pub manager_by: Option<String>,
    /// Attribute with the names of a person's groups.
    pub groups: Option<String>,
    /// What stands between the names of groups.
    #[serde(default = "default_groups_separator")]
    pub groups_separator: String,
}

/// How it is known that a file is all there. There is no default: a half-copied file looks as if people had left.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Complete {
    /// `{ marker = "people.done" }`: a file that is written after the table.
    Marker(PathBuf),
    /// `{ checksum = "people.csv.sha256" }`: its SHA-256, as `sha256sum` writes it.
    Checksum(PathBuf),
    /// `"renamed"`: whoever writes it does so under another name and renames it into place.
    Renamed,
}

fn default_encoding() -> String {
    "auto".to_owned()
}

fn default_groups_separator() -> String {
    ";".to_owned()
}

impl CsvConfig {
    pub(super) fn check(&self, name: &str, problems: &mut Vec<String>) {
        let mut problem = |text: String| problems.push(format!("source `{name}`: csv.{text}"));
        if self.columns.is_empty() {
            problem("columns is empty; write which column is what, such as employeeNumber = \"工号\"".to_owned());
        }
        let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_');
        for (attribute, column) in &self.columns {
            if attribute.is_empty() || !attribute.chars().all(is_name) {
                problem(format!("columns: `{attribute}` is no attribute name; use letters, digits and `-`"));
            }
            if column.trim().is_empty() {
                problem(format!("columns.{attribute} names no column"));
            }
        }
        if self.separator.as_deref().is_some_and(|separator| separator.len() != 1) {
            problem("separator is one ASCII character, such as \",\" or \"\\t\"".to_owned());
        }
        if self.groups_separator.is_empty() {
            problem("groups_separator is empty; write what stands between names".to_owned());
        }
        let known = |attribute: &String| self.columns.keys().any(|column| column.eq_ignore_ascii_case(attribute));
        for (key, attribute) in [("manager_by", &self.manager_by), ("groups", &self.groups)] {
            if let Some(attribute) = attribute.as_ref().filter(|attribute| !known(attribute)) {
                problem(format!("{key}: `{attribute}` is none of csv.columns"));
            }
        }
    }
}
