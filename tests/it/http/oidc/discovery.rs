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
    /// OIDC-014, OIDC-026, OIDC-063, OIDC-078, OIDC-087, OIDC-092, OAUTH-014, OAUTH-037, OAUTH-148, OAUTH-149
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
    /// WEB-015, WEB-016: whatever name a request comes under, addresses and cookies are those of the configuration, and
    /// what may be kept is the same for everybody.
    a_foreign_host_changes_nothing,
    |kind| async move {
        let app = App::start(kind).await;
        let evil = [
            ("host", "evil.example"),
            ("x-forwarded-host", "evil.example"),
            ("x-forwarded-proto", "gopher"),
            ("x-original-url", "/evil"),
            ("forwarded", "host=evil.example"),
        ];
        let asset = app.browser().get(app.at("/login")).send().await.unwrap().text().await.unwrap();
        let asset = asset.split("href=\"").find_map(|part| part.strip_prefix("/assets/")).unwrap();
        let asset = format!("/assets/{}", asset.split('"').next().unwrap());
        for path in ["/.well-known/openid-configuration", "/oauth2/jwks", "/login", &asset] {
            let ask = async |header: Option<(&str, &str)>| {
                let mut request = app.browser().get(app.at(path));
                if let Some((name, value)) = header {
                    request = request.header(name, value);
                }
                let answer = request.send().await.unwrap();
                let cookies: Vec<String> = answer
                    .headers()
                    .get_all("set-cookie")
                    .iter()
                    .map(|cookie| cookie.to_str().unwrap().to_ascii_lowercase())
                    .collect();
                assert!(cookies.iter().all(|cookie| !cookie.contains("domain=")), "{path}: {cookies:?}");
                let kept = answer.headers().get("cache-control").map(|value| value.to_str().unwrap().to_owned());
                (answer.status().as_u16(), kept, answer.text().await.unwrap())
            };
            let (status, kept, text) = ask(None).await;
            for header in evil {
                let (evil_status, evil_kept, evil_text) = ask(Some(header)).await;
                assert_eq!((evil_status, &evil_kept), (status, &kept), "{path} {header:?}");
                assert!(!evil_text.contains("evil.example") && !evil_text.contains("gopher"), "{path} {header:?}");
                // A page that nobody may keep holds a token of its own.
                assert!(evil_text == text || kept.as_deref() == Some("no-store"), "{path} {header:?}");
            }
        }
    }
);

/// `none` is a way to prompt, and to be a public application; it is no algorithm.
fn is_none_allowed(name: &str, texts: &[&str]) -> bool {
    !texts.contains(&"none") || name.contains("auth_methods") || name == "prompt_values_supported"
}

both!(
    /// OIDC-009: every member has the type that its standard gives it, none is empty, and none is unknown to all of them.
    every_member_of_the_document_has_its_type,
    |kind| async move {
        let app = App::start(kind).await;
        let document = json(&app, "/.well-known/openid-configuration").await;
        // `…_supported` members that are no lists.
        let switches = [
            "backchannel_user_code_parameter_supported",
            "authorization_response_iss_parameter_supported",
            "backchannel_logout_supported",
            "backchannel_logout_session_supported",
            "frontchannel_logout_supported",
            "frontchannel_logout_session_supported",
            "claims_parameter_supported",
            "request_parameter_supported",
            "request_uri_parameter_supported",
            "tls_client_certificate_bound_access_tokens",
            "require_pushed_authorization_requests",
        ];
        for (name, value) in document.as_object().unwrap() {
            let is_right = if switches.contains(&name.as_str()) {
                value.is_boolean()
            } else if name.ends_with("_supported") {
                let list = value.as_array().map(Vec::as_slice).unwrap_or_default();
                let mut texts: Vec<&str> = list.iter().filter_map(Value::as_str).collect();
                texts.sort_unstable();
                texts.dedup();
                !list.is_empty() && texts.len() == list.len() && is_none_allowed(name, &texts)
            } else {
                let is_address = name == "issuer" || name == "jwks_uri" || name.ends_with("_endpoint");
                is_address && value.as_str().is_some_and(|text| url::Url::parse(text).is_ok())
            };
            assert!(is_right, "{name}: {value}");
        }
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
