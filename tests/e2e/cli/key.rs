//! `yaopai key` beside a broker that runs: the next key is published, and what was signed before still verifies.

#![expect(clippy::indexing_slicing, reason = "a JSON value that lacks a key gives null")]

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;

use super::faults::refused;
use super::{ask, document, done, misused, soon, token};
use crate::process::{Installation, get};

/// The published key set.
fn published(port: u16) -> Vec<Value> {
    let answer = get(port, "/oauth2/jwks").unwrap();
    let (_, body) = answer.split_once("\r\n\r\n").unwrap();
    let set: Value = serde_json::from_str(body).unwrap_or_else(|error| panic!("{error}: {answer}"));
    set["keys"].as_array().unwrap().clone()
}

fn kids(keys: &[Value]) -> BTreeSet<String> {
    let kids: BTreeSet<String> = keys.iter().map(|key| key["kid"].as_str().unwrap().to_owned()).collect();
    assert_eq!(kids.len(), keys.len(), "a key id stands twice");
    kids
}

/// The ids of the keys of that state and algorithm, as `key list` says.
fn listed(installation: &Installation, state: &str) -> Vec<String> {
    let keys = document(installation, &["key", "list", "--json"]);
    let keys = keys.as_array().unwrap().iter().filter(|key| key["algorithm"] == "ES256" && key["state"] == state);
    keys.map(|key| key["kid"].as_str().unwrap().to_owned()).collect()
}

fn kid_of(token: &str) -> String {
    let head = URL_SAFE_NO_PAD.decode(token.split('.').next().unwrap()).unwrap();
    serde_json::from_slice::<Value>(&head).unwrap()["kid"].as_str().unwrap().to_owned()
}

/// OIDC-013, OIDC-073
#[test]
fn a_rotation_is_published_and_breaks_no_token() {
    let installation = Installation::new();
    let _broker = installation.start();
    let port = installation.port;
    let made = document(&installation, &["app", "add", "reports", "--grant", "client_credentials", "--json"]);
    let credentials = ("reports", made["client_secret"].as_str().unwrap());
    let issue = || token(port, credentials).1["access_token"].as_str().map(str::to_owned);
    let active =
        |token: &str| ask(port, "/oauth2/introspect", credentials, &format!("token={token}")).1["active"] == true;
    let before = soon(issue, Option::is_some).unwrap();
    let (signer, waiting) = (listed(&installation, "active").remove(0), listed(&installation, "next").remove(0));
    assert_eq!(kid_of(&before), signer);
    assert!(active(&before));
    let set = kids(&published(port));
    assert!(set.contains(&signer) && set.contains(&waiting), "the next key is published before it signs");

    let too_soon = installation.run(&["key", "rotate"]);
    refused(&too_soon, &["the next ES256 key may sign from", "--now rotates at once"]);
    assert_eq!(listed(&installation, "next"), [waiting.as_str()], "a refused rotation changes nothing");

    let text = done(&installation, &["key", "rotate", "--now"]);
    assert!(text.starts_with("ALGORITHM ") && text.contains("retired"), "{text}");
    assert_eq!(listed(&installation, "active"), [waiting.as_str()]);
    assert_eq!(listed(&installation, "retired"), [signer.as_str()]);
    let new = listed(&installation, "next").remove(0);
    let keys = soon(|| published(port), |keys| kids(keys).contains(&new));
    let set_after = kids(&keys);
    assert!(set.is_subset(&set_after), "a key is missing whose tokens are alive");
    assert_eq!(set_after.len(), set.len() + 1);
    for key in keys.iter().chain(document(&installation, &["key", "list", "--json"]).as_array().unwrap()) {
        for private in ["d", "p", "q", "dp", "dq", "qi", "k", "sealed"] {
            assert!(key[private].is_null() && key["public_jwk"][private].is_null(), "{key}");
        }
    }
    assert!(active(&before), "a token signed before the rotation");
    let after = issue().unwrap();
    assert_eq!(kid_of(&after), waiting, "the key that waited signs");
    assert!(active(&after));
    let rotations = done(&installation, &["audit", "list", "--action", "key_admin"]);
    assert!(rotations.contains("\"rotated\":true") && rotations.contains(&new), "{rotations}");
}

#[test]
fn keys_of_another_algorithm_rotate_by_themselves() {
    let installation = Installation::new();
    refused(&installation.run(&["key", "rotate", "--algorithm", "EdDSA"]), &["the next EdDSA key may sign from"]);
    let before = listed(&installation, "active");
    done(&installation, &["key", "rotate", "--algorithm", "EdDSA", "--now"]);
    assert_eq!(listed(&installation, "active"), before);
    misused(&installation.run(&["key", "rotate", "--algorithm", "HS256"]), &["HS256"]);
}

/// A database that came with another master key: nothing is signed with keys that do not open.
#[test]
fn another_master_key_is_named() {
    let installation = Installation::new();
    done(&installation, &["key", "rotate", "--now"]);
    let file = installation.path("data/master.key");
    std::fs::remove_file(&file).unwrap();
    for command in [&["serve"][..], &["app", "list"], &["key", "list"]] {
        refused(&installation.run(command), &["secrets.master_key_file", "is missing", "restore the file"]);
        assert!(!file.exists(), "no new key is left behind");
    }
    let other = Installation::new();
    drop(other.start());
    std::fs::copy(other.path("data/master.key"), &file).unwrap();
    refused(&installation.run(&["serve"]), &["a signing key does not open: secrets.master_key_file"]);
}
