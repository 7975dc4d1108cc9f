//! What documents promise is there, and nothing in the tree names the machine it was written on.

use std::collections::BTreeSet;

use super::hold;
use super::tree::{self, File};

/// Targets of the Makefile.
fn targets(makefile: &str) -> BTreeSet<&str> {
    let named = makefile.lines().filter_map(|line| line.split_once(':')).map(|(name, _)| name);
    named.filter(|name| !name.is_empty() && name.chars().all(|c| c.is_ascii_lowercase() || c == '-')).collect()
}

/// `make TARGET` in code spans and code blocks whose target the Makefile lacks.
fn unknown_targets(makefile: &str, documents: &[File]) -> Vec<String> {
    let targets = targets(makefile);
    let mut problems = Vec::new();
    for document in documents {
        let mut in_block = false;
        for (number, line) in document.text.lines().enumerate() {
            in_block ^= line.starts_with("```");
            let spans: Vec<&str> = if in_block { vec![line] } else { line.split('`').skip(1).step_by(2).collect() };
            for word in spans.iter().filter_map(|span| span.trim().split_once("make ")).filter(|(before, _)| {
                before.is_empty() || before.ends_with(' ') && !before.trim_end().ends_with(|c: char| c.is_lowercase())
            }) {
                for target in word.1.split_whitespace().take_while(|target| !target.starts_with(['#', '&', '|', ';'])) {
                    let plain = target.trim_end_matches(|c: char| !c.is_alphanumeric());
                    if !targets.contains(plain) {
                        problems.push(format!(
                            "{}:{}: `make {plain}` is no target of the Makefile; add it or correct the document",
                            document.path,
                            number + 1
                        ));
                    }
                }
            }
        }
    }
    problems
}

/// Relative links of documents that lead nowhere.
fn dead_links(documents: &[File], exists: impl Fn(&str) -> bool) -> Vec<String> {
    let mut problems = Vec::new();
    for document in documents {
        let folder = document.path.rsplit_once('/').map_or(String::new(), |(folder, _)| format!("{folder}/"));
        for (number, line) in document.text.lines().enumerate() {
            for link in line.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
                let path = link.split('#').next().unwrap_or_default();
                if !path.is_empty() && !path.contains("://") && !exists(&format!("{folder}{path}")) {
                    problems.push(format!("{}:{}: `{path}` does not exist", document.path, number + 1));
                }
            }
        }
    }
    problems
}

/// Traces of the machine a file was written on.
fn traces(files: &[File]) -> Vec<String> {
    // Written in halves, so that this file does not find itself.
    const TRACES: &[&str] = &[
        concat!("/wo", "rk/"),
        concat!("/ro", "ot/"),
        concat!("/ho", "me/"),
        concat!("arti", "factory"),
        concat!("\"resol", "ved\": \"http"),
    ];
    let mut problems = Vec::new();
    for file in files {
        for (number, line) in file.text.lines().enumerate() {
            if let Some(trace) = TRACES.iter().find(|trace| line.contains(**trace)) {
                let remedy = "write a path relative to the repository (npm: omit-lockfile-registry-resolved=true)";
                problems.push(format!("{}:{}: `{trace}` names a machine; {remedy}", file.path, number + 1));
            }
        }
    }
    problems
}

fn documents() -> Vec<File> {
    let mut documents = tree::files(&["docs"], &[".md"]);
    let at_root = ["README.md", "README.zh-CN.md", "CONTRIBUTING.md", "CHANGELOG.md"];
    documents.extend(at_root.iter().filter(|path| tree::root().join(path).exists()).map(|path| tree::file(path)));
    documents
}

#[test]
fn documents_name_only_targets_that_exist() {
    hold("make targets", &unknown_targets(&tree::file("Makefile").text, &documents()));
}

#[test]
fn links_lead_somewhere() {
    hold("links", &dead_links(&documents(), |path| tree::root().join(path).exists()));
}

#[test]
fn nothing_names_the_machine_it_was_written_on() {
    let mut files = tree::files(&["."], &[]);
    files.retain(|file| !file.path.contains("/target/"));
    assert!(files.iter().any(|file| file.path.ends_with("Cargo.lock")), "the walk missed the root");
    hold("traces", &traces(&files));
}

#[test]
fn a_broken_promise_is_found() {
    let makefile = "demo: ## x\n\t@a: b\ntest: demo\n";
    let sample = |text: &str| [File::sample("README.md", text)];
    assert!(unknown_targets(makefile, &sample("Run `make test`, make sense.\n```sh\nmake demo\n```\n")).is_empty());
    assert_eq!(unknown_targets(makefile, &sample("`make all`\n```sh\nDEMO_ONCE=1 make dome\n```\n")).len(), 2);
    assert_eq!(unknown_targets(makefile, &sample("```sh\nmake test lint\n```\n")).len(), 1);
    assert_eq!(dead_links(&sample("[a](docs/a.md#x) [b](https://example.org) [c](#c)"), |_| false).len(), 1);
    assert_eq!(traces(&sample(concat!("see /wo", "rk/shared"))).len(), 1);
}
