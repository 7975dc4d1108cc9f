//! Discovery and JWKS.

use serde_json::Value;

use crate::both;
use crate::harness::App;

async fn json(app: &App, path: &str) -> Value {
    let answer = app.browser().get(app.at(path)).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    assert_eq!(answer.headers()["content-type"], "application/json");
    answer.json().await.unwrap()
}

both!(
    /// OIDC-001, OIDC-002, OIDC-003, OIDC-004, OIDC-005, OIDC-006, OIDC-007, OIDC-008, OIDC-010, OIDC-011, OIDC-012,
    /// OIDC-014, OIDC-078, OAUTH-014, OAUTH-037, OAUTH-148, OAUTH-149
    discovery_says_what_works,
    |kind| async move {
        let app = App::start(kind).await;
        let document = json(&app, "/.well-known/openid-configuration").await;
        assert_eq!(document["issuer"], app.url);
        assert_eq!(document, json(&app, "/.well-known/oauth-authorization-server").await);
        for (name, value) in document.as_object().unwrap() {
            if name.ends_with("_endpoint") || name == "jwks_uri" {
                let path = value.as_str().unwrap().strip_prefix(&app.url).unwrap();
                let answer = app.browser().get(app.at(path)).send().await.unwrap();
                assert_ne!(answer.status(), 404, "{name} is advertised and not there");
            }
        }
        let shown = document.to_string().replace(&app.url, "https://id.example");
        insta::assert_json_snapshot!("discovery", serde_json::from_str::<Value>(&shown).unwrap());
    }
);

both!(
    /// OIDC-013
    the_key_set_holds_public_keys_only,
    |kind| async move {
        let app = App::start(kind).await;
        let document = json(&app, "/oauth2/jwks").await;
        let keys = document["keys"].as_array().unwrap();
        let mut kids: Vec<&str> = keys.iter().map(|key| key["kid"].as_str().unwrap()).collect();
        kids.sort_unstable();
        kids.dedup();
        assert_eq!(kids.len(), 10, "two of each algorithm");
        let shape: Vec<String> = keys
            .iter()
            .map(|key| {
                let key = key.as_object().unwrap();
                let names: Vec<&str> = key.keys().map(String::as_str).collect();
                let text = |name: &str| key.get(name).and_then(Value::as_str).unwrap_or("-").to_owned();
                format!("{} {} {} {}: {}", text("alg"), text("kty"), text("crv"), text("use"), names.join(" "))
            })
            .collect();
        insta::assert_json_snapshot!("jwks", shape);
    }
);
