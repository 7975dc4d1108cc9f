//! The README is true: every command in it is run here, every configuration in it is used.

#![expect(clippy::indexing_slicing, reason = "a test that reaches past the end fails")]

mod blocks;
mod stage;

use std::collections::BTreeSet;
use std::path::Path;

use yaopai::config::Config;

use blocks::Block;
use stage::Stage;

const README: &str = "README.md";
const CHINESE: &str = "README.zh-CN.md";

#[test]
fn both_languages_show_the_same_commands() {
    let shown = |document: &str| -> Vec<(String, String)> {
        blocks::of(document).iter().map(|block| (block.language.clone(), block.without_comments())).collect()
    };
    assert_eq!(shown(README), shown(CHINESE));
    let pictures = |document: &str| -> Vec<String> {
        let text = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(document)).unwrap();
        text.split("](docs/")
            .skip(1)
            .filter_map(|rest| rest.split(')').next())
            .map(|path| path.replace("-zh-CN.", "-en."))
            .collect()
    };
    assert_eq!(pictures(README), pictures(CHINESE));
}

/// Each block alone, and all of them in one file.
#[test]
fn every_configuration_is_valid() {
    let head = "[server]\npublic_url = \"https://sso.example.com\"\n";
    let configurations: Vec<Block> = blocks::of(README).into_iter().filter(|block| block.language == "toml").collect();
    assert!(configurations.len() >= 4);
    for block in &configurations {
        let head = if block.text.starts_with("[server]") { "" } else { head };
        let parsed = Config::parse(Path::new("yaopai.toml"), &format!("{head}{}", block.text), &[]);
        parsed.unwrap_or_else(|error| panic!("{README}:{}: {error}", block.line));
    }
    let ten = configurations[0].text.lines().filter(|line| !line.trim().is_empty()).count();
    assert!(ten <= 10, "the ten lines of configuration have become {ten}");
}

/// The reader's afternoon: installs, configures, looks, syncs, serves, asks for a token and about it.
#[test]
fn every_command_does_what_it_says() {
    let mut stage = Stage::new();
    for block in blocks::of(README) {
        match block.language.as_str() {
            "toml" => {}
            "sh" => stage.play(&block),
            other => panic!("{README}:{}: nothing runs a `{other}` block; teach tests/e2e/readme", block.line),
        }
    }
    let expected = [
        "make demo",
        "make test",
        "make install",
        "yaopai doctor",
        "yaopai sync plan",
        "yaopai sync run",
        "yaopai serve",
        "curl configuration",
        "curl introspect",
    ];
    assert_eq!(stage.played, expected.map(str::to_owned).into_iter().collect::<BTreeSet<_>>());
}

/// `cargo test --test it http::health` of CONTRIBUTING.md: the file behind it is there.
#[test]
fn tests_named_in_contributing_exist() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let shown = blocks::of("CONTRIBUTING.md");
    let lines: Vec<&str> = shown.iter().flat_map(|block| block.text.lines()).collect();
    assert!(lines.len() >= 4);
    for line in lines {
        let words: Vec<&str> = line.split_whitespace().collect();
        let (folder, filter) = match words.as_slice() {
            ["cargo", "test", "--test", binary, filter] => (format!("tests/{binary}"), filter),
            ["cargo", "test", "--lib", filter] => ("src".to_owned(), filter),
            _ => panic!("CONTRIBUTING.md: nothing checks `{line}`; teach tests/e2e/readme"),
        };
        let path = format!("{folder}/{}", filter.trim_end_matches("::").replace("::", "/"));
        let exists = root.join(format!("{path}.rs")).exists() || root.join(&path).is_dir();
        assert!(exists, "CONTRIBUTING.md: `{line}` matches no test");
    }
}
