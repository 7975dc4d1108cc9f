//! The entries of a company: names and attributes, in the order in which they are written.

use std::borrow::Cow;
use std::collections::HashMap;

use uuid::Uuid;

use super::company::{Company, Group, Member, Person, dn_of};
use super::units::Unit;
use super::{APPROVER, GROUPS, SUFFIX};

/// An entry.
#[derive(Debug)]
pub(super) struct Record<'a> {
    /// What people read above it.
    pub title: String,
    pub dn: Cow<'a, str>,
    /// Attribute and value, attributes with several values side by side.
    pub values: Vec<(&'static str, Cow<'a, str>)>,
}

impl<'a> Record<'a> {
    fn new(title: String, dn: &'a str, classes: &[&'static str], id: Uuid) -> Self {
        let mut values: Vec<(&'static str, Cow<'a, str>)> =
            classes.iter().map(|class| ("objectClass", Cow::Borrowed(*class))).collect();
        values.push(("entryUUID", Cow::Owned(id.to_string())));
        Self { title, dn: Cow::Borrowed(dn), values }
    }

    fn add(&mut self, name: &'static str, value: impl Into<Cow<'a, str>>) {
        self.values.push((name, value.into()));
    }

    /// The values of an attribute.
    pub fn values_of(&self, name: &str) -> Vec<&str> {
        self.values.iter().filter(|(named, _)| *named == name).map(|(_, value)| value.as_ref()).collect()
    }
}

/// The entries of a company.
pub(super) struct Records<'a> {
    company: &'a Company,
    /// Id → DN of those who are in groups.
    names: HashMap<Uuid, &'a str>,
    /// DN of the head of each unit, by index.
    heads: Vec<Option<&'a str>>,
}

impl<'a> Records<'a> {
    pub fn of(company: &'a Company) -> Self {
        let members = company.groups.iter().flat_map(|group| &group.members);
        let mut names: HashMap<Uuid, &'a str> =
            members.filter_map(|member| if let Member::Person(id) = member { Some((*id, "")) } else { None }).collect();
        let mut heads = vec![None; company.units.len()];
        for person in &company.people {
            if let Some(dn) = names.get_mut(&person.id) {
                *dn = &person.dn;
            }
            if let Some(head) = heads.get_mut(person.unit).filter(|_| person.is_head) {
                *head = Some(person.dn.as_str());
            }
        }
        Self { company, names, heads }
    }

    /// The root.
    pub fn suffix(&self) -> Record<'a> {
        let [id, _] = self.company.holders;
        let classes = ["top", "dcObject", "organization"];
        let mut record = Record::new("青屿示例集团有限公司".to_owned(), SUFFIX, &classes, id);
        record.add("dc", "example");
        record.add("o", "青屿示例集团有限公司");
        record
    }

    /// What holds the groups.
    pub fn holder(&self) -> Record<'a> {
        let [_, id] = self.company.holders;
        let mut record = Record::new("groups".to_owned(), GROUPS, &["top", "organizationalUnit"], id);
        record.add("ou", "groups");
        record
    }

    /// A unit; none when it is closed. `extensibleObject`, since the schema of units knows neither heads nor cost centres.
    pub fn unit(&self, at: usize) -> Option<Record<'a>> {
        let (id, unit) = self.company.units.get(at).filter(|(_, unit)| !unit.is_closed)?;
        let title = format!("{} {}", unit.code, unit.name);
        let classes = ["top", "organizationalUnit", "extensibleObject"];
        let mut record = Record::new(title, &unit.dn, &classes, *id);
        record.add("ou", unit.name.as_str());
        record.add("businessCategory", unit.code.as_str());
        record.add("postalCode", unit.order.to_string());
        if let Some(entity) = &unit.entity {
            record.add("description", if unit.above.is_none() { "集团" } else { "子公司" });
            record.add("o", entity.as_str());
        }
        // Teams have that of their department.
        if unit.head == Some("部门经理") {
            record.add("departmentNumber", format!("CC-{}", unit.code));
        }
        if let Some(head) = self.heads.get(at).copied().flatten() {
            record.add("manager", head);
        }
        Some(record)
    }

    /// A person.
    pub fn person(&self, person: &'a Person) -> Record<'a> {
        let name = &person.name;
        let unit: Option<&'a Unit> = self.company.units.get(person.unit).map(|(_, unit)| unit);
        let place = unit.map_or("", |unit| unit.name.as_str());
        let title = format!("{} {}, {place} {}", name.login, name.shown, person.title);
        let classes = ["top", "person", "organizationalPerson", "inetOrgPerson"];
        let mut record = Record::new(title, &person.dn, &classes, person.id);
        record.add("uid", name.login.as_str());
        record.add("employeeNumber", person.number.to_string());
        record.add("cn", name.shown.as_str());
        record.add("cn;lang-en", name.latin.as_str());
        record.add("sn", name.family.as_str());
        record.add("givenName", name.given.as_str());
        record.add("displayName", name.shown.as_str());
        record.add("mail", format!("{}@example.com", name.login));
        record.add("mobile", format!("+86 140{:08}", person.mobile));
        record.add("title", person.title.as_str());
        if let Some(unit) = unit {
            record.add("departmentNumber", unit.code.as_str());
            record.add("businessCategory", format!("CC-{}", unit.code));
        }
        if let Some(manager) = &person.manager {
            record.add("manager", manager.as_str());
        }
        if let Some(also) = self.also(person) {
            record.add("physicalDeliveryOfficeName", also);
        }
        record.add("employeeType", if person.has_left { "left" } else { "active" });
        record.add("preferredLanguage", "zh-CN");
        if person.number.is_multiple_of(60) {
            record.add("description", " 备注: 前后有空格、\"引号\"、\\反斜线\\, 逗号; <标签> ");
        }
        if let Some(password) = &person.password {
            record.add("userPassword", password.as_str());
        }
        record
    }

    /// What somebody does besides (兼职): `code|position|first day|last day`. Every so many people something, also what is past
    /// and what is to come; the same whatever else changes in the company.
    fn also(&self, person: &Person) -> Option<String> {
        let is_one = person.number % 37 == 5 || person.name.login == APPROVER.login;
        if !is_one || person.has_left {
            return None;
        }
        let is_open = |unit: &Unit| !unit.is_closed && !unit.staff.is_empty();
        let others =
            self.company.units.iter().enumerate().filter(|(at, (_, unit))| *at != person.unit && is_open(unit));
        // The one that comes first in an order of the person's own, so that a new unit takes hardly anybody away.
        let order = |at: usize| (at + 1).wrapping_mul(person.number).wrapping_mul(2_654_435_761) % 65_521;
        let (_, (_, unit)) = others.min_by_key(|(at, _)| (order(*at), *at))?;
        let position = unit.staff.get(person.number % unit.staff.len())?;
        let days = match person.number / 37 % 4 {
            0 => "2025-01-01|",
            1 => "2025-07-01|2027-12-31",
            2 => "2024-01-01|2024-12-31",
            _ => "2029-01-01|",
        };
        Some(format!("{}|{position}|{days}", unit.code))
    }

    /// A group.
    pub fn group(&self, group: &'a Group) -> Record<'a> {
        let title = format!("{} {}", group.name, group.description);
        let mut record = Record::new(title, &group.dn, &["top", "groupOfNames"], group.id);
        record.add("cn", group.name);
        record.add("description", group.description);
        for member in &group.members {
            match member {
                Member::Person(id) => record.add("member", self.names.get(id).copied().unwrap_or_default()),
                Member::Group(name) => record.add("member", dn_of(name)),
            }
        }
        record
    }
}
