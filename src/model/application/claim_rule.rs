//! Where the value of a mapped claim comes from: a field, an attribute, a constant, a template.

use std::collections::BTreeSet;

use serde::de::value::{MapAccessDeserializer, StrDeserializer};
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

use super::identity::RESERVED_CLAIMS;
use crate::string_enum;

string_enum! {
    /// Something the broker knows of a person, for claims.
    PersonField {
        /// Our id of the person.
        Id = "id",
        /// Login name.
        Login = "login",
        /// Name as shown.
        DisplayName = "display_name",
        /// Given name.
        GivenName = "given_name",
        /// Family name.
        FamilyName = "family_name",
        /// Mail address.
        Mail = "mail",
        /// Mobile number.
        Mobile = "mobile",
        /// Employee number.
        EmployeeNumber = "employee_number",
        /// Job title.
        Title = "title",
        /// Code of the department.
        Department = "department",
        /// Name of the department.
        DepartmentName = "department_name",
        /// Names from the top down, joined with `/`.
        DepartmentPath = "department_path",
        /// Codes from the top down, a list.
        Departments = "departments",
        /// Names from the top down, a list.
        DepartmentNames = "department_names",
        /// Code of the position.
        Position = "position",
        /// Name of the position.
        PositionName = "position_name",
        /// Codes of positions, a list.
        Positions = "positions",
        /// Roles, a list.
        Roles = "roles",
        /// Codes of groups, direct and nested, a list.
        Groups = "groups",
        /// Login name of the manager.
        Manager = "manager",
        /// Employee number of the manager.
        ManagerNumber = "manager_employee_number",
        /// Mail address of the manager.
        ManagerMail = "manager_mail",
    }
}

string_enum! {
    /// Where a claim is told.
    ClaimPlace {
        /// In the ID token.
        IdToken = "id_token",
        /// By `UserInfo`.
        UserInfo = "userinfo",
        /// In the access token.
        AccessToken = "access_token",
    }
}

/// Where the value of a mapped claim comes from: exactly one of the four is given. `claim = "employee_number"` is short
/// for `claim = { from = "employee_number" }`.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize)]
pub struct ClaimRule {
    /// Something the broker knows of everybody.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<PersonField>,
    /// An attribute of `[source.users.attributes]`: one value as text, several as a list.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attribute: Option<String>,
    /// The same for everybody.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<Value>,
    /// Text with `{login}` or `{attribute:NAME}` in it; left out where a part is missing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub template: Option<String>,
    /// Where it is told; ID token and `UserInfo` when empty.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub into: BTreeSet<ClaimPlace>,
    /// Told only where this scope was granted; with every sign-in when none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scope: Option<String>,
}

impl ClaimRule {
    /// Whether it is told in this place.
    #[must_use]
    pub fn is_for(&self, place: ClaimPlace) -> bool {
        if self.into.is_empty() { place != ClaimPlace::AccessToken } else { self.into.contains(&place) }
    }

    /// Says what is wrong with the rule of the claim `name`.
    pub(super) fn check(&self, name: &str, problems: &mut Vec<String>) {
        if name.is_empty() || name.len() > 200 || name.chars().any(char::is_control) {
            problems.push(format!("identity.claims: `{name}` is no claim name"));
        }
        if RESERVED_CLAIMS.contains(&name) {
            problems.push(format!(
                "identity.claims.`{name}`: the protocol gives this claim its meaning; choose another name"
            ));
        }
        let given = [self.from.is_some(), self.attribute.is_some(), self.value.is_some(), self.template.is_some()];
        if given.into_iter().filter(|is_given| *is_given).count() != 1 {
            problems.push(format!("identity.claims.`{name}`: give exactly one of from, attribute, value, template"));
        }
        if let Some(template) = &self.template
            && let Err(why) = template_parts(template)
        {
            problems.push(format!("identity.claims.`{name}`: {why}"));
        }
    }
}

impl<'de> Deserialize<'de> for ClaimRule {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;
        impl<'de> Visitor<'de> for Either {
            type Value = ClaimRule;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a field such as \"employee_number\", or a table with from, attribute, value or template")
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<ClaimRule, E> {
                let from = PersonField::deserialize(StrDeserializer::new(text))?;
                Ok(ClaimRule { from: Some(from), ..ClaimRule::default() })
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<ClaimRule, A::Error> {
                Written::deserialize(MapAccessDeserializer::new(map)).map(|written| ClaimRule {
                    from: written.from,
                    attribute: written.attribute,
                    value: written.value,
                    template: written.template,
                    into: written.into,
                    scope: written.scope,
                })
            }
        }
        deserializer.deserialize_any(Either)
    }
}

/// The long form of a rule.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Written {
    from: Option<PersonField>,
    attribute: Option<String>,
    value: Option<Value>,
    template: Option<String>,
    into: BTreeSet<ClaimPlace>,
    scope: Option<String>,
}

/// A part of a template.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum TemplatePart<'a> {
    /// Stands as it is.
    Text(&'a str),
    /// `{login}`.
    Field(PersonField),
    /// `{attribute:NAME}`.
    Attribute(&'a str),
}

/// The parts of a claim's template.
///
/// # Errors
/// What is wrong with it.
pub fn template_parts(template: &str) -> Result<Vec<TemplatePart<'_>>, String> {
    let mut parts = Vec::new();
    let mut rest = template;
    while let Some((text, behind)) = rest.split_once('{') {
        if !text.is_empty() {
            parts.push(TemplatePart::Text(text));
        }
        let (name, behind) =
            behind.split_once('}').ok_or_else(|| format!("template `{template}`: a `{{` is not closed"))?;
        parts.push(match name.strip_prefix("attribute:") {
            Some(attribute) => TemplatePart::Attribute(attribute),
            None => TemplatePart::Field(name.parse().map_err(|why| format!("template `{template}`: {why}"))?),
        });
        rest = behind;
    }
    if !rest.is_empty() {
        parts.push(TemplatePart::Text(rest));
    }
    Ok(parts)
}

#[cfg(test)]
mod tests {
    use super::{ClaimPlace, PersonField};
    use crate::model::IdentitySettings;

    #[test]
    fn a_rule_is_written_short_or_long_and_reads_back() {
        let text = "[claims]\nnumber = \"employee_number\"\ncost = { attribute = \"cost_center\", into = [\"access_token\"] }\n\
                    who = { template = \"{display_name} ({attribute:room})\" }\ntenant = { value = \"acme\", scope = \"org\" }";
        let settings: IdentitySettings = toml::from_str(text).unwrap();
        assert_eq!(settings.problems(&[]), Vec::<String>::new());
        assert_eq!(settings.claims["number"].from, Some(PersonField::EmployeeNumber));
        assert!(settings.claims["number"].is_for(ClaimPlace::UserInfo));
        assert!(!settings.claims["number"].is_for(ClaimPlace::AccessToken));
        assert!(!settings.claims["cost"].is_for(ClaimPlace::IdToken));
        let stored = serde_json::to_string(&settings).unwrap();
        assert_eq!(serde_json::from_str::<IdentitySettings>(&stored).unwrap(), settings);
    }
}
