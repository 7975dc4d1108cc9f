//! The company as LDIF (RFC 2849): values that are not plain ASCII in base64, lines folded at 76 characters, a comment
//! above each entry so that people can read it. No version line, which `slapadd` would take for an entry.

use std::fmt::Display;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::company::{Company, Group, Person};
use super::units::Unit;
use super::{GROUPS, LOGINS, PASSWORD, SUFFIX};

/// Columns of a line.
const WIDTH: usize = 76;

/// Text that grows entry by entry.
struct Writer(String);

pub(super) fn write(company: &Company) -> String {
    let mut out = Writer(String::new());
    out.comment("An invented company, written by `yaopai demo-company`. Nobody in it exists.");
    for login in &LOGINS {
        let text = format!(
            "Sample login {} ({}{}, {}): {}",
            login.login, login.family_name, login.given_name, login.title, login.purpose
        );
        out.comment(&text);
    }
    out.comment(&format!("Their password is {PASSWORD}; the others have none."));
    let [suffix, groups] = company.holders;
    out.entry("青屿示例集团有限公司", SUFFIX, &["top", "dcObject", "organization"], &suffix);
    out.value("dc", "example");
    out.value("o", "青屿示例集团有限公司");
    for (id, unit) in &company.units {
        out.unit(unit, id);
    }
    for person in &company.people {
        out.person(person, company.units.get(person.unit).map(|(_, unit)| unit));
    }
    out.entry("groups", GROUPS, &["top", "organizationalUnit"], &groups);
    out.value("ou", "groups");
    for group in &company.groups {
        out.group(group);
    }
    out.0
}

impl Writer {
    fn comment(&mut self, text: &str) {
        self.0.push_str("# ");
        self.0.push_str(text);
        self.0.push('\n');
    }

    fn entry(&mut self, title: &str, dn: &str, classes: &[&str], id: &dyn Display) {
        self.0.push('\n');
        self.comment(title);
        self.value("dn", dn);
        for class in classes {
            self.value("objectClass", class);
        }
        self.value("entryUUID", &id.to_string());
    }

    fn unit(&mut self, unit: &Unit, id: &dyn Display) {
        self.entry(&format!("{} {}", unit.code, unit.name), &unit.dn, &["top", "organizationalUnit"], id);
        self.value("ou", &unit.name);
        self.value("businessCategory", &unit.code);
        self.value("postalCode", &unit.order.to_string());
    }

    fn person(&mut self, person: &Person, unit: Option<&Unit>) {
        let name = &person.name;
        let place = unit.map_or("", |unit| unit.name.as_str());
        let title = format!("{} {}, {place} {}", name.login, name.shown, person.title);
        let classes = ["top", "person", "organizationalPerson", "inetOrgPerson"];
        self.entry(&title, &person.dn, &classes, &person.id);
        self.value("uid", &name.login);
        self.value("employeeNumber", &person.number.to_string());
        self.value("cn", &name.shown);
        self.value("cn;lang-en", &name.latin);
        self.value("sn", &name.family);
        self.value("givenName", &name.given);
        self.value("displayName", &name.shown);
        self.value("mail", &format!("{}@example.com", name.login));
        self.value("mobile", &format!("+86 140{:08}", person.number));
        self.value("title", &person.title);
        if let Some(unit) = unit {
            self.value("departmentNumber", &unit.code);
            self.value("businessCategory", &format!("CC-{}", unit.code));
        }
        if let Some(manager) = &person.manager {
            self.value("manager", manager);
        }
        self.value("employeeType", if person.has_left { "left" } else { "active" });
        self.value("preferredLanguage", "zh-CN");
        if person.number.is_multiple_of(60) {
            self.value("description", " 备注: 前后有空格、\"引号\"、\\反斜线\\, 逗号; <标签> ");
        }
        if let Some(password) = &person.password {
            self.value("userPassword", password);
        }
    }

    fn group(&mut self, group: &Group) {
        self.entry(&format!("{} {}", group.name, group.description), &group.dn, &["top", "groupOfNames"], &group.id);
        self.value("cn", &group.name);
        self.value("description", group.description);
        for member in &group.members {
            self.value("member", member);
        }
    }

    fn value(&mut self, name: &str, value: &str) {
        let line =
            if is_safe(value) { format!("{name}: {value}") } else { format!("{name}:: {}", STANDARD.encode(value)) };
        // Everything is ASCII here, so that a byte is a column. Continued lines lose one to the blank.
        let mut rest = line.as_str();
        let mut width = WIDTH;
        while let Some((head, tail)) = rest.split_at_checked(width).filter(|(_, tail)| !tail.is_empty()) {
            self.0.push_str(head);
            self.0.push_str("\n ");
            rest = tail;
            width = WIDTH - 1;
        }
        self.0.push_str(rest);
        self.0.push('\n');
    }
}

/// SAFE-STRING, and no blank at the end.
fn is_safe(value: &str) -> bool {
    !value.starts_with([' ', ':', '<'])
        && !value.ends_with(' ')
        && value.bytes().all(|byte| matches!(byte, 0x20..=0x7e))
}
