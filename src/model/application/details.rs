//! Types of authorization details (RFC 9396): what an application may ask to do in detail, registered type by type.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::string_enum;

string_enum! {
    /// What a field holds.
    FieldKind {
        /// Text.
        Text = "string",
        /// A whole number.
        Integer = "integer",
        /// Any number.
        Number = "number",
        /// True or false.
        Boolean = "boolean",
        /// Fields of its own.
        Object = "object",
        /// A list.
        List = "array",
    }
}

/// A field of an authorization detail. What is not named here may not be sent.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DetailField {
    /// What it holds.
    pub kind: FieldKind,
    /// It must be there.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub required: bool,
    /// The texts it may hold; any when empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub values: Vec<String>,
    /// The smallest whole number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub minimum: Option<i64>,
    /// The largest whole number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub maximum: Option<i64>,
    /// Characters of a text, or entries of a list, at the most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_length: Option<usize>,
    /// The fields of an object.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub fields: BTreeMap<String, DetailField>,
    /// What each entry of a list is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub items: Option<Box<DetailField>>,
}

/// One type of authorization details. Of the common fields (RFC 9396 section 2.2) only those with values here may be
/// sent, and only with these values.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DetailType {
    /// One line for the page on which the person agrees.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Where it may be used.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub locations: Vec<String>,
    /// What may be done.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub actions: Vec<String>,
    /// With which data.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub datatypes: Vec<String>,
    /// With which privileges.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub privileges: Vec<String>,
    /// It may name one resource by `identifier`.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub identifier: bool,
    /// Further fields.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub fields: BTreeMap<String, DetailField>,
}

impl DetailType {
    /// Whether `detail`, of this type, holds what the type allows and nothing else.
    #[must_use]
    pub fn accepts(&self, detail: &Map<String, Value>) -> bool {
        let common = |name: &str| match name {
            "locations" => Some(&self.locations),
            "actions" => Some(&self.actions),
            "datatypes" => Some(&self.datatypes),
            "privileges" => Some(&self.privileges),
            _ => None,
        };
        let own = detail.iter().filter(|(name, _)| name.as_str() != "type");
        let is_sound = own.clone().all(|(name, value)| match (name.as_str(), common(name)) {
            (_, Some(allowed)) => is_list_of(value, allowed),
            ("identifier", None) if self.identifier => value.is_string(),
            _ => self.fields.get(name).is_some_and(|field| field.accepts(value)),
        });
        is_sound && has_required(&self.fields, detail)
    }
}

impl DetailField {
    fn accepts(&self, value: &Value) -> bool {
        let fits = |length: usize| self.max_length.is_none_or(|most| length <= most);
        match (self.kind, value) {
            (FieldKind::Text, Value::String(text)) => {
                fits(text.chars().count()) && (self.values.is_empty() || self.values.contains(text))
            }
            (FieldKind::Integer, Value::Number(number)) => {
                number.as_i64().is_some_and(|number| self.is_in_range(number))
            }
            (FieldKind::Number, Value::Number(_)) | (FieldKind::Boolean, Value::Bool(_)) => true,
            (FieldKind::Object, Value::Object(object)) => {
                let is_sound =
                    |(name, value): (&String, &Value)| self.fields.get(name).is_some_and(|field| field.accepts(value));
                object.iter().all(is_sound) && has_required(&self.fields, object)
            }
            (FieldKind::List, Value::Array(list)) => {
                fits(list.len())
                    && self.items.as_ref().is_none_or(|items| list.iter().all(|entry| items.accepts(entry)))
            }
            _ => false,
        }
    }

    fn is_in_range(&self, number: i64) -> bool {
        self.minimum.is_none_or(|least| least <= number) && self.maximum.is_none_or(|most| number <= most)
    }
}

/// Whether `value` is a list, not empty, of texts among `allowed`.
fn is_list_of(value: &Value, allowed: &[String]) -> bool {
    let is_allowed = |entry: &Value| entry.as_str().is_some_and(|entry| allowed.iter().any(|one| one == entry));
    value.as_array().is_some_and(|list| !list.is_empty() && list.iter().all(is_allowed))
}

fn has_required(fields: &BTreeMap<String, DetailField>, object: &Map<String, Value>) -> bool {
    fields.iter().all(|(name, field)| !field.required || object.contains_key(name))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::DetailType;

    fn payment() -> DetailType {
        serde_json::from_value(json!({
            "actions": ["initiate", "status"],
            "locations": ["https://bank.example/payments"],
            "fields": {
                "creditor": { "kind": "string", "required": true, "max_length": 8 },
                "amount": { "kind": "object", "required": true, "fields": {
                    "currency": { "kind": "string", "values": ["CNY"], "required": true },
                    "cents": { "kind": "integer", "minimum": 1, "maximum": 1000, "required": true },
                } },
                "notes": { "kind": "array", "max_length": 2, "items": { "kind": "string" } },
                "urgent": { "kind": "boolean" },
            },
        }))
        .unwrap()
    }

    #[test]
    fn a_detail_holds_what_its_type_says() {
        let good = json!({
            "type": "payment", "actions": ["initiate"], "locations": ["https://bank.example/payments"],
            "creditor": "北京", "amount": { "currency": "CNY", "cents": 7 }, "notes": ["a"], "urgent": true,
        });
        assert!(payment().accepts(good.as_object().unwrap()));
        let changed = |pointer: &str, value: Value| {
            let mut bad = good.clone();
            match bad.pointer_mut(pointer) {
                Some(place) => *place = value,
                None => drop(bad.as_object_mut().unwrap().insert(pointer[1..].to_owned(), value)),
            }
            bad
        };
        for bad in [
            changed("/actions", json!(["cancel"])),
            changed("/actions", json!([])),
            changed("/actions", json!("initiate")),
            changed("/locations/0", json!("https://evil.example")),
            changed("/datatypes", json!(["x"])),
            changed("/identifier", json!("7")),
            changed("/surprise", json!(1)),
            changed("/creditor", json!("longer than eight")),
            changed("/creditor", json!(7)),
            changed("/amount/currency", json!("USD")),
            changed("/amount/cents", json!(0)),
            changed("/amount/cents", json!(1001)),
            changed("/amount/cents", json!(7.5)),
            changed("/amount", json!({ "currency": "CNY" })),
            changed("/amount", json!({ "currency": "CNY", "cents": 1, "more": 1 })),
            changed("/notes", json!(["a", "b", "c"])),
            changed("/notes", json!([1])),
            changed("/urgent", json!("yes")),
        ] {
            assert!(!payment().accepts(bad.as_object().unwrap()), "{bad}");
        }
        let mut without = good.clone();
        without.as_object_mut().unwrap().remove("creditor");
        assert!(!payment().accepts(without.as_object().unwrap()));
    }
}
