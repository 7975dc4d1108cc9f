//! Departments: one an organisational unit, or from a path in an attribute of people.

use std::collections::{BTreeMap, HashMap};

use crate::config::{DepartmentMapping, KindRule, SourceConfig};
use crate::model::{DepartmentKind, FindingCode, ObjectKind};
use crate::source::{Entry, Snapshot};
use crate::text::fold;

use super::super::SyncError;
use super::super::finding::arguments;
use super::super::record::{DepartmentRecord, Mapped};
use super::index::Index;
use super::{optional, render, template};

/// Maps the entries that are departments.
pub(super) fn map(
    config: &SourceConfig,
    snapshot: &Snapshot,
    index: &Index<'_>,
    mapped: &mut Mapped,
) -> Result<(), SyncError> {
    let Some(DepartmentMapping::Ou { code, name, order, cost_centre, legal_entity, kind, .. }) = &config.departments
    else {
        return Ok(());
    };
    let code = template("departments.code", code.as_deref().unwrap_or("ou"))?;
    let name = template("departments.name", name)?;
    let order = optional("departments.order", order.as_ref())?;
    let cost_centre = optional("departments.cost_centre", cost_centre.as_ref())?;
    let legal_entity = optional("departments.legal_entity", legal_entity.as_ref())?;
    for entry in &snapshot.departments {
        *mapped.read.entry(ObjectKind::Department).or_default() += 1;
        let Some(code) = render(&code, entry) else {
            let arguments = arguments([("key", "departments.code".to_owned())]);
            let who = (entry.external_id.as_str(), entry.dn.as_str());
            mapped.quarantine(ObjectKind::Department, FindingCode::MissingCode, who, arguments);
            continue;
        };
        let order = order.as_ref().and_then(|order| render(order, entry));
        mapped.departments.push(DepartmentRecord {
            external_id: entry.external_id.clone(),
            dn: entry.dn.clone(),
            name: render(&name, entry).unwrap_or_else(|| code.clone()),
            parent: index.department_above(&entry.dn).map(str::to_owned),
            sort_order: order.and_then(|order| order.parse().ok()).unwrap_or(0),
            kind: kind.as_ref().map_or(DepartmentKind::Department, |rule| kind_of(rule, entry)),
            head: None,
            cost_centre: cost_centre.as_ref().and_then(|template| render(template, entry)),
            legal_entity: legal_entity.as_ref().and_then(|template| render(template, entry)),
            code,
        });
    }
    sort_by_depth(&mut mapped.departments);
    Ok(())
}

/// What kind of node the entry is.
fn kind_of(rule: &KindRule, entry: &Entry) -> DepartmentKind {
    let values = entry.attributes.all(&rule.attribute.to_ascii_lowercase());
    let is_one = |of: &[String]| of.iter().any(|wanted| values.clone().any(|value| fold(value) == fold(wanted)));
    if is_one(&rule.company) {
        DepartmentKind::Company
    } else if is_one(&rule.subsidiary) {
        DepartmentKind::Subsidiary
    } else {
        DepartmentKind::Department
    }
}

/// Departments out of the paths of people: each level is one, known by its folded path.
#[derive(Default)]
pub(super) struct Paths(BTreeMap<String, DepartmentRecord>);

impl Paths {
    /// Notes the path and every level above it; gives the external id of the lowest.
    pub fn add(&mut self, path: &str, separator: &str) -> Option<String> {
        let mut above: Option<String> = None;
        let mut code = String::new();
        for name in path.split(separator).map(str::trim).filter(|name| !name.is_empty()) {
            if !code.is_empty() {
                code.push_str(separator);
            }
            code.push_str(name);
            let external_id = fold(&code);
            self.0.entry(external_id.clone()).or_insert_with(|| DepartmentRecord {
                external_id: external_id.clone(),
                dn: String::new(),
                code: code.clone(),
                name: name.to_owned(),
                parent: above.clone(),
                sort_order: 0,
                kind: DepartmentKind::Department,
                head: None,
                cost_centre: None,
                legal_entity: None,
            });
            above = Some(external_id);
        }
        above
    }

    /// The departments, as they are.
    pub fn records(self) -> impl Iterator<Item = DepartmentRecord> {
        self.0.into_values()
    }

    /// The departments, parents before children.
    pub fn finish(self, mapped: &mut Mapped) {
        let count = u64::try_from(self.0.len()).unwrap_or(u64::MAX);
        if count > 0 {
            *mapped.read.entry(ObjectKind::Department).or_default() += count;
            mapped.departments.extend(self.0.into_values());
            sort_by_depth(&mut mapped.departments);
        }
    }
}

pub(super) fn sort_by_depth(departments: &mut [DepartmentRecord]) {
    let parents: HashMap<String, Option<String>> =
        departments.iter().map(|record| (record.external_id.clone(), record.parent.clone())).collect();
    departments.sort_by_cached_key(|record| {
        let mut depth = 0usize;
        let mut above = record.parent.as_ref();
        // Where parents are named by an attribute they may go in a circle: the limit ends it, and the plan leaves it out.
        while let Some(parent) = above.filter(|_| depth <= parents.len()) {
            depth += 1;
            above = parents.get(parent).and_then(Option::as_ref);
        }
        (depth, record.sort_order, record.code.clone())
    });
}
