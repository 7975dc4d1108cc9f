//! The standard claims: which scope tells which, and what they say (OpenID Connect Core 1.0 sections 5.1 and 5.4).
//!
//! The master directory is the authority for mail and phone: what it holds counts as verified.

use serde_json::{Value, json};

use super::person::Person;

/// (claim, scope that tells it). Discovery, `UserInfo`, the `claims` parameter and the consent page read it from here.
pub(in crate::oidc) const TABLE: &[(&str, &str)] = &[
    ("name", "profile"),
    ("given_name", "profile"),
    ("family_name", "profile"),
    ("preferred_username", "profile"),
    ("updated_at", "profile"),
    ("email", "email"),
    ("email_verified", "email"),
    ("phone_number", "phone"),
    ("phone_number_verified", "phone"),
    ("employee_number", "org"),
    ("title", "org"),
    ("departments", "org"),
    ("positions", "org"),
    ("roles", "roles"),
];

/// The scope that tells a standard claim; none for a claim that is none.
#[must_use]
pub fn scope_of(claim: &str) -> Option<&'static str> {
    TABLE.iter().find(|(name, _)| *name == claim).map(|(_, scope)| *scope)
}

/// What a standard claim says of a person; none where there is nothing to say.
pub(super) fn value(person: &Person<'_>, claim: &str) -> Option<Value> {
    let user = &person.user;
    let text = |value: &Option<String>| value.clone().map(Value::from);
    match claim {
        "name" => Some(user.display_name.clone().into()),
        "given_name" => text(&user.given_name),
        "family_name" => text(&user.family_name),
        "preferred_username" => Some(user.login.clone().into()),
        "updated_at" => Some(user.updated_at.timestamp().into()),
        "email" => text(&user.mail),
        "email_verified" => user.mail.as_ref().map(|_| true.into()),
        "phone_number" => text(&user.mobile),
        "phone_number_verified" => user.mobile.as_ref().map(|_| true.into()),
        "employee_number" => text(&user.employee_number),
        "title" => text(&user.title),
        "departments" => Some(json!(person.departments)),
        "positions" => Some(json!(person.positions)),
        "roles" => Some(json!(person.roles)),
        _ => None,
    }
}
