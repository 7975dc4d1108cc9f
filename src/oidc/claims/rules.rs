//! `[application.identity.claims]`: the value of a mapped claim.

use serde_json::{Value, json};

use super::person::Person;
use crate::model::{ClaimRule, PersonField, TemplatePart, template_parts};
use crate::store::Named;

/// What a mapped claim says of a person; none where there is nothing to say.
pub(super) fn value(person: &Person<'_>, rule: &ClaimRule) -> Option<Value> {
    if let Some(field) = rule.from {
        return self::field(person, field);
    }
    if let Some(name) = &rule.attribute {
        return attribute(person, name);
    }
    if let Some(template) = &rule.template {
        return filled(person, template).map(Value::from);
    }
    rule.value.clone()
}

fn field(person: &Person<'_>, field: PersonField) -> Option<Value> {
    use PersonField as F;
    let Person { user, departments, positions, manager, .. } = person;
    let text = |value: Option<&String>| value.cloned().map(Value::from);
    let names = |list: &[Named]| list.iter().map(|one| one.name.clone()).collect::<Vec<_>>();
    let codes = |list: &[Named]| list.iter().map(|one| one.code.clone()).collect::<Vec<_>>();
    match field {
        F::Id => Some(user.id.to_string().into()),
        F::Login => Some(user.login.clone().into()),
        F::DisplayName => Some(user.display_name.clone().into()),
        F::GivenName => text(user.given_name.as_ref()),
        F::FamilyName => text(user.family_name.as_ref()),
        F::Mail => text(user.mail.as_ref()),
        F::Mobile => text(user.mobile.as_ref()),
        F::EmployeeNumber => text(user.employee_number.as_ref()),
        F::Title => text(user.title.as_ref()),
        F::Department => text(departments.last().map(|one| &one.code)),
        F::DepartmentName => text(departments.last().map(|one| &one.name)),
        F::DepartmentPath => (!departments.is_empty()).then(|| names(departments).join("/").into()),
        F::Departments => Some(json!(codes(departments))),
        F::DepartmentNames => Some(json!(names(departments))),
        F::Position => text(positions.first().map(|one| &one.code)),
        F::PositionName => text(positions.first().map(|one| &one.name)),
        F::Positions => Some(json!(codes(positions))),
        F::Roles => Some(json!(person.roles)),
        F::Groups => Some(json!(person.groups)),
        F::Manager => text(manager.as_ref().map(|manager| &manager.login)),
        F::ManagerNumber => text(manager.as_ref().and_then(|manager| manager.employee_number.as_ref())),
        F::ManagerMail => text(manager.as_ref().and_then(|manager| manager.mail.as_ref())),
    }
}

fn attribute(person: &Person<'_>, name: &str) -> Option<Value> {
    match person.user.attributes.0.get(name)?.as_slice() {
        [] => None,
        [one] => Some(one.clone().into()),
        several => Some(json!(several)),
    }
}

/// The template with everything filled in; a list is joined with commas. Where a part is missing, nothing is said
/// rather than half of it.
fn filled(person: &Person<'_>, template: &str) -> Option<String> {
    let mut text = String::new();
    for part in template_parts(template).ok()? {
        let value = match part {
            TemplatePart::Text(plain) => {
                text.push_str(plain);
                continue;
            }
            TemplatePart::Field(field) => self::field(person, field)?,
            TemplatePart::Attribute(name) => attribute(person, name)?,
        };
        match value {
            Value::String(one) => text.push_str(&one),
            Value::Array(list) => {
                text.push_str(&list.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(","));
            }
            other => text.push_str(&other.to_string()),
        }
    }
    Some(text)
}
