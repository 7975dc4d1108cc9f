//! From one state of a company to the next, as LDIF change records (RFC 2849) that a server takes one after the other:
//! who is gone, then units from the top down (new, renamed, moved), people who move, units that were closed, who is new,
//! and last the attributes, by the names that entries have then.
//!
//! References are written out (`manager`, `member`): a server that keeps them itself finds them done.

use std::collections::{BTreeSet, HashMap};

use uuid::Uuid;

use super::company::{Company, Person};
use super::ldif::Writer;
use super::records::{Record, Records};

/// Where units stand while records are applied: own name and the unit above, by index.
struct Places(Vec<(String, Option<usize>)>);

impl Places {
    fn of(company: &Company) -> Self {
        let place = |unit: &super::units::Unit| {
            let own = if unit.above.is_some() { own_name(&unit.dn).to_owned() } else { unit.dn.clone() };
            (own, unit.above)
        };
        Self(company.units.iter().map(|(_, unit)| place(unit)).collect())
    }

    fn dn(&self, at: usize) -> String {
        let mut parts = Vec::new();
        let mut next = Some(at);
        while let Some((own, above)) = next.and_then(|at| self.0.get(at)) {
            parts.push(own.as_str());
            next = *above;
        }
        parts.join(",")
    }
}

/// The first part of a DN. Commas inside of it are escaped.
fn own_name(dn: &str) -> &str {
    let mut is_escaped = false;
    let end = dn.bytes().position(|byte| {
        let is_end = byte == b',' && !is_escaped;
        is_escaped = byte == b'\\' && !is_escaped;
        is_end
    });
    end.and_then(|end| dn.get(..end)).unwrap_or(dn)
}

/// The records that make `after` of `before`.
pub(super) fn between(before: &Company, after: &Company) -> String {
    let old: HashMap<Uuid, &Person> = before.people.iter().map(|person| (person.id, person)).collect();
    let left: BTreeSet<Uuid> = after.people.iter().map(|person| person.id).collect();
    let (was, is) = (Records::of(before), Records::of(after));
    let mut out = Out { text: Writer(String::new()), attributes: Writer(String::new()) };
    for person in before.people.iter().filter(|person| !left.contains(&person.id)) {
        out.delete(&person.dn);
    }
    let places = units(before, after, &is, &mut out);
    for person in &after.people {
        let Some(known) = old.get(&person.id) else { continue };
        let stands = format!("{},{}", own_name(&known.dn), places.dn(known.unit));
        out.rename(&stands, &person.dn);
    }
    for at in after.preorder().into_iter().rev() {
        let is_open = |company: &Company| company.units.get(at).is_some_and(|(_, unit)| !unit.is_closed);
        if is_open(before) && !is_open(after) {
            out.delete(&places.dn(at));
        }
    }
    for at in 0..before.units.len() {
        if let (Some(was), Some(is)) = (was.unit(at), is.unit(at)) {
            out.modify(&was, &is, "ou");
        }
    }
    for person in &after.people {
        match old.get(&person.id) {
            Some(known) => out.modify(&was.person(known), &is.person(person), "uid"),
            None => out.add(&is.person(person)),
        }
    }
    for (known, group) in before.groups.iter().zip(&after.groups) {
        out.modify(&was.group(known), &is.group(group), "cn");
    }
    out.text.0 + &out.attributes.0
}

/// Units that are new, renamed or moved; where all of them stand then.
fn units(before: &Company, after: &Company, is: &Records<'_>, out: &mut Out) -> Places {
    let mut places = Places::of(before);
    let wanted = Places::of(after);
    places.0.resize(wanted.0.len(), (String::new(), None));
    for at in after.preorder() {
        let Some((own, above)) = wanted.0.get(at) else { continue };
        let is_gone = after.units.get(at).is_none_or(|(_, unit)| unit.is_closed);
        if at >= before.units.len() {
            // Those that are founded and closed within the batch were never there; each keeps its index.
            if let Some(record) = is.unit(at) {
                out.add_now(&record);
            }
        } else if is_gone {
            continue;
        } else {
            let stands = places.dn(at);
            let above = above.map(|above| places.dn(above));
            let to = above.map_or_else(|| own.clone(), |above| format!("{own},{above}"));
            out.rename(&stands, &to);
        }
        if let Some(place) = places.0.get_mut(at) {
            place.clone_from(&(own.clone(), *above));
        }
    }
    places
}

/// Records in the making.
struct Out {
    text: Writer,
    /// What comes after all that moves.
    attributes: Writer,
}

impl Out {
    fn delete(&mut self, dn: &str) {
        self.text.value("dn", dn);
        self.text.0.push_str("changetype: delete\n\n");
    }

    fn add_now(&mut self, record: &Record<'_>) {
        add(&mut self.text, record);
    }

    fn add(&mut self, record: &Record<'_>) {
        add(&mut self.attributes, record);
    }

    fn rename(&mut self, stands: &str, to: &str) {
        if stands == to {
            return;
        }
        let own = own_name(to);
        self.text.value("dn", stands);
        self.text.0.push_str("changetype: modrdn\n");
        self.text.value("newrdn", own);
        self.text.0.push_str("deleteoldrdn: 1\n");
        if stands.get(own_name(stands).len()..) != to.get(own.len()..) {
            self.text.value("newsuperior", to.get(own.len() + 1..).unwrap_or_default());
        }
        self.text.0.push('\n');
    }

    /// The attributes that differ; `naming` went with the name.
    fn modify(&mut self, was: &Record<'_>, is: &Record<'_>, naming: &str) {
        let names: Vec<&str> = is.values.iter().chain(&was.values).map(|(name, _)| *name).collect();
        let mut seen = BTreeSet::from(["entryUUID", naming]);
        let mut is_begun = false;
        for name in names {
            if !seen.insert(name) {
                continue;
            }
            let (old, new) = (was.values_of(name), is.values_of(name));
            if old == new {
                continue;
            }
            if !std::mem::replace(&mut is_begun, true) {
                self.attributes.value("dn", &is.dn);
                self.attributes.0.push_str("changetype: modify\n");
            }
            self.values(name, &old, &new);
        }
        if is_begun {
            self.attributes.0.push('\n');
        }
    }

    /// A few values of many one by one, otherwise all of them.
    fn values(&mut self, name: &str, old: &[&str], new: &[&str]) {
        let (before, after): (BTreeSet<&str>, BTreeSet<&str>) =
            (old.iter().copied().collect(), new.iter().copied().collect());
        let (lost, gained): (Vec<&&str>, Vec<&&str>) =
            (before.difference(&after).collect(), after.difference(&before).collect());
        if new.len() > 20 && (lost.len() + gained.len()) * 4 < new.len() {
            for (verb, values) in [("delete", lost), ("add", gained)] {
                if !values.is_empty() {
                    self.step(verb, name, values.into_iter().copied());
                }
            }
        } else if new.is_empty() {
            self.step("delete", name, std::iter::empty());
        } else {
            self.step("replace", name, new.iter().copied());
        }
    }

    fn step<'v>(&mut self, verb: &str, name: &str, values: impl Iterator<Item = &'v str>) {
        self.attributes.value(verb, name);
        values.for_each(|value| self.attributes.value(name, value));
        self.attributes.0.push_str("-\n");
    }
}

fn add(text: &mut Writer, record: &Record<'_>) {
    text.value("dn", &record.dn);
    text.0.push_str("changetype: add\n");
    for (name, value) in &record.values {
        text.value(name, value);
    }
    text.0.push('\n');
}
