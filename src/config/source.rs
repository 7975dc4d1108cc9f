//! `[[source]]`: a master that people and departments are read from: where, when, how it is mapped, how it is guarded.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{
    AssignmentMapping, CsvConfig, GraceConfig, GuardConfig, HeadRule, JoinConfig, KindRule, LdapConfig, LdifConfig,
    OutOfScope, Template,
};
use crate::model::{DepartmentKind, Lifetime};

/// What a mapping value holds until `SourceConfig::settle` fills in what is usual for the kind of directory.
pub(super) const BY_KIND: &str = "\0";

fn by_kind() -> String {
    BY_KIND.to_owned()
}

/// One `[[source]]`: exactly one of `[source.ldap]`, `[source.ldif]` and `[source.csv]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SourceConfig {
    /// Name, unique.
    pub name: String,
    /// Cron expression of the nightly run (five fields).
    #[serde(default = "default_schedule")]
    pub schedule: String,
    /// How often it is asked what changed, between its full runs: `"3s"`, or `"off"`. LDAP servers are asked every three
    /// seconds when missing; files are read whole.
    pub incremental: Option<Interval>,
    /// Whether the server tells by itself what changes, over a connection that is kept.
    #[serde(default)]
    pub live: bool,
    /// Zone of the schedule.
    #[serde(default = "default_zone")]
    pub time_zone: chrono_tz::Tz,
    /// An LDAP server.
    pub ldap: Option<LdapConfig>,
    /// An LDIF file.
    pub ldif: Option<LdifConfig>,
    /// A CSV or Excel file.
    pub csv: Option<CsvConfig>,
    /// `[source.users]`.
    pub users: UserMapping,
    /// `[source.departments]`.
    pub departments: Option<DepartmentMapping>,
    /// `[source.positions]`.
    pub positions: Option<PositionMapping>,
    /// `[source.groups]`.
    pub groups: Option<GroupMapping>,
    /// `[source.assignments]`: concurrent ones (兼职).
    pub assignments: Option<AssignmentMapping>,
    /// `[source.guard]`.
    #[serde(default)]
    pub guard: GuardConfig,
    /// `[source.join]`: how entries find people whom other sources own; missing, they never do.
    pub join: Option<JoinConfig>,
    /// `[source.grace]`.
    #[serde(default)]
    pub grace: GraceConfig,
    /// What becomes of people whose entries are still there, outside of base and filter.
    #[serde(default = "default_out_of_scope")]
    pub out_of_scope: OutOfScope,
    /// DNs below which nothing belongs to this source: a child domain that has a source of its own.
    #[serde(default)]
    pub excludes: Vec<String>,
}

const fn default_out_of_scope() -> OutOfScope {
    OutOfScope::Disable
}

/// How often a source is asked what changed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Interval(pub Option<Lifetime>);

impl<'de> Deserialize<'de> for Interval {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        if text == "off" {
            return Ok(Self(None));
        }
        let length = serde::de::IntoDeserializer::<D::Error>::into_deserializer(text.as_str());
        Lifetime::deserialize(length).map(|length| Self(Some(length)))
    }
}

/// One small question to an index of the server every three seconds: with the time to read, plan and apply it, whoever is
/// disabled is out in less than five.
const USUAL_INTERVAL: Lifetime = Lifetime::seconds(3);

fn default_schedule() -> String {
    "0 2 * * *".to_owned()
}

fn default_zone() -> chrono_tz::Tz {
    chrono_tz::Asia::Shanghai
}

/// `[source.users]`: a value is an attribute name (`mail`) or a template (`{sn}{givenName}`, `{displayName|cn}`).
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct UserMapping {
    /// Base of the search; the source's when missing.
    pub base_dn: Option<String>,
    /// LDAP filter (RFC 4515) of the entries that are people; by the kind of directory when missing, like all that follow
    /// with `by_kind`.
    #[serde(default = "by_kind")]
    pub filter: String,
    /// Attribute of the stable id; `entryUUID` when missing.
    pub id: Option<String>,
    /// Login name.
    #[serde(default = "by_kind")]
    pub login: String,
    /// Employee number (工号).
    pub employee_number: Option<String>,
    /// Name as shown.
    #[serde(default = "default_display_name")]
    pub display_name: String,
    /// Given name.
    pub given_name: Option<String>,
    /// Family name.
    pub family_name: Option<String>,
    /// Mail address.
    pub mail: Option<String>,
    /// Mobile number.
    pub mobile: Option<String>,
    /// Job title.
    pub title: Option<String>,
    /// Attribute with the DN of the manager.
    pub manager: Option<String>,
    /// First day of employment.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub starts_on: Option<String>,
    /// Last day of employment.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ends_on: Option<String>,
    /// Attribute with an `{ARGON2}` hash, for sources that cannot be bound to (LDIF).
    pub password: Option<String>,
    /// Which entries are locked out at the source.
    pub enabled: Option<EnabledRule>,
    /// Further attributes kept as they are: our name → attribute or template.
    #[serde(default)]
    pub attributes: BTreeMap<String, String>,
}

fn default_display_name() -> String {
    "{displayName|cn}".to_owned()
}

/// `enabled = { attribute = "employeeType", disabled = ["left"] }`.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct EnabledRule {
    /// The attribute looked at.
    pub attribute: String,
    /// Values (compared without case) that mean locked out.
    pub disabled: Vec<String>,
}

/// `[source.departments]`: from organisational units (`from = "ou"`) or from an attribute of people.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, tag = "from", rename_all = "lowercase")]
pub enum DepartmentMapping {
    /// One department an OU; a person belongs to the OU above.
    Ou {
        /// Base of the search; the source's when missing.
        base_dn: Option<String>,
        /// Filter of the entries that are departments.
        #[serde(default = "default_ou_filter")]
        filter: String,
        /// Attribute of the stable id; `entryUUID` when missing.
        id: Option<String>,
        /// Code; the `ou` value when missing.
        code: Option<String>,
        /// Name as shown.
        #[serde(default = "default_ou_name")]
        name: String,
        /// Order among siblings.
        order: Option<String>,
        /// Code or DN of the department above; its place in the directory when missing.
        #[serde(skip_serializing_if = "Option::is_none")]
        parent: Option<String>,
        /// DN, login name or employee number of the head (负责人).
        #[serde(skip_serializing_if = "Option::is_none")]
        head: Option<String>,
        /// Cost centre.
        #[serde(skip_serializing_if = "Option::is_none")]
        cost_centre: Option<String>,
        /// Legal entity.
        #[serde(skip_serializing_if = "Option::is_none")]
        legal_entity: Option<String>,
        /// Which departments are the company and its subsidiaries.
        #[serde(skip_serializing_if = "Option::is_none")]
        kind: Option<KindRule>,
    },
    /// A path in an attribute of people: `集团/华东/销售部`.
    Attribute {
        /// The attribute.
        attribute: String,
        /// What stands between levels.
        #[serde(default = "default_separator")]
        separator: String,
        /// What the levels are, from the top down; departments where nothing more is said.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        levels: Vec<DepartmentKind>,
        /// Who of a department's people heads it.
        #[serde(skip_serializing_if = "Option::is_none")]
        head: Option<HeadRule>,
    },
}

fn default_ou_filter() -> String {
    "(objectClass=organizationalUnit)".to_owned()
}

fn default_ou_name() -> String {
    "{description|ou}".to_owned()
}

fn default_separator() -> String {
    "/".to_owned()
}

/// `[source.positions]`: a position is the value of an attribute of people.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct PositionMapping {
    /// The attribute or template that gives the position's code and name.
    pub attribute: String,
}

/// `[source.groups]`.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct GroupMapping {
    /// Base of the search; the source's when missing.
    pub base_dn: Option<String>,
    /// Filter of the entries that are groups.
    #[serde(default = "by_kind")]
    pub filter: String,
    /// Attribute of the stable id; `entryUUID` when missing.
    pub id: Option<String>,
    /// Code.
    #[serde(default = "by_kind")]
    pub code: String,
    /// Name as shown.
    #[serde(default = "by_kind")]
    pub name: String,
    /// Attribute with the DNs of members (people and groups).
    #[serde(default = "default_member")]
    pub member: String,
}

fn default_member() -> String {
    "member".to_owned()
}

impl UserMapping {
    /// Mapped values that may be missing, by key.
    fn optional(&self) -> [(&'static str, Option<&String>); 10] {
        [
            ("users.employee_number", self.employee_number.as_ref()),
            ("users.given_name", self.given_name.as_ref()),
            ("users.family_name", self.family_name.as_ref()),
            ("users.mail", self.mail.as_ref()),
            ("users.mobile", self.mobile.as_ref()),
            ("users.title", self.title.as_ref()),
            ("users.manager", self.manager.as_ref()),
            ("users.password", self.password.as_ref()),
            ("users.starts_on", self.starts_on.as_ref()),
            ("users.ends_on", self.ends_on.as_ref()),
        ]
    }
}

impl SourceConfig {
    /// How often it is asked what changed; none when it is only read whole.
    #[must_use]
    pub fn interval(&self) -> Option<std::time::Duration> {
        let usual = Interval(self.ldap.as_ref().map(|_| USUAL_INTERVAL));
        self.incremental.unwrap_or(usual).0.map(Lifetime::as_std)
    }

    /// Whether the server tells by itself what changes.
    #[must_use]
    pub const fn is_live(&self) -> bool {
        self.live && self.ldap.is_some()
    }

    /// Every mapped value with its key below `[[source]]`, such as `users.login`.
    fn templates(&self) -> Vec<(String, &String)> {
        let users = &self.users;
        let mut all = vec![("users.login".to_owned(), &users.login)];
        all.push(("users.display_name".to_owned(), &users.display_name));
        let mut optional = users.optional().to_vec();
        optional.push(("users.enabled.attribute", users.enabled.as_ref().map(|rule| &rule.attribute)));
        optional.push(("positions.attribute", self.positions.as_ref().map(|positions| &positions.attribute)));
        match &self.departments {
            Some(DepartmentMapping::Ou { code, name, order, parent, head, cost_centre, legal_entity, .. }) => {
                optional.push(("departments.parent", parent.as_ref()));
                optional.push(("departments.head", head.as_ref()));
                optional.push(("departments.cost_centre", cost_centre.as_ref()));
                optional.push(("departments.legal_entity", legal_entity.as_ref()));
                optional.push(("departments.code", code.as_ref()));
                optional.push(("departments.name", Some(name)));
                optional.push(("departments.order", order.as_ref()));
            }
            Some(DepartmentMapping::Attribute { attribute, .. }) => {
                optional.push(("departments.attribute", Some(attribute)));
            }
            None => {}
        }
        if let Some(groups) = &self.groups {
            optional.push(("groups.code", Some(&groups.code)));
            optional.push(("groups.name", Some(&groups.name)));
            optional.push(("groups.member", Some(&groups.member)));
        }
        all.extend(optional.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?))));
        all.extend(users.attributes.iter().map(|(name, value)| (format!("users.attributes.{name}"), value)));
        all
    }

    fn check_mapping(&self, problems: &mut Vec<String>) {
        let name = &self.name;
        for (key, value) in self.templates() {
            if let Err(why) = Template::parse(value) {
                problems.push(format!("source `{name}`: {key} {why}"));
            }
        }
        if let Some(DepartmentMapping::Attribute { separator, .. }) = &self.departments
            && separator.is_empty()
        {
            problems.push(format!("source `{name}`: departments.separator is empty: write what stands between levels"));
        }
    }

    pub(super) fn check(&self, problems: &mut Vec<String>) {
        let name = &self.name;
        self.check_mapping(problems);
        let kinds = [self.ldap.is_some(), self.ldif.is_some(), self.csv.is_some()];
        if kinds.into_iter().filter(|is_there| *is_there).count() != 1 {
            problems
                .push(format!("source `{name}` needs exactly one of [source.ldap], [source.ldif] and [source.csv]"));
        }
        if let Some(assignments) = &self.assignments {
            assignments.check(name, problems);
        }
        if let Some(csv) = &self.csv {
            csv.check(name, problems);
            if matches!(self.departments, Some(DepartmentMapping::Ou { .. })) {
                problems.push(format!(
                    "source `{name}`: a table has no units; write departments.from = \"attribute\" and the column's attribute"
                ));
            }
        }
        self.guard.check(name, problems);
        if self.ldap.is_none() && (self.live || matches!(self.incremental, Some(Interval(Some(_))))) {
            problems.push(format!(
                "source `{name}`: a file cannot tell what changed; remove live and incremental, schedule says when it is read"
            ));
        }
        if let Err(error) = self.schedule.parse::<croner::Cron>() {
            problems.push(format!("source `{name}`: schedule `{}` is no cron expression: {error}", self.schedule));
        }
        if let Some(ldap) = &self.ldap {
            ldap.check(name, problems);
        }
    }
}
