//! From the first start to the last request: keys of its own, a clean stop, a second start on the same folder.

use std::os::unix::fs::PermissionsExt as _;

use crate::process::Installation;

#[test]
fn the_first_start_makes_what_it_needs_and_the_second_finds_it() {
    let installation = Installation::new();
    let first = installation.start();
    let key = installation.path("data/master.key");
    assert_eq!(std::fs::metadata(&key).unwrap().permissions().mode() & 0o777, 0o600);
    let made = std::fs::read(&key).unwrap();
    first.terminate();
    assert_eq!(first.wait().code(), Some(0));
    assert!(!installation.path("data/yaopai.db-wal").exists(), "the write-ahead log was not folded into the file");

    let second = installation.start();
    assert_eq!(std::fs::read(&key).unwrap(), made);
    second.terminate();
    assert_eq!(second.wait().code(), Some(0));
}

#[test]
fn log_lines_are_json_when_asked_for() {
    let installation = Installation::new();
    let output =
        installation.command(&["serve", "--log-format", "json", "--log", "trace", "--config", "none"]).output();
    let text = String::from_utf8(output.unwrap().stderr).unwrap();
    let logged = text.lines().filter(|line| !line.starts_with("yaopai: "));
    assert!(logged.into_iter().all(|line| serde_json::from_str::<serde_json::Value>(line).is_ok()), "{text}");
}
