//! People: their attributes, and references to department, position and manager.

use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use crate::config::{DepartmentMapping, SourceConfig, Template};
use crate::model::{Attributes, FindingArguments, FindingCode, ObjectKind};
use crate::source::{ACCOUNT_STATE, Entry, Snapshot};
use crate::text::fold;

use super::super::SyncError;
use super::super::finding::arguments;
use super::super::record::{Mapped, PositionRecord, Unresolved, UserRecord};
use super::departments::Paths;
use super::index::Index;
use super::{optional, render, template};

/// The mapping of people, parsed.
struct Templates {
    login: Template,
    display_name: Template,
    employee_number: Option<Template>,
    given_name: Option<Template>,
    family_name: Option<Template>,
    mail: Option<Template>,
    mobile: Option<Template>,
    title: Option<Template>,
    manager: Option<Template>,
    password: Option<Template>,
    position: Option<Template>,
    department: Option<(Template, String)>,
    enabled: Option<(String, Vec<String>)>,
    attributes: Vec<(String, Template, Option<String>)>,
    /// Attributes that somebody has: most have what others have as well.
    known: RefCell<HashSet<Arc<Attributes>>>,
}

impl Templates {
    fn new(config: &SourceConfig) -> Result<Self, SyncError> {
        let users = &config.users;
        let department = match &config.departments {
            Some(DepartmentMapping::Attribute { attribute, separator, .. }) => {
                Some((template("departments.attribute", attribute)?, separator.clone()))
            }
            _ => None,
        };
        let enabled = users
            .enabled
            .as_ref()
            .map(|rule| (rule.attribute.to_ascii_lowercase(), rule.disabled.iter().map(|value| fold(value)).collect()));
        let attributes = users.attributes.iter().map(|(name, text)| {
            // A plain attribute keeps all its values, a template makes one.
            let plain = (!text.contains('{')).then(|| text.trim().to_ascii_lowercase());
            Ok((name.clone(), template(&format!("users.attributes.{name}"), text)?, plain))
        });
        Ok(Self {
            login: template("users.login", &users.login)?,
            display_name: template("users.display_name", &users.display_name)?,
            employee_number: optional("users.employee_number", users.employee_number.as_ref())?,
            given_name: optional("users.given_name", users.given_name.as_ref())?,
            family_name: optional("users.family_name", users.family_name.as_ref())?,
            mail: optional("users.mail", users.mail.as_ref())?,
            mobile: optional("users.mobile", users.mobile.as_ref())?,
            title: optional("users.title", users.title.as_ref())?,
            manager: optional("users.manager", users.manager.as_ref())?,
            // A directory that can be bound to keeps its passwords.
            password: optional("users.password", users.password.as_ref().filter(|_| config.ldap.is_none()))?,
            position: optional("positions.attribute", config.positions.as_ref().map(|positions| &positions.attribute))?,
            department,
            enabled,
            attributes: attributes.collect::<Result<_, SyncError>>()?,
            known: RefCell::default(),
        })
    }

    /// The record, without references.
    fn record(&self, entry: &Entry, login: String) -> UserRecord {
        let value = |template: &Option<Template>| template.as_ref().and_then(|template| render(template, entry));
        UserRecord {
            external_id: entry.external_id.clone(),
            dn: entry.dn.clone(),
            login_key: fold(&login),
            employee_number: value(&self.employee_number),
            display_name: render(&self.display_name, entry).unwrap_or_else(|| login.clone()),
            given_name: value(&self.given_name),
            family_name: value(&self.family_name),
            mail: value(&self.mail),
            mobile: value(&self.mobile),
            title: value(&self.title),
            department: None,
            position: None,
            manager: None,
            password: value(&self.password),
            enabled: self.is_enabled(entry),
            attributes: self.attributes(entry),
            starts_on: None,
            ends_on: None,
            assignments: Vec::new(),
            choices: self.choices(entry),
            login,
        }
    }

    /// Fields of which the entry has several values.
    fn choices(&self, entry: &Entry) -> BTreeMap<&'static str, Vec<String>> {
        let fields = [
            ("login", Some(&self.login)),
            ("display_name", Some(&self.display_name)),
            ("employee_number", self.employee_number.as_ref()),
            ("given_name", self.given_name.as_ref()),
            ("family_name", self.family_name.as_ref()),
            ("mail", self.mail.as_ref()),
            ("mobile", self.mobile.as_ref()),
            ("title", self.title.as_ref()),
        ];
        // Most entries have one value of everything.
        if entry.attributes.iter().all(|(name, values)| values.len() < 2 || name == "objectclass") {
            return BTreeMap::new();
        }
        let all = |name: &str| entry.attributes.all(name);
        let choices = fields.into_iter().filter_map(|(field, template)| Some((field, template?.choices(all))));
        choices.filter(|(_, values)| !values.is_empty()).collect()
    }

    fn is_enabled(&self, entry: &Entry) -> bool {
        // What the directory itself holds against them counts besides the mapping's rule.
        if entry.attributes.all(ACCOUNT_STATE).any(|state| matches!(state, "disabled" | "expired")) {
            return false;
        }
        let Some((attribute, disabled)) = &self.enabled else { return true };
        !entry.attributes.all(attribute).any(|value| disabled.contains(&fold(value)))
    }

    /// Further attributes; values sorted, so that their order at the source changes nothing.
    fn attributes(&self, entry: &Entry) -> Arc<Attributes> {
        let mut all = BTreeMap::new();
        for (name, template, plain) in &self.attributes {
            let mut values: Vec<String> = match plain {
                Some(attribute) => entry.attributes.all(attribute).map(str::to_owned).collect(),
                None => render(template, entry).into_iter().collect(),
            };
            values.retain(|value| !value.trim().is_empty());
            values.sort();
            values.dedup();
            if !values.is_empty() {
                all.insert(name.clone(), values);
            }
        }
        let mut known = self.known.borrow_mut();
        if let Some(same) = known.get(&all) {
            return same.clone();
        }
        let new = Arc::new(all);
        known.insert(new.clone());
        new
    }
}

/// Maps the entries that are people, with the positions and departments that their attributes name.
pub(super) fn map(
    config: &SourceConfig,
    snapshot: &Snapshot,
    index: &Index<'_>,
    mapped: &mut Mapped,
) -> Result<(), SyncError> {
    let templates = Templates::new(config)?;
    let mut paths = Paths::default();
    let mut positions = BTreeMap::new();
    let mut seen = HashSet::new();
    for entry in &snapshot.users {
        *mapped.read.entry(ObjectKind::User).or_default() += 1;
        let (id, dn) = (entry.external_id.as_str(), entry.dn.as_str());
        if !seen.insert(id) {
            mapped.repeat(ObjectKind::User, id, dn);
            continue;
        }
        let login = render(&templates.login, entry).filter(|login| !fold(login).is_empty());
        // Who only adds attributes names nobody.
        let login = login.or_else(|| (!config.creates()).then(|| id.to_owned()));
        let Some(login) = login else {
            mapped.quarantine(ObjectKind::User, FindingCode::MissingLogin, (id, dn), FindingArguments::new());
            continue;
        };
        let mut record = templates.record(entry, login);
        record.department = match &templates.department {
            Some((template, separator)) => render(template, entry).and_then(|path| paths.add(&path, separator)),
            None => index.department_above(dn).map(str::to_owned),
        };
        if let Some(code) = templates.position.as_ref().and_then(|template| render(template, entry)) {
            let external_id = fold(&code);
            record.position = Some(external_id.clone());
            positions.entry(external_id.clone()).or_insert(PositionRecord { external_id, code });
        }
        if let Some(text) = record.password.take() {
            record.password = usable_hash(&text);
            if record.password.is_none() {
                mapped.warn(FindingCode::UnusablePassword, (id, dn), FindingArguments::new());
            }
        }
        record.manager = manager(templates.manager.as_ref(), entry, index, mapped);
        mapped.users.push(Box::new(record));
    }
    paths.finish(mapped);
    mapped.read.insert(ObjectKind::Position, u64::try_from(positions.len()).unwrap_or(u64::MAX));
    mapped.positions = positions.into_values().collect();
    cycles(mapped);
    Ok(())
}

/// The PHC string of an `{ARGON2}` value; anything else is of no use for signing in.
fn usable_hash(text: &str) -> Option<String> {
    let hash = match text.split_once('}') {
        Some((scheme, hash)) if scheme.eq_ignore_ascii_case("{ARGON2") => hash,
        Some(_) => return None,
        None => text,
    };
    hash.starts_with("$argon2id$").then(|| hash.to_owned())
}

/// External id of the manager; one who is not among the people read may be known elsewhere.
fn manager(template: Option<&Template>, entry: &Entry, index: &Index<'_>, mapped: &mut Mapped) -> Option<String> {
    let dn = template.and_then(|template| render(template, entry))?;
    if let Some((ObjectKind::User, id)) = index.find(&dn) {
        return Some(id.to_owned());
    }
    let (external_id, of) = (entry.external_id.clone(), ObjectKind::User);
    mapped.unresolved.push(Unresolved { of, external_id, dn: entry.dn.clone(), reference: dn });
    None
}

/// Managers in a circle are kept as they are and noted, once a circle.
fn cycles(mapped: &mut Mapped) {
    let managers: HashMap<&str, (&str, &str)> = mapped
        .users
        .iter()
        .filter_map(|user| Some((user.external_id.as_str(), (user.manager.as_deref()?, user.dn.as_str()))))
        .collect();
    let above = |id: &str| managers.get(id).map(|(manager, _)| *manager);
    let mut done: HashSet<&str> = HashSet::new();
    let mut found: BTreeMap<String, (String, usize)> = BTreeMap::new();
    for start in managers.keys() {
        // Walk up from everybody once; whoever is met again on the same walk closes a circle.
        let mut walk: HashSet<&str> = HashSet::new();
        let mut at = *start;
        while let Some(next) = above(at).filter(|_| !done.contains(at)) {
            if !walk.insert(at) {
                let circle: Vec<&str> =
                    std::iter::successors(Some(at), |id| above(id).filter(|next| *next != at)).collect();
                // The smallest id stands for the circle, so that the finding is the same on every run.
                let first = circle.iter().min().copied().unwrap_or(at);
                let dn = managers.get(first).map(|(_, dn)| *dn).unwrap_or_default();
                found.insert(first.to_owned(), (dn.to_owned(), circle.len()));
                break;
            }
            at = next;
        }
        done.extend(walk);
    }
    for (id, (dn, people)) in found {
        mapped.warn(FindingCode::ManagerCycle, (&id, &dn), arguments([("count", people.to_string())]));
    }
}
