//! What must be unique within a snapshot: login names and employee numbers of people who are let in, codes.
//!
//! All who share a key are left out, so that no run prefers one and the next the other; whoever is linked already keeps
//! the account as it is.

use std::collections::{HashMap, HashSet};

use crate::config::{DepartmentMapping, SourceConfig};
use crate::model::{FindingCode, ObjectKind};
use crate::text::fold;

use super::super::finding::arguments;
use super::super::record::{DepartmentRecord, Mapped, UserRecord};

/// Leaves out people who share a login name or an employee number.
pub(super) fn people(config: &SourceConfig, mapped: &mut Mapped) {
    let users = std::mem::take(&mut mapped.users);
    let shared = |key: fn(&UserRecord) -> Option<&str>| -> HashMap<String, usize> {
        let mut count: HashMap<&str, usize> = HashMap::with_capacity(users.len());
        for value in users.iter().filter(|user| user.enabled).filter_map(|user| key(user)) {
            *count.entry(value).or_default() += 1;
        }
        count.into_iter().filter(|(_, times)| *times > 1).map(|(key, times)| (key.to_owned(), times)).collect()
    };
    // A source that only adds attributes names nobody.
    let logins = if config.creates() { shared(|user| Some(&user.login_key)) } else { HashMap::new() };
    let numbers = shared(|user| user.employee_number.as_deref());
    if logins.is_empty() && numbers.is_empty() {
        mapped.users = users;
        return;
    }
    let mut kept = Vec::with_capacity(users.len());
    for user in users {
        let login = logins.get(&user.login_key).map(|times| (FindingCode::DuplicateLogin, *times, user.login.clone()));
        let number = user.employee_number.as_ref().and_then(|number| {
            numbers.get(number).map(|times| (FindingCode::DuplicateEmployeeNumber, *times, number.clone()))
        });
        match login.or(number).filter(|_| user.enabled) {
            Some((code, times, value)) => {
                let arguments = arguments([("count", times.to_string()), ("value", value)]);
                mapped.quarantine(ObjectKind::User, code, (&user.external_id, &user.dn), arguments);
            }
            None => kept.push(user),
        }
    }
    mapped.users = kept;
}

/// Leaves out groups and departments that share a code. Departments whose code nobody chose (it is the `ou`) are told
/// apart by the path instead.
pub(super) fn codes(config: &SourceConfig, mapped: &mut Mapped) {
    if matches!(&config.departments, Some(DepartmentMapping::Ou { code: None, .. })) {
        use_paths(&mut mapped.departments);
    }
    let departments = std::mem::take(&mut mapped.departments);
    let shared = repeated(departments.iter().map(|record| record.code.as_str()));
    for record in departments {
        if shared.contains(&fold(&record.code)) {
            let who = (record.external_id.as_str(), record.dn.as_str());
            let arguments = arguments([("value", record.code)]);
            mapped.quarantine(ObjectKind::Department, FindingCode::DuplicateCode, who, arguments);
        } else {
            mapped.departments.push(record);
        }
    }
    let groups = std::mem::take(&mut mapped.groups);
    let shared = repeated(groups.iter().map(|record| record.code.as_str()));
    for record in groups {
        if shared.contains(&fold(&record.code)) {
            let who = (record.external_id.as_str(), record.dn.as_str());
            mapped.quarantine(ObjectKind::Group, FindingCode::DuplicateCode, who, arguments([("value", record.code)]));
        } else {
            mapped.groups.push(record);
        }
    }
}

fn repeated<'a>(codes: impl Iterator<Item = &'a str>) -> HashSet<String> {
    let mut seen = HashSet::new();
    codes.map(fold).filter(|code| !seen.insert(code.clone())).collect()
}

/// `研发部` under two subsidiaries becomes `华东/研发部` and `华南/研发部`.
fn use_paths(departments: &mut [DepartmentRecord]) {
    let shared = repeated(departments.iter().map(|record| record.code.as_str()));
    if shared.is_empty() {
        return;
    }
    let own: HashMap<String, (String, Option<String>)> = departments
        .iter()
        .map(|record| (record.external_id.clone(), (record.code.clone(), record.parent.clone())))
        .collect();
    for record in departments.iter_mut().filter(|record| shared.contains(&fold(&record.code))) {
        let mut path = vec![record.code.clone()];
        let mut above = record.parent.as_ref();
        while let Some((code, parent)) = above.and_then(|id| own.get(id)) {
            path.insert(0, code.clone());
            above = parent.as_ref();
        }
        record.code = path.join("/");
    }
}
