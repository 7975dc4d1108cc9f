//! `tests/conformance.toml`: which assertion of the conformance checklist is tested by which test.
//!
//! A test cites assertions in the comment above it (`/// OAUTH-029, OAUTH-031`). The file is made from those comments;
//! a test here fails when the two differ, so a cited test exists and a removed one is noticed. `make conformance`
//! prints what is covered, `make conformance-update` writes the file anew.

mod cited;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use crate::tidy::tree;

/// Section → (number of assertions in the checklist, what it is about). A new assertion is added at the end of its section.
const SECTIONS: &[(&str, u32, &str)] = &[
    ("OIDC", 120, "OpenID provider"),
    ("OAUTH", 162, "OAuth 2.0 authorization server"),
    ("SAML", 91, "SAML 2.0"),
    ("CAS", 16, "CAS"),
    ("LDAP", 103, "directory synchronisation and login"),
    ("SCIM", 78, "SCIM 2.0"),
    ("AZ", 39, "AuthZEN"),
    ("SSF", 22, "shared signals"),
    ("WH", 17, "webhooks"),
    ("GW", 53, "gateway and forward-auth"),
    ("WEB", 62, "sessions, login, second factors"),
    ("HA", 34, "availability and operation"),
    ("AUD", 21, "audit"),
    ("CN", 36, "requirements in China"),
];

/// Assertion → names of the tests that cite it.
type Citations = BTreeMap<String, BTreeSet<String>>;

const FILE: &str = "tests/conformance.toml";
const HEAD: &str =
    "# Assertion of the conformance checklist -> tests that cite it. Made by `make conformance-update`.\n";

fn citations() -> Citations {
    cited::collect(&tree::files(&["src", "tests"], &[".rs"]))
}

/// In the order of the checklist.
fn render(citations: &Citations) -> String {
    let mut text = HEAD.to_owned();
    for (section, total, about) in SECTIONS {
        let mut lines = String::new();
        for number in 1..=*total {
            let assertion = format!("{section}-{number:03}");
            let Some(tests) = citations.get(&assertion) else { continue };
            let names: Vec<String> = tests.iter().map(|name| format!("    \"{name}\",\n")).collect();
            write!(lines, "{assertion} = [\n{}]\n", names.concat()).unwrap();
        }
        if !lines.is_empty() {
            write!(text, "\n# {about}\n{lines}").unwrap();
        }
    }
    text
}

#[test]
fn the_file_says_what_the_tests_cite() {
    let rendered = render(&citations());
    let path = tree::root().join(FILE);
    #[expect(clippy::disallowed_methods, reason = "the switch of `make conformance-update`")]
    if std::env::var("CONFORMANCE_UPDATE").is_ok() {
        std::fs::write(&path, &rendered).unwrap();
    }
    let written: Citations = toml::from_str(&tree::file(FILE).text).unwrap();
    let expected: Citations = toml::from_str(&rendered).unwrap();
    for (assertion, tests) in &written {
        let known = expected.get(assertion).cloned().unwrap_or_default();
        let gone: Vec<_> = tests.difference(&known).collect();
        assert!(
            gone.is_empty(),
            "{FILE}: {assertion} names {gone:?}, which cites it no longer: make conformance-update"
        );
    }
    let lacking = expected.iter().filter(|(assertion, tests)| written.get(*assertion) != Some(tests));
    let lacking: Vec<&String> = lacking.map(|(assertion, _)| assertion).collect();
    assert!(lacking.is_empty(), "{FILE} lacks tests that cite {lacking:?}: make conformance-update");
}

#[test]
fn only_assertions_of_the_checklist_are_cited() {
    for (assertion, tests) in &citations() {
        let (section, number) = assertion.split_once('-').unwrap();
        let total = SECTIONS.iter().find(|(name, ..)| *name == section).map_or(0, |(_, total, _)| *total);
        let number: u32 = number.parse().unwrap();
        assert!((1..=total).contains(&number), "{assertion} is not in the checklist, but cited by {tests:?}");
    }
}

#[test]
fn the_sections_add_up() {
    assert_eq!(SECTIONS.iter().map(|(_, total, _)| total).sum::<u32>(), 854);
}

/// What `make conformance` shows.
#[test]
fn report() {
    let citations = citations();
    let mut text = format!("\n{:<8} {:>7} {:>5} {:>5}\n", "section", "covered", "of", "%");
    let line = |name: &str, covered: usize, total: u32, about: &str| {
        format!("{name:<8} {covered:>7} {total:>5} {:>5}  {about}\n", covered * 100 / total as usize)
    };
    let mut sum = 0;
    for (section, total, about) in SECTIONS {
        let covered = citations.keys().filter(|key| key.split('-').next() == Some(section)).count();
        assert!(covered <= *total as usize);
        sum += covered;
        text += &line(section, covered, *total, about);
    }
    text += &line("all", sum, SECTIONS.iter().map(|(_, total, _)| total).sum(), "");
    println!("{text}");
}
