//! `yaopai audit`: the log is readable, and what somebody changed in the database file is found.

#![expect(clippy::indexing_slicing, reason = "a JSON value that lacks a key gives null")]

use std::process::Output;

use serde_json::Value;
use sqlx::{Connection as _, SqliteConnection};

use super::faults::refused;
use super::{document, done, misused};
use crate::process::Installation;

/// An installation with a few rows in its log, and no process.
fn installation() -> Installation {
    let installation = Installation::new();
    for id in ["one", "two", "three"] {
        done(&installation, &["app", "add", id, "--grant", "client_credentials"]);
    }
    for id in ["one", "two"] {
        done(&installation, &["app", "remove", id]);
    }
    installation
}

/// Runs statements in the file, as somebody with access to it would.
async fn in_the_file(installation: &Installation, statements: &'static str) {
    let url = format!("sqlite://{}", installation.path("data/yaopai.db").display());
    let mut connection = SqliteConnection::connect(&url).await.unwrap();
    sqlx::raw_sql(statements).execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
}

/// Fails unless the verification ended with 1, saying `words` in text and `fault` in JSON.
fn bad(text: &Output, json: &Output, words: &str, fault: &str) {
    let said = String::from_utf8_lossy(&text.stdout);
    assert_eq!(text.status.code(), Some(1), "{words}: {said}");
    assert!(said.contains(words), "`{words}` is not in: {said}");
    let report: Value = serde_json::from_slice(&json.stdout).unwrap();
    assert_eq!(json.status.code(), Some(1));
    assert_eq!(report["fault"]["fault"], fault, "{report}");
}

/// AUD-006
#[tokio::test]
async fn what_was_changed_in_the_file_is_found() {
    let installation = installation();
    let sound = done(&installation, &["audit", "verify"]);
    assert!(sound.starts_with("5 rows, all as they were written; hash "), "{sound}");
    in_the_file(&installation, "PRAGMA wal_checkpoint(TRUNCATE)").await;
    let file = installation.path("data/yaopai.db");
    let before = std::fs::read(&file).unwrap();
    for (statements, words, fault) in [
        ("UPDATE audit_log SET subject = 'app:2' WHERE seq = 2", "row 2 was changed", "changed"),
        ("UPDATE audit_log SET at = '2020-01-01 00:00:00+00:00' WHERE seq = 3", "row 3 was changed", "changed"),
        ("UPDATE audit_log SET hash = upper(hash) WHERE seq = 4", "row 4 was changed", "changed"),
        ("DELETE FROM audit_log WHERE seq = 1", "after row 0 comes row 2", "gap"),
        ("DELETE FROM audit_log WHERE seq = 3", "after row 2 comes row 4", "gap"),
        ("DELETE FROM audit_log WHERE seq = 5", "ends at row 4, but row 5", "cut"),
        ("DELETE FROM audit_head", "the head of the log is gone", "no_head"),
        ("DELETE FROM audit_log", "ends at row 0, but row 5", "cut"),
        ("DELETE FROM audit_log WHERE seq = 5; UPDATE audit_head SET seq = 4", "does not fit row 4", "head"),
        (
            "INSERT INTO audit_log SELECT 6, at, action, outcome, actor, subject, address, request_id, details, hash \
             FROM audit_log WHERE seq = 5",
            "row 6 stands outside the numbers",
            "beyond",
        ),
        (
            "INSERT INTO audit_log SELECT -3, at, action, outcome, actor, subject, address, request_id, details, hash \
             FROM audit_log WHERE seq = 1",
            "row -3 stands",
            "beyond",
        ),
        (
            "UPDATE audit_log SET seq = 60 WHERE seq = 2; UPDATE audit_log SET seq = 2 WHERE seq = 3; \
             UPDATE audit_log SET seq = 3 WHERE seq = 60",
            "row 2 was changed",
            "changed",
        ),
    ] {
        in_the_file(&installation, statements).await;
        let json = installation.run(&["audit", "verify", "--json"]);
        bad(&installation.run(&["audit", "verify"]), &json, words, fault);
        in_the_file(&installation, "PRAGMA wal_checkpoint(TRUNCATE)").await;
        std::fs::write(&file, &before).unwrap();
    }
    assert_eq!(done(&installation, &["audit", "verify"]), sound);
}

/// AUD-006
#[test]
fn what_was_changed_in_an_export_is_found() {
    let installation = installation();
    let export = done(&installation, &["audit", "export", "--format", "jsonl"]);
    assert_eq!(export.lines().count(), 5);
    let verify = |text: &str| {
        std::fs::write(installation.path("export.jsonl"), text).unwrap();
        let run = |more: &[&str]| installation.run(&[&["audit", "verify", "--file", "export.jsonl"], more].concat());
        (run(&[]), run(&["--json"]))
    };
    let lines: Vec<&str> = export.lines().collect();
    let (good, report) = verify(&export);
    assert_eq!(good.status.code(), Some(0));
    let report: Value = serde_json::from_slice(&report.stdout).unwrap();
    assert_eq!(
        report["hash"],
        document(&installation, &["audit", "verify", "--file", "export.jsonl", "--json"])["hash"]
    );
    assert_eq!(verify(&lines[2..].join("\n")).0.status.code(), Some(0), "an export may begin anywhere");
    let without = |at: usize| [&lines[..at], &lines[at + 1..]].concat().join("\n");
    for (text, words, fault) in [
        (export.replacen("app:three", "app:other", 1), "row 3 was changed", "changed"),
        (without(2), "after row 2 comes row 4", "gap"),
        ([&lines[..3], &lines[2..]].concat().join("\n"), "after row 3 comes row 3", "gap"),
    ] {
        let (text, json) = verify(&text);
        bad(&text, &json, words, fault);
    }
    let (output, _) = verify(&format!("{}\nnonsense\n", lines[0]));
    refused(&output, &["export.jsonl", "line 2 is no exported row"]);
    refused(&installation.run(&["audit", "verify", "--file", "nowhere"]), &["`nowhere` cannot be read"]);
}

/// AUD-017
#[test]
fn the_log_is_read_and_reading_is_recorded() {
    let installation = installation();
    let about = done(&installation, &["audit", "list", "--subject", "app:two"]);
    assert_eq!(about.lines().count(), 2, "{about}");
    assert!(about.contains("application_admin") && about.contains("removed"), "{about}");
    let newest = done(&installation, &["audit", "list", "--limit", "1"]);
    assert!(newest.lines().count() == 1 && newest.contains("audit_read"), "{newest}");
    let rows = document(&installation, &["audit", "list", "--json", "--action", "audit_read", "--since", "1h"]);
    assert_eq!(rows.as_array().unwrap().len(), 2, "{rows}");
    assert_eq!(done(&installation, &["audit", "list", "--since", "2999-01-01"]), "");
    assert_eq!(done(&installation, &["audit", "export", "--since", "2999-01-01"]), "");
    let all = done(&installation, &["audit", "export", "--since", "2020-01-01T00:00:00+08:00"]);
    assert_eq!(all.lines().count(), 10, "{all}");
    // What comes from outside does not steer the terminal.
    done(&installation, &["audit", "list", "--subject", "app:\u{1b}[2J\u{202e}"]);
    let text = done(&installation, &["audit", "list"]);
    assert!(!text.contains('\u{1b}') && !text.contains('\u{202e}'), "{text:?}");
    assert!(done(&installation, &["audit", "verify"]).contains("all as they were written"));
}

#[test]
fn what_cannot_be_looked_for_is_named() {
    let installation = Installation::new();
    let list = |more: &[&str]| installation.run(&[&["audit", "list"], more].concat());
    refused(&list(&["--subject", "nobody"]), &["there is nobody with the login name `nobody`"]);
    misused(&list(&["--since", "yesterday"]), &["yesterday", "write a day (2026-11-22)"]);
    misused(&list(&["--action", "dance"]), &["dance"]);
    misused(&list(&["--limit", "0"]), &["0"]);
    misused(&installation.run(&["audit", "export", "--format", "csv"]), &["csv", "jsonl"]);
}
