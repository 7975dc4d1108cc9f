//! What an operator should know about a domain controller before the first read: whether the port is that of the global
//! catalogue, which holds only some attributes, and whether deleted accounts can be seen.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use ldap3::Scope;
use ldap3::controls::RawControl;

use super::super::answer;
use super::super::connect::Connection;
use super::super::root::Root;
use super::super::search::{Search, page};
use crate::source::check::{Finding, Level};
use crate::source::error::SourceError;
use crate::source::select::Selection;
use crate::source::snapshot::ACCOUNT_STATE;

/// `LDAP_SERVER_SHOW_DELETED_OID` ([MS-ADTS] section 3.1.1.3.4.1.14).
pub(in crate::source::ldap) const SHOW_DELETED: &str = "1.2.840.113556.1.4.417";

pub(super) async fn check(connection: &mut Connection, root: &Root) -> Result<Vec<Finding>, SourceError> {
    let mut findings = vec![deleted(connection, root).await?];
    if is_global_catalogue(&connection.url) {
        let text = "it holds every attribute of the mapping".to_owned();
        findings.push(Finding { subject: "global catalogue".to_owned(), level: Level::Good, text });
    }
    Ok(findings)
}

fn is_global_catalogue(url: &str) -> bool {
    url::Url::parse(url).ok().and_then(|url| url.port()).is_some_and(|port| matches!(port, 3268 | 3269))
}

/// LDAP-081: who may not look into the container of deleted objects cannot tell "deleted" from "moved out of sight".
async fn deleted(connection: &mut Connection, root: &Root) -> Result<Finding, SourceError> {
    let base = format!("CN=Deleted Objects,{}", root.first("defaultnamingcontext").unwrap_or_default());
    let attributes = ["name".to_owned()];
    let search = Search { base: &base, scope: Scope::Base, filter: "(objectClass=*)", attributes: &attributes };
    let control = RawControl { ctype: SHOW_DELETED.to_owned(), crit: true, val: None };
    let (result, entries) = page(connection, search, Some(control), &mut |_| {}).await?;
    let subject = "deleted objects".to_owned();
    Ok(if result.rc == 0 && entries > 0 {
        Finding { subject, level: Level::Good, text: "can be seen".to_owned() }
    } else {
        let text = "cannot be seen, so a person who was deleted looks like one who was moved out of sight; give the \
                    service account the right to list the container (dsacls \"CN=Deleted Objects,…\" /G NAME:LCRP)";
        Finding { subject, level: Level::Warning, text: text.to_owned() }
    })
}

/// The global catalogue lacks most attributes: what it does not hold would look as if everybody had lost it.
pub(super) async fn refuse_partial_attributes(
    connection: &mut Connection,
    root: &Root,
    selections: &[Selection],
) -> Result<(), SourceError> {
    if !is_global_catalogue(&connection.url) {
        return Ok(());
    }
    let wanted: BTreeSet<&str> = selections
        .iter()
        .flat_map(|selection| selection.wanted.iter().map(String::as_str))
        .filter(|name| !matches!(*name, ACCOUNT_STATE | "objectclass"))
        .collect();
    let mut filter = "(&(objectClass=attributeSchema)(isMemberOfPartialAttributeSet=TRUE)(|".to_owned();
    for name in &wanted {
        let _ = write!(filter, "(lDAPDisplayName={name})");
    }
    filter.push_str("))");
    let base = root.first("schemanamingcontext").unwrap_or_default();
    let attributes = ["lDAPDisplayName".to_owned()];
    let search = Search { base, scope: Scope::OneLevel, filter: &filter, attributes: &attributes };
    let mut held = BTreeSet::new();
    let mut take = |raw: crate::source::collect::Raw| {
        let names = raw.values.get("ldapdisplayname").into_iter().flatten();
        held.extend(names.map(|name| String::from_utf8_lossy(name).to_ascii_lowercase()));
    };
    let (result, _) = page(connection, search, None, &mut take).await?;
    if result.rc != 0 {
        return Err(answer::search_failed(base, &result));
    }
    let lacking: Vec<&str> = wanted.into_iter().filter(|name| !held.contains(*name)).collect();
    if lacking.is_empty() {
        return Ok(());
    }
    let reason = format!(
        "{} is a global catalogue, which does not hold {}: it would look as if everybody had lost them; use port 636 of \
         a domain controller, or have the attributes replicated to the catalogue",
        connection.url,
        lacking.join(", ")
    );
    Err(SourceError::Config { key: "source.ldap.url".to_owned(), reason })
}
