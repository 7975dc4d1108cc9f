//! What an application wants, in a person's words: for the consent page and the list of consents.

use std::collections::BTreeSet;

use serde::Serialize;
use serde_json::Value;

use crate::model::{Application, ClaimRule, PersonField, TemplatePart, Wish, template_parts};
use crate::text::{Args, Language, message};

/// Characters of one value of authorization details at the most.
const LONGEST: usize = 200;
/// Values of one authorization detail at the most.
const MOST: usize = 20;

/// One thing to be done, as the application describes it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Deed {
    /// Its `type`.
    pub kind: String,
    /// Names and values.
    pub values: Vec<(String, String)>,
}

/// Everything that is wanted, in sentences.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct WishWords {
    /// What the application would know and do.
    pub lines: Vec<String>,
    /// What exactly is to be done.
    pub deeds: Vec<Deed>,
}

/// Says `wish` of `app` in `language`; what a claim tells is said as the scope that it belongs to.
#[must_use]
pub fn wish_words(language: Language, app: &Application, wish: &Wish) -> WishWords {
    let say = |key: &str, args: &Args<'_>| message(language, key, args);
    let mut known = BTreeSet::new();
    let mut lines = Vec::new();
    let mut others = Vec::new();
    for scope in &wish.scopes {
        match topic_of_scope(scope) {
            Some(topic) => drop(known.insert(topic)),
            None => others.push(scope.as_str()),
        }
    }
    known.extend(wish.claims.iter().filter_map(|claim| topic_of_claim(claim)));
    let mut attributes = BTreeSet::new();
    for rule in wish.mapped.iter().filter_map(|name| app.settings.identity.claims.get(name)) {
        topics_of_rule(rule, &mut known, &mut attributes);
    }
    lines.extend(known.into_iter().map(|topic| say(topic.key(), &Args::new())));
    for attribute in attributes {
        let mut args = Args::new();
        args.set("name", attribute);
        lines.push(say("wish-attribute", &args));
    }
    for scope in others {
        let own = app.settings.identity.scope_texts.get(scope);
        let text = own.and_then(|texts| texts.get(language.as_str()).or_else(|| texts.values().next()));
        let mut args = Args::new();
        args.set("scope", scope.to_owned());
        lines.push(text.cloned().unwrap_or_else(|| say("wish-scope", &args)));
    }
    WishWords { lines, deeds: wish.authorization_details.iter().map(deed).collect() }
}

/// What can be learned of a person, in the order of the page.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Topic {
    Identity,
    Profile,
    Mail,
    Phone,
    Organisation,
    Roles,
    Groups,
    Manager,
    Offline,
}

impl Topic {
    fn key(self) -> &'static str {
        match self {
            Self::Identity => "wish-openid",
            Self::Profile => "wish-profile",
            Self::Mail => "wish-email",
            Self::Phone => "wish-phone",
            Self::Organisation => "wish-org",
            Self::Roles => "wish-roles",
            Self::Groups => "wish-groups",
            Self::Manager => "wish-manager",
            Self::Offline => "wish-offline",
        }
    }
}

fn topic_of_scope(scope: &str) -> Option<Topic> {
    Some(match scope {
        "openid" => Topic::Identity,
        "profile" => Topic::Profile,
        "email" => Topic::Mail,
        "phone" => Topic::Phone,
        "org" => Topic::Organisation,
        "roles" => Topic::Roles,
        "offline_access" => Topic::Offline,
        _ => return None,
    })
}

fn topic_of_claim(claim: &str) -> Option<Topic> {
    crate::oidc::scope_of_claim(claim).and_then(topic_of_scope)
}

fn topics_of_rule<'a>(rule: &'a ClaimRule, known: &mut BTreeSet<Topic>, attributes: &mut BTreeSet<&'a str>) {
    known.extend(rule.from.map(topic_of_field));
    attributes.extend(rule.attribute.as_deref());
    for part in rule.template.as_deref().and_then(|text| template_parts(text).ok()).unwrap_or_default() {
        match part {
            TemplatePart::Text(_) => {}
            TemplatePart::Field(field) => drop(known.insert(topic_of_field(field))),
            TemplatePart::Attribute(name) => drop(attributes.insert(name)),
        }
    }
}

fn topic_of_field(field: PersonField) -> Topic {
    use PersonField as F;
    match field {
        F::Id => Topic::Identity,
        F::Login | F::DisplayName | F::GivenName | F::FamilyName => Topic::Profile,
        F::Mail => Topic::Mail,
        F::Mobile => Topic::Phone,
        F::EmployeeNumber
        | F::Title
        | F::Department
        | F::DepartmentName
        | F::DepartmentPath
        | F::Departments
        | F::DepartmentNames
        | F::Position
        | F::PositionName
        | F::Positions => Topic::Organisation,
        F::Roles => Topic::Roles,
        F::Groups => Topic::Groups,
        F::Manager | F::ManagerNumber | F::ManagerMail => Topic::Manager,
    }
}

/// An authorization detail (RFC 9396 section 2) as names and values, cut where it is endless.
fn deed(detail: &Value) -> Deed {
    let text = |value: &Value| match value {
        Value::String(text) => text.chars().take(LONGEST).collect(),
        other => other.to_string().chars().take(LONGEST).collect(),
    };
    let members = detail.as_object().into_iter().flatten();
    let kind = detail.get("type").map(text).unwrap_or_default();
    let values = members.filter(|(name, _)| *name != "type").take(MOST);
    Deed { kind, values: values.map(|(name, value)| (name.chars().take(LONGEST).collect(), text(value))).collect() }
}
