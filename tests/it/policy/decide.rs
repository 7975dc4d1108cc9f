//! Answers: default deny, errors never permit, the index changes no answer.

use std::collections::BTreeSet;

use yaopai::policy::{Action, Context, Decision, Policies, Principal, Request, Resource, Standing};

use super::folder;

fn user(roles: &[&str]) -> Principal {
    Principal::User {
        id: "u1".to_owned(),
        login: "wang.fang".to_owned(),
        employee_number: None,
        departments: BTreeSet::from(["finance".to_owned(), "hq".to_owned()]),
        position: Some("clerk".to_owned()),
        groups: BTreeSet::from(["club".to_owned()]),
        roles: roles.iter().map(|role| (*role).to_owned()).collect(),
        standing: Standing::default(),
    }
}

fn ask(policies: &str, principal: Principal, action: Action, resource: &str, context: Context) -> Decision {
    let folder = folder(&[("x.cedar", policies)]);
    let resource: Resource = resource.parse().unwrap();
    Policies::load(folder.path()).unwrap().decide(&Request { principal, action, resource, context })
}

fn sign_in(policies: &str, roles: &[&str]) -> Decision {
    ask(policies, user(roles), Action::SignIn, "Application::\"oa\"", Context::default())
}

#[test]
fn nothing_loaded_denies_and_nothing_permitting_denies() {
    let asked = Request {
        principal: user(&["employee"]),
        action: Action::SignIn,
        resource: Resource::Application { id: "oa".to_owned() },
        context: Context::default(),
    };
    assert_eq!(Policies::default().decide(&asked), Decision::denied(Vec::new()));
    let other = "@id(\"a\") permit (principal in Role::\"hr\", action == Action::\"sign_in\", resource);";
    assert_eq!(sign_in(other, &["employee"]), Decision::denied(Vec::new()));
}

#[test]
fn departments_position_groups_and_roles_are_ancestors() {
    for place in
        ["Department::\"hq\"", "Department::\"finance\"", "Position::\"clerk\"", "Group::\"club\"", "Role::\"r\""]
    {
        let text = format!("@id(\"a\") permit (principal in {place}, action == Action::\"sign_in\", resource);");
        let decision = sign_in(&text, &["r"]);
        assert!(decision.allowed, "{place}");
        assert_eq!(decision.policies, ["a"]);
    }
}

#[test]
fn a_role_for_a_part_counts_there_and_below() {
    let mut li = user(&["employee"]);
    if let Principal::User { standing, .. } = &mut li {
        standing.scoped_roles = [("approver".to_owned(), BTreeSet::from(["east".to_owned()]))].into();
        standing.posts.insert("auditor".to_owned());
        standing.heads.insert("east".to_owned());
        standing.acts_for.insert("zhao".to_owned());
    }
    let ask = |condition: &str, departments: &[&str]| {
        let text = format!(
            "@id(\"a\") permit (principal is User, action == Action::\"sign_in\", resource) when {{ {condition} }};"
        );
        let departments = departments.iter().map(|code| (*code).to_owned()).collect();
        let context = Context { departments, ..Context::default() };
        ask(&text, li.clone(), Action::SignIn, "Application::\"oa\"", context).allowed
    };
    let here = "principal in RoleHere::\"approver\"";
    assert!(ask(here, &["east"]) && ask(here, &["east-sales", "east", "all"]));
    assert!(!ask(here, &["west", "all"]) && !ask(here, &["all"]) && !ask(here, &[]));
    assert!(!ask("principal in Role::\"approver\"", &["east"]), "it is none that holds everywhere");
    assert!(ask("principal in ScopedRole::\"approver@east\"", &[]));
    assert!(ask("principal in RoleHere::\"employee\"", &["west"]) && ask("principal in RoleHere::\"employee\"", &[]));
    assert!(ask("context has department && context.department in Department::\"all\"", &["west", "all"]));
    assert!(!ask("context has department", &[]));
    assert!(ask("context has department && principal.heads.contains(context.department)", &["east", "all"]));
    assert!(ask("principal.acts_for.contains(\"zhao\") && principal in Position::\"auditor\"", &[]));
}

#[test]
fn a_forbid_wins_and_is_named() {
    let text = "@id(\"a\") permit (principal, action == Action::\"sign_in\", resource);\n\
                @id(\"b\") forbid (principal, action == Action::\"sign_in\", resource == Application::\"oa\");";
    let decision = sign_in(text, &[]);
    assert!(!decision.allowed);
    assert_eq!(decision.policies, ["b"]);
    let other = ask(text, user(&[]), Action::SignIn, "Application::\"other\"", Context::default());
    assert!(other.allowed);
}

#[test]
fn policies_without_an_action_or_with_a_list_of_actions_apply() {
    for scope in ["action", "action in [Action::\"call\", Action::\"sign_in\"]"] {
        let text = format!("@id(\"a\") permit (principal is User, {scope}, resource is Application);");
        let decision = sign_in(&text, &[]);
        assert!(decision.allowed, "{scope}");
    }
}

#[test]
fn an_error_in_a_permit_does_not_permit_and_an_error_in_a_forbid_forbids() {
    // 9223372036854775807 + 1 overflows while evaluating.
    let overflow = "9223372036854775807 + (if principal.login == \"wang.fang\" then 1 else 0) > 0";
    let permit = format!(
        "@id(\"a\") permit (principal is User, action == Action::\"sign_in\", resource) when {{ {overflow} }};"
    );
    let decision = sign_in(&permit, &[]);
    assert!(!decision.allowed && decision.policies.is_empty());
    assert_eq!(decision.errors.len(), 1);

    let forbid = format!(
        "{}\n@id(\"open\") permit (principal, action == Action::\"sign_in\", resource);",
        permit.replace("permit", "forbid")
    );
    let decision = sign_in(&forbid, &[]);
    assert!(!decision.allowed);
    assert_eq!(decision.policies, ["a"]);
}

#[test]
fn a_call_without_the_facts_that_a_permit_needs_is_denied() {
    let text =
        "@id(\"a\") permit (principal, action == Action::\"call\", resource) when { context.method == \"GET\" };";
    let asked = |context| ask(text, user(&[]), Action::Call, "Route::\"r\"", context);
    assert!(!asked(Context::default()).allowed);
    let get = Context { method: Some("GET".to_owned()), path: Some("/".to_owned()), ..Context::default() };
    assert!(asked(get).allowed);
}

#[test]
fn an_address_is_compared_as_an_address() {
    let text = "@id(\"a\") permit (principal, action == Action::\"sign_in\", resource) \
                when { context has address && context.address.isInRange(ip(\"10.0.0.0/8\")) };";
    let from = |address: Option<&str>| {
        let context = Context { address: address.map(|a| a.parse().unwrap()), ..Context::default() };
        ask(text, user(&[]), Action::SignIn, "Application::\"oa\"", context).allowed
    };
    assert!(from(Some("10.1.2.3")) && from(Some("::ffff:10.1.2.3")));
    assert!(!from(Some("192.0.2.1")) && !from(Some("2001:db8::1")) && !from(None));
}

#[test]
fn ids_with_quotes_and_non_ascii_are_only_ids() {
    let text = "@id(\"a\") permit (principal, action == Action::\"sign_in\", resource == Application::\"财务\");";
    let decision = ask(text, user(&["\" || true || \""]), Action::SignIn, "Application::\"财务\"", Context::default());
    assert!(decision.allowed);
    assert!("Application::\"a\"b\"".parse::<Resource>().is_err());
    assert!("Machine::\"a\"".parse::<Resource>().is_err());
    assert!("Console::\"other\"".parse::<Resource>().is_err());
}
