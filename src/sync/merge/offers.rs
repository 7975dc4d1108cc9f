//! Offers: what each source says of a person, and the person that comes out of it.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use uuid::Uuid;

use super::Sharing;
use crate::model::{
    Attributes, ContributedField, DepartmentId, Offer, PlannedContribution, PositionId, Status, User, UserId,
};
use crate::store::{StoreError, Tx};

use super::super::document::UserDocument;

/// Why somebody is locked out whom their owner no longer has.
const LOST: [&str; 2] = ["absent", "out_of_scope"];

/// What the source is to a person.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::sync) enum Role {
    /// It owns them (or they are new).
    Owner,
    /// Another source owns them.
    Contributor,
    /// Another source owned them and no longer has them: this one takes over.
    Heir,
}

/// The offers of the people whom a plan touches, as they were and as they will be.
#[derive(Debug, Default)]
pub(in crate::sync) struct Merge {
    sharing: Option<Sharing>,
    stored: HashMap<UserId, BTreeMap<String, Offer>>,
    planned: BTreeMap<(UserId, String), PlannedContribution>,
    /// Whether what other sources say decided about anybody.
    pub is_used: bool,
}

/// Places and people whom sources name for the people of a plan.
#[derive(Clone, Debug, Default)]
pub(in crate::sync) struct Named {
    pub departments: Vec<DepartmentId>,
    pub positions: Vec<PositionId>,
    pub managers: Vec<UserId>,
}

impl Merge {
    /// Loads what is stored of these people; nothing where there is only one source.
    pub async fn load(tx: &mut Tx, sharing: Option<&Sharing>, people: &[UserId]) -> Result<Self, StoreError> {
        let Some(sharing) = sharing else { return Ok(Self::default()) };
        let mut stored: HashMap<UserId, BTreeMap<String, Offer>> = HashMap::new();
        for row in tx.contributions().of(people).await? {
            stored.entry(row.user_id).or_default().insert(row.source, row.offer.0);
        }
        Ok(Self { sharing: Some(sharing.clone()), stored, ..Self::default() })
    }

    /// What is named by what is stored.
    pub fn named(&self) -> Named {
        let mut named = Named::default();
        for (field, values) in self.stored.values().flat_map(BTreeMap::values).flatten() {
            let ids = values.iter().filter_map(|text| text.parse::<Uuid>().ok());
            match field {
                ContributedField::Own("department") => named.departments.extend(ids.map(DepartmentId)),
                ContributedField::Own("position") => named.positions.extend(ids.map(PositionId)),
                ContributedField::Own("manager") => named.managers.extend(ids.map(UserId)),
                _ => {}
            }
        }
        named
    }

    /// What the source is to the person.
    pub fn role(&self, known: Option<&User>) -> Role {
        let (Some(sharing), Some(user)) = (&self.sharing, known) else { return Role::Owner };
        if user.source == sharing.source {
            return Role::Owner;
        }
        let is_lost = user.status == Status::Deleted
            || user.status == Status::Disabled && user.status_reason.as_deref().is_some_and(|why| LOST.contains(&why));
        if is_lost && sharing.adopts() { Role::Heir } else { Role::Contributor }
    }

    /// The digest of a link that contributes: it differs once the precedence does.
    pub fn digest(&self, record: &str) -> String {
        self.sharing.as_ref().map_or_else(|| record.to_owned(), |sharing| format!("{record}.{}", sharing.digest))
    }

    /// A person of this source: its own values, and the others' where they count.
    pub fn own(&mut self, id: UserId, own: UserDocument) -> UserDocument {
        let Some(sharing) = &self.sharing else { return own };
        let source = sharing.source.clone();
        let mut offers = self.stored.get(&id).cloned().unwrap_or_default();
        if offers.keys().all(|name| *name == source) {
            return own;
        }
        let mine = offer(&own);
        self.note(id, &source, Some(mine.clone()));
        offers.insert(source.clone(), mine);
        self.merged(&source, &offers, own)
    }

    /// A person of another source, with what this one adds.
    pub fn contributed(&mut self, user: &User, own: &UserDocument) -> UserDocument {
        let Some(sharing) = &self.sharing else { return UserDocument::of(user) };
        let source = sharing.source.clone();
        let mut offers = self.stored.get(&user.id).cloned().unwrap_or_default();
        let here = UserDocument::of(user);
        if !offers.contains_key(&user.source) {
            // Until now nobody else said anything: what is here is the owner's.
            let owners = offer(&here);
            self.note(user.id, &user.source, Some(owners.clone()));
            offers.insert(user.source.clone(), owners);
        }
        let mut mine = offer(own);
        if own.display_name == own.login {
            // The source has no name for them.
            mine.remove(&ContributedField::Own("display_name"));
        }
        self.note(user.id, &source, Some(mine.clone()));
        offers.insert(source, mine);
        self.merged(&user.source, &offers, here)
    }

    /// A person whom this source takes over: what their former owner said no longer counts.
    pub fn inherited(&mut self, user: &User, own: UserDocument) -> UserDocument {
        let Some(sharing) = &self.sharing else { return own };
        let source = sharing.source.clone();
        self.note(user.id, &user.source, None);
        let mut offers = self.stored.get(&user.id).cloned().unwrap_or_default();
        offers.remove(&user.source);
        offers.remove(&source);
        let own = UserDocument { source: Some(source.clone()), ..own };
        if offers.is_empty() {
            self.note(user.id, &source, None);
            return own;
        }
        let mine = offer(&own);
        self.note(user.id, &source, Some(mine.clone()));
        offers.insert(source.clone(), mine);
        self.merged(&source, &offers, own)
    }

    /// A person of another source of whom this one says nothing any more: the next master's values come back.
    pub fn withdrawn(&mut self, user: &User) -> UserDocument {
        let here = UserDocument::of(user);
        let Some(sharing) = &self.sharing else { return here };
        let source = sharing.source.clone();
        let Some(mut offers) = self.stored.get(&user.id).cloned() else { return here };
        if offers.remove(&source).is_none() {
            return here;
        }
        self.note(user.id, &source, None);
        let merged = self.merged(&user.source, &offers, here);
        if offers.keys().all(|name| *name == user.source) {
            self.note(user.id, &user.source, None);
        }
        merged
    }

    /// What the plan writes.
    pub fn planned(self) -> Vec<PlannedContribution> {
        self.planned.into_values().filter(|one| one.before != one.after).collect()
    }

    fn note(&mut self, id: UserId, source: &str, after: Option<Offer>) {
        self.is_used = true;
        let before = self.stored.get(&id).and_then(|offers| offers.get(source)).cloned();
        let planned = PlannedContribution { user_id: id, source: source.to_owned(), before, after };
        self.planned.insert((id, source.to_owned()), planned);
    }

    /// `base` with the fields that sources share as their masters have them.
    fn merged(&self, owner: &str, offers: &BTreeMap<String, Offer>, base: UserDocument) -> UserDocument {
        let Some(sharing) = &self.sharing else { return base };
        let named: BTreeMap<&str, &Offer> = offers.iter().map(|(source, offer)| (source.as_str(), offer)).collect();
        let masters = sharing.precedence.masters(owner, &named);
        let value =
            |name: &'static str| masters.get(&ContributedField::Own(name)).and_then(|(_, v)| v.first()).cloned();
        let id = |name: &'static str| value(name).and_then(|text| text.parse::<Uuid>().ok());
        let attributes: Attributes = masters
            .iter()
            .filter_map(|(field, (_, values))| match field {
                ContributedField::Attribute(name) => Some((name.clone(), values.to_vec())),
                ContributedField::Own(_) => None,
            })
            .collect();
        UserDocument {
            employee_number: value("employee_number"),
            display_name: value("display_name").unwrap_or_else(|| base.display_name.clone()),
            given_name: value("given_name"),
            family_name: value("family_name"),
            mail: value("mail"),
            mobile: value("mobile"),
            title: value("title"),
            department_id: id("department").map(DepartmentId),
            position_id: id("position").map(PositionId),
            manager_id: id("manager").map(UserId),
            attributes: Arc::new(attributes),
            ..base
        }
    }
}

/// What a document says; empty fields are silence.
fn offer(document: &UserDocument) -> Offer {
    let mut all = Offer::new();
    let mut add = |name: &'static str, value: Option<String>| {
        if let Some(value) = value.filter(|value| !value.is_empty()) {
            all.insert(ContributedField::Own(name), vec![value]);
        }
    };
    add("employee_number", document.employee_number.clone());
    add("display_name", Some(document.display_name.clone()));
    add("given_name", document.given_name.clone());
    add("family_name", document.family_name.clone());
    add("mail", document.mail.clone());
    add("mobile", document.mobile.clone());
    add("title", document.title.clone());
    add("department", document.department_id.map(|id| id.0.to_string()));
    add("position", document.position_id.map(|id| id.0.to_string()));
    add("manager", document.manager_id.map(|id| id.0.to_string()));
    for (name, values) in document.attributes.iter().filter(|(_, values)| !values.is_empty()) {
        all.insert(ContributedField::Attribute(name.clone()), values.clone());
    }
    all
}
