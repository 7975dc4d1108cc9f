//! What cannot be used is refused, with the place and the remedy; what is in force stays.

use yaopai::policy::{Action, Context, Policies, PolicyError, Principal, Reload, Request, Resource, check_cases};

use super::{folder, write};
use crate::harness::policies;

const GOOD: &str = "@id(\"a\")\npermit (principal is Operator, action == Action::\"administer\", resource);\n";

fn problem(files: &[(&str, &str)]) -> String {
    Policies::load(folder(files).path()).unwrap_err().to_string()
}

fn asks() -> Request {
    Request {
        principal: Principal::Operator { login: "recovery".to_owned() },
        action: Action::Administer,
        resource: Resource::Console,
        context: Context::default(),
    }
}

#[test]
fn the_policies_of_the_repository_hold_their_cases() {
    let set = Policies::load(&policies()).unwrap();
    let report = check_cases(&policies(), &set).unwrap();
    assert_eq!(report.faults, []);
    assert!(report.results.len() > 15 && report.results.iter().all(|case| case.held));
}

#[test]
fn a_syntax_error_is_named_with_its_line() {
    let text = format!("{GOOD}\n@id(\"b\")\npermit (principal, action resource);\n");
    let problem = problem(&[("x.cedar", &text)]);
    assert!(problem.contains("x.cedar:5:27: unexpected token `resource`"), "{problem}");
    assert!(!problem.contains('\n'), "{problem}");
}

#[test]
fn an_attribute_that_the_schema_does_not_know_is_refused() {
    let text = "@id(\"a\")\npermit (principal is User, action == Action::\"sign_in\", resource)\nwhen { principal.salary > 3 };";
    let problem = problem(&[("x.cedar", text)]);
    assert!(problem.contains("x.cedar:3:8: ") && problem.contains("salary"), "{problem}");
}

#[test]
fn an_optional_fact_must_be_asked_for_first() {
    let text =
        "@id(\"a\")\npermit (principal, action == Action::\"call\", resource) when { context.client_id == \"x\" };";
    let problem = problem(&[("x.cedar", text)]);
    assert!(problem.contains("x.cedar:2:") && problem.contains("client_id"), "{problem}");
}

#[test]
fn ids_are_demanded_and_unique() {
    let without = problem(&[("x.cedar", &format!("{GOOD}permit (principal is Operator, action, resource);"))]);
    assert!(without.contains("x.cedar:3:1: a policy has no @id; put @id("), "{without}");
    let twice = problem(&[("a.cedar", GOOD), ("b.cedar", &format!("\n{GOOD}"))]);
    assert!(twice.contains("b.cedar:2:1: the @id `a` is taken by a.cedar:1"), "{twice}");
}

#[test]
fn templates_an_empty_folder_and_a_missing_schema_are_refused() {
    let template = problem(&[(
        "x.cedar",
        "@id(\"a\")\npermit (principal == ?principal, action == Action::\"administer\", resource);",
    )]);
    assert!(template.contains("x.cedar:2:22: templates are not supported"), "{template}");
    assert!(problem(&[]).contains("*.cedar: there is no such file"));
    let empty = tempfile::tempdir().unwrap();
    let error = Policies::load(empty.path()).unwrap_err();
    assert!(matches!(&error, PolicyError::Read { path, .. } if path.ends_with("schema.cedarschema")), "{error}");
    let broken = folder(&[("x.cedar", GOOD)]);
    write(broken.path(), "schema.cedarschema", "entity User in [;\n");
    let problem = Policies::load(broken.path()).unwrap_err().to_string();
    assert!(problem.contains("schema.cedarschema:1:17: "), "{problem}");
}

#[test]
fn several_faults_are_counted() {
    let text = "@id(\"a\")\npermit (principal in Rule::\"x\", action == Action::\"sing_in\", resource);";
    let Err(PolicyError::Faults { faults, .. }) = Policies::load(folder(&[("x.cedar", text)]).path()) else { panic!() };
    assert!(faults.len() >= 2, "{faults:?}");
}

#[test]
fn every_clone_sees_a_reload_and_a_bad_set_leaves_the_good_one() {
    let folder = folder(&[("x.cedar", GOOD)]);
    let policies = Policies::load(folder.path()).unwrap();
    let clone = policies.clone();
    let first = policies.version();
    assert!(clone.decide(&asks()).allowed);
    assert_eq!(policies.reload().unwrap(), Reload::Unchanged);

    write(folder.path(), "x.cedar", "permit (");
    assert!(policies.reload().is_err());
    assert_eq!(clone.version(), first);
    assert!(clone.decide(&asks()).allowed);

    write(folder.path(), "x.cedar", &GOOD.replace("permit", "forbid"));
    assert!(matches!(policies.reload().unwrap(), Reload::Loaded(version) if version != first));
    assert!(!clone.decide(&asks()).allowed);

    std::fs::remove_file(folder.path().join("x.cedar")).unwrap();
    assert!(policies.reload().is_err());
    assert_eq!(clone.decide(&asks()).policies, ["a"]);
}

#[test]
fn cases_that_do_not_hold_or_are_missing_are_named() {
    let folder = folder(&[("x.cedar", GOOD), ("y.cedar", &GOOD.replace("\"a\"", "\"b\""))]);
    write(
        folder.path(),
        "x.cases.toml",
        "# cases\n\n[[case]]\nname = \"nobody\"\nuser = \"u\"\naction = \"administer\"\nresource = 'Console::\"yaopai\"'\nexpect = \"allow\"\n",
    );
    let policies = Policies::load(folder.path()).unwrap();
    let faults: Vec<String> =
        check_cases(folder.path(), &policies).unwrap().faults.iter().map(ToString::to_string).collect();
    assert!(faults[0].starts_with("x.cases.toml:3:1: case `nobody`: the answer is denied, by no policy"), "{faults:?}");
    assert!(faults.iter().any(|fault| fault.contains("y.cedar: the file has no cases")), "{faults:?}");
    assert!(faults.iter().any(|fault| fault.contains("the policy `a` decides no case")), "{faults:?}");
}
