//! Who may name what: sqlx in `store/`, axum in `http/`, the environment in `config/`, anyhow in `cli/` and so on.

use super::hold;
use super::tree::{self, File, is_word};

/// A word that only some files may use.
struct Rule {
    words: &'static [&'static str],
    allowed: &'static [&'static str],
    remedy: &'static str,
}

const RULES: &[Rule] = &[
    Rule {
        words: &["sqlx"],
        allowed: &["src/store/"],
        remedy: "SQL lives in store/: add a function there (model/ may derive sqlx::Type and sqlx::FromRow, and hold sqlx::types::Json)",
    },
    Rule {
        words: &["axum", "axum_server", "tower_http", "minijinja"],
        allowed: &["src/http/"],
        remedy: "only http/ knows HTTP types: take plain values and let the handler convert",
    },
    Rule {
        words: &["std::env", "env::var", "env::vars", "env::var_os"],
        allowed: &["src/config/"],
        remedy: "config/ is the only reader of the environment: add a key there",
    },
    Rule {
        words: &["anyhow"],
        allowed: &["src/cli/"],
        remedy: "anyhow is for cli/: make an error enum with thiserror",
    },
    Rule {
        words: &["Utc::now", "SystemTime::now", "Local::now"],
        allowed: &["src/time.rs"],
        remedy: "take the time from time::Clock",
    },
    Rule {
        words: &["SystemRandom", "OsRng", "thread_rng", "getrandom", "now_v7", "new_v4"],
        allowed: &["src/random.rs", "src/crypto/"],
        remedy: "take randomness from random::Rng",
    },
    Rule { words: &["ldap3"], allowed: &["src/source/"], remedy: "source/ is the only LDAP client" },
    Rule { words: &["cedar_policy"], allowed: &["src/policy/"], remedy: "policy/ is the only place that knows Cedar" },
    Rule { words: &["clap", "indicatif"], allowed: &["src/cli/"], remedy: "only cli/ speaks to a terminal" },
    Rule {
        words: &["println!", "eprintln!", "print!", "eprint!", "dbg!"],
        allowed: &["src/cli/"],
        remedy: "only cli/ prints; elsewhere use tracing, or return the value",
    },
];

fn check(files: &[File]) -> Vec<String> {
    let mut problems = Vec::new();
    for file in files {
        let code = file.code();
        for rule in RULES.iter().filter(|rule| !rule.allowed.iter().any(|prefix| file.path.starts_with(prefix))) {
            for (number, line) in code.lines().enumerate() {
                let derives = file.path.starts_with("src/model/") && is_derive(line);
                if let Some(word) = rule.words.iter().find(|word| names(line, word)).filter(|_| !derives) {
                    problems.push(format!("{}:{}: names `{word}`; {}", file.path, number + 1, rule.remedy));
                }
            }
        }
    }
    problems
}

/// Whether `line` holds `word` as a word of its own.
fn names(line: &str, word: &str) -> bool {
    line.match_indices(word).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        let after = line[at + word.len()..].chars().next();
        !(before.is_some_and(is_word) || word.ends_with(is_word) && after.is_some_and(is_word))
    })
}

/// A line that only says how a value is stored.
fn is_derive(line: &str) -> bool {
    let allowed = ["sqlx::Type", "sqlx::FromRow", "sqlx::types::Json", "sqlx("];
    let rest = allowed.iter().fold(line.to_owned(), |rest, word| rest.replace(word, ""));
    !names(&rest, "sqlx")
}

/// Statements outside of `store/`.
fn statements(files: &[File]) -> Vec<String> {
    const VERBS: &[&str] = &["SELECT ", "INSERT INTO ", "UPDATE ", "DELETE FROM ", "WITH ", "CREATE TABLE ", "PRAGMA "];
    let outside = files.iter().filter(|file| !file.path.starts_with("src/store/"));
    let found = outside.flat_map(|file| {
        let of_file = file.strings().into_iter().filter(|(_, text)| VERBS.iter().any(|verb| text.starts_with(verb)));
        of_file.map(|(line, _)| format!("{}:{line}: SQL; move it to a function in store/", file.path))
    });
    found.collect()
}

/// Drawers for what belongs nowhere.
fn drawers(files: &[File]) -> Vec<String> {
    const DRAWERS: &[&str] = &["util", "utils", "common", "helpers", "helper", "prelude", "misc"];
    let is_drawer = |part: &str| DRAWERS.contains(&part.trim_end_matches(".rs"));
    let found = files.iter().filter(|file| file.path.split('/').any(is_drawer));
    found.map(|file| format!("{}: a drawer; put its parts where they are used", file.path)).collect()
}

#[test]
fn words_stay_in_their_folders() {
    hold("words", &check(&tree::sources()));
}

#[test]
fn sql_stays_in_the_store() {
    hold("SQL", &statements(&tree::sources()));
}

#[test]
fn there_are_no_drawers() {
    hold("drawers", &drawers(&tree::files(&["src", "tests", "examples", "benches"], &[".rs"])));
}

#[test]
fn a_word_in_the_wrong_folder_is_found() {
    let found = |path: &str, text: &str| check(&[File::sample(path, text)]);
    assert_eq!(found("src/login/a.rs", "use sqlx::Row;\nuse axum::Json;\nlet x = std::env::var(1);").len(), 3);
    assert!(found("src/login/a.rs", "// sqlx\nlet axum_like = \"anyhow\";\ncrate::time::now()").is_empty());
    assert!(found("src/model/a.rs", "#[derive(Debug, sqlx::Type)]\n#[sqlx(transparent)]").is_empty());
    assert_eq!(found("src/model/a.rs", "use sqlx::PgPool;").len(), 1);
    assert_eq!(found("src/oidc/a.rs", "eprintln!(1)").len(), 1, "eprintln is not also println");
    assert_eq!(statements(&[File::sample("src/http/a.rs", "\nlet q = \"SELECT 1\";")]).len(), 1);
    assert!(statements(&[File::sample("src/store/a.rs", "let q = \"SELECT 1\";")]).is_empty());
    assert_eq!(drawers(&[File::sample("src/http/util.rs", ""), File::sample("src/a/common/mod.rs", "")]).len(), 2);
}
