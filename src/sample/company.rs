//! Who works where: the sample logins, the heads of all units, then everybody else by weight; groups over them.
//!
//! DNs and managers follow from the rest: [`Company::settle`] works them out anew after a change.

use std::fmt::Write as _;

use argon2::{Algorithm, Argon2, Params, Version};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use uuid::Uuid;

use super::names::{Name, Names, latin};
use super::units::{Unit, escape, tree};
use super::{COMPANY, GROUPS, LOGINS, PASSWORD, SampleLogin};
use crate::random::Rng;

/// One who works there.
#[derive(Clone, Debug)]
pub(super) struct Person {
    pub id: Uuid,
    pub name: Name,
    pub dn: String,
    pub number: usize,
    /// The last digits of the mobile number; those of a new colleague are the number.
    pub mobile: usize,
    pub title: String,
    /// Index of the unit.
    pub unit: usize,
    /// Whether the person is the head of that unit.
    pub is_head: bool,
    pub has_left: bool,
    pub manager: Option<String>,
    pub password: Option<String>,
}

/// A member of a group: a person, or another group by its name.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Member {
    Person(Uuid),
    Group(&'static str),
}

/// A group.
#[derive(Clone, Debug)]
pub(super) struct Group {
    pub id: Uuid,
    pub name: &'static str,
    pub description: &'static str,
    pub dn: String,
    pub members: Vec<Member>,
}

/// The whole company.
#[derive(Clone, Debug)]
pub(super) struct Company {
    /// Ids of the entries that only hold others: the suffix and the node of the groups.
    pub holders: [Uuid; 2],
    pub units: Vec<(Uuid, Unit)>,
    pub people: Vec<Person>,
    pub groups: Vec<Group>,
    /// Number of whoever is hired next.
    pub next_number: usize,
    pub names: Names,
}

/// Random choices, repeatable.
pub(super) struct Draw<'a>(&'a Rng);

impl<'a> Draw<'a> {
    /// Choices out of a generator.
    pub fn new(rng: &'a Rng) -> Self {
        Self(rng)
    }

    /// A number below `bound`.
    pub fn below(&self, bound: u64) -> u64 {
        u64::from_be_bytes(self.0.bytes::<8>()) % bound.max(1)
    }

    /// One of a list, each as likely; the list is never empty.
    pub fn one<T: Copy + Default>(&self, list: &[T]) -> T {
        let at = usize::try_from(self.below(list.len() as u64)).unwrap_or(0);
        list.get(at).copied().unwrap_or_default()
    }

    /// One of a list, those at the front more likely.
    pub fn early<T: Copy + Default>(&self, list: &[T]) -> T {
        let count = list.len() as u64;
        let at = self.below(count).min(self.below(count));
        list.get(usize::try_from(at).unwrap_or(0)).copied().unwrap_or_default()
    }

    /// A new id.
    pub fn uuid(&self) -> Uuid {
        uuid::Builder::from_random_bytes(self.0.bytes::<16>()).into_uuid()
    }
}

impl Company {
    /// Invents a company of that many people.
    pub fn invent(people: usize, rng: &Rng) -> Self {
        let draw = Draw(rng);
        let holders = [draw.uuid(), draw.uuid()];
        let units = tree(people).into_iter().map(|unit| (draw.uuid(), unit)).collect();
        let names = Names::new(LOGINS.iter().map(|login| login.login));
        let people_to_be = Vec::with_capacity(people);
        let mut company =
            Self { holders, units, people: people_to_be, groups: Vec::new(), next_number: 100_001, names };
        for login in &LOGINS {
            company.hire_login(login, &draw, rng);
        }
        company.hire_heads(people, &draw);
        company.hire_others(people, &draw);
        company.settle();
        company.found_groups(&draw);
        company
    }

    /// Puts somebody into a unit; where and under whom they stand is known after [`Company::settle`].
    pub fn hire(&mut self, draw: &Draw<'_>, name: Name, unit: usize, title: &str) -> Option<&mut Person> {
        let number = self.next_number;
        self.next_number += 1;
        self.people.push(Person {
            id: draw.uuid(),
            dn: String::new(),
            name,
            number,
            mobile: number,
            title: title.to_owned(),
            unit,
            is_head: false,
            has_left: false,
            manager: None,
            password: None,
        });
        self.people.last_mut()
    }

    fn hire_login(&mut self, login: &SampleLogin, draw: &Draw<'_>, rng: &Rng) {
        let found = self.units.iter().position(|(_, unit)| unit.code == login.department);
        let unit = found.unwrap_or_default();
        let is_head = self.units.get(unit).is_some_and(|(_, unit)| unit.head == Some(login.title));
        let name = Name {
            family: login.family_name.to_owned(),
            given: login.given_name.to_owned(),
            shown: format!("{}{}", login.family_name, login.given_name),
            latin: latin(login.login),
            login: login.login.to_owned(),
        };
        let password = argon2_value(PASSWORD, &rng.bytes::<16>());
        if let Some(person) = self.hire(draw, name, unit, login.title) {
            person.is_head = is_head;
            person.password = password;
        }
    }

    fn hire_heads(&mut self, people: usize, draw: &Draw<'_>) {
        for at in 0..self.units.len() {
            let title = self.units.get(at).and_then(|(_, unit)| unit.head);
            let has_head = self.people.iter().any(|person| person.unit == at && person.is_head);
            let Some(title) = title.filter(|_| !has_head && self.people.len() < people) else { continue };
            let name = self.names.next(draw);
            if let Some(person) = self.hire(draw, name, at, title) {
                person.is_head = true;
            }
        }
    }

    fn hire_others(&mut self, people: usize, draw: &Draw<'_>) {
        while self.people.len() < people {
            let (unit, title) = self.vacancy(draw);
            let name = self.names.next(draw);
            if let Some(person) = self.hire(draw, name, unit, title) {
                person.has_left = draw.below(50) == 0;
            }
        }
    }

    /// A unit that people work in, by weight, with one of its titles.
    pub fn vacancy(&self, draw: &Draw<'_>) -> (usize, &'static str) {
        let total: u64 = self.units.iter().map(|(_, unit)| unit.weight).sum();
        let mut lot = draw.below(total);
        let unit = self.units.iter().position(|(_, unit)| {
            let is_here = lot < unit.weight;
            lot = lot.saturating_sub(unit.weight);
            is_here
        });
        let unit = unit.unwrap_or_default();
        (unit, self.units.get(unit).map_or("", |(_, unit)| draw.early(unit.staff)))
    }

    /// Works out who stands where and who reports to whom.
    pub fn settle(&mut self) {
        for at in 0..self.units.len() {
            let dn = self.unit_dn(at);
            if let Some((_, unit)) = self.units.get_mut(at) {
                unit.dn = dn;
            }
        }
        let units = &self.units;
        for person in &mut self.people {
            let above = units.get(person.unit).map_or("", |(_, unit)| unit.dn.as_str());
            person.dn = format!("uid={},{above}", escape(&person.name.login));
            person.manager = None;
        }
        self.name_managers();
    }

    fn unit_dn(&self, at: usize) -> String {
        let mut dn = String::new();
        let mut next = Some(at);
        while let Some((_, unit)) = next.and_then(|at| self.units.get(at)) {
            let Some(above) = unit.above else { return format!("{dn}{COMPANY}") };
            let _ = write!(dn, "ou={},", escape(&unit.name));
            next = Some(above);
        }
        dn
    }

    /// Everybody reports to the head of the own unit, heads to the nearest head above.
    fn name_managers(&mut self) {
        let mut heads: Vec<Option<String>> = vec![None; self.units.len()];
        for person in self.people.iter().filter(|person| person.is_head) {
            if let Some(head) = heads.get_mut(person.unit) {
                *head = Some(person.dn.clone());
            }
        }
        for person in &mut self.people {
            let mut at = Some(person.unit);
            while let Some(unit) = at {
                let head = heads.get(unit).cloned().flatten();
                if head.as_ref().is_some_and(|head| *head != person.dn) {
                    person.manager = head;
                    break;
                }
                at = self.units.get(unit).and_then(|(_, unit)| unit.above);
            }
        }
    }

    fn found_groups(&mut self, draw: &Draw<'_>) {
        let code = |person: &Person| self.units.get(person.unit).map_or("", |(_, unit)| unit.code.as_str());
        let members = |test: &dyn Fn(&Person) -> bool| -> Vec<Member> {
            self.people.iter().filter(|person| test(person)).map(|person| Member::Person(person.id)).collect()
        };
        let managers = members(&|person| person.is_head && person.title == "部门经理");
        let mut approvers = vec![Member::Group("department-managers")];
        approvers.extend(members(&|person| person.is_head && person.title == "总经理"));
        let project = (0..15).filter_map(|_| {
            let at = usize::try_from(draw.below(self.people.len() as u64)).ok()?;
            self.people.get(at).map(|person| (person.dn.as_str(), person.id))
        });
        let mut project: Vec<(&str, Uuid)> = project.collect();
        project.sort_unstable();
        project.dedup();
        let project: Vec<Member> = project.into_iter().map(|(_, id)| Member::Person(id)).collect();
        let groups = [
            ("department-managers", "各部门经理", managers),
            ("expense-approvers", "报销审批人", approvers),
            ("finance-managers", "财务负责人", members(&|person| person.is_head && code(person).ends_with("-FIN"))),
            (
                "finance-clerks",
                "财务人员",
                members(&|person| !person.has_left && ["会计", "报销专员", "出纳"].contains(&person.title.as_str())),
            ),
            ("hr-staff", "人力资源", members(&|person| !person.has_left && code(person).starts_with("QY-HQ-HR"))),
            ("it-admins", "系统管理员", members(&|person| !person.has_left && person.title == "系统管理员")),
            ("R&D, \"凤凰\"项目 #1+2", "跨部门项目组", project),
            (
                "trade-union",
                "工会委员会",
                members(&|person| {
                    person.number.is_multiple_of(137) || person.has_left && person.number.is_multiple_of(5)
                }),
            ),
        ];
        let kept = groups.into_iter().filter(|(_, _, members)| !members.is_empty());
        self.groups = kept
            .map(|(name, description, members)| Group { id: draw.uuid(), dn: dn_of(name), name, description, members })
            .collect();
    }
}

/// DN of a group by its name.
pub(super) fn dn_of(group: &str) -> String {
    format!("cn={},{GROUPS}", escape(group))
}

/// `{ARGON2}` and a PHC string, as OpenLDAP's argon2 module and Yaopai check it (argon2id, m = 19 MiB, t = 2, p = 1).
fn argon2_value(password: &str, salt: &[u8]) -> Option<String> {
    let params = Params::new(19_456, 2, 1, Some(32)).ok()?;
    let mut hash = [0u8; 32];
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
        .hash_password_into(password.as_bytes(), salt, &mut hash)
        .ok()?;
    let (salt, hash) = (STANDARD_NO_PAD.encode(salt), STANDARD_NO_PAD.encode(hash));
    Some(format!("{{ARGON2}}$argon2id$v=19$m=19456,t=2,p=1${salt}${hash}"))
}
