//! What happens to a company in the course of time: people join, leave, move, marry and get other numbers; heads change;
//! units are founded, renamed, moved and closed; groups gain and lose members. The same for the same seed.
//!
//! A batch is what lies between two states. Its change records (RFC 2849) make the one of the other on a server; the
//! whole company as LDIF is the same state for who reads a file.

use uuid::Uuid;

use super::company::{Company, Draw, Group, Member, Person};
use super::units::Unit;
use super::{LOGINS, MIN_PEOPLE, changes, ldif};
use crate::random::Rng;

/// A company that lives on.
#[derive(Debug)]
pub struct Course {
    company: Company,
    seed: u64,
    /// How many batches have happened.
    batches: u64,
}

impl Course {
    /// A new company: what [`super::ldif()`] writes for the same arguments.
    #[must_use]
    pub fn new(people: usize, seed: u64) -> Self {
        let company = Company::invent(people.max(MIN_PEOPLE), &Rng::seeded(seed));
        Self { company, seed, batches: 0 }
    }

    /// The company as it is now, as LDIF content records.
    #[must_use]
    pub fn ldif(&self) -> String {
        ldif::write(&self.company)
    }

    /// How many people are in the directory now, those included who are marked as having left.
    #[must_use]
    pub fn people(&self) -> usize {
        self.company.people.len()
    }

    /// Lets so many things happen; what changed, as LDIF change records for `ldapmodify`. A new entry says its entryUUID,
    /// which servers take only with the Relax Rules control (`ldapmodify -e relax`).
    #[must_use]
    pub fn next_batch(&mut self, changes: usize) -> String {
        self.batches += 1;
        // Seeds of batches and those of companies are told apart by the upper half.
        let rng = Rng::seeded(self.seed ^ (self.batches << 32));
        let draw = Draw::new(&rng);
        let before = self.company.clone();
        for _ in 0..changes {
            // Some things cannot happen just now: nobody to promote, nowhere to move. Something else does then.
            while !self.happen(&draw) {}
        }
        self.company.settle();
        changes::between(&before, &self.company)
    }

    /// Moves one department below another, both by their codes: the change records, and how many people go with it. None
    /// when there is no such department.
    #[must_use]
    pub fn move_department(&mut self, code: &str, below: &str) -> Option<(String, usize)> {
        let before = self.company.clone();
        let find = |code: &str| before.units.iter().position(|(_, unit)| unit.code == code);
        let (at, to) = (find(code)?, find(below)?);
        let order = self.company.next_order(to);
        let (_, unit) = self.company.units.get_mut(at)?;
        (unit.above, unit.order) = (Some(to), order);
        let name = unit.name.clone();
        self.company.give_name(at, &name);
        self.company.settle();
        let goes = |unit: usize| {
            let mut above = Some(unit);
            while let Some(next) = above.filter(|next| *next != at) {
                above = before.units.get(next).and_then(|(_, unit)| unit.above);
            }
            above.is_some()
        };
        let people = self.company.people.iter().filter(|person| goes(person.unit)).count();
        Some((changes::between(&before, &self.company), people))
    }

    fn happen(&mut self, draw: &Draw<'_>) -> bool {
        let company = &mut self.company;
        match draw.below(100) {
            0..20 => company.join(draw),
            20..30 => company.mark(draw),
            30..40 => company.remove(draw),
            40..54 => company.transfer(draw),
            54..62 => company.marry(draw),
            62..76 => company.renumber(draw),
            76..88 => company.regroup(draw),
            88..92 => company.promote(draw),
            92..95 => company.rename_unit(draw),
            95..97 => company.move_unit(draw),
            97..99 => company.found_unit(draw),
            _ => company.close_unit(draw),
        }
    }
}

/// Somebody who may go: no head, none of the sample logins.
fn may_go(person: &Person) -> bool {
    !person.is_head && LOGINS.iter().all(|login| login.login != person.name.login)
}

impl Company {
    /// Indices of all units, each after the one above it.
    pub fn preorder(&self) -> Vec<usize> {
        let mut below: Vec<Vec<usize>> = vec![Vec::new(); self.units.len()];
        for (at, (_, unit)) in self.units.iter().enumerate() {
            if let Some(list) = unit.above.and_then(|above| below.get_mut(above)) {
                list.push(at);
            }
        }
        let mut order = Vec::with_capacity(self.units.len());
        let mut waiting = vec![0];
        while let Some(at) = waiting.pop() {
            order.push(at);
            waiting.extend(below.get(at).into_iter().flatten().rev());
        }
        order
    }

    fn somebody(&mut self, draw: &Draw<'_>) -> Option<&mut Person> {
        let at = usize::try_from(draw.below(self.people.len() as u64)).ok()?;
        self.people.get_mut(at).filter(|person| may_go(person))
    }

    fn open_unit(&mut self, draw: &Draw<'_>) -> Option<(usize, &mut Unit)> {
        let at = usize::try_from(draw.below(self.units.len() as u64)).ok()?;
        let (_, unit) = self.units.get_mut(at)?;
        // The company itself stays where it is; so does what a sample login names.
        let is_fixed = unit.above.is_none() || LOGINS.iter().any(|login| login.department == unit.code);
        (!unit.is_closed && !is_fixed).then_some((at, unit))
    }

    fn join(&mut self, draw: &Draw<'_>) -> bool {
        let (unit, title) = self.vacancy(draw);
        let name = self.names.next(draw);
        let Some(id) = self.hire(draw, name, unit, title).map(|person| person.id) else { return false };
        let clerks = ["会计", "报销专员", "出纳"].contains(&title);
        for group in &mut self.groups {
            if clerks && group.name == "finance-clerks" || group.name == "trade-union" && draw.below(8) == 0 {
                group.members.push(Member::Person(id));
            }
        }
        true
    }

    /// Marked as having left, or back again.
    fn mark(&mut self, draw: &Draw<'_>) -> bool {
        let Some(person) = self.somebody(draw) else { return false };
        person.has_left = !person.has_left;
        true
    }

    fn remove(&mut self, draw: &Draw<'_>) -> bool {
        if self.people.len() <= MIN_PEOPLE {
            return false;
        }
        let Some(id) = self.somebody(draw).map(|person| person.id) else { return false };
        let is_last = |group: &Group| group.members == [Member::Person(id)];
        if self.groups.iter().any(is_last) {
            return false;
        }
        self.people.retain(|person| person.id != id);
        for group in &mut self.groups {
            group.members.retain(|member| *member != Member::Person(id));
        }
        true
    }

    fn transfer(&mut self, draw: &Draw<'_>) -> bool {
        let (unit, title) = self.vacancy(draw);
        let Some(person) = self.somebody(draw).filter(|person| person.unit != unit) else { return false };
        person.unit = unit;
        title.clone_into(&mut person.title);
        true
    }

    /// Another name, with it another login and mail address.
    fn marry(&mut self, draw: &Draw<'_>) -> bool {
        let name = self.names.next(draw);
        let Some(person) = self.somebody(draw) else { return false };
        person.name = name;
        true
    }

    fn renumber(&mut self, draw: &Draw<'_>) -> bool {
        let Some(person) = self.somebody(draw) else { return false };
        person.mobile = 50_000_000 + usize::try_from(draw.below(40_000_000)).unwrap_or(0);
        true
    }

    fn regroup(&mut self, draw: &Draw<'_>) -> bool {
        let Some(person) = self.somebody(draw).map(|person| person.id) else { return false };
        let at = usize::try_from(draw.below(self.groups.len() as u64)).unwrap_or(0);
        let Some(group) = self.groups.get_mut(at) else { return false };
        let (member, before) = (Member::Person(person), group.members.len());
        if draw.below(2) == 0 && before > 1 {
            let out = usize::try_from(draw.below(before as u64)).unwrap_or(0);
            group.members.remove(out);
        } else if !group.members.contains(&member) {
            group.members.push(member);
        }
        group.members.len() != before
    }

    /// Somebody of the unit becomes its head; who was, joins the others.
    fn promote(&mut self, draw: &Draw<'_>) -> bool {
        let Some(person) = self.somebody(draw).filter(|person| !person.has_left) else { return false };
        let (id, at) = (person.id, person.unit);
        let Some((title, staff)) = self.units.get(at).and_then(|(_, unit)| Some((unit.head?, unit.staff))) else {
            return false;
        };
        if staff.is_empty() {
            return false;
        }
        let staff = draw.early(staff);
        for person in self.people.iter_mut().filter(|person| person.unit == at) {
            if person.is_head {
                person.is_head = false;
                staff.clone_into(&mut person.title);
            }
            if person.id == id {
                person.is_head = true;
                title.clone_into(&mut person.title);
            }
        }
        true
    }

    /// A name that no unit has or had: the old one with a number.
    fn fresh(&self, name: &str) -> String {
        let base = name.split('·').next().unwrap_or(name).to_owned();
        let is_taken =
            |name: &str| self.units.iter().any(|(_, unit)| unit.name == name || unit.was.iter().any(|was| was == name));
        let mut names = (1..).map(|n| format!("{base}·{n}"));
        names.find(|name| !is_taken(name)).unwrap_or(base)
    }

    fn rename_unit(&mut self, draw: &Draw<'_>) -> bool {
        let Some((at, name)) = self.open_unit(draw).map(|(at, unit)| (at, unit.name.clone())) else { return false };
        self.give_name(at, &name)
    }

    fn give_name(&mut self, at: usize, old: &str) -> bool {
        let name = self.fresh(old);
        let Some((_, unit)) = self.units.get_mut(at) else { return false };
        unit.was.push(std::mem::replace(&mut unit.name, name));
        true
    }

    /// Below another unit, with all that is below it. It takes a name of its own there, so that it meets no other.
    fn move_unit(&mut self, draw: &Draw<'_>) -> bool {
        let Some((at, name)) = self.open_unit(draw).map(|(at, unit)| (at, unit.name.clone())) else { return false };
        let Some(to) = self.open_unit(draw).map(|(to, _)| to) else { return false };
        let mut above = Some(to);
        while let Some(next) = above {
            if next == at {
                return false;
            }
            above = self.units.get(next).and_then(|(_, unit)| unit.above);
        }
        let order = self.next_order(to);
        let Some((_, unit)) = self.units.get_mut(at).filter(|(_, unit)| unit.above != Some(to)) else { return false };
        (unit.above, unit.order) = (Some(to), order);
        self.give_name(at, &name)
    }

    fn next_order(&self, above: usize) -> usize {
        let orders = self.units.iter().filter(|(_, unit)| unit.above == Some(above)).map(|(_, unit)| unit.order);
        orders.max().unwrap_or(0) + 1
    }

    fn found_unit(&mut self, draw: &Draw<'_>) -> bool {
        let Some((at, unit)) = self.open_unit(draw) else { return false };
        let Some(first) = unit.staff.first().copied() else { return false };
        let (model, order) = (unit.clone(), self.next_order(at));
        let name = self.fresh("新设组");
        let code = format!("{}-N{}", model.code, self.units.len());
        let id: Uuid = draw.uuid();
        let (above, was) = (Some(at), Vec::new());
        self.units.push((id, Unit { name, code, above, order, was, entity: None, head: Some("组长"), ..model }));
        let (unit, name) = (self.units.len() - 1, self.names.next(draw));
        self.hire(draw, name, unit, first).is_some()
    }

    /// A unit with nothing below it: its people go to the one above.
    fn close_unit(&mut self, draw: &Draw<'_>) -> bool {
        let Some((at, unit)) = self.open_unit(draw) else { return false };
        let Some(above) = unit.above else { return false };
        let is_above = |(_, unit): &(Uuid, Unit)| unit.above == Some(at) && !unit.is_closed;
        if self.units.iter().any(is_above) {
            return false;
        }
        for person in self.people.iter_mut().filter(|person| person.unit == at) {
            person.unit = above;
            if std::mem::take(&mut person.is_head) {
                "顾问".clone_into(&mut person.title);
            }
        }
        if let Some((_, unit)) = self.units.get_mut(at) {
            (unit.is_closed, unit.weight) = (true, 0);
        }
        true
    }
}
