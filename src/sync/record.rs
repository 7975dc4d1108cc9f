//! Records: entries after mapping, with references as external ids, and their digests.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fmt::Write as _;
use std::sync::Arc;

use super::finding::finding;
use crate::crypto::{Sha256, sha256_hex};
use crate::model::{Attributes, DepartmentKind, FindingArguments, FindingCode, NewFinding, ObjectKind, User};
use crate::text::fold;
use crate::time::Date;

/// A person as the source describes them.
#[derive(Clone, Debug, Default)]
pub(super) struct UserRecord {
    pub external_id: String,
    pub dn: String,
    pub login: String,
    pub login_key: String,
    pub employee_number: Option<String>,
    pub display_name: String,
    pub given_name: Option<String>,
    pub family_name: Option<String>,
    pub mail: Option<String>,
    pub mobile: Option<String>,
    pub title: Option<String>,
    /// External id of the department.
    pub department: Option<String>,
    /// External id of the position.
    pub position: Option<String>,
    /// External id of the manager.
    pub manager: Option<String>,
    pub password: Option<String>,
    pub enabled: bool,
    /// Shared by those who have the same.
    pub attributes: Arc<Attributes>,
    pub starts_on: Option<Date>,
    pub ends_on: Option<Date>,
    /// Concurrent ones, in the order of the source.
    pub assignments: Vec<AssignmentRecord>,
    /// Field → what its value is one of, sorted, where the source has several: the value that is here stays as long as
    /// it is among them.
    pub choices: BTreeMap<&'static str, Vec<String>>,
}

/// A concurrent assignment.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct AssignmentRecord {
    /// External id of the department.
    pub department: String,
    /// External id of the position.
    pub position: Option<String>,
    /// External id of the manager.
    pub manager: Option<String>,
    pub starts_on: Option<Date>,
    pub ends_on: Option<Date>,
}

/// A department.
#[derive(Clone, Debug)]
pub(super) struct DepartmentRecord {
    pub external_id: String,
    pub dn: String,
    pub code: String,
    pub name: String,
    /// External id of the department above.
    pub parent: Option<String>,
    pub sort_order: i64,
    pub kind: DepartmentKind,
    /// External id of the head.
    pub head: Option<String>,
    pub cost_centre: Option<String>,
    pub legal_entity: Option<String>,
}

/// A position.
#[derive(Clone, Debug, Default)]
pub(super) struct PositionRecord {
    pub external_id: String,
    pub code: String,
}

/// A group with its members (kind, external id), sorted.
#[derive(Clone, Debug, Default)]
pub(super) struct GroupRecord {
    pub external_id: String,
    pub dn: String,
    pub code: String,
    pub name: String,
    pub members: Vec<(ObjectKind, String)>,
}

/// A whole snapshot, mapped.
#[derive(Clone, Debug, Default)]
#[expect(clippy::vec_box, reason = "each is freed once the plan has taken it over: a list would stay until the last")]
pub(super) struct Mapped {
    pub users: Vec<Box<UserRecord>>,
    /// Parents before children.
    pub departments: Vec<DepartmentRecord>,
    pub positions: Vec<PositionRecord>,
    pub groups: Vec<GroupRecord>,
    pub findings: Vec<NewFinding>,
    /// Entries that were there and are left out: they count as present.
    pub quarantined: HashMap<ObjectKind, HashSet<String>>,
    /// How many entries were left out, by kind.
    pub left_out: HashMap<ObjectKind, u64>,
    /// DNs of entries that were there and gave no id: what is linked to them counts as present.
    pub unread: HashSet<String>,
    /// Entries that the source returned, by kind.
    pub read: HashMap<ObjectKind, u64>,
    /// Member DNs that name nobody.
    pub members_skipped: u64,
    /// References that the source itself does not answer.
    pub unresolved: Vec<Unresolved>,
    /// People who are still at the source, outside of base and filter: external id → DN.
    pub moved_out: HashMap<String, String>,
    /// Whether more has to be looked at even if the same is read again.
    pub is_open: bool,
}

/// A manager or a member whom the source did not return.
#[derive(Clone, Debug)]
pub(super) struct Unresolved {
    /// Who refers: a person (to the manager) or a group (to a member).
    pub of: ObjectKind,
    pub external_id: String,
    pub dn: String,
    /// A DN, or an employee number.
    pub reference: String,
}

impl Mapped {
    /// Leaves an entry out, for a reason.
    pub fn quarantine(&mut self, kind: ObjectKind, code: FindingCode, who: (&str, &str), arguments: FindingArguments) {
        self.quarantined.entry(kind).or_default().insert(who.0.to_owned());
        *self.left_out.entry(kind).or_default() += 1;
        self.findings.push(finding(code, who, arguments, true));
    }

    /// Leaves out an entry whose id came before: the first one counts.
    pub fn repeat(&mut self, kind: ObjectKind, external_id: &str, dn: &str) {
        *self.left_out.entry(kind).or_default() += 1;
        let arguments = FindingArguments::new();
        self.findings.push(finding(FindingCode::DuplicateId, (external_id, dn), arguments, true));
    }

    /// Notes something about an entry that is taken in all the same.
    pub fn warn(&mut self, code: FindingCode, who: (&str, &str), arguments: FindingArguments) {
        self.findings.push(finding(code, who, arguments, false));
    }

    /// Paths of the names that members and managers refer to and that nobody has.
    pub fn dangling(&self) -> Vec<String> {
        let paths: HashSet<String> = self.unresolved.iter().map(|of| super::link::path(&of.reference)).collect();
        paths.into_iter().collect()
    }

    /// Leaves records to a later run: their objects stay as they are until then.
    pub fn defer(&mut self, kind: ObjectKind, external_ids: &[String]) {
        let left: HashSet<&str> = external_ids.iter().map(String::as_str).collect();
        match kind {
            ObjectKind::User => self.users.retain(|record| !left.contains(record.external_id.as_str())),
            ObjectKind::Department => self.departments.retain(|record| !left.contains(record.external_id.as_str())),
            ObjectKind::Position => self.positions.retain(|record| !left.contains(record.external_id.as_str())),
            ObjectKind::Group => self.groups.retain(|record| !left.contains(record.external_id.as_str())),
        }
        let read = self.read.entry(kind).or_default();
        *read = read.saturating_sub(u64::try_from(left.len()).unwrap_or(0));
        self.quarantined.entry(kind).or_default().extend(external_ids.iter().cloned());
    }

    /// Whether the entry was there and is left out.
    pub fn is_quarantined(&self, kind: ObjectKind, external_id: &str) -> bool {
        self.quarantined.get(&kind).is_some_and(|ids| ids.contains(external_id))
    }
}

/// A digest under construction: every field with its length, so that no two records share an encoding.
pub(super) struct Digest(String);

impl Digest {
    pub fn new() -> Self {
        Self(String::with_capacity(512))
    }

    pub fn text(&mut self, text: &str) -> &mut Self {
        let _ = write!(self.0, "{}:", text.len());
        self.0.push_str(text);
        self
    }

    pub fn optional(&mut self, text: Option<&str>) -> &mut Self {
        if let Some(text) = text {
            return self.text(text);
        }
        self.0.push('-');
        self
    }

    pub fn finish(&self) -> String {
        sha256_hex(self.0.as_bytes())
    }
}

impl UserRecord {
    pub fn digest(&self) -> String {
        let mut digest = Digest::new();
        let login = self.fixed("login", Some(&self.login)).unwrap_or_default();
        let number = self.fixed("employee_number", self.employee_number.as_deref());
        let name = self.fixed("display_name", Some(&self.display_name)).unwrap_or_default();
        digest.text(login).optional(number).text(name);
        for (field, value) in [
            ("given_name", &self.given_name),
            ("family_name", &self.family_name),
            ("mail", &self.mail),
            ("mobile", &self.mobile),
            ("title", &self.title),
        ] {
            digest.optional(self.fixed(field, value.as_deref()));
        }
        for reference in [&self.department, &self.position, &self.password] {
            digest.optional(reference.as_deref());
        }
        digest.text(if self.enabled { "+" } else { "-" });
        for (name, values) in &*self.attributes {
            digest.text(name).text(&values.len().to_string());
            for value in values {
                digest.text(value);
            }
        }
        // Nothing is added where there is nothing: the digests of earlier versions hold.
        for (name, day) in [("from", self.starts_on), ("to", self.ends_on)] {
            if let Some(day) = day {
                digest.text(name).text(&day.to_string());
            }
        }
        for of in &self.assignments {
            digest.text("+").text(&of.department).optional(of.position.as_deref()).optional(of.manager.as_deref());
            digest.optional(of.starts_on.map(|day| day.to_string()).as_deref());
            digest.optional(of.ends_on.map(|day| day.to_string()).as_deref());
        }
        for (field, values) in &self.choices {
            digest.text(field).text(&values.len().to_string());
            for value in values {
                digest.text(value);
            }
        }
        with_manager(&digest.finish(), self.manager.as_deref())
    }

    /// The value for the digest: where there is a choice, what it is chosen from counts instead.
    fn fixed<'a>(&self, field: &str, value: Option<&'a str>) -> Option<&'a str> {
        if self.choices.contains_key(field) { None } else { value }
    }

    /// Keeps each value that `user` has while the source still has it among others.
    pub fn keep(&mut self, user: &User) {
        for (field, values) in std::mem::take(&mut self.choices) {
            let here = match field {
                "login" => Some(&user.login),
                "display_name" => Some(&user.display_name),
                "employee_number" => user.employee_number.as_ref(),
                "given_name" => user.given_name.as_ref(),
                "family_name" => user.family_name.as_ref(),
                "mail" => user.mail.as_ref(),
                "mobile" => user.mobile.as_ref(),
                _ => user.title.as_ref(),
            };
            let Some(here) = here.filter(|here| values.binary_search(here).is_ok()) else { continue };
            match field {
                "login" => (self.login, self.login_key) = (here.clone(), fold(here)),
                "display_name" => self.display_name.clone_from(here),
                "employee_number" => self.employee_number = Some(here.clone()),
                "given_name" => self.given_name = Some(here.clone()),
                "family_name" => self.family_name = Some(here.clone()),
                "mail" => self.mail = Some(here.clone()),
                "mobile" => self.mobile = Some(here.clone()),
                _ => self.title = Some(here.clone()),
            }
        }
    }
}

impl DepartmentRecord {
    pub fn digest(&self) -> String {
        let mut digest = Digest::new();
        digest.text(&self.code).text(&self.name).optional(self.parent.as_deref());
        digest.text(&self.sort_order.to_string());
        if self.kind != DepartmentKind::Department {
            digest.text("kind").text(self.kind.as_str());
        }
        for (name, value) in [("head", &self.head), ("cost", &self.cost_centre), ("legal", &self.legal_entity)] {
            if let Some(value) = value {
                digest.text(name).text(value);
            }
        }
        digest.finish()
    }
}

impl PositionRecord {
    pub fn digest(&self) -> String {
        Digest::new().text(&self.code).finish()
    }
}

impl GroupRecord {
    pub fn digest(&self) -> String {
        let mut digest = Digest::new();
        digest.text(&self.code).text(&self.name);
        let mut members = MemberSum::default();
        for (kind, external_id) in &self.members {
            members.add(*kind, external_id);
        }
        members.onto(&digest.finish())
    }
}

/// The digest of a person with another manager: what else they are need not be known.
pub(super) fn with_manager(digest: &str, manager: Option<&str>) -> String {
    let own = digest.split_once(MARK).map_or(digest, |(own, _)| own);
    format!("{own}{MARK}{}", manager.unwrap_or_default())
}

/// What stands between the digest of an object itself and of what it refers to.
const MARK: char = ':';

/// A sum over the members of a group in whatever order: one more or fewer changes it without the others being known.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct MemberSum(u128, u128);

impl MemberSum {
    /// The sum within a group's digest; none where it holds none, such as one to be compared again.
    pub fn of(digest: &str) -> Option<Self> {
        let (one, other) = digest.split_once(MARK)?.1.split_once('-')?;
        Some(Self(u128::from_str_radix(one, 16).ok()?, u128::from_str_radix(other, 16).ok()?))
    }

    /// Takes a member in.
    pub fn add(&mut self, kind: ObjectKind, external_id: &str) {
        let (one, other) = marks(kind, external_id);
        *self = Self(self.0.wrapping_add(one), self.1.wrapping_add(other));
    }

    /// Takes a member out.
    pub fn remove(&mut self, kind: ObjectKind, external_id: &str) {
        let (one, other) = marks(kind, external_id);
        *self = Self(self.0.wrapping_sub(one), self.1.wrapping_sub(other));
    }

    /// The digest of the group with these members.
    pub fn onto(self, digest: &str) -> String {
        let own = digest.split_once(MARK).map_or(digest, |(own, _)| own);
        format!("{own}{MARK}{:x}-{:x}", self.0, self.1)
    }
}

fn marks(kind: ObjectKind, external_id: &str) -> (u128, u128) {
    let mut digest = Sha256::new();
    digest.update(kind.as_str().as_bytes());
    digest.update(b" ");
    digest.update(external_id.as_bytes());
    let halves = digest.finish();
    let half = |bytes: &[u8]| bytes.iter().fold(0u128, |sum, byte| sum << 8 | u128::from(*byte));
    let (one, other) = halves.split_at(16);
    (half(one), half(other))
}

#[cfg(test)]
mod tests {
    use super::{GroupRecord, MemberSum, UserRecord, with_manager};
    use crate::model::ObjectKind;

    #[test]
    fn a_members_coming_and_going_needs_no_others() {
        let group = |members: &[&str]| GroupRecord {
            members: members.iter().map(|id| (ObjectKind::User, (*id).to_owned())).collect(),
            ..GroupRecord::default()
        };
        let (few, many) = (group(&["a"]).digest(), group(&["a", "b", "c"]).digest());
        let mut sum = MemberSum::of(&few).unwrap();
        sum.add(ObjectKind::User, "c");
        sum.add(ObjectKind::User, "b");
        assert_eq!(sum.onto(&few), many);
        sum.remove(ObjectKind::User, "b");
        sum.remove(ObjectKind::User, "c");
        assert_eq!(sum.onto(&many), few);
        assert_ne!(group(&["b"]).digest(), few);
        assert_eq!(MemberSum::of("gone"), None);
    }

    #[test]
    fn another_manager_needs_no_record() {
        let person =
            |manager: Option<&str>| UserRecord { manager: manager.map(str::to_owned), ..UserRecord::default() };
        assert_eq!(with_manager(&person(Some("m")).digest(), None), person(None).digest());
        assert_ne!(person(None).digest(), person(Some("m")).digest());
    }
}
