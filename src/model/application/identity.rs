//! `[application.identity]`: what an application learns of a person, under which name, and whether the person is asked.

use std::collections::{BTreeMap, BTreeSet};

use serde::de::value::{MapAccessDeserializer, StrDeserializer};
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;
use url::Url;

use crate::string_enum;

string_enum! {
    /// Whether a person is asked before an application learns of them.
    #[derive(Default)]
    ConsentRule {
        /// Never: the company has consented for its people. For the company's own applications.
        #[default]
        Never = "never",
        /// Once: asked again only when the application wants more.
        Once = "once",
        /// At every sign-in.
        Always = "always",
    }
}

string_enum! {
    /// Which `sub` an application is told (OpenID Connect Core 1.0 section 8).
    #[derive(Default)]
    SubjectType {
        /// The person's id, the same for every application.
        #[default]
        Public = "public",
        /// Another value for each sector, so that applications cannot compare notes.
        Pairwise = "pairwise",
    }
}

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

/// `[application.identity]`. One struct is what the configuration says and what is stored.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct IdentitySettings {
    /// Whether a person is asked before the application learns of them.
    pub consent: ConsentRule,
    /// Which `sub` it is told.
    pub subject_type: SubjectType,
    /// Document that lists the redirect URIs of several applications which share pairwise subjects.
    pub sector_identifier_uri: Option<String>,
    /// Claim → where its value comes from, beyond and before the standard claims.
    pub claims: BTreeMap<String, ClaimRule>,
    /// Scope of an API → language (`en`, `zh-CN`) → what the consent page says of it.
    pub scope_texts: BTreeMap<String, BTreeMap<String, String>>,
}

/// Claims that the protocols give a meaning: no mapping may set them. Neither may one say that something was verified.
pub const RESERVED_CLAIMS: &[&str] = &[
    "iss",
    "sub",
    "aud",
    "exp",
    "nbf",
    "iat",
    "jti",
    "auth_time",
    "nonce",
    "acr",
    "amr",
    "azp",
    "sid",
    "at_hash",
    "c_hash",
    "s_hash",
    "cnf",
    "client_id",
    "scope",
    "grant",
    "more",
    "act",
    "may_act",
    "status",
    "events",
    "sub_jwk",
    "sub_id",
    "authorization_details",
    "entitlements",
    "token_introspection",
    "email_verified",
    "phone_number_verified",
    "verified_claims",
    "_claim_names",
    "_claim_sources",
];

impl IdentitySettings {
    /// What is wrong with the settings of an application with these redirect URIs, one sentence each.
    #[must_use]
    pub fn problems(&self, redirect_uris: &[String]) -> Vec<String> {
        let mut problems = Vec::new();
        for (name, rule) in &self.claims {
            check_rule(name, rule, &mut problems);
        }
        if self.subject_type == SubjectType::Pairwise {
            self.check_sector(redirect_uris, &mut problems);
        }
        for (scope, texts) in &self.scope_texts {
            for language in texts.keys().filter(|language| !["en", "zh-CN"].contains(&language.as_str())) {
                problems.push(format!("identity.scope_texts.`{scope}`: `{language}` is none of en, zh-CN"));
            }
        }
        problems
    }

    /// The sector of pairwise subjects (OpenID Connect Core 1.0 section 8.1): the host of the sector document, else the
    /// one host of the redirect URIs. An application without a host of its own (native, or without redirect URIs) is
    /// its own sector; none when the hosts are several.
    #[must_use]
    pub fn sector(&self, id: &str, redirect_uris: &[String]) -> Option<String> {
        let host = |uri: &str| Url::parse(uri).ok().and_then(|url| url.host_str().map(str::to_owned));
        if let Some(uri) = &self.sector_identifier_uri {
            return host(uri);
        }
        let hosts: BTreeSet<Option<String>> =
            redirect_uris.iter().map(|uri| host(uri).filter(|_| uri.starts_with("https:"))).collect();
        let mut hosts = hosts.into_iter();
        match (hosts.next(), hosts.next()) {
            (Some(Some(one)), None) => Some(one),
            (None | Some(None), None) => Some(format!("app:{id}")),
            _ => None,
        }
    }

    fn check_sector(&self, redirect_uris: &[String], problems: &mut Vec<String>) {
        if let Some(uri) = &self.sector_identifier_uri {
            let is_https = Url::parse(uri).is_ok_and(|url| url.scheme() == "https" && url.host().is_some());
            if !is_https {
                problems.push(format!("identity.sector_identifier_uri `{uri}` must be an https address"));
            }
        } else if self.sector("", redirect_uris).is_none() {
            problems.push(
                "identity.subject_type = \"pairwise\": the redirect URIs are on several hosts, so \
                 identity.sector_identifier_uri must name a document that lists them"
                    .to_owned(),
            );
        }
    }
}

fn check_rule(name: &str, rule: &ClaimRule, problems: &mut Vec<String>) {
    if name.is_empty() || name.len() > 200 || name.chars().any(char::is_control) {
        problems.push(format!("identity.claims: `{name}` is no claim name"));
    }
    if RESERVED_CLAIMS.contains(&name) {
        problems
            .push(format!("identity.claims.`{name}`: the protocol gives this claim its meaning; choose another name"));
    }
    let given = [rule.from.is_some(), rule.attribute.is_some(), rule.value.is_some(), rule.template.is_some()];
    if given.into_iter().filter(|is_given| *is_given).count() != 1 {
        problems.push(format!("identity.claims.`{name}`: give exactly one of from, attribute, value, template"));
    }
    if let Some(template) = &rule.template
        && let Err(why) = template_parts(template)
    {
        problems.push(format!("identity.claims.`{name}`: {why}"));
    }
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
    use super::{ClaimPlace, IdentitySettings, PersonField, SubjectType};

    fn read(text: &str) -> Result<IdentitySettings, String> {
        toml::from_str(text).map_err(|error| error.to_string())
    }

    #[test]
    fn a_rule_is_written_short_or_long_and_reads_back() {
        let text = "[claims]\nnumber = \"employee_number\"\ncost = { attribute = \"cost_center\", into = [\"access_token\"] }\n\
                    who = { template = \"{display_name} ({attribute:room})\" }\ntenant = { value = \"acme\", scope = \"org\" }";
        let settings = read(text).unwrap();
        assert_eq!(settings.problems(&[]), Vec::<String>::new());
        assert_eq!(settings.claims["number"].from, Some(PersonField::EmployeeNumber));
        assert!(settings.claims["number"].is_for(ClaimPlace::UserInfo));
        assert!(!settings.claims["number"].is_for(ClaimPlace::AccessToken));
        assert!(!settings.claims["cost"].is_for(ClaimPlace::IdToken));
        let stored = serde_json::to_string(&settings).unwrap();
        assert_eq!(serde_json::from_str::<IdentitySettings>(&stored).unwrap(), settings);
    }

    /// WEB-044
    #[test]
    fn what_a_mapping_must_not_say_is_refused() {
        for (text, part) in [
            ("[claims]\nsub = \"login\"", "protocol gives this claim"),
            ("[claims]\nemail_verified = { value = true }", "protocol gives this claim"),
            ("[claims]\na = { }", "exactly one"),
            ("[claims]\na = { from = \"login\", value = 1 }", "exactly one"),
            ("[claims]\na = { template = \"{nobody}\" }", "`nobody` is none of"),
            ("[claims]\na = { template = \"{login\" }", "not closed"),
            ("[scope_texts.x]\nfr = \"y\"", "none of en, zh-CN"),
        ] {
            let problems = read(text).unwrap().problems(&[]);
            assert!(problems.iter().any(|problem| problem.contains(part)), "{text}: {problems:?}");
        }
        for (text, part) in [
            ("[claims]\na = \"shoe_size\"", "unknown variant `shoe_size`"),
            ("[claims]\na = { form = \"login\" }", "unknown field `form`"),
            ("[claims]\na = 7", "a field such as"),
        ] {
            let error = read(text).unwrap_err();
            assert!(error.contains(part), "{text}: {error}");
        }
    }

    #[test]
    fn the_sector_is_one_host_or_a_document() {
        let own = |uris: &[&str]| {
            let settings = IdentitySettings { subject_type: SubjectType::Pairwise, ..IdentitySettings::default() };
            let uris: Vec<String> = uris.iter().map(|uri| (*uri).to_owned()).collect();
            (settings.sector("shop", &uris), settings.problems(&uris).is_empty())
        };
        assert_eq!(own(&["https://a.example/x", "https://a.example:8443/y"]), (Some("a.example".to_owned()), true));
        assert_eq!(own(&["https://a.example/x", "https://b.example/y"]), (None, false));
        assert_eq!(own(&["http://127.0.0.1/x", "com.example.app:/y"]), (Some("app:shop".to_owned()), true));
        assert_eq!(own(&[]), (Some("app:shop".to_owned()), true));
        let shared = IdentitySettings {
            subject_type: SubjectType::Pairwise,
            sector_identifier_uri: Some("http://a.example/sector".to_owned()),
            ..IdentitySettings::default()
        };
        assert_eq!(shared.problems(&[]).len(), 1, "plain http");
    }
}
