//! Tables as a source: a CSV or Excel file with a header line, one person a row, such as the nightly export of an HR
//! system.
//!
//! A file is taken only when it is known to be complete (a marker beside it, a checksum, or the operator's word that it is
//! renamed into place), did not change while it was read, and has every column that the configuration names.

mod complete;
mod sheet;
mod table;
mod text;

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

use tokio::sync::watch;

use super::Progress;
use super::collect::{Collector, Duplicates, Raw};
use super::dn::{Dn, PartValue, Rdn};
use super::error::SourceError;
use super::filter::base_name;
use super::select::Selection;
use super::snapshot::{Part, Rejected, Snapshot};
use crate::config::CsvConfig;
use crate::model::{FindingArguments, FindingCode};
use crate::text::Fault;

use table::{Row, Table};

/// What the readers of this folder need besides the file.
#[derive(Debug)]
pub(super) struct Plan {
    /// Name of the source.
    pub source: String,
    /// Folder that relative paths are relative to.
    pub folder: PathBuf,
    /// `[source.csv]`.
    pub config: CsvConfig,
    /// Attribute with the manager's number, lower case; none when managers are not mapped.
    pub manager: Option<String>,
}

/// Reads the whole file. Blocking.
pub(super) fn read(
    plan: &Plan,
    selections: &[Selection],
    progress: &watch::Sender<Progress>,
) -> Result<Snapshot, SourceError> {
    let path = plan.folder.join(&plan.config.file);
    let bytes = complete::read(&plan.folder, &plan.config)?;
    let is_excel = path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("xlsx"));
    let table =
        if is_excel { sheet::table(&path, bytes, &plan.config)? } else { text::table(&path, bytes, &plan.config)? };
    let rows = table.rows(&path, &plan.config)?;
    progress.send_replace(Progress { entries: u64::try_from(rows.len()).unwrap_or(u64::MAX) });
    let mut collector = Collector::new(&plan.source, Duplicates::Reject);
    for selection in selections {
        match selection.part {
            Part::Users => people(plan, selection, &rows, &mut collector),
            Part::Groups => groups(plan, selections, selection, &rows, &mut collector),
            Part::Departments => {}
        }
    }
    Ok(collector.seal())
}

/// The attribute's value in a row, without blanks around it.
fn value<'a>(row: &'a Row, name: &str) -> Option<&'a str> {
    row.values.get(name).map(String::as_str)
}

/// The name of a row: made of its id, so that it stays when rows are sorted differently.
fn name(kind: &str, value: &str) -> String {
    let part = super::dn::Part { kind: kind.to_owned(), value: PartValue::Text(value.to_owned()) };
    Dn(vec![Rdn(vec![part])]).to_string()
}

fn raw(row: &Row, id: &str) -> Raw {
    let dn = value(row, id).map_or_else(|| name("line", &row.line.to_string()), |value| name(id, value));
    let mut raw = Raw::new(dn.into_bytes());
    raw.push("objectclass", [b"row".to_vec()]);
    for (name, value) in &row.values {
        raw.push(name, [value.clone().into_bytes()]);
    }
    raw
}

fn people(plan: &Plan, selection: &Selection, rows: &[Row], collector: &mut Collector) {
    let id = selection.id.as_str();
    let mut by_id: BTreeMap<&str, Vec<&Row>> = BTreeMap::new();
    for row in rows {
        by_id.entry(value(row, id).unwrap_or_default()).or_default().push(row);
    }
    let key = plan.config.manager_by.as_deref().map_or_else(|| id.to_owned(), base_name);
    let by_number: HashMap<&str, String> =
        rows.iter().filter_map(|row| Some((value(row, &key)?, name(id, value(row, id)?)))).collect();
    for row in rows {
        let mut raw = raw(row, id);
        if !selection.filter.matches(&raw.values) {
            continue;
        }
        let same = value(row, id).and_then(|value| by_id.get(value)).map(Vec::as_slice).unwrap_or_default();
        if let [first, _, ..] = same {
            // Which of them is right nobody can know: none is taken, and the account stays as it is.
            let first = format!("line {}", first.line);
            collector.reject(Rejected {
                part: Part::Users,
                external_id: value(row, id).map(str::to_owned),
                dn: name("line", &row.line.to_string()),
                code: FindingCode::SameId,
                arguments: FindingArguments::from([("first".to_owned(), first)]),
            });
            continue;
        }
        let manager = plan.manager.as_deref().and_then(|attribute| Some((attribute, value(row, attribute)?)));
        if let Some((attribute, number)) = manager
            && let Some(dn) = by_number.get(number)
        {
            raw.values.insert(attribute.to_owned(), vec![dn.clone().into_bytes()]);
        }
        collector.take(selection, &raw);
    }
}

/// Groups out of a column that lists them for each person.
fn groups(plan: &Plan, all: &[Selection], selection: &Selection, rows: &[Row], collector: &mut Collector) {
    let Some(column) = plan.config.groups.as_deref().map(base_name) else { return };
    let id = all.iter().find(|one| one.part == Part::Users).map_or("", |users| users.id.as_str());
    let mut members: BTreeMap<&str, Vec<Vec<u8>>> = BTreeMap::new();
    for row in rows {
        let (Some(list), Some(id)) = (value(row, &column), value(row, id).map(|value| name(id, value))) else {
            continue;
        };
        for group in list.split(plan.config.groups_separator.as_str()).map(str::trim).filter(|name| !name.is_empty()) {
            members.entry(group).or_default().push(id.clone().into_bytes());
        }
    }
    for (group, members) in members {
        let mut raw = Raw::new(name("cn", group).into_bytes());
        raw.push("objectclass", [b"group".to_vec()]);
        raw.push("cn", [group.as_bytes().to_vec()]);
        raw.push("member", members);
        if selection.filter.matches(&raw.values) {
            collector.take(selection, &raw);
        }
    }
}

/// A fault of a table, with its place.
fn malformed(path: &Path, line: Option<u64>, reason: Fault) -> SourceError {
    SourceError::Table { path: path.to_owned(), line, reason: reason.into() }
}

/// The table of a file, whatever kind of file it was.
type Read = Result<Table, SourceError>;
