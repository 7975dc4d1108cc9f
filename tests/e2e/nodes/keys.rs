//! Two nodes on one PostgreSQL: a rotation at one is known to the other before any token rests on it.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;

use super::{installation, is_allowed, on_postgres, token};
use crate::process::{Installation, free_port, get};

/// The key ids that a node publishes.
fn published(port: u16) -> BTreeSet<String> {
    let answer = get(port, "/oauth2/jwks").unwrap();
    let (_, body) = answer.split_once("\r\n\r\n").unwrap();
    let set: Value = serde_json::from_str(body).unwrap_or_else(|error| panic!("{error}: {answer}"));
    let keys = set.get("keys").and_then(Value::as_array).unwrap();
    keys.iter().map(|key| key.get("kid").and_then(Value::as_str).unwrap().to_owned()).collect()
}

fn kid_of(token: &str) -> String {
    let head = URL_SAFE_NO_PAD.decode(token.split('.').next().unwrap()).unwrap();
    let head: Value = serde_json::from_slice(&head).unwrap();
    head.get("kid").and_then(Value::as_str).unwrap().to_owned()
}

fn rotate(installation: &Installation) {
    let output = installation.run(&["key", "rotate", "--now"]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// OIDC-073, OIDC-013: whatever is signed at one node, the other published its key before, and takes the token at once.
#[test]
fn a_rotation_is_known_to_the_other_node_before_a_token_rests_on_it() {
    let installation = installation();
    let installation = on_postgres(&installation);
    let (here, there) = (installation.port, free_port());
    let (_one, _two) = (installation.start(), installation.start_at(there));
    let first = kid_of(&token(here));
    let mut signers = BTreeSet::from([first]);
    let begun = Instant::now();
    for _ in 0..2 {
        rotate(&installation);
        let signed = signers.len();
        while signers.len() == signed {
            assert!(begun.elapsed() < Duration::from_mins(2), "nobody signs with the new key");
            // What the other node publishes *before* the token is made.
            let known = published(there);
            let token = token(here);
            let kid = kid_of(&token);
            assert!(known.contains(&kid), "a token rests on a key that the other node does not publish");
            assert!(is_allowed(there, &token), "the other node does not take a token at once");
            signers.insert(kid);
            std::thread::sleep(Duration::from_millis(100));
        }
    }
    // What was signed before still counts at both.
    assert_eq!(signers.len(), 3);
    assert!(signers.is_subset(&published(there)) && signers.is_subset(&published(here)));
}
