//! What a source's mapping asks for: for people, departments and groups each a base, a filter, the stable id and the
//! attributes. One [`Selection`] serves LDIF (evaluated here) and LDAP (sent to the server).

use std::collections::BTreeSet;

use super::dn::Dn;
use super::error::SourceError;
use super::filter::{Filter, Values, base_name};
use super::ldap::asked;
use super::snapshot::{ACCOUNT_STATE, Part};
use crate::config::{DepartmentMapping, DirectorySchema, SourceConfig, UserMapping};

/// One of the up to three searches of a source.
#[derive(Clone, Debug)]
pub(super) struct Selection {
    pub part: Part,
    /// Where it begins, as configured; none means everywhere (only LDIF).
    pub base: Option<Base>,
    pub filter: Filter,
    /// Attribute of the stable id, lower case.
    pub id: String,
    /// Attributes that are kept, lower case.
    pub wanted: BTreeSet<String>,
    /// Attributes that a server is asked for besides, for its kind of directory to look at.
    pub asked: &'static [&'static str],
    /// Attribute with the time of the last change, lower case, where it is of interest.
    pub stamp: Option<&'static str>,
}

/// The base of a search.
#[derive(Clone, Debug)]
pub(super) struct Base {
    /// As configured.
    pub text: String,
    normalized: Dn,
}

impl Base {
    fn parse(key: &'static str, text: &str) -> Result<Self, SourceError> {
        let dn = Dn::parse(text).map_err(|cause| SourceError::Base { key, cause })?;
        Ok(Self { text: text.to_owned(), normalized: dn.normalized() })
    }

    /// The base as a normalized name.
    pub fn dn(&self) -> Dn {
        self.normalized.clone()
    }

    /// Below another base.
    pub fn at(text: &str) -> Option<Self> {
        let normalized = Dn::parse(text).ok()?.normalized();
        Some(Self { text: text.to_owned(), normalized })
    }

    /// Whether the name is below the base and ends exactly as the base is configured: most do, and need no parsing.
    pub fn spells(&self, text: &str) -> bool {
        // An escaped comma before it needs the long way.
        text.strip_suffix(self.text.as_str()).is_some_and(|head| head.ends_with(',') && !head.ends_with("\\,"))
    }

    /// Whether the entry is the base or below it.
    pub fn contains(&self, dn: &Dn) -> bool {
        dn.normalized().is_within(&self.normalized)
    }
}

impl Selection {
    /// Whether an entry of a file is meant.
    pub fn covers(&self, text: &str, dn: &Dn, values: &Values) -> bool {
        self.base.as_ref().is_none_or(|base| base.spells(text) || base.contains(dn)) && self.filter.matches(values)
    }
}

/// Where the text of the three bases, filters and ids stands in the configuration, for error messages.
struct Keys {
    part: Part,
    base: &'static str,
    filter: &'static str,
    id: &'static str,
}

/// The searches that the mapping needs.
pub(super) fn selections(config: &SourceConfig) -> Result<Vec<Selection>, SourceError> {
    let mut all = vec![users(config)?];
    if let Some(DepartmentMapping::Ou {
        base_dn,
        filter,
        id,
        code,
        name,
        order,
        parent,
        head,
        cost_centre,
        legal_entity,
        kind,
    }) = &config.departments
    {
        let keys = Keys {
            part: Part::Departments,
            base: "source.departments.base_dn",
            filter: "source.departments.filter",
            id: "source.departments.id",
        };
        let code = code.as_deref().unwrap_or("ou");
        let more = [order, parent, head, cost_centre, legal_entity].map(Option::as_deref);
        let kind = kind.as_ref().map(|rule| rule.attribute.as_str());
        let templates: Vec<Option<&str>> = [Some(code), Some(name.as_str()), kind].into_iter().chain(more).collect();
        all.push(selection(config, &keys, base_dn.as_deref(), filter, id.as_deref(), &templates)?);
    }
    if let Some(groups) = &config.groups {
        let keys = Keys {
            part: Part::Groups,
            base: "source.groups.base_dn",
            filter: "source.groups.filter",
            id: "source.groups.id",
        };
        let templates = [Some(groups.code.as_str()), Some(groups.name.as_str()), Some(groups.member.as_str())];
        let (base, id) = (groups.base_dn.as_deref(), groups.id.as_deref());
        all.push(selection(config, &keys, base, &groups.filter, id, &templates)?);
    }
    Ok(all)
}

fn users(config: &SourceConfig) -> Result<Selection, SourceError> {
    let UserMapping { base_dn, filter, id, .. } = &config.users;
    let users = &config.users;
    let mut templates = vec![
        Some(users.login.as_str()),
        Some(users.display_name.as_str()),
        users.employee_number.as_deref(),
        users.given_name.as_deref(),
        users.family_name.as_deref(),
        users.mail.as_deref(),
        users.mobile.as_deref(),
        users.title.as_deref(),
        users.manager.as_deref(),
        users.enabled.as_ref().map(|rule| rule.attribute.as_str()),
        config.positions.as_ref().map(|positions| positions.attribute.as_str()),
    ];
    templates.extend(users.attributes.values().map(|template| Some(template.as_str())));
    if config.ldap.is_none() {
        // A directory that can be bound to is never asked for password hashes.
        templates.push(users.password.as_deref());
    }
    templates.extend([users.starts_on.as_deref(), users.ends_on.as_deref()]);
    templates.push(config.assignments.as_ref().map(|mapping| mapping.attribute.as_str()));
    if let Some(DepartmentMapping::Attribute { attribute, head, .. }) = &config.departments {
        templates.push(Some(attribute));
        templates.push(head.as_ref().map(|rule| rule.attribute.as_str()));
    }
    let keys =
        Keys { part: Part::Users, base: "source.users.base_dn", filter: "source.users.filter", id: "source.users.id" };
    selection(config, &keys, base_dn.as_deref(), filter, id.as_deref(), &templates)
}

fn selection(
    config: &SourceConfig,
    keys: &Keys,
    base: Option<&str>,
    filter: &str,
    id: Option<&str>,
    templates: &[Option<&str>],
) -> Result<Selection, SourceError> {
    let base = match (base, &config.ldap, &config.ldif) {
        (Some(base), _, _) => Some(Base::parse(keys.base, base)?),
        (None, Some(ldap), _) => Some(Base::parse("source.ldap.base_dn", &ldap.base_dn)?),
        (None, None, Some(ldif)) => {
            ldif.base_dn.as_deref().map(|base| Base::parse("source.ldif.base_dn", base)).transpose()?
        }
        (None, None, None) => None,
    };
    let filter = Filter::parse(filter).map_err(|cause| SourceError::Filter { key: keys.filter, cause })?;
    if config.ldap.is_none() && !filter.is_evaluable() {
        let reason = format!("the extensible match (`:=`) in `{filter}` works only on a server; use another filter");
        return Err(SourceError::Config { key: keys.filter.to_owned(), reason });
    }
    let is_generic = config.ldap.as_ref().is_some_and(|ldap| ldap.schema == DirectorySchema::Generic);
    let id = match id {
        Some(id) => base_name(id),
        None if is_generic => {
            let reason = "a directory of schema `generic` needs the name of the attribute with the stable id".into();
            return Err(SourceError::Config { key: keys.id.to_owned(), reason });
        }
        None => "entryuuid".to_owned(),
    };
    let mut wanted: BTreeSet<String> =
        templates.iter().flatten().flat_map(|template| attributes_of(template)).collect();
    wanted.insert("objectclass".to_owned());
    if keys.part == Part::Users {
        wanted.insert(ACCOUNT_STATE.to_owned());
    }
    let asked = config.ldap.as_ref().map_or(&[][..], |ldap| asked(ldap.schema, keys.part));
    Ok(Selection { part: keys.part, base, filter, id, wanted, asked, stamp: None })
}

/// The attributes that a mapping value reads: `mail` itself, or the names in the braces of `{displayName|cn}`.
fn attributes_of(template: &str) -> Vec<String> {
    let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | ';' | '.');
    let name = |text: &str| {
        let text = text.trim();
        let end = text.find(|c| !is_name(c)).unwrap_or(text.len());
        text.get(..end).filter(|name| !name.is_empty()).map(base_name)
    };
    if !template.contains('{') {
        return name(template).into_iter().collect();
    }
    let inside = template.split('{').skip(1).filter_map(|rest| rest.split('}').next());
    inside.flat_map(|names| names.split('|')).filter_map(name).collect()
}

#[cfg(test)]
mod tests {
    use super::attributes_of;

    #[test]
    fn a_mapping_value_names_the_attributes_that_are_asked_for() {
        assert_eq!(attributes_of("employeeNumber"), ["employeenumber"]);
        assert_eq!(attributes_of("{displayName|cn}"), ["displayname", "cn"]);
        assert_eq!(attributes_of("{sn}{givenName;lang-zh}@{ o }"), ["sn", "givenname", "o"]);
        assert_eq!(attributes_of("{uid:lower}"), ["uid"]);
        assert!(attributes_of("{}").is_empty());
    }
}
