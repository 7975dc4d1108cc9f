//! People and places by what rules ask for: made once for all rules, so that a rule looks only at those it can mean.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use uuid::Uuid;

use super::facts::{RoleFacts, RolePerson};
use super::rule::Which;
use crate::model::{DepartmentId, DepartmentKind, GroupId, Member, ObjectKind, PositionId, UserId};
use crate::text::fold;

/// Places of people within [`RoleFacts::people`].
pub(super) type People = Vec<usize>;

/// Facts by what rules ask for.
pub(super) struct Index<'a> {
    facts: &'a RoleFacts<'a>,
    by_id: HashMap<Uuid, usize>,
    departments: HashMap<String, Vec<DepartmentId>>,
    below: HashMap<DepartmentId, Vec<DepartmentId>>,
    positions: HashMap<String, Vec<PositionId>>,
    groups: HashMap<String, Vec<GroupId>>,
    within: HashMap<GroupId, Vec<&'a Member>>,
    in_department: HashMap<DepartmentId, People>,
    also_in_department: HashMap<DepartmentId, People>,
    in_position: HashMap<PositionId, People>,
    also_in_position: HashMap<PositionId, People>,
    values: HashMap<String, HashMap<String, People>>,
    entities: HashMap<DepartmentId, String>,
    cost_centres: HashMap<DepartmentId, String>,
    codes: HashMap<DepartmentId, Arc<str>>,
    headed: HashMap<UserId, Vec<DepartmentId>>,
    managers: HashSet<UserId>,
}

impl<'a> Index<'a> {
    pub fn new(facts: &'a RoleFacts<'a>) -> Self {
        let mut index = Self {
            facts,
            by_id: HashMap::with_capacity(facts.people.len()),
            departments: by_code(facts.departments.iter().map(|(id, department)| (*id, department.code))),
            below: HashMap::new(),
            positions: by_code(facts.positions.iter().map(|(id, code)| (*id, *code))),
            groups: by_code(facts.groups.iter().map(|(id, code)| (*id, *code))),
            within: HashMap::new(),
            in_department: HashMap::new(),
            also_in_department: HashMap::new(),
            in_position: HashMap::new(),
            also_in_position: HashMap::new(),
            values: HashMap::new(),
            entities: HashMap::new(),
            cost_centres: HashMap::new(),
            codes: facts.departments.iter().map(|(id, department)| (*id, department.code.into())).collect(),
            headed: HashMap::new(),
            managers: facts.managers.clone(),
        };
        for member in &facts.members {
            index.within.entry(member.group_id).or_default().push(member);
        }
        index.place_departments();
        index.place_people();
        index
    }

    fn place_departments(&mut self) {
        for (id, department) in &self.facts.departments {
            if let Some(parent) = department.parent {
                self.below.entry(parent).or_default().push(*id);
            }
            if let Some(head) = department.head {
                self.headed.entry(head).or_default().push(*id);
            }
            let mut company = None;
            let mut at = Some(*id);
            for _ in 0..=self.facts.departments.len() {
                let Some(above) = at.and_then(|id| self.facts.departments.get(&id)) else { break };
                if let (Some(value), false) = (above.legal_entity, self.entities.contains_key(id)) {
                    self.entities.insert(*id, fold(value));
                }
                if let (Some(value), false) = (above.cost_centre, self.cost_centres.contains_key(id)) {
                    self.cost_centres.insert(*id, fold(value));
                }
                company = company.or((above.kind != DepartmentKind::Department).then_some(above.code));
                at = above.parent;
            }
            // A company of the tree is a legal entity of its own where nothing else is said.
            if let (Some(code), false) = (company, self.entities.contains_key(id)) {
                self.entities.insert(*id, fold(code));
            }
        }
    }

    fn place_people(&mut self) {
        for (place, person) in self.facts.people.iter().enumerate() {
            self.by_id.insert(person.id.0, place);
            self.managers.extend(person.manager);
            if let Some(id) = person.department {
                self.in_department.entry(id).or_default().push(place);
            }
            if let Some(id) = person.position {
                self.in_position.entry(id).or_default().push(place);
            }
            for assignment in person.concurrent() {
                self.managers.extend(assignment.manager_id);
                self.also_in_department.entry(assignment.department_id).or_default().push(place);
                if let Some(id) = assignment.position_id {
                    self.also_in_position.entry(id).or_default().push(place);
                }
            }
        }
    }

    pub fn person(&self, place: usize) -> Option<&'a RolePerson<'a>> {
        self.facts.people.get(place)
    }

    pub fn place(&self, id: Uuid) -> Option<usize> {
        self.by_id.get(&id).copied()
    }

    pub fn is_manager(&self, id: UserId) -> bool {
        self.managers.contains(&id)
    }

    /// Departments that the person heads.
    pub fn headed(&self, id: UserId) -> &[DepartmentId] {
        self.headed.get(&id).map_or(&[], Vec::as_slice)
    }

    /// The code as it is written.
    pub fn code(&self, id: DepartmentId) -> Option<Arc<str>> {
        self.codes.get(&id).cloned()
    }

    /// Departments of these folded codes.
    pub fn departments(&self, codes: &HashSet<String>) -> impl Iterator<Item = DepartmentId> {
        let ids: Vec<DepartmentId> =
            codes.iter().filter_map(|code| self.departments.get(code)).flatten().copied().collect();
        ids.into_iter()
    }

    /// The departments of these codes with everything below them.
    pub fn subtree(&self, codes: &HashSet<String>) -> HashSet<DepartmentId> {
        let mut open: Vec<DepartmentId> = self.departments(codes).collect();
        let mut found = HashSet::new();
        while let Some(id) = open.pop() {
            if found.insert(id) {
                open.extend(self.below.get(&id).into_iter().flatten());
            }
        }
        found
    }

    /// The departments of these legal entities.
    pub fn of_entities(&self, names: &HashSet<String>) -> HashSet<DepartmentId> {
        self.entities.iter().filter(|(_, name)| names.contains(*name)).map(|(id, _)| *id).collect()
    }

    /// The departments of these cost centres.
    pub fn of_cost_centres(&self, names: &HashSet<String>) -> HashSet<DepartmentId> {
        self.cost_centres.iter().filter(|(_, name)| names.contains(*name)).map(|(id, _)| *id).collect()
    }

    /// Positions of these folded codes.
    pub fn positions(&self, codes: &HashSet<String>) -> HashSet<PositionId> {
        codes.iter().filter_map(|code| self.positions.get(code)).flatten().copied().collect()
    }

    /// The people of these groups and of all groups within them. Circles end: each group is opened once.
    pub fn members(&self, codes: &HashSet<String>) -> HashSet<Uuid> {
        let mut open: Vec<GroupId> = codes.iter().filter_map(|code| self.groups.get(code)).flatten().copied().collect();
        let (mut opened, mut people) = (HashSet::new(), HashSet::new());
        while let Some(group) = open.pop() {
            if !opened.insert(group) || !self.facts.groups.contains_key(&group) {
                continue;
            }
            for member in self.within.get(&group).into_iter().flatten() {
                if member.member_kind == ObjectKind::Group {
                    open.push(GroupId(member.member_id));
                } else {
                    people.insert(member.member_id);
                }
            }
        }
        people
    }

    /// People who work in one of these departments; with `Any` a person may come twice.
    pub fn working_in(&self, ids: &HashSet<DepartmentId>, which: Which) -> People {
        listed(ids, &self.in_department, &self.also_in_department, which)
    }

    /// People who hold one of these positions; with `Any` a person may come twice.
    pub fn holding(&self, ids: &HashSet<PositionId>, which: Which) -> People {
        listed(ids, &self.in_position, &self.also_in_position, which)
    }

    /// People by the folded values of an attribute; made when the first rule asks.
    pub fn by_value(&mut self, name: &str) -> &HashMap<String, People> {
        if !self.values.contains_key(name) {
            let mut all: HashMap<String, People> = HashMap::new();
            // Most values are shared by many: each is folded once.
            let mut folded: HashMap<&'a str, String> = HashMap::new();
            for (place, person) in self.facts.people.iter().enumerate() {
                for value in values(person, name) {
                    let key = folded.entry(value).or_insert_with(|| fold(value));
                    match all.get_mut(key.as_str()) {
                        Some(people) => people.push(place),
                        None => drop(all.insert(key.clone(), vec![place])),
                    }
                }
            }
            self.values.insert(name.to_owned(), all);
        }
        self.values.entry(name.to_owned()).or_default()
    }
}

/// A person's values of an attribute.
pub(super) fn values<'a>(person: &RolePerson<'a>, name: &str) -> impl Iterator<Item = &'a str> + use<'a> {
    let (single, several): (Option<&'a str>, &'a [String]) = match name {
        "title" => (person.title, &[]),
        "employee_number" => (person.employee_number, &[]),
        "mail" => (person.mail, &[]),
        name => (None, person.attributes.get(name).map_or(&[], Vec::as_slice)),
    };
    single.into_iter().chain(several.iter().map(String::as_str))
}

fn by_code<'a, I>(rows: impl Iterator<Item = (I, &'a str)>) -> HashMap<String, Vec<I>> {
    let mut all: HashMap<String, Vec<I>> = HashMap::new();
    for (id, code) in rows {
        all.entry(fold(code)).or_default().push(id);
    }
    all
}

fn listed<I: std::hash::Hash + Eq>(
    ids: &HashSet<I>,
    primary: &HashMap<I, People>,
    also: &HashMap<I, People>,
    which: Which,
) -> People {
    let also = ids.iter().filter(|_| which == Which::Any).filter_map(|id| also.get(id));
    ids.iter().filter_map(|id| primary.get(id)).chain(also).flatten().copied().collect()
}
