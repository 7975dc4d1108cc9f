//! Authorization details (RFC 9396), as policy sees them.
//!
//! Policies compare sets of text and know nothing of the fields that a type invents, so the common fields (section 2.2)
//! of all details are laid side by side. An action, data type, privilege or identifier is written `type:value`, so that
//! what is asked of one type is never taken for what is asked of another.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What is to be done, in detail: Cedar `context.authorization_details`.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Details {
    /// `type` of each.
    pub types: BTreeSet<String>,
    /// `locations`, as they stand.
    pub locations: BTreeSet<String>,
    /// `type:action` of each of `actions`.
    pub actions: BTreeSet<String>,
    /// `type:datatype` of each of `datatypes`.
    pub datatypes: BTreeSet<String>,
    /// `type:identifier` of each `identifier`.
    pub identifiers: BTreeSet<String>,
    /// `type:privilege` of each of `privileges`.
    pub privileges: BTreeSet<String>,
}

impl Details {
    /// Of a list that was checked against the registered types; none when it is empty.
    #[must_use]
    pub fn of(list: &[Value]) -> Option<Box<Self>> {
        if list.is_empty() {
            return None;
        }
        let mut details = Box::<Self>::default();
        for detail in list {
            let name = detail.get("type").and_then(Value::as_str).unwrap_or_default();
            let texts = |field: &str| match detail.get(field) {
                Some(Value::String(one)) => vec![one.as_str()],
                Some(Value::Array(several)) => several.iter().filter_map(Value::as_str).collect(),
                _ => Vec::new(),
            };
            let of_type =
                |field: &str| texts(field).into_iter().map(|text| format!("{name}:{text}")).collect::<Vec<_>>();
            details.types.insert(name.to_owned());
            details.locations.extend(texts("locations").into_iter().map(str::to_owned));
            details.actions.extend(of_type("actions"));
            details.datatypes.extend(of_type("datatypes"));
            details.identifiers.extend(of_type("identifier"));
            details.privileges.extend(of_type("privileges"));
        }
        Some(details)
    }

    /// The sets by their names in policies.
    pub(super) fn sets(&self) -> [(&'static str, &BTreeSet<String>); 6] {
        [
            ("types", &self.types),
            ("locations", &self.locations),
            ("actions", &self.actions),
            ("datatypes", &self.datatypes),
            ("identifiers", &self.identifiers),
            ("privileges", &self.privileges),
        ]
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::Details;

    /// OAUTH-122
    #[test]
    fn an_action_of_one_type_is_none_of_another() {
        let list = [
            json!({ "type": "payment", "actions": ["initiate"], "locations": ["https://pay.example/"], "amount": 3 }),
            json!({ "type": "account", "actions": ["read", 7], "identifier": "CN-1" }),
        ];
        let details = Details::of(&list).unwrap();
        assert_eq!(details.types.iter().collect::<Vec<_>>(), ["account", "payment"]);
        assert_eq!(details.actions.iter().collect::<Vec<_>>(), ["account:read", "payment:initiate"]);
        assert_eq!(details.identifiers.iter().collect::<Vec<_>>(), ["account:CN-1"]);
        assert!(details.locations.contains("https://pay.example/") && details.privileges.is_empty());
        assert_eq!(Details::of(&[]), None);
    }
}
