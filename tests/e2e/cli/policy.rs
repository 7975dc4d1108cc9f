//! `yaopai policy`: what is wrong is named with its place, and an explanation is about what is there.

#![expect(clippy::indexing_slicing, reason = "a JSON value that lacks a key gives null")]

use std::path::Path;

use serde_json::{Value, json};

use super::faults::{copy_policies, refused};
use super::{document, done, misused};
use crate::browser::{LOGIN, hire};
use crate::process::Installation;

/// An installation with policies of its own, to spoil.
fn installation() -> Installation {
    let installation = Installation::new();
    copy_policies(&Path::new(env!("CARGO_MANIFEST_DIR")).join("policies"), &installation);
    installation
}

/// The text of a check that has to find something; its last line counts what.
fn found(installation: &Installation, places: &[&str]) {
    let output = installation.run(&["policy", "check"]);
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(1), "{text}");
    assert!(text.lines().last().unwrap().contains(" to put right; "), "{text}");
    for place in places {
        assert!(text.contains(place), "`{place}` is not in: {text}");
    }
    let output = installation.run(&["policy", "check", "--json"]);
    assert_eq!(output.status.code(), Some(1));
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let fault = &report["faults"][0];
    assert!(fault["file"].is_string() && fault["message"].is_string() && fault["remedy"].is_string(), "{report}");
}

/// Changes a file of the policies.
fn edit(installation: &Installation, name: &str, change: impl Fn(String) -> String) {
    let path = installation.path("policies").join(name);
    let before = std::fs::read_to_string(&path).unwrap();
    let after = change(before.clone());
    assert_ne!(before, after, "nothing was changed in {name}");
    std::fs::write(path, after).unwrap();
}

#[test]
fn the_policies_that_come_with_it_are_sound() {
    let installation = installation();
    let text = done(&installation, &["policy", "check"]);
    assert!(text.contains(": sound; "), "{text}");
    let report = document(&installation, &["policy", "check", "--json"]);
    assert_eq!(report["faults"], json!([]));
    assert!(report["cases"].as_u64().unwrap() > 10 && report["cases"] == report["held"], "{report}");
    assert!(!installation.path("data").exists(), "a check changes nothing");
    let elsewhere = installation.path("policies");
    installation.configure("");
    done(&installation, &["policy", "check", "--folder", elsewhere.to_str().unwrap()]);
}

#[test]
fn a_policy_that_does_not_parse_is_named_with_line_and_column() {
    let installation = installation();
    let lines = std::fs::read_to_string(installation.path("policies/access.cedar")).unwrap().lines().count();
    edit(&installation, "access.cedar", |text| text + "permit (principal action, resource);\n");
    found(&installation, &[&format!("policies/access.cedar:{}:19: ", lines + 1)]);
    refused(
        &installation.run(&[
            "policy",
            "explain",
            "--user",
            "x",
            "--action",
            "sign_in",
            "--resource",
            "Application::oa",
        ]),
        &["access.cedar:"],
    );
}

#[test]
fn a_policy_that_says_what_the_schema_does_not_know_is_named() {
    let installation = installation();
    let lines = std::fs::read_to_string(installation.path("policies/access.cedar")).unwrap().lines().count();
    let policy = "@id(\"odd\")\npermit (principal, action == Action::\"sign_inn\", resource);\n";
    edit(&installation, "access.cedar", |text| text + policy);
    found(&installation, &[&format!("policies/access.cedar:{}:", lines + 2), "sign_in"]);
}

#[test]
fn a_case_that_does_not_hold_is_named_with_its_line() {
    let installation = installation();
    edit(&installation, "access.cases.toml", |text| text.replacen("expect = \"allow\"", "expect = \"deny\"", 1));
    let place = "policies/access.cases.toml:3:1: case `an employee signs in to OA`: the answer is allowed, by \
                 employees-sign-in";
    found(&installation, &[place, "1 to put right"]);
    edit(&installation, "access.cases.toml", |text| text.replacen("expect = \"deny\"", "expct = \"deny\"", 1));
    found(&installation, &["policies/access.cases.toml:", "expct"]);
}

#[test]
fn a_policy_without_a_case_is_named() {
    let installation = installation();
    let policy =
        "@id(\"untried\")\nforbid (principal, action == Action::\"sign_in\", resource == Application::\"x\");\n";
    edit(&installation, "access.cedar", |text| text + policy);
    found(&installation, &["policies/access.cedar: the policy `untried` decides no case; add a case"]);
    std::fs::remove_file(installation.path("policies/access.cases.toml")).unwrap();
    found(&installation, &["policies/access.cedar: the file has no cases; write `access.cases.toml`"]);
}

#[test]
fn a_folder_that_is_not_there_is_named() {
    let installation = installation();
    refused(&installation.run(&["policy", "check", "--folder", "nowhere"]), &["`nowhere", "cannot be read"]);
    refused(&installation.run(&["policy", "check", "--config", "none.toml"]), &["`none.toml` cannot be read"]);
}

/// `policy explain` with those arguments.
fn explain<'a>(who: &[&'a str], action: &'a str, resource: &'a str) -> Vec<&'a str> {
    [&["policy", "explain"], who, &["--action", action, "--resource", resource]].concat()
}

const OA: &str = "[[application]]\nid = \"oa\"\nsecret = { value = \"a-secret-of-the-test-that-is-long-enough\" }\n\
                  redirect_uris = [\"https://oa.example/cb\"]\n";

#[tokio::test]
async fn an_explanation_names_the_policy_and_the_facts() {
    let installation = Installation::new();
    installation.configure(&format!("{}\n{OA}", installation.smallest()));
    hire(&installation.sqlite()).await;
    drop(installation.start());
    done(&installation, &["app", "add", "hr-files", "--redirect-uri", "https://hr.example/cb"]);
    let user = ["--user", LOGIN];
    let text = done(&installation, &explain(&user, "sign_in", "Application::\"oa\""));
    assert!(text.starts_with("allowed: sign_in on Application::\"oa\""), "{text}");
    assert!(text.contains("determined by employees-sign-in (access.cedar:") && text.contains("permit ("), "{text}");
    assert!(text.contains("roles            employee, it-admin"), "{text}");
    let text = done(&installation, &explain(&user, "sign_in", "Application::hr-files"));
    assert!(text.starts_with("denied: ") && text.contains("determined by personnel-files-for-hr"), "{text}");
    let answer = document(&installation, &[&explain(&user, "administer", "Console::yaopai")[..], &["--json"]].concat());
    assert_eq!(answer["decision"]["allowed"], true, "{answer}");
    let text = done(&installation, &explain(&["--application", "oa"], "sign_in", "Application::oa"));
    assert!(text.starts_with("denied: ") && text.contains("no policy permits it"), "{text}");
    let text = done(&installation, &explain(&["--operator", "recovery"], "administer", "Console::yaopai"));
    assert!(text.starts_with("allowed: "), "{text}");
}

#[tokio::test]
async fn an_explanation_is_about_what_is_there() {
    let installation = Installation::new();
    hire(&installation.sqlite()).await;
    for (who, words) in [
        (["--user", "nobody"], "there is nobody with the login name `nobody`"),
        (["--application", "nothing"], "there is no application `nothing`"),
        (["--operator", "root"], "there is no recovery administrator `root`"),
    ] {
        refused(&installation.run(&explain(&who, "sign_in", "Application::oa")), &[words]);
    }
    let user = ["--user", LOGIN];
    for (action, resource, note) in [
        ("sign_in", "Application::ao", "there is no application `ao`: see `yaopai app list`"),
        ("call", "Route::nowhere", "there is no route `nowhere` in the configuration"),
    ] {
        let text = done(&installation, &explain(&user, action, resource));
        assert!(text.starts_with("denied: ") && text.contains(note), "{text}");
    }
    misused(&installation.run(&explain(&user, "sign_in", "Printer::x")), &["`Printer::x` is no resource: write"]);
    misused(&installation.run(&explain(&user, "dance", "Application::oa")), &["dance"]);
    misused(&installation.run(&explain(&[], "sign_in", "Application::oa")), &["--user"]);
    misused(
        &installation.run(&explain(&["--user", LOGIN, "--operator", "x"], "sign_in", "Application::oa")),
        &["--operator"],
    );
}
