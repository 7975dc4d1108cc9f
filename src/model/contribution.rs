//! What several sources say of one person, and who is master of which field.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize, de};
use sqlx::types::Json;

use super::{Attributes, Status, UserId};

/// A field that several sources may have a value for. Login name, password and status are always the owner's.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum ContributedField {
    /// One of the fields of a person, by its name in `[source.users]`, or `department` or `position`.
    Own(&'static str),
    /// `attributes.NAME`.
    Attribute(String),
}

/// Names of the fields that every person has.
const OWN: [&str; 10] = [
    "employee_number",
    "display_name",
    "given_name",
    "family_name",
    "mail",
    "mobile",
    "title",
    "department",
    "position",
    "manager",
];

impl fmt::Display for ContributedField {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Own(name) => f.write_str(name),
            Self::Attribute(name) => write!(f, "attributes.{name}"),
        }
    }
}

impl FromStr for ContributedField {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        if let Some(name) = text.strip_prefix("attributes.").filter(|name| !name.is_empty()) {
            return Ok(Self::Attribute(name.to_owned()));
        }
        let own = OWN.iter().find(|name| **name == text);
        own.map(|name| Self::Own(name)).ok_or_else(|| {
            format!("`{text}` is no field that sources share; write one of {}, or attributes.NAME", OWN.join(", "))
        })
    }
}

/// What entries and people are compared by, to find out that they are the same.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum JoinKey {
    /// `employee_number`
    EmployeeNumber,
    /// `mail`, without case.
    Mail,
    /// `login`, without case.
    Login,
    /// `attributes.NAME`: one of its values.
    Attribute(String),
}

impl fmt::Display for JoinKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::EmployeeNumber => f.write_str("employee_number"),
            Self::Mail => f.write_str("mail"),
            Self::Login => f.write_str("login"),
            Self::Attribute(name) => write!(f, "attributes.{name}"),
        }
    }
}

impl FromStr for JoinKey {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "employee_number" => Ok(Self::EmployeeNumber),
            "mail" => Ok(Self::Mail),
            "login" => Ok(Self::Login),
            _ => match text.strip_prefix("attributes.").filter(|name| !name.is_empty()) {
                Some(name) => Ok(Self::Attribute(name.to_owned())),
                None => {
                    Err(format!("`{text}` cannot be joined by; write employee_number, mail, login or attributes.NAME"))
                }
            },
        }
    }
}

/// Both are written as the one text that they display.
macro_rules! as_text {
    ($name:ident) => {
        impl Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
                to.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                String::deserialize(from)?.parse().map_err(de::Error::custom)
            }
        }
    };
}
as_text!(ContributedField);
as_text!(JoinKey);

/// What one source says of a person: field → values, one of a person's own fields, any number of an attribute.
/// Departments, positions and managers are our ids. A field that is missing is silence.
pub type Offer = BTreeMap<ContributedField, Vec<String>>;

/// A stored offer.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, sqlx::FromRow)]
pub struct Contribution {
    /// The person.
    pub user_id: UserId,
    /// Who says it.
    pub source: String,
    /// What.
    pub offer: Json<Offer>,
    /// The source that owns the person.
    pub owner: String,
}

/// A contribution as a plan will leave it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PlannedContribution {
    /// The person.
    pub user_id: UserId,
    /// Who says it.
    pub source: String,
    /// What was said before; none when it is new.
    pub before: Option<Offer>,
    /// What is said now; none when it is withdrawn.
    pub after: Option<Offer>,
}

/// What joining looks at of a person.
#[derive(Clone, PartialEq, Debug, sqlx::FromRow)]
pub struct Candidate {
    /// Our id.
    pub id: UserId,
    /// Who owns the account.
    pub source: String,
    /// Folded login name.
    pub login_key: String,
    /// Employee number.
    pub employee_number: Option<String>,
    /// Mail address.
    pub mail: Option<String>,
    /// Further attributes.
    pub attributes: Json<Attributes>,
    /// May the person sign in.
    pub status: Status,
    /// Why not.
    pub status_reason: Option<String>,
}

/// Who is master of which field.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Precedence {
    /// Field → sources, as configured.
    pub fields: BTreeMap<ContributedField, Vec<String>>,
    /// All sources in the order of the configuration.
    pub sources: Vec<String>,
}

impl Precedence {
    /// For each field the source whose value counts, and the value: first who is listed for the field, then the owner,
    /// then the others as they stand in the configuration, then those that no longer do by name. Silence is passed over.
    #[must_use]
    pub fn masters<'o>(
        &self,
        owner: &str,
        offers: &BTreeMap<&'o str, &'o Offer>,
    ) -> BTreeMap<&'o ContributedField, (&'o str, &'o [String])> {
        let fields: BTreeSet<&ContributedField> = offers.values().flat_map(|offer| offer.keys()).collect();
        let master = |field: &'o ContributedField| {
            let listed = self.fields.get(field).into_iter().flatten().map(String::as_str);
            let order = listed.chain([owner]).chain(self.sources.iter().map(String::as_str));
            let named = order.filter_map(|source| offers.get_key_value(source));
            let rest = offers.iter();
            let mut all = named.chain(rest).map(|(source, offer)| (*source, offer.get(field)));
            all.find_map(|(source, values)| Some((source, values.filter(|values| !values.is_empty())?.as_slice())))
        };
        fields.into_iter().filter_map(|field| Some((field, master(field)?))).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::{ContributedField, Offer, Precedence};

    fn offer(fields: &[(&str, &str)]) -> Offer {
        fields.iter().map(|(field, value)| (field.parse().unwrap(), vec![(*value).to_owned()])).collect()
    }

    /// LDAP-052
    #[test]
    fn the_first_that_has_a_value_is_master() {
        let precedence = Precedence {
            fields: [("title".parse().unwrap(), vec!["hr".to_owned(), "ad".to_owned()])].into(),
            sources: vec!["ad".to_owned(), "hr".to_owned(), "csv".to_owned()],
        };
        let ad = offer(&[("title", "engineer"), ("mail", "a@example.com")]);
        let hr = offer(&[("title", "Engineer II"), ("mail", "h@example.com"), ("mobile", "1")]);
        let csv = offer(&[("mobile", "2"), ("attributes.cost_center", "4711")]);
        let gone = offer(&[("given_name", "芳")]);
        let all = BTreeMap::from([("ad", &ad), ("hr", &hr), ("csv", &csv), ("gone", &gone)]);
        let masters: Vec<(String, &str)> = precedence
            .masters("ad", &all)
            .into_iter()
            .map(|(field, (source, _))| (field.to_string(), source))
            .collect();
        let expected = [
            ("given_name", "gone"),
            ("mail", "ad"),
            ("mobile", "hr"),
            ("title", "hr"),
            ("attributes.cost_center", "csv"),
        ];
        assert_eq!(masters, expected.map(|(field, source)| (field.to_owned(), source)));
        // Whoever falls silent gives way to the next.
        let all = BTreeMap::from([("ad", &ad), ("csv", &csv)]);
        assert_eq!(precedence.masters("ad", &all)[&"title".parse::<ContributedField>().unwrap()].0, "ad");
    }
}
