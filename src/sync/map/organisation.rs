//! References within the organisation: heads and parents of departments, dates of employment, concurrent assignments.
//!
//! Comes after people and departments are mapped, since each may name the others by code, login name or DN. Does nothing
//! where nothing of it is configured.

use std::collections::{HashMap, HashSet};

use crate::config::{AssignmentField, DepartmentMapping, HeadRule, SourceConfig, Template};
use crate::model::{DepartmentKind, FindingCode, ObjectKind};
use crate::source::{Entry, Snapshot};
use crate::text::fold;
use crate::time::Date;

use super::super::SyncError;
use super::super::finding::arguments;
use super::super::record::{AssignmentRecord, DepartmentRecord, Mapped, PositionRecord, UserRecord};
use super::departments::{Paths, sort_by_depth};
use super::index::Index;
use super::{optional, render};

/// Fills in the references.
pub(super) fn map(
    config: &SourceConfig,
    snapshot: &Snapshot,
    index: &Index<'_>,
    mapped: &mut Mapped,
) -> Result<(), SyncError> {
    departments(config, snapshot, index, mapped)?;
    people(config, snapshot, index, mapped)
}

/// Parents and heads of departments, and what kind of node a level is.
fn departments(
    config: &SourceConfig,
    snapshot: &Snapshot,
    index: &Index<'_>,
    mapped: &mut Mapped,
) -> Result<(), SyncError> {
    match &config.departments {
        Some(DepartmentMapping::Ou { parent, head, .. }) if parent.is_some() || head.is_some() => {
            let parent = optional("departments.parent", parent.as_ref())?;
            let head = optional("departments.head", head.as_ref())?;
            let entries = by_id(&snapshot.departments);
            let names = Names::new(index, mapped);
            let mut records = std::mem::take(&mut mapped.departments);
            let mut unknown = Vec::new();
            for record in &mut records {
                let Some(entry) = entries.get(record.external_id.as_str()) else { continue };
                if let Some(text) = parent.as_ref().and_then(|parent| render(parent, entry)) {
                    record.parent = names.department(&text).filter(|id| *id != record.external_id);
                }
                let Some(text) = head.as_ref().and_then(|head| render(head, entry)) else { continue };
                record.head = names.person(&text);
                if record.head.is_none() {
                    unknown.push((record.external_id.clone(), record.dn.clone(), text));
                }
            }
            sort_by_depth(&mut records);
            mapped.departments = records;
            for (id, dn, text) in unknown {
                mapped.warn(FindingCode::UnknownHead, (&id, &dn), arguments([("value", text)]));
            }
        }
        Some(DepartmentMapping::Attribute { levels, head, .. }) => {
            let heads = head.as_ref().map(|rule| heads(rule, snapshot, mapped)).unwrap_or_default();
            let depths = if levels.is_empty() { HashMap::new() } else { depths(&mapped.departments) };
            for record in &mut mapped.departments {
                let level = depths.get(&record.external_id).and_then(|depth| levels.get(*depth));
                record.kind = level.copied().unwrap_or(DepartmentKind::Department);
                record.head = heads.get(&record.external_id).cloned();
            }
        }
        _ => {}
    }
    Ok(())
}

/// Department → who of its people heads it; of several the one with the smallest id, so that every run says the same.
fn heads(rule: &HeadRule, snapshot: &Snapshot, mapped: &Mapped) -> HashMap<String, String> {
    let wanted: HashSet<String> = rule.values.iter().map(|value| fold(value)).collect();
    let attribute = rule.attribute.to_ascii_lowercase();
    let entries = by_id(&snapshot.users);
    let mut heads: HashMap<String, String> = HashMap::new();
    for user in mapped.users.iter().filter(|user| user.enabled) {
        let values = entries.get(user.external_id.as_str()).and_then(|entry| entry.attributes.get(&attribute));
        let is_head = values.into_iter().flatten().any(|value| wanted.contains(&fold(value)));
        if let Some(department) = user.department.as_ref().filter(|_| is_head) {
            let head = heads.entry(department.clone()).or_insert_with(|| user.external_id.clone());
            if user.external_id < *head {
                head.clone_from(&user.external_id);
            }
        }
    }
    heads
}

/// How many departments are above each.
fn depths(records: &[DepartmentRecord]) -> HashMap<String, usize> {
    let mut depths: HashMap<String, usize> = HashMap::new();
    // Parents come before children.
    for record in records {
        let above = record.parent.as_ref().and_then(|parent| depths.get(parent));
        let depth = above.map_or(0, |above| above + 1);
        depths.insert(record.external_id.clone(), depth);
    }
    depths
}

/// Attribute of the assignments, what stands between them in one value, what stands between parts, and the parts.
type Format<'a> = (String, Option<&'a str>, char, Vec<AssignmentField>);

/// A finding about somebody: code, external id, DN, arguments.
type Noted = (FindingCode, String, String, [(&'static str, String); 2]);

/// What the mapping of people says besides.
struct Reader<'a> {
    starts_on: Option<Template>,
    ends_on: Option<Template>,
    assignments: Option<Format<'a>>,
    separator: Option<&'a str>,
    names: Names<'a>,
    paths: Paths,
    positions: HashMap<String, PositionRecord>,
    findings: Vec<Noted>,
}

fn people(config: &SourceConfig, snapshot: &Snapshot, index: &Index<'_>, mapped: &mut Mapped) -> Result<(), SyncError> {
    let users = &config.users;
    if users.starts_on.is_none() && users.ends_on.is_none() && config.assignments.is_none() {
        return Ok(());
    }
    let assignments = match &config.assignments {
        None => None,
        Some(mapping) => {
            let (between, fields) = mapping.fields().map_err(SyncError::Mapping)?;
            let attribute = mapping.attribute.trim().to_ascii_lowercase();
            Some((attribute, mapping.split.as_deref(), between, fields))
        }
    };
    let separator = match &config.departments {
        Some(DepartmentMapping::Attribute { separator, .. }) => Some(separator.as_str()),
        _ => None,
    };
    let mut reader = Reader {
        starts_on: optional("users.starts_on", users.starts_on.as_ref())?,
        ends_on: optional("users.ends_on", users.ends_on.as_ref())?,
        assignments,
        separator,
        names: Names::new(index, mapped),
        paths: Paths::default(),
        positions: HashMap::new(),
        findings: Vec::new(),
    };
    let entries = by_id(&snapshot.users);
    for user in &mut mapped.users {
        if let Some(entry) = entries.get(user.external_id.as_str()) {
            reader.read(entry, user);
        }
    }
    let Reader { paths, positions, findings, .. } = reader;
    let known: HashSet<String> = mapped.departments.iter().map(|record| record.external_id.clone()).collect();
    let new: Vec<DepartmentRecord> = paths.records().filter(|record| !known.contains(&record.external_id)).collect();
    *mapped.read.entry(ObjectKind::Department).or_default() += u64::try_from(new.len()).unwrap_or(0);
    mapped.departments.extend(new);
    sort_by_depth(&mut mapped.departments);
    let known: HashSet<String> = mapped.positions.iter().map(|record| record.external_id.clone()).collect();
    for (id, record) in positions {
        if !known.contains(&id) {
            *mapped.read.entry(ObjectKind::Position).or_default() += 1;
            mapped.positions.push(record);
        }
    }
    mapped.positions.sort_by(|a, b| a.external_id.cmp(&b.external_id));
    for (code, id, dn, named) in findings {
        mapped.warn(code, (&id, &dn), arguments(named));
    }
    Ok(())
}

impl Reader<'_> {
    fn read(&mut self, entry: &Entry, user: &mut UserRecord) {
        user.starts_on = self.date("starts_on", self.starts_on.as_ref().and_then(|of| render(of, entry)), user);
        user.ends_on = self.date("ends_on", self.ends_on.as_ref().and_then(|of| render(of, entry)), user);
        let Some((attribute, split, ..)) = &self.assignments else { return };
        let values = entry.attributes.all(attribute);
        let values: Vec<String> = match split {
            None => values.map(str::to_owned).collect(),
            Some(split) => values.flat_map(|value| value.split(*split)).map(str::to_owned).collect(),
        };
        for text in values.iter().map(|text| text.trim()).filter(|text| !text.is_empty()) {
            match self.assignment(text) {
                Some(assignment) => user.assignments.push(assignment),
                None => self.note(FindingCode::BadAssignment, user, "", text),
            }
        }
        // Values of an attribute come in any order.
        user.assignments
            .sort_by(|a, b| (&a.department, &a.position, a.starts_on).cmp(&(&b.department, &b.position, b.starts_on)));
        user.assignments.dedup();
    }

    fn note(&mut self, code: FindingCode, user: &UserRecord, attribute: &str, value: &str) {
        let named = [("attribute", attribute.to_owned()), ("value", value.to_owned())];
        self.findings.push((code, user.external_id.clone(), user.dn.clone(), named));
    }

    fn date(&mut self, key: &str, text: Option<String>, user: &UserRecord) -> Option<Date> {
        let text = text?;
        let date = date(&text);
        if date.is_none() {
            self.note(FindingCode::BadDate, user, key, &text);
        }
        date
    }

    /// Reads one assignment; none when its department is not known or a part of it is no date.
    fn assignment(&mut self, text: &str) -> Option<AssignmentRecord> {
        let (_, _, between, fields) = self.assignments.as_ref()?;
        let parts: Vec<&str> = text.split(*between).map(str::trim).collect();
        let part = |wanted: AssignmentField| {
            let place = fields.iter().position(|field| *field == wanted)?;
            parts.get(place).copied().filter(|part| !part.is_empty())
        };
        if parts.len() > fields.len() {
            return None;
        }
        let day = |field| part(field).map_or(Some(None), |text| date(text).map(Some));
        let (starts_on, ends_on) = (day(AssignmentField::From)?, day(AssignmentField::To)?);
        let named = part(AssignmentField::Department)?;
        let manager = part(AssignmentField::Manager).and_then(|text| self.names.person(text));
        let position = part(AssignmentField::Position).map(|code| {
            let external_id = fold(code);
            let record = PositionRecord { external_id: external_id.clone(), code: code.to_owned() };
            self.positions.entry(external_id.clone()).or_insert(record);
            external_id
        });
        let department = self.names.department(named).or_else(|| self.paths.add(named, self.separator?))?;
        Some(AssignmentRecord { department, position, manager, starts_on, ends_on })
    }
}

/// Departments and people by what entries call them.
struct Names<'a> {
    index: &'a Index<'a>,
    departments: HashMap<String, String>,
    people: HashMap<String, String>,
}

impl<'a> Names<'a> {
    fn new(index: &'a Index<'a>, mapped: &Mapped) -> Self {
        let departments = mapped.departments.iter().map(|of| (fold(&of.code), of.external_id.clone())).collect();
        let mut people = HashMap::with_capacity(mapped.users.len());
        for user in mapped.users.iter().filter(|user| user.enabled) {
            if let Some(number) = &user.employee_number {
                people.insert(fold(number), user.external_id.clone());
            }
            people.insert(user.login_key.clone(), user.external_id.clone());
        }
        Self { index, departments, people }
    }

    /// External id of the department with this code or DN.
    fn department(&self, text: &str) -> Option<String> {
        self.departments.get(&fold(text)).cloned().or_else(|| self.index.department(text).map(str::to_owned))
    }

    /// External id of the person with this DN, login name or employee number.
    fn person(&self, text: &str) -> Option<String> {
        match self.index.find(text) {
            Some((ObjectKind::User, id)) => Some(id.to_owned()),
            _ => self.people.get(&fold(text)).cloned(),
        }
    }
}

fn by_id(entries: &[Entry]) -> HashMap<&str, &Entry> {
    entries.iter().map(|entry| (entry.external_id.as_str(), entry)).collect()
}

/// `2026-12-31`, `2026/12/31`, `20261231`, or a generalized time of RFC 4517, whose day counts.
fn date(text: &str) -> Option<Date> {
    let text = text.trim();
    // Month and day with all their digits: `2026123` may be either of two days.
    let is_whole = |text: &str| text.len() == 8 && text.bytes().all(|byte| byte.is_ascii_digit());
    let compact = |text: &str| Date::parse_from_str(text, "%Y%m%d").ok().filter(|_| is_whole(text));
    let day = text.split([' ', 'T']).next().unwrap_or_default();
    Date::parse_from_str(day, "%Y-%m-%d")
        .or_else(|_| Date::parse_from_str(day, "%Y/%m/%d"))
        .ok()
        .or_else(|| compact(text))
        .or_else(|| text.get(..8).filter(|_| text.len() >= 11 && text.is_ascii()).and_then(compact))
}

#[cfg(test)]
mod tests {
    use super::date;

    #[test]
    fn dates_are_read_as_directories_and_tables_write_them() {
        let day = "2026-12-31".parse().ok();
        for text in ["2026-12-31", "2026/12/31", " 20261231 ", "20261231160000Z", "2026-12-31 00:00:00"] {
            assert_eq!(date(text), day, "{text}");
        }
        for text in ["", "31.12.2026", "2026-13-01", "soon", "2026123"] {
            assert_eq!(date(text), None, "{text}");
        }
    }
}
