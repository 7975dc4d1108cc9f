//! Every policy file has its cases beside it, and every policy a name that decisions can cite.

use super::hold;
use super::tree::{self, File};

fn check(files: &[File]) -> Vec<String> {
    let mut problems = Vec::new();
    for file in files.iter().filter(|file| std::path::Path::new(&file.path).extension() == Some("cedar".as_ref())) {
        let cases = file.path.replace(".cedar", ".cases.toml");
        match files.iter().find(|other| other.path == cases) {
            None => problems.push(format!("{}: has no cases; write {cases}", file.path)),
            Some(cases) if !cases.text.contains("[[case]]") => {
                problems.push(format!("{}: holds no [[case]]", cases.path));
            }
            Some(cases) => {
                for answer in ["allow", "deny"].iter().filter(|answer| !cases.text.contains(&format!("\"{answer}\""))) {
                    problems.push(format!("{}: no case expects \"{answer}\"; add one", cases.path));
                }
            }
        }
        let rules = file.text.lines().filter(|line| line.starts_with("permit") || line.starts_with("forbid")).count();
        if file.text.matches("@id(").count() != rules {
            problems.push(format!("{}: a policy has no @id(\"…\"), by which a decision names it", file.path));
        }
    }
    problems
}

#[test]
fn every_policy_has_cases() {
    hold("policies", &check(&tree::files(&["policies", "deploy"], &[".cedar", ".toml"])));
}

#[test]
fn a_policy_without_cases_is_found() {
    let policy = File::sample("policies/a.cedar", "@id(\"x\")\npermit (principal, action, resource);\n");
    assert!(check(std::slice::from_ref(&policy))[0].contains("write policies/a.cases.toml"));
    let cases = File::sample("policies/a.cases.toml", "[[case]]\nexpect = \"allow\"\n");
    assert!(check(&[policy, cases])[0].contains("no case expects \"deny\""));
    let unnamed = File::sample("policies/b.cedar", "permit (principal, action, resource);\n");
    assert_eq!(check(&[unnamed]).len(), 2);
}
