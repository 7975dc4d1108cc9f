//! The shape of files: a `//!` first, at most 400 lines without tests, no test switched off.

use super::hold;
use super::tree::{self, File};

/// Lines of a file without its tests, at the most.
const CAP: usize = 400;

fn check(files: &[File]) -> Vec<String> {
    let mut problems = Vec::new();
    for file in files {
        if !file.text.starts_with("//! ") {
            problems.push(format!("{}: begins without `//!`; say what the file is responsible for", file.path));
        }
        let lines = file.without_tests().lines().count();
        if lines > CAP {
            problems.push(format!("{}: {lines} lines, {CAP} at the most; split it by step of the protocol", file.path));
        }
        for (number, line) in file.code().lines().enumerate().chain(tests_of(file)) {
            let line = line.trim_start();
            if line.starts_with("#[ignore") || line.starts_with("#![cfg(any())") || line.starts_with("#[cfg(any())") {
                let remedy = "a test that cannot run fails and names the remedy (`make setup`)";
                problems.push(format!("{}:{}: a test is switched off; {remedy}", file.path, number + 1));
            }
        }
    }
    problems
}

fn tests_of(file: &File) -> impl Iterator<Item = (usize, &str)> {
    let before = file.without_tests();
    let first = before.lines().count();
    file.text.get(before.len()..).unwrap_or_default().lines().enumerate().map(move |(at, line)| (first + at, line))
}

#[test]
fn files_open_with_their_purpose_and_stay_small() {
    let files = tree::files(&["src", "tests", "examples", "benches"], &[".rs"]);
    assert!(files.len() > 50, "the walk found only {} files", files.len());
    hold("shape", &check(&files));
}

#[test]
fn a_bad_shape_is_found() {
    let found = |text: &str| check(&[File::sample("src/a.rs", text)]);
    assert!(found("//! What it is.\nfn a() {}\n").is_empty());
    assert!(found("fn a() {}\n")[0].contains("`//!`"));
    let long = format!("//! Long.\n{}", "fn a() {}\n".repeat(CAP));
    assert!(found(&long)[0].contains("401 lines"));
    let tests = format!("//! Short.\n\n#[cfg(test)]\nmod tests {{\n{}}}\n", "fn a() {}\n".repeat(CAP));
    assert!(found(&tests).is_empty());
    let ignored =
        concat!("//! Tests.\n#[test]\n#[", "ignore = \"slow\"]\nfn a() {}\n\n#[cfg(test)]\nmod t {\n #[", "ignore]\n}");
    assert_eq!(found(ignored).len(), 2, "{:?}", found(ignored));
}
