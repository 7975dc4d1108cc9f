//! How answers reach the application: query, fragment, form, each also signed; code and ID token together.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{DecodingKey, Validation, decode, decode_header};
use serde_json::{Value, json};
use yaopai::crypto::{sha256, sha512};

use super::{CONFIG, Client, OA, Scene, answer, authorize_path, claims};
use crate::both;
use crate::harness::{Browser, Kind, Page};

/// Applications that may have an ID token at once: one signs with ES256, one with `EdDSA`.
const SWITCHED: &str = r#"
[[application]]
id = "hybrid"
secret = { value = "a-secret-of-hybrid" }
redirect_uris = ["https://hybrid.example/cb", "https://hybrid.example/q?tenant=1"]
[application.request]
response_types = ["code", "code id_token"]

[[application]]
id = "ding"
secret = { value = "a-secret-of-ding" }
redirect_uris = ["https://ding.example/cb"]
signing_algorithm = "EdDSA"
require_pkce = false
[application.request]
response_types = ["id_token", "code id_token"]
"#;
const HYBRID: Client =
    Client { id: "hybrid", secret: Some("a-secret-of-hybrid"), redirect_uri: "https://hybrid.example/cb" };
const DING: Client = Client { id: "ding", secret: Some("a-secret-of-ding"), redirect_uri: "https://ding.example/cb" };

async fn switched(kind: Kind) -> Scene {
    Scene::of(kind, &format!("{CONFIG}{SWITCHED}")).await
}

/// The hidden fields of a form that posts to `action`.
fn posted(page: &Page, action: &str) -> Vec<(String, String)> {
    assert_eq!(page.attributes("form", "action"), [action], "{}", page.text);
    let names = page.attributes("form input[type=hidden]", "name");
    names.into_iter().zip(page.attributes("form input[type=hidden]", "value")).collect()
}

fn field(fields: &[(String, String)], name: &str) -> Option<String> {
    fields.iter().find(|(key, _)| key == name).map(|(_, value)| value.clone())
}

/// The claims of a signed answer, verified with the published keys by a library that is not ours.
async fn opened(scene: &Scene, response: &str, audience: &str) -> Value {
    let keys = scene.app.browser().get(scene.app.at("/oauth2/jwks")).send().await.unwrap();
    let keys: JwkSet = keys.json().await.unwrap();
    let header = decode_header(response).unwrap();
    assert_eq!(header.typ.as_deref(), Some("oauth-authz-resp+jwt"));
    let key = DecodingKey::from_jwk(keys.find(&header.kid.unwrap()).unwrap()).unwrap();
    let mut rules = Validation::new(header.alg);
    // The clock of the tests stands still.
    rules.validate_exp = false;
    rules.set_audience(&[audience]);
    rules.set_issuer(&[&scene.app.url]);
    decode::<Value>(response, &key, &rules).unwrap().claims
}

both!(
    /// OIDC-060, OIDC-062, OAUTH-014
    a_form_carries_the_answer,
    |kind| async move {
        let scene = Scene::start(kind).await;
        let state = "\"><script>alert(1)</script>'&amp; ü";
        let page = scene.authorize(OA, &[("response_mode", "form_post"), ("state", state)]).await;
        assert_eq!((page.status.as_u16(), page.location()), (200, ""));
        let fields = posted(&page, "https://oa.example/cb");
        let names: Vec<&str> = fields.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["code", "state", "iss"]);
        assert_eq!(field(&fields, "state").as_deref(), Some(state));
        assert_eq!(field(&fields, "iss").as_deref(), Some(scene.app.url.as_str()));
        assert_eq!(page.text.matches("<script").count(), 1, "the value stays text");
        assert_eq!(page.texts("form button[type=submit]").len(), 1, "it works without scripts");

        let policy = page.header("content-security-policy");
        let script = page.texts("script").concat();
        let hash = STANDARD.encode(sha256(script.as_bytes()));
        assert!(policy.contains(&format!("script-src 'sha256-{hash}'")), "{policy}");
        assert!(policy.contains("default-src 'none'") && !policy.contains("unsafe"), "{policy}");
        assert!(policy.ends_with("form-action https://oa.example"), "{policy}");
        assert_eq!(page.header("cache-control"), "no-store");
        assert_eq!(page.header("referrer-policy"), "no-referrer");

        let (status, tokens) = scene.redeem(OA, &field(&fields, "code").unwrap()).await;
        assert_eq!(status, 200, "{tokens}");
        let own_query = Client { redirect_uri: "https://oa.example/q?tenant=1", ..OA };
        let page = scene.authorize(own_query, &[("response_mode", "form_post")]).await;
        posted(&page, "https://oa.example/q?tenant=1");
    }
);

both!(
    /// OIDC-061, OAUTH-014, OAUTH-017
    faults_come_in_the_mode_that_was_asked_for,
    |kind| async move {
        let scene = Scene::start(kind).await;
        let stranger = Browser::new(&scene.app.url);
        let silent = [("prompt", "none"), ("response_mode", "form_post")];
        let fields = posted(&stranger.get(&authorize_path(OA, &silent)).await, OA.redirect_uri);
        assert_eq!(field(&fields, "error").as_deref(), Some("login_required"));
        assert_eq!(field(&fields, "state").as_deref(), Some("s-._~"));
        assert_eq!(field(&fields, "iss").as_deref(), Some(scene.app.url.as_str()));
        let bad = [("scope", "unknown"), ("response_mode", "form_post")];
        let fields = posted(&scene.authorize(OA, &bad).await, OA.redirect_uri);
        assert_eq!(field(&fields, "error").as_deref(), Some("invalid_scope"));
        assert_eq!(stranger.get(&authorize_path(OA, &bad)).await.status, 303, "first somebody signs in");

        let page = scene.authorize(OA, &[("scope", "unknown"), ("response_mode", "fragment")]).await;
        assert!(page.location().starts_with("https://oa.example/cb#error=invalid_scope&"), "{}", page.location());
        let page = scene.authorize(OA, &[("response_type", "token")]).await;
        assert!(page.location().starts_with("https://oa.example/cb#error="), "{}", page.location());
        for (mode, mark) in [("query.jwt", '?'), ("fragment.jwt", '#'), ("jwt", '?')] {
            let page = scene.authorize(OA, &[("scope", "unknown"), ("response_mode", mode)]).await;
            assert!(page.location().starts_with(&format!("https://oa.example/cb{mark}response=")), "{mode}");
            let claims = opened(&scene, &answer(&page, "response").unwrap(), "oa").await;
            assert_eq!((&claims["error"], &claims["state"]), (&json!("invalid_scope"), &json!("s-._~")));
        }
        let unregistered = [("redirect_uri", "https://evil.example/cb"), ("response_mode", "form_post")];
        let page = scene.authorize(OA, &unregistered).await;
        assert_eq!(page.status, 400);
        assert!(page.attributes("form", "action").is_empty());
    }
);

both!(
    /// OAUTH-014
    an_answer_can_be_signed,
    |kind| async move {
        let scene = Scene::start(kind).await;
        let now = scene.app.clock().now().timestamp();
        for mode in ["jwt", "query.jwt", "fragment.jwt", "form_post.jwt"] {
            let page = scene.authorize(OA, &[("response_mode", mode)]).await;
            let response = match mode {
                "form_post.jwt" => {
                    let fields = posted(&page, OA.redirect_uri);
                    assert_eq!(fields.len(), 1, "nothing stands beside it: {fields:?}");
                    field(&fields, "response").unwrap()
                }
                _ => answer(&page, "response").unwrap(),
            };
            assert_eq!(answer(&page, "code"), None, "{mode}");
            let claims = opened(&scene, &response, "oa").await;
            assert_eq!(claims["state"], "s-._~");
            assert_eq!(claims["exp"], now + 120);
            let (status, _) = scene.redeem(OA, claims["code"].as_str().unwrap()).await;
            assert_eq!(status, 200, "{mode}");
            // It is no ID token and no access token.
            let hint = scene.authorize(OA, &[("prompt", "none"), ("id_token_hint", &response)]).await;
            assert_eq!(answer(&hint, "error").as_deref(), Some("login_required"));
            assert_eq!(scene.userinfo(&json!({ "access_token": response })).await.0, 401);
        }
    }
);

both!(
    /// OIDC-019, OIDC-020, OIDC-102, OAUTH-022
    an_id_token_vouches_for_the_code,
    |kind| async move {
        let scene = switched(kind).await;
        for (client, types) in [(HYBRID, "code id_token"), (DING, "id_token code")] {
            let page = scene.authorize(client, &[("response_type", types)]).await;
            let start = format!("{}#code=", client.redirect_uri);
            assert!(page.location().starts_with(&start), "{}", page.location());
            let code = answer(&page, "code").unwrap();
            let early = claims(&json!(answer(&page, "id_token").unwrap()));
            let half = match client.id {
                "ding" => URL_SAFE_NO_PAD.encode(&sha512(code.as_bytes())[..32]),
                _ => URL_SAFE_NO_PAD.encode(&sha256(code.as_bytes())[..16]),
            };
            assert_eq!(early["c_hash"], half);
            assert_eq!((&early["nonce"], &early["aud"]), (&json!("n-0"), &json!(client.id)));
            assert_eq!(early.get("at_hash"), None);
            let (status, tokens) = scene.redeem(client, &code).await;
            assert_eq!(status, 200, "{tokens}");
            let late = claims(&tokens["id_token"]);
            assert_eq!((&late["sub"], &late["iss"], &late["sid"]), (&early["sub"], &early["iss"], &early["sid"]));
            assert_eq!(late.get("c_hash"), None);
        }
        let page = scene.authorize(HYBRID, &[("response_type", "code id_token"), ("response_mode", "form_post")]).await;
        let fields = posted(&page, HYBRID.redirect_uri);
        assert!(field(&fields, "id_token").is_some() && field(&fields, "code").is_some());
        let own_query = Client { redirect_uri: "https://hybrid.example/q?tenant=1", ..HYBRID };
        let page = scene.authorize(own_query, &[("response_type", "code id_token")]).await;
        assert!(page.location().starts_with("https://hybrid.example/q?tenant=1#code="), "{}", page.location());
    }
);

both!(
    /// OIDC-019, OAUTH-022
    an_id_token_alone_leaves_nothing_to_redeem,
    |kind| async move {
        let scene = switched(kind).await;
        let page = scene.authorize(DING, &[("response_type", "id_token"), ("response_mode", "form_post")]).await;
        let fields = posted(&page, DING.redirect_uri);
        let names: Vec<&str> = fields.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["id_token", "state", "iss"], "{names:?}");
    }
);

both!(
    /// OAUTH-022, OIDC-102
    what_may_not_be_asked_for_is_refused,
    |kind| async move {
        let scene = switched(kind).await;
        for (client, changes, error) in [
            (HYBRID, vec![("response_type", "id_token")], "unauthorized_client"),
            (DING, vec![("response_type", "code")], "unauthorized_client"),
            (OA, vec![("response_type", "code id_token")], "unauthorized_client"),
            (HYBRID, vec![("response_type", "code token")], "unsupported_response_type"),
            (HYBRID, vec![("response_type", "code id_token token")], "unsupported_response_type"),
            (HYBRID, vec![("response_type", "code id_token"), ("nonce", "")], "invalid_request"),
            (HYBRID, vec![("response_type", "code id_token"), ("response_mode", "query")], "invalid_request"),
            (HYBRID, vec![("response_type", "code id_token"), ("response_mode", "query.jwt")], "invalid_request"),
            (HYBRID, vec![("response_type", "code id_token"), ("scope", "email")], "invalid_scope"),
            (HYBRID, vec![("response_type", "code id_token"), ("code_challenge", "")], "invalid_request"),
        ] {
            let page = scene.authorize(client, &changes).await;
            let error_of = match answer(&page, "response") {
                Some(response) => opened(&scene, &response, client.id).await["error"].as_str().map(str::to_owned),
                None => answer(&page, "error"),
            };
            assert_eq!(error_of.as_deref(), Some(error), "{changes:?} {}", page.location());
            assert!(answer(&page, "id_token").is_none());
            if changes.iter().any(|(_, value)| value.contains("token")) {
                assert!(page.location().contains("/cb#"), "{changes:?}: never in the query: {}", page.location());
            }
        }
    }
);
