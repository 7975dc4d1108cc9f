//! `[[source]]`: a master that people and departments are read from: where, when, how it is mapped, how it is guarded.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use url::Url;

use super::{Lifetime, SecretRef, Template};
use crate::string_enum;

/// One `[[source]]`: exactly one of `[source.ldap]` and `[source.ldif]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SourceConfig {
    /// Name, unique.
    pub name: String,
    /// Cron expression of the nightly run (five fields).
    #[serde(default = "default_schedule")]
    pub schedule: String,
    /// Zone of the schedule.
    #[serde(default = "default_zone")]
    pub time_zone: chrono_tz::Tz,
    /// An LDAP server.
    pub ldap: Option<LdapConfig>,
    /// An LDIF file.
    pub ldif: Option<LdifConfig>,
    /// `[source.users]`.
    pub users: UserMapping,
    /// `[source.departments]`.
    pub departments: Option<DepartmentMapping>,
    /// `[source.positions]`.
    pub positions: Option<PositionMapping>,
    /// `[source.groups]`.
    pub groups: Option<GroupMapping>,
    /// `[source.guard]`.
    #[serde(default)]
    pub guard: GuardConfig,
}

fn default_schedule() -> String {
    "0 2 * * *".to_owned()
}

fn default_zone() -> chrono_tz::Tz {
    chrono_tz::Asia::Shanghai
}

string_enum! {
    /// What kind of directory answers: decides the attribute of the stable id when the mapping names none.
    DirectorySchema {
        /// RFC 4530 `entryUUID`.
        OpenLdap = "openldap",
        /// Only what the mapping names.
        Generic = "generic",
    }
}

/// `[source.ldap]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LdapConfig {
    /// `ldap://HOST[:PORT]` or `ldaps://HOST[:PORT]`.
    pub url: Url,
    /// StartTLS on an `ldap://` URL.
    #[serde(default)]
    pub starttls: bool,
    /// Allows passwords over a connection without TLS; only for a server on this machine.
    #[serde(default)]
    pub allow_plaintext: bool,
    /// PEM file of the CA that signed the server's certificate; the system's roots when missing.
    pub ca_file: Option<PathBuf>,
    /// DN of the service account.
    pub bind_dn: String,
    /// Its password.
    pub bind_password: SecretRef,
    /// Where searches begin, unless a mapping names a base of its own.
    pub base_dn: String,
    /// What kind of server.
    #[serde(default = "default_kind")]
    pub schema: DirectorySchema,
    /// Entries a page.
    #[serde(default = "default_page")]
    pub page_size: i32,
    /// How long to wait for a connection, a bind, or the next answer of a search.
    #[serde(default = "default_timeout")]
    pub timeout: Lifetime,
}

fn default_kind() -> DirectorySchema {
    DirectorySchema::OpenLdap
}

fn default_page() -> i32 {
    500
}

fn default_timeout() -> Lifetime {
    Lifetime::seconds(30)
}

/// `[source.ldif]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LdifConfig {
    /// The file (RFC 2849 content records).
    pub file: PathBuf,
    /// Ignores entries outside of this base; none when missing.
    pub base_dn: Option<String>,
}

/// `[source.users]`: a value is an attribute name (`mail`) or a template (`{sn}{givenName}`, `{displayName|cn}`).
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct UserMapping {
    /// Base of the search; the source's when missing.
    pub base_dn: Option<String>,
    /// LDAP filter (RFC 4515) of the entries that are people.
    #[serde(default = "default_user_filter")]
    pub filter: String,
    /// Attribute of the stable id; `entryUUID` when missing.
    pub id: Option<String>,
    /// Login name.
    #[serde(default = "default_login")]
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
    /// Attribute with an `{ARGON2}` hash, for sources that cannot be bound to (LDIF).
    pub password: Option<String>,
    /// Which entries are locked out at the source.
    pub enabled: Option<EnabledRule>,
    /// Further attributes kept as they are: our name → attribute or template.
    #[serde(default)]
    pub attributes: BTreeMap<String, String>,
}

fn default_user_filter() -> String {
    "(objectClass=inetOrgPerson)".to_owned()
}

fn default_login() -> String {
    "uid".to_owned()
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
    },
    /// A path in an attribute of people: `集团/华东/销售部`.
    Attribute {
        /// The attribute.
        attribute: String,
        /// What stands between levels.
        #[serde(default = "default_separator")]
        separator: String,
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
    #[serde(default = "default_group_filter")]
    pub filter: String,
    /// Attribute of the stable id; `entryUUID` when missing.
    pub id: Option<String>,
    /// Code.
    #[serde(default = "default_group_code")]
    pub code: String,
    /// Name as shown.
    #[serde(default = "default_group_name")]
    pub name: String,
    /// Attribute with the DNs of members (people and groups).
    #[serde(default = "default_member")]
    pub member: String,
}

fn default_group_filter() -> String {
    "(objectClass=groupOfNames)".to_owned()
}

fn default_group_code() -> String {
    "cn".to_owned()
}

fn default_group_name() -> String {
    "{description|cn}".to_owned()
}

fn default_member() -> String {
    "member".to_owned()
}

/// `[source.guard]`: limits that hold a plan. A plan is held when a number is *over* a limit, not at it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct GuardConfig {
    /// People disabled (also by absence) in one run, as a number.
    pub max_disabled: i64,
    /// The same as a percentage of the people the source owns.
    pub max_disabled_percent: f64,
    /// Percent limits never hold fewer than this many.
    pub floor: i64,
    /// People created in one run, once the source has people.
    pub max_created: i64,
    /// Departments removed in one run.
    pub max_departments_removed: i64,
    /// Percentage of a group's members removed in one run.
    pub max_members_removed_percent: f64,
    /// Roles revoked in one run, as a percentage of all roles granted.
    pub max_roles_revoked_percent: f64,
    /// People disabled within a day over all runs.
    pub max_disabled_per_day: i64,
    /// Logins that no sync may ever disable.
    pub protected: Vec<String>,
    /// How long a held plan may be approved.
    pub approval_expires: Lifetime,
}

impl UserMapping {
    /// Mapped values that may be missing, by key.
    fn optional(&self) -> [(&'static str, Option<&String>); 8] {
        [
            ("users.employee_number", self.employee_number.as_ref()),
            ("users.given_name", self.given_name.as_ref()),
            ("users.family_name", self.family_name.as_ref()),
            ("users.mail", self.mail.as_ref()),
            ("users.mobile", self.mobile.as_ref()),
            ("users.title", self.title.as_ref()),
            ("users.manager", self.manager.as_ref()),
            ("users.password", self.password.as_ref()),
        ]
    }
}

impl Default for GuardConfig {
    fn default() -> Self {
        Self {
            max_disabled: 100,
            max_disabled_percent: 5.0,
            floor: 5,
            max_created: 2_000,
            max_departments_removed: 10,
            max_members_removed_percent: 50.0,
            max_roles_revoked_percent: 10.0,
            max_disabled_per_day: 200,
            protected: Vec::new(),
            approval_expires: Lifetime::seconds(3 * 86_400),
        }
    }
}

impl SourceConfig {
    /// Every mapped value with its key below `[[source]]`, such as `users.login`.
    fn templates(&self) -> Vec<(String, &String)> {
        let users = &self.users;
        let mut all = vec![("users.login".to_owned(), &users.login)];
        all.push(("users.display_name".to_owned(), &users.display_name));
        let mut optional = users.optional().to_vec();
        optional.push(("users.enabled.attribute", users.enabled.as_ref().map(|rule| &rule.attribute)));
        optional.push(("positions.attribute", self.positions.as_ref().map(|positions| &positions.attribute)));
        match &self.departments {
            Some(DepartmentMapping::Ou { code, name, order, .. }) => {
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
        if self.ldap.is_some() == self.ldif.is_some() {
            problems.push(format!("source `{name}` needs exactly one of [source.ldap] and [source.ldif]"));
        }
        if let Err(error) = self.schedule.parse::<croner::Cron>() {
            problems.push(format!("source `{name}`: schedule `{}` is no cron expression: {error}", self.schedule));
        }
        if let Some(ldap) = &self.ldap {
            match ldap.url.scheme() {
                "ldaps" if ldap.starttls => problems.push(format!("source `{name}`: ldaps:// needs no starttls")),
                "ldaps" => {}
                "ldap" if ldap.starttls || ldap.allow_plaintext => {}
                "ldap" => problems.push(format!(
                    "source `{name}`: {} would send the password in clear text; use ldaps://, or starttls = true",
                    ldap.url
                )),
                other => problems.push(format!("source `{name}`: `{other}://` is not ldap:// or ldaps://")),
            }
            if ldap.bind_dn.trim().is_empty() {
                problems.push(format!("source `{name}`: bind_dn is empty, which would be an anonymous bind"));
            }
            if ldap.url.host_str().is_none_or(str::is_empty) {
                problems.push(format!("source `{name}`: `{}` names no host", ldap.url));
            }
            if ldap.base_dn.trim().is_empty() {
                problems.push(format!(
                    "source `{name}`: base_dn is empty; name where the people are, such as dc=example,dc=com"
                ));
            }
            if !(1..=10_000).contains(&ldap.page_size) {
                problems.push(format!("source `{name}`: page_size {} is not from 1 to 10000", ldap.page_size));
            }
        }
    }
}
