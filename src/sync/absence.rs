//! Absence looked at twice: whoever a sealed snapshot does not return is looked up by id, outside of base and filter.
//!
//! Who is nowhere is gone. Who is still there, elsewhere, has moved out of scope, which the configuration decides about.
//! When the second look fails nobody is gone in this run. It costs nothing when nobody is absent.

use std::collections::{HashMap, HashSet};
use std::path::Path;

use crate::config::{OutOfScope, SourceConfig};
use crate::model::{FindingArguments, FindingCode, Link, ObjectKind};
use crate::source::{self, Dn, Found, Part};

use super::finding::arguments;
use super::link::Links;
use super::record::Mapped;

const KIND: ObjectKind = ObjectKind::User;

/// Looks up the people whom a delta says to be gone; `absent` keeps those who are. False when they could not be looked up.
pub(super) async fn confirm_part(
    config: &SourceConfig,
    folder: &Path,
    mapped: &mut Mapped,
    links: &mut Links,
    absent: &mut Vec<Link>,
) -> bool {
    let people = absent.iter().filter(|link| link.kind == KIND);
    let people: Vec<(String, String)> = people.map(|link| (link.external_id.clone(), link.dn.clone())).collect();
    let is_looked_up = confirm_these(config, folder, mapped, links, people).await;
    absent.retain(|link| link.kind != KIND || !mapped.is_quarantined(KIND, &link.external_id));
    is_looked_up
}

/// Looks up the people who are absent, and the old entries of people who come back under new ones.
pub(super) async fn confirm(config: &SourceConfig, folder: &Path, mapped: &mut Mapped, links: &mut Links) {
    let records: HashSet<&str> = mapped.users.iter().map(|record| record.external_id.as_str()).collect();
    let absent: Vec<(String, String)> =
        links.absent(KIND, mapped, &records).into_iter().map(|link| (link.external_id, link.dn)).collect();
    confirm_these(config, folder, mapped, links, absent).await;
}

async fn confirm_these(
    config: &SourceConfig,
    folder: &Path,
    mapped: &mut Mapped,
    links: &mut Links,
    absent: Vec<(String, String)>,
) -> bool {
    let former: Vec<(String, String)> =
        links.replaced().map(|(new, link)| (new.clone(), link.external_id.clone())).collect();
    let ids: Vec<String> = absent.iter().map(|(id, _)| id).chain(former.iter().map(|(_, id)| id)).cloned().collect();
    if ids.is_empty() {
        return true;
    }
    match source::look_up(config, folder, &ids, Part::Users).await {
        Ok(found) => {
            let found: HashMap<String, Found> =
                found.into_iter().map(|(id, found)| (id, exclude(config, found))).collect();
            for (id, dn) in &absent {
                judge(config, (id, dn), found.get(id), mapped);
            }
            for (new, _) in former.iter().filter(|(_, old)| found.contains_key(old)) {
                refuse(new, mapped, links);
            }
            true
        }
        Err(error) => {
            tracing::warn!(source = %config.name, %error, "people who are absent could not be looked up: nobody is gone");
            let said = arguments([("count", ids.len().to_string()), ("reason", error.to_string())]);
            mapped.warn(FindingCode::AbsenceUnconfirmed, (&config.name, ""), said);
            mapped.is_open = true;
            for (id, _) in &absent {
                stay(id, mapped);
            }
            for (new, _) in &former {
                refuse(new, mapped, links);
            }
            false
        }
    }
}

/// Whoever stands below an excluded DN is out of scope, whatever base and filter say.
fn exclude(config: &SourceConfig, found: Found) -> Found {
    let is_excluded = is_within(&config.excludes, &found.dn);
    Found { is_in_scope: found.is_in_scope && !is_excluded, ..found }
}

/// Whether a DN is one of these or below.
pub(super) fn is_within(bases: &[String], dn: &str) -> bool {
    if bases.is_empty() {
        return false;
    }
    let Ok(dn) = Dn::parse(dn) else { return false };
    let dn = dn.normalized();
    bases.iter().filter_map(|base| Dn::parse(base).ok()).any(|base| dn.is_within(&base.normalized()))
}

fn judge(config: &SourceConfig, who: (&str, &str), found: Option<&Found>, mapped: &mut Mapped) {
    let Some(found) = found else { return };
    let (id, _) = who;
    if found.is_in_scope {
        // It moved while the source was read, or came back since.
        mapped.warn(FindingCode::SeenAgain, (id, &found.dn), FindingArguments::new());
        mapped.is_open = true;
        return stay(id, mapped);
    }
    mapped.warn(FindingCode::MovedOutOfScope, (id, &found.dn), FindingArguments::new());
    if config.out_of_scope == OutOfScope::Keep {
        // Looked up again on every run: one day they may be gone.
        mapped.is_open = true;
        return stay(id, mapped);
    }
    mapped.moved_out.insert(id.to_owned(), found.dn.clone());
}

/// The person counts as present and stays as they are.
fn stay(id: &str, mapped: &mut Mapped) {
    mapped.quarantined.entry(KIND).or_default().insert(id.to_owned());
}

/// The old entry is still there, or nobody knows: the new one waits, and the old one keeps its person.
fn refuse(new: &str, mapped: &mut Mapped, links: &mut Links) {
    let Some(at) = mapped.users.iter().position(|record| record.external_id == new) else { return };
    let record = mapped.users.remove(at);
    let value = record.employee_number.clone().unwrap_or_else(|| record.login.clone());
    if let Some(former) = links.part(new) {
        stay(&former, mapped);
    }
    mapped.is_open = true;
    let who = (record.external_id.as_str(), record.dn.as_str());
    mapped.quarantine(KIND, FindingCode::RehireConflict, who, arguments([("value", value)]));
}
