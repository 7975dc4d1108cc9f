//! `yaopai doctor`: what is wrong is said with its remedy, and nothing is changed by looking.

#![expect(clippy::indexing_slicing, reason = "a JSON value that lacks a key gives null")]

use std::os::unix::fs::PermissionsExt as _;
use std::process::Output;

use serde_json::Value;

use crate::process::Installation;
use crate::slapd::{Options, READER_PASSWORD, Slapd};

/// The state and the text (message and remedy) of the check of that name.
fn check(output: &Output, name: &str) -> (String, String) {
    let text = String::from_utf8_lossy(&output.stdout);
    let document: Value = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"));
    let found = document["checks"].as_array().unwrap().iter().find(|found| found["check"] == name);
    let found = found.unwrap_or_else(|| panic!("no `{name}` in {text}"));
    let said = format!("{} {}", found["message"].as_str().unwrap(), found["remedy"].as_str().unwrap_or_default());
    assert_eq!(document["ok"], output.status.success());
    (found["state"].as_str().unwrap().to_owned(), said)
}

fn doctor(installation: &Installation) -> Output {
    installation.run(&["doctor", "--json"])
}

/// Fails unless the check has that state and its text holds `words`.
fn said(output: &Output, name: &str, state: &str, words: &str) {
    let (found, text) = check(output, name);
    assert_eq!(found, state, "{name}: {text}");
    assert!(text.contains(words), "`{words}` is not in: {text}");
}

#[test]
fn a_new_installation_is_told_what_the_first_start_will_make() {
    let installation = Installation::new();
    let output = doctor(&installation);
    assert_eq!(output.status.code(), Some(0));
    said(&output, "master key", "warning", "makes it at its first start");
    said(&output, "database", "warning", "makes it at its first start");
    said(&output, "port", "ok", "is free");
    assert!(!installation.path("data").exists(), "a doctor changes nothing");
}

#[test]
fn a_running_broker_is_well() {
    let installation = Installation::new();
    let broker = installation.start();
    let output = doctor(&installation);
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stdout));
    said(&output, "configuration", "warning", "add a [[source]]");
    said(&output, "master key", "ok", "for its owner only");
    said(&output, "database", "ok", "reachable, migrated, writable");
    said(&output, "clock", "ok", "");
    said(&output, "policies", "ok", "can be used");
    said(&output, "port", "ok", "the broker is running");
    let lines = String::from_utf8(installation.run(&["doctor"]).stdout).unwrap();
    assert!(lines.lines().any(|line| line.starts_with("ok       database")), "{lines}");
    broker.terminate();
    assert_eq!(broker.wait().code(), Some(0));
}

#[test]
fn what_is_wrong_is_named_with_its_remedy() {
    let installation = Installation::new();
    let broker = installation.start();
    broker.terminate();
    broker.wait();
    let key = installation.path("data/master.key");
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o644)).unwrap();
    let _stranger = std::net::TcpListener::bind(("127.0.0.1", installation.port)).unwrap();
    let application =
        "[[application]]\nid = \"oa\"\nsecret = { file = \"nowhere\" }\nredirect_uris = [\"https://oa.example/cb\"]\n";
    installation.configure(&format!("{}\n{application}", installation.smallest().replace("/policies\"", "/none\"")));
    let output = doctor(&installation);
    assert_eq!(output.status.code(), Some(1));
    said(&output, "master key", "failed", "chmod 600");
    said(&output, "policies", "failed", "set policies.folder");
    said(&output, "port", "failed", "change server.listen");
    said(&output, "application oa", "failed", "nowhere");
}

#[test]
fn a_faulty_configuration_ends_the_examination() {
    let installation = Installation::new();
    installation.configure("[server]\npublic_ulr = \"http://127.0.0.1\"\n");
    let output = doctor(&installation);
    assert_eq!(output.status.code(), Some(1));
    said(&output, "configuration", "failed", "did you mean `public_url`?");
}

#[test]
fn a_database_out_of_reach_or_not_ours_is_named() {
    let installation = Installation::new();
    let nobody = format!("[database]\nurl = \"postgres://yaopai:hidden@127.0.0.1:{}/x\"", crate::process::free_port());
    installation.configure(&format!("{}\n{nobody}", installation.smallest()));
    let output = doctor(&installation);
    assert_eq!(output.status.code(), Some(1));
    said(&output, "database", "failed", "database.url names it");
    assert!(!String::from_utf8_lossy(&output.stdout).contains("hidden"), "the password was printed");
    installation.configure(&format!("{}\n[database]\nurl = \"sqlite://yaopai.toml\"", installation.smallest()));
    said(&doctor(&installation), "database", "failed", "");
}

#[test]
fn our_certificate_is_examined() {
    let installation = Installation::new();
    let made = rcgen::generate_simple_self_signed(vec!["elsewhere.example".to_owned()]).unwrap();
    std::fs::write(installation.path("cert.pem"), made.cert.pem()).unwrap();
    std::fs::write(installation.path("key.pem"), made.signing_key.serialize_pem()).unwrap();
    let tls = "tls_cert_file = \"cert.pem\"\ntls_key_file = \"key.pem\"\n[policies]";
    installation.configure(&installation.smallest().replace("[policies]", tls));
    said(&doctor(&installation), "certificate", "failed", "is not for `127.0.0.1`");
    std::fs::write(installation.path("cert.pem"), "nothing").unwrap();
    said(&doctor(&installation), "certificate", "failed", "cert.pem");
}

#[test]
fn a_directory_is_tried_with_its_certificate_and_bind() {
    let server = Slapd::start(Options { people: 50, ..Options::default() });
    let installation = Installation::new();
    let source = format!("[[source]]\nname = \"company\"\n{}[source.users]\n", server.ldaps());
    installation.configure(&format!("{}\n{source}", installation.smallest()));
    let output = doctor(&installation);
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stdout));
    said(&output, "source company", "ok", "CA file");
    installation.configure(&format!("{}\n{}", installation.smallest(), source.replace(READER_PASSWORD, "wrong")));
    let output = doctor(&installation);
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stdout).contains("bind"), "{}", String::from_utf8_lossy(&output.stdout));
    drop(server);
    let output = doctor(&installation);
    assert_eq!(output.status.code(), Some(1));
}
