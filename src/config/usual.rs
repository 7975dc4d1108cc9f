//! What a mapping means where it says nothing: usual filters and attributes, by kind of directory.

use super::source::{BY_KIND, SourceConfig};
use super::{DepartmentMapping, DirectorySchema};

/// The usual mapping of one kind of directory.
struct Usual {
    user_filter: &'static str,
    login: &'static str,
    group_filter: &'static str,
    group_code: &'static str,
    group_name: &'static str,
    /// Attribute of the stable id; none leaves it to the reader (`entryUUID`, or what the mapping must name).
    id: Option<&'static str>,
    /// The same of groups.
    group_id: Option<&'static str>,
}

/// RFC 2798 people and RFC 4519 groups: OpenLDAP, LDIF files, anything generic.
const PLAIN: Usual = Usual {
    user_filter: "(objectClass=inetOrgPerson)",
    login: "uid",
    group_filter: "(objectClass=groupOfNames)",
    group_code: "cn",
    group_name: "{description|cn}",
    id: None,
    group_id: None,
};

/// People without computers, contacts and the built-in accounts; groups without those of `CN=Builtin`, which hold rights
/// on the domain controllers themselves (groupType bit 1).
const ACTIVE_DIRECTORY: Usual = Usual {
    user_filter: "(&(objectCategory=person)(objectClass=user)(!(isCriticalSystemObject=TRUE)))",
    login: "sAMAccountName",
    group_filter: "(&(objectClass=group)(!(groupType:1.2.840.113556.1.4.803:=1)))",
    group_code: "sAMAccountName",
    group_name: "{displayName|cn}",
    id: Some("objectGUID"),
    group_id: Some("objectGUID"),
};

const DS389: Usual = Usual {
    group_filter: "(|(objectClass=groupOfNames)(objectClass=groupOfUniqueNames))",
    id: Some("nsUniqueId"),
    group_id: Some("nsUniqueId"),
    ..PLAIN
};

/// Every row is a person, known by the employee number; groups are known by their names.
const TABLE: Usual = Usual {
    user_filter: "(objectClass=row)",
    group_filter: "(objectClass=group)",
    group_name: "cn",
    id: Some("employeeNumber"),
    group_id: Some("cn"),
    ..PLAIN
};

impl SourceConfig {
    const fn usual(&self) -> &'static Usual {
        match &self.ldap {
            Some(ldap) => match ldap.schema {
                DirectorySchema::ActiveDirectory => &ACTIVE_DIRECTORY,
                DirectorySchema::Ds389 => &DS389,
                DirectorySchema::OpenLdap | DirectorySchema::Generic => &PLAIN,
            },
            None if self.csv.is_some() => &TABLE,
            None => &PLAIN,
        }
    }

    /// Fills in what the mapping leaves to the kind of directory.
    pub(super) fn settle(&mut self) {
        let usual = self.usual();
        let fill = |value: &mut String, with: &str| {
            if value == BY_KIND {
                with.clone_into(value);
            }
        };
        let identify = |id: &mut Option<String>, by: Option<&str>| {
            if id.is_none() {
                *id = by.map(str::to_owned);
            }
        };
        fill(&mut self.users.filter, usual.user_filter);
        fill(&mut self.users.login, usual.login);
        identify(&mut self.users.id, usual.id);
        if let Some(DepartmentMapping::Ou { id, .. }) = &mut self.departments {
            identify(id, usual.id);
        }
        if let Some(groups) = &mut self.groups {
            fill(&mut groups.filter, usual.group_filter);
            fill(&mut groups.code, usual.group_code);
            fill(&mut groups.name, usual.group_name);
            identify(&mut groups.id, usual.group_id);
        }
    }
}
