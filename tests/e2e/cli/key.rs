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
    refused(&too_soon, &["the next ES256 key may sign from", "--now rotates as soon as"]);
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
    refused(
        &installation.run(&["serve"]),
        &["does not open: secrets.master_key_file", "than the one this database was made with"],
    );
}

/// Runs a program in the folder of the installation.
fn program(installation: &Installation, command: &[&str]) -> String {
    let mut run = std::process::Command::new(command[0]);
    let output = run.args(&command[1..]).current_dir(installation.folder.path()).output();
    let output = output.unwrap_or_else(|error| panic!("{}: {error}: run `make setup`", command[0]));
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// A key that `openssl` made goes in under the name its clients know, signs after a rotation, and comes out again as
/// `openssl` reads it.
#[test]
fn a_key_moves_in_and_out() {
    let installation = Installation::new();
    std::fs::write(installation.path("pass"), "correct-horse-battery").unwrap();
    std::fs::write(installation.path("wrong"), "wrong-horse-battery-1").unwrap();
    let make = ["openssl", "genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048", "-aes256", "-pass"];
    program(&installation, &[&make[..], &["file:pass", "-out", "old.pem"]].concat());
    let public = program(&installation, &["openssl", "pkey", "-in", "old.pem", "-passin", "file:pass", "-pubout"]);
    let import = ["key", "import", "--algorithm", "RS256", "--kid", "old-key", "old.pem"];
    refused(&installation.run(&import), &["old.pem", "sealed with a passphrase", "--passphrase-file"]);
    let wrong = [&import[..], &["--passphrase-file", "wrong"]].concat();
    assert!(!installation.run(&wrong).status.success());
    let import = [&import[..], &["--passphrase-file", "pass"]].concat();
    let text = done(&installation, &import);
    assert!(text.starts_with("old-key: published; it signs from the next rotation on"), "{text}");
    done(&installation, &["key", "rotate", "--algorithm", "RS256", "--now"]);
    refused(&installation.run(&import), &["there is a key `old-key` already"]);
    let keys = document(&installation, &["key", "list", "--json"]);
    let key = keys.as_array().unwrap().iter().find(|key| key["kid"] == "old-key").unwrap();
    assert_eq!((&key["state"], key["signs_at"].is_string()), (&"active".into(), true));
    assert!(key["retires_at"].is_string() && key["drops_at"].is_string(), "coming times are told: {key}");

    misused(&installation.run(&["key", "export", "old-key", "--out", "new.pem"]), &["--passphrase-file"]);
    done(&installation, &["key", "export", "old-key", "--out", "new.pem", "--passphrase-file", "pass"]);
    refused(&installation.run(&["key", "export", "old-key", "--out", "new.pem", "--clear"]), &["new.pem"]);
    let same = program(&installation, &["openssl", "pkey", "-in", "new.pem", "-passin", "file:pass", "-pubout"]);
    assert_eq!(same, public);
    done(&installation, &["key", "export", "old-key", "--out", "clear.pem", "--clear"]);
    assert_eq!(program(&installation, &["openssl", "pkey", "-in", "clear.pem", "-pubout"]), public);
    refused(&installation.run(&["key", "export", "none", "--out", "x.pem", "--clear"]), &["there is no key `none`"]);
    assert!(!installation.path("x.pem").exists(), "no empty file is left");

    program(
        &installation,
        &["openssl", "genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:1024", "-out", "s.pem"],
    );
    refused(&installation.run(&["key", "import", "--algorithm", "RS256", "s.pem"]), &["s.pem", "2048 bits or more"]);
    let import = ["key", "import", "--algorithm", "RS256", "--kid", "a\"b", "clear.pem"];
    refused(&installation.run(&import), &["`a\"b` is no key id"]);
    refused(&installation.run(&["key", "import", "--algorithm", "ES256", "clear.pem"]), &["no ES256 key"]);
    program(&installation, &["openssl", "ecparam", "-name", "secp384r1", "-genkey", "-out", "ec.pem"]);
    let text = done(&installation, &["key", "import", "--algorithm", "ES384", "--retired", "ec.pem"]);
    assert!(text.contains("it signs nothing here"), "{text}");
    let told = done(&installation, &["audit", "list", "--action", "key_admin"]);
    assert!(told.contains("\"imported\":\"next\"") && told.contains("\"with_passphrase\":true"), "{told}");
    assert!(!told.contains("correct-horse"));
}

/// The master key from a program, as a KMS gives it: here `openssl` decrypts it. A slow, failing or wrong one is named.
#[test]
fn a_program_gives_the_master_key() {
    let installation = Installation::new();
    let configure = |lines: &str| installation.configure(&format!("{}\n[secrets]\n{lines}\n", installation.smallest()));
    std::fs::write(installation.path("pass"), "of-the-kms").unwrap();
    let key = program(&installation, &["openssl", "rand", "-base64", "32"]);
    std::fs::write(installation.path("plain"), &key).unwrap();
    let cipher = ["openssl", "enc", "-aes-256-cbc", "-pbkdf2", "-pass", "file:pass"];
    program(&installation, &[&cipher[..], &["-in", "plain", "-out", "master.enc"]].concat());
    std::fs::remove_file(installation.path("plain")).unwrap();
    configure(
        "master_key_command = [\"openssl\", \"enc\", \"-d\", \"-aes-256-cbc\", \"-pbkdf2\", \"-pass\", \"file:pass\", \"-in\", \"master.enc\"]",
    );
    drop(installation.start());
    assert!(!installation.path("data/master.key").exists(), "no other key was made");
    let signer = listed(&installation, "active");
    configure("master_key_env = \"THE_KEY\"");
    let with_env = |value: &str| installation.command(&["key", "list"]).env("THE_KEY", value).output().unwrap();
    let told = String::from_utf8(with_env(key.trim()).stdout).unwrap();
    assert!(told.contains(&signer[0]), "the same key from the environment: {told}");
    refused(&with_env("short"), &["secrets.master_key_env (`THE_KEY`)", "weak or no key"]);
    refused(&installation.run(&["key", "list"]), &["secrets.master_key_env", "THE_KEY", "not set"]);
    configure("master_key_command = [\"sh\", \"-c\", \"echo denied by policy >&2; exit 3\"]");
    refused(&installation.run(&["key", "list"]), &["master_key_command (`sh`)", "exit status: 3", "denied by policy"]);
    configure("master_key_timeout = \"1s\"\nmaster_key_command = [\"sleep\", \"30\"]");
    refused(&installation.run(&["key", "list"]), &["master_key_command (`sleep`)", "no key within 1 s"]);
    configure("master_key_command = [\"openssl\", \"rand\", \"-base64\", \"32\"]");
    refused(&installation.run(&["serve"]), &["does not open", "_command"]);
    configure("master_key_env = \"X\"\nmaster_key_command = [\"true\"]");
    refused(&installation.run(&["key", "list"]), &["give one of them only"]);
}

/// The master key changes under a broker with applications: everything is sealed anew at once or not at all, and nothing
/// that was given out before is worth less.
#[test]
fn the_master_key_changes_and_nothing_is_lost() {
    let installation = Installation::new();
    let configure = |lines: &str| installation.configure(&format!("{}\n[secrets]\n{lines}\n", installation.smallest()));
    let broker = installation.start();
    let add = |id: &str, method: &str| {
        let arguments = ["app", "add", id, "--grant", "client_credentials", "--auth-method", method, "--json"];
        document(&installation, &arguments)["client_secret"].as_str().unwrap().to_owned()
    };
    let (secret, signing) = (add("reports", "client_secret_basic"), add("signs", "client_secret_jwt"));
    assert!(!signing.is_empty());
    let credentials = ("reports", secret.as_str());
    let issue = || token(installation.port, credentials).1["access_token"].as_str().map(str::to_owned);
    let before = soon(issue, Option::is_some).unwrap();
    let signer = listed(&installation, "active");
    drop(broker);

    let key = program(&installation, &["openssl", "rand", "-base64", "32"]);
    std::fs::write(installation.path("data/new.key"), &key).unwrap();
    program(&installation, &["chmod", "600", "data/new.key"]);
    configure("master_key_file = \"data/new.key\"");
    refused(&installation.run(&["key", "list"]), &["another key than the one this database was made with"]);
    configure("master_key_file = \"data/new.key\"\nold_master_key = { file = \"data/master.key\" }");
    let check = || {
        let output = installation.run(&["key", "rewrap", "--check", "--json"]);
        let found: Value = serde_json::from_slice(&output.stdout).unwrap();
        let (old, all) = (found["old"].as_u64().unwrap(), found["all"].as_u64().unwrap());
        assert_eq!(output.status.code(), Some(i32::from(old > 0)));
        (old, all)
    };
    let (old, all) = check();
    assert!(old == all && all > 10, "{old} of {all}");
    // With both keys a broker works before anything is sealed anew; a node that has not been restarted would, too.
    let broker = installation.start();
    let active = |token: &str| {
        ask(installation.port, "/oauth2/introspect", credentials, &format!("token={token}")).1["active"] == true
    };
    assert!(active(&before), "what was signed before counts");
    assert!(soon(issue, Option::is_some).is_some(), "the hash of the secret is the one it was");
    // Killed at any moment: all is as it was, or all is sealed anew.
    for wait in [0, 5, 10, 20, 40, 80] {
        let mut run = installation.command(&["key", "rewrap"]).spawn().unwrap();
        std::thread::sleep(std::time::Duration::from_millis(wait));
        let _ = run.kill();
        run.wait().unwrap();
        let (old, all) = check();
        assert!(old == 0 || old == all, "{old} of {all} after {wait} ms");
    }
    done(&installation, &["key", "rewrap"]);
    assert_eq!(check().0, 0);
    assert!(done(&installation, &["key", "rewrap"]).contains("secrets.old_master_key is not needed"));
    assert!(active(&before), "the running broker has noticed nothing");
    drop(broker);
    configure("master_key_file = \"data/new.key\"");
    let _broker = installation.start();
    assert_eq!(listed(&installation, "active"), signer);
    assert!(soon(issue, Option::is_some).is_some());
    assert!(active(&before));
    configure("master_key_file = \"data/master.key\"");
    refused(&installation.run(&["key", "list"]), &["another key than the one this database was made with"]);
}
