//! Bound tokens at the gateway: who uses them proves that they hold the key.

use reqwest::Response;
use serde_json::{Value, json};
use yaopai::crypto::SigningKey;

use super::Gate;
use crate::both;
use crate::harness::prove::{Proof, key};

const TRUSTED: &str = "trusted_proxies = [\"127.0.0.1/32\"]";

/// A token of the ledger, bound to `key`.
async fn bound(gate: &Gate, key: &SigningKey) -> String {
    let url = gate.app.at("/oauth2/token");
    let proof = Proof::new(key, "POST", &url).sign(gate.app.clock());
    let form = [("grant_type", "client_credentials"), ("scope", "expense:read")];
    let request =
        gate.app.browser().post(&url).basic_auth("ledger", Some("a-secret-of-the-tests")).header("DPoP", proof);
    let answer: Value = request.form(&form).send().await.unwrap().json().await.unwrap();
    assert_eq!(answer["token_type"], "DPoP", "{answer}");
    answer["access_token"].as_str().unwrap().to_owned()
}

async fn ask(gate: &Gate, uri: &str, authorization: &str, proofs: &[String]) -> Response {
    let mut request = gate.app.browser().get(gate.app.at("/gateway/check"));
    let of_proxy = [("x-original-method", "GET"), ("x-original-uri", uri), ("x-forwarded-host", "127.0.0.1")];
    for (name, value) in of_proxy {
        request = request.header(name, value);
    }
    for proof in proofs {
        request = request.header("DPoP", proof);
    }
    request.header("authorization", authorization).send().await.unwrap()
}

both!(
    /// GW-048, OAUTH-077, OAUTH-080, OAUTH-083, OAUTH-085
    a_bound_token_opens_nothing_without_its_key,
    |kind| async move {
        let gate = Gate::start(kind, TRUSTED).await;
        let (own, clock) = (key(), gate.app.clock().clone());
        let token = bound(&gate, &own).await;
        let url = gate.app.at("/expense");
        let proof = || Proof::new(&own, "GET", &url).of(&token);
        let dpop = format!("DPoP {token}");
        let once = proof().sign(&clock);
        assert_eq!(ask(&gate, "/expense", &dpop, std::slice::from_ref(&once)).await.status(), 200);
        let elsewhere = gate.app.at("/expense/other");
        for (what, authorization, proofs) in [
            ("replayed", &dpop, vec![once]),
            ("as a bearer token", &format!("Bearer {token}"), vec![proof().sign(&clock)]),
            ("without a proof", &dpop, vec![]),
            ("two proofs", &dpop, vec![proof().sign(&clock), proof().sign(&clock)]),
            ("another path", &dpop, vec![Proof::new(&own, "GET", &elsewhere).of(&token).sign(&clock)]),
            ("another host", &dpop, vec![Proof::new(&own, "GET", "http://127.0.0.1/expense").of(&token).sign(&clock)]),
            ("another method", &dpop, vec![Proof::new(&own, "POST", &url).of(&token).sign(&clock)]),
            ("no ath", &dpop, vec![Proof::new(&own, "GET", &url).sign(&clock)]),
            ("another key", &dpop, vec![Proof::new(&key(), "GET", &url).of(&token).sign(&clock)]),
            ("old", &dpop, vec![proof().claims(json!({ "iat": clock.now().timestamp() - 3600 })).sign(&clock)]),
        ] {
            let answer = ask(&gate, "/expense", authorization, &proofs).await;
            assert_eq!(answer.status(), 401, "{what}");
            let challenge = answer.headers()["www-authenticate"].to_str().unwrap();
            assert!(challenge.contains("error=\"invalid_"), "{what}: {challenge}");
        }
        assert_eq!(ask(&gate, "/expense?page=2", &dpop, &[proof().sign(&clock)]).await.status(), 200);
    }
);
