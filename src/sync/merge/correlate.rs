//! Correlation: whose entry is this? Asked of entries without a link only; links are never guessed anew.
//!
//! Within the source the employee number alone finds somebody who is gone (re-hire). In other sources `[source.join]` says
//! what is compared. An active person goes before one who is locked out or deleted; more than one is a finding.

use std::collections::{BTreeMap, HashMap, HashSet};

use uuid::Uuid;

use super::Sharing;
use crate::config::{JoinConfig, OnOwned, Rehire, SourceConfig};
use crate::model::{Candidate, FindingCode, JoinKey, ObjectKind, Status, UserId};
use crate::store::{StoreError, Tx};
use crate::text::fold;

use super::super::finding::arguments;
use super::super::link::Links;
use super::super::record::{Mapped, UserRecord};

const KIND: ObjectKind = ObjectKind::User;

/// What is to become of an entry without a link.
enum Verdict {
    /// Somebody new.
    New,
    /// The person, perhaps by taking the place of an older link.
    Is(UserId, Option<String>),
    /// It is left out.
    Finding(FindingCode, String),
}

/// Finds the people of entries without a link, and gives them one.
pub(in crate::sync) async fn correlate(
    tx: &mut Tx,
    config: &SourceConfig,
    sharing: Option<&Sharing>,
    mapped: &mut Mapped,
    links: &mut Links,
) -> Result<(), StoreError> {
    let join = sharing.and_then(|sharing| sharing.join.as_ref());
    let is_new = |record: &&UserRecord| links.find(KIND, &record.external_id).is_none();
    let fresh: Vec<&UserRecord> = mapped.users.iter().map(AsRef::as_ref).filter(is_new).collect();
    let rehires = config.grace.rehire != Rehire::New && links.of_kind(KIND).next().is_some();
    if fresh.is_empty() || join.is_none() && !rehires {
        return Ok(());
    }
    let people = People::load(tx, join, &fresh).await?;
    let present: HashMap<&str, bool> =
        mapped.users.iter().map(|record| (record.external_id.as_str(), record.enabled)).collect();
    let linked = links.of_kind(KIND).map(|link| (link.object_id, link.external_id.as_str())).collect();
    let look = Look { config, join, rehires, people, linked, mapped, present, protected: protected(config) };
    let mut verdicts: Vec<(String, String, Verdict)> =
        fresh.iter().map(|record| (record.external_id.clone(), record.dn.clone(), look.judge(record))).collect();
    refuse_rivals(&mut verdicts);
    let mut left_out = HashSet::new();
    for (external_id, dn, verdict) in verdicts {
        match verdict {
            Verdict::New => {}
            Verdict::Is(id, former) => links.join(&config.name, &external_id, &dn, id.0, former),
            Verdict::Finding(code, value) => {
                mapped.quarantine(KIND, code, (&external_id, &dn), arguments([("value", value)]));
                left_out.insert(external_id);
            }
        }
    }
    mapped.users.retain(|record| !left_out.contains(&record.external_id));
    Ok(())
}

fn protected(config: &SourceConfig) -> HashSet<String> {
    config.guard.protected.iter().map(|login| fold(login)).collect()
}

/// Two entries that would be the same person are both left out.
fn refuse_rivals(verdicts: &mut [(String, String, Verdict)]) {
    let mut times: HashMap<UserId, u32> = HashMap::new();
    for (_, _, verdict) in verdicts.iter() {
        if let Verdict::Is(id, _) = verdict {
            *times.entry(*id).or_default() += 1;
        }
    }
    for (_, _, verdict) in verdicts.iter_mut() {
        if let Verdict::Is(id, _) = verdict
            && times.get(id).is_some_and(|times| *times > 1)
        {
            *verdict = Verdict::Finding(FindingCode::JoinAmbiguous, id.to_string());
        }
    }
}

/// People by what they are compared by.
struct People(BTreeMap<JoinKey, HashMap<String, Vec<Candidate>>>);

impl People {
    async fn load(tx: &mut Tx, join: Option<&JoinConfig>, fresh: &[&UserRecord]) -> Result<Self, StoreError> {
        let number = [JoinKey::EmployeeNumber];
        let keys = join.map_or(number.as_slice(), |join| join.by.as_slice());
        let numbers: Vec<&str> = fresh.iter().filter_map(|record| record.employee_number.as_deref()).collect();
        let only_numbers = keys.iter().all(|key| *key == JoinKey::EmployeeNumber);
        let all = if only_numbers && numbers.len() < 10_000 {
            tx.users().candidates_by_number(&numbers).await?
        } else {
            tx.users().candidates().await?
        };
        let mut people: BTreeMap<JoinKey, HashMap<String, Vec<Candidate>>> = BTreeMap::new();
        for key in keys.iter().chain(&number) {
            if people.contains_key(key) {
                continue;
            }
            let slot = people.entry(key.clone()).or_default();
            for person in &all {
                for value in values(key, person) {
                    slot.entry(value).or_default().push(person.clone());
                }
            }
        }
        Ok(Self(people))
    }

    fn find(&self, key: &JoinKey, value: &str) -> &[Candidate] {
        self.0.get(key).and_then(|people| people.get(value)).map(Vec::as_slice).unwrap_or_default()
    }
}

/// What somebody is found by. A deleted account has nothing left but its number.
fn values(key: &JoinKey, person: &Candidate) -> Vec<String> {
    if person.status == Status::Deleted && *key != JoinKey::EmployeeNumber {
        return Vec::new();
    }
    match key {
        JoinKey::EmployeeNumber => person.employee_number.iter().map(|number| number.trim().to_owned()).collect(),
        JoinKey::Mail => person.mail.iter().map(|mail| fold(mail)).collect(),
        JoinKey::Login => vec![person.login_key.clone()],
        JoinKey::Attribute(name) => person.attributes.0.get(name).into_iter().flatten().map(|v| fold(v)).collect(),
    }
}

/// What an entry is looked up with; nothing where it is silent, or says several things.
fn wanted(key: &JoinKey, record: &UserRecord) -> Option<String> {
    let value = match key {
        JoinKey::EmployeeNumber => record.employee_number.as_ref()?.trim().to_owned(),
        JoinKey::Mail => fold(record.mail.as_ref()?),
        JoinKey::Login => record.login_key.clone(),
        JoinKey::Attribute(name) => match record.attributes.get(name)?.as_slice() {
            [one] => fold(one),
            _ => return None,
        },
    };
    (!value.is_empty()).then_some(value)
}

struct Look<'a> {
    config: &'a SourceConfig,
    join: Option<&'a JoinConfig>,
    rehires: bool,
    people: People,
    /// Our id → external id of people who have a link.
    linked: HashMap<Uuid, &'a str>,
    mapped: &'a Mapped,
    /// Who is returned, and whether they are let in.
    present: HashMap<&'a str, bool>,
    protected: HashSet<String>,
}

impl Look<'_> {
    fn judge(&self, record: &UserRecord) -> Verdict {
        let number = [JoinKey::EmployeeNumber];
        let keys = self.join.map_or(number.as_slice(), |join| join.by.as_slice());
        let is_first = |key: &&JoinKey| **key == JoinKey::EmployeeNumber;
        // A re-hire is known by the number alone, whatever else the source joins by.
        let rehire = number.iter().filter(|_| self.rehires && !keys.iter().any(|key| is_first(&key)));
        for key in keys.iter().chain(rehire) {
            let Some(value) = wanted(key, record) else { continue };
            match self.choose(key, &value) {
                Ok(Some(person)) => return self.take(person, value),
                Ok(None) => {}
                Err(()) => return Verdict::Finding(FindingCode::JoinAmbiguous, value),
            }
        }
        if self.config.creates() {
            return Verdict::New;
        }
        let tried = keys.iter().find_map(|key| wanted(key, record)).unwrap_or_else(|| record.external_id.clone());
        Verdict::Finding(FindingCode::JoinNobody, tried)
    }

    /// The one person with this value; an error when there is more than one.
    fn choose(&self, key: &JoinKey, value: &str) -> Result<Option<&Candidate>, ()> {
        let may = |person: &&Candidate| {
            let is_own = person.source == self.config.name;
            // Own people are found again by their number only: a name or an address may be somebody else's by now.
            if is_own { self.rehires && *key == JoinKey::EmployeeNumber } else { self.joins(key, person) }
        };
        let all: Vec<&Candidate> = self.people.find(key, value).iter().filter(may).collect();
        let active: Vec<&Candidate> = all.iter().copied().filter(|one| one.status == Status::Active).collect();
        match (active.as_slice(), all.as_slice()) {
            ([one], _) | ([], [one]) => Ok(Some(one)),
            (_, []) => Ok(None),
            _ => Err(()),
        }
    }

    /// Whether a person of another source may be found by this. Who was deleted there comes back by the owner, or by an
    /// heir.
    fn joins(&self, key: &JoinKey, person: &Candidate) -> bool {
        self.join.is_some_and(|join| {
            join.by.contains(key) && (person.status != Status::Deleted || join.creates && join.adopts)
        })
    }

    fn has_other_number(&self, external_id: &str, number: &str) -> bool {
        let mut records = self.mapped.users.iter().filter(|record| record.external_id == external_id);
        records.any(|record| record.employee_number.as_deref() != Some(number))
    }

    fn take(&self, person: &Candidate, value: String) -> Verdict {
        let is_own = person.source == self.config.name;
        if !is_own && self.protected.contains(&person.login_key) {
            return Verdict::Finding(FindingCode::JoinProtected, value);
        }
        if let Some(former) = self.linked.get(&person.id.0).copied() {
            return match self.present.get(former) {
                // Whoever is locked out there does not stand in the way of somebody new.
                Some(false) if is_own => Verdict::New,
                // Nor does whoever has another number by now.
                Some(true) if is_own && self.has_other_number(former, &value) => Verdict::New,
                Some(_) => Verdict::Finding(FindingCode::RehireConflict, value),
                None if self.mapped.is_quarantined(KIND, former) => {
                    Verdict::Finding(FindingCode::RehireConflict, value)
                }
                None => Verdict::Is(person.id, Some(former.to_owned())),
            };
        }
        if is_own && person.status == Status::Active {
            // Nothing at the source stands for this account any more, and nobody has locked it out.
            return Verdict::Finding(FindingCode::RehireConflict, value);
        }
        let join = self.join.filter(|join| join.creates && !is_own && person.status == Status::Active);
        if join.is_some_and(|join| join.on_owned == OnOwned::Finding) {
            return Verdict::Finding(FindingCode::JoinOwned, value);
        }
        Verdict::Is(person.id, None)
    }
}
