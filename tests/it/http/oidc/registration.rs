//! Dynamic registration (RFC 7591) and its management (RFC 7592).

use chrono::Duration;
use serde_json::{Value, json};
use yaopai::crypto::{SigningKey, jwt};
use yaopai::model::Algorithm;
use yaopai::oidc::registration_token;

use crate::both;
use crate::harness::prove::{ASSERTION, assertion};
use crate::harness::{App, Kind};

const CONFIG: &str = r#"
[registration]
enabled = true
hosts = ["app.example", "*.apps.example"]
grant_types = ["authorization_code", "refresh_token", "client_credentials"]
scopes = ["openid", "profile", "report:read"]
"#;

pub(super) struct Scene {
    pub(super) app: App,
    token: String,
}

impl Scene {
    pub(super) async fn start(kind: Kind, more: &str) -> Self {
        let app = App::with_config(kind, &format!("{CONFIG}{more}")).await;
        let token = registration_token(&app.broker, Duration::hours(1), 100).await.unwrap();
        Self { app, token }
    }

    pub(super) async fn register(&self, body: &Value) -> (u16, Value) {
        call(&self.app, "POST", "/oauth2/register", Some(&self.token), Some(body)).await
    }

    pub(super) async fn registered(&self, body: &Value) -> Value {
        let (status, made) = self.register(body).await;
        assert_eq!(status, 201, "{made}");
        made
    }

    pub(super) async fn manage(&self, method: &str, made: &Value, body: Option<&Value>) -> (u16, Value) {
        let path = made["registration_client_uri"].as_str().unwrap().strip_prefix(&self.app.url).unwrap().to_owned();
        call(&self.app, method, &path, made["registration_access_token"].as_str(), body).await
    }

    async fn own_token(&self, made: &Value, secret: &Value) -> u16 {
        let form = [("grant_type", "client_credentials")];
        let (id, secret) = (made["client_id"].as_str().unwrap(), secret.as_str().unwrap());
        let post = self.app.browser().post(self.app.at("/oauth2/token")).basic_auth(id, Some(secret)).form(&form);
        post.send().await.unwrap().status().as_u16()
    }
}

async fn call(app: &App, method: &str, path: &str, token: Option<&str>, body: Option<&Value>) -> (u16, Value) {
    let mut request = app.browser().request(method.parse().unwrap(), app.at(path));
    if let Some(token) = token {
        request = request.bearer_auth(token);
    }
    if let Some(body) = body {
        request = request.header("content-type", "application/json").body(body.to_string());
    }
    let answer = request.send().await.unwrap();
    let (status, text) = (answer.status().as_u16(), answer.text().await.unwrap());
    (status, serde_json::from_str(&text).unwrap_or(Value::Null))
}

fn plain() -> Value {
    json!({ "client_name": "报表 Reports", "redirect_uris": ["https://app.example/cb"] })
}

#[expect(clippy::needless_pass_by_value, reason = "a literal at every call")]
pub(super) fn with(changes: Value) -> Value {
    let mut body = plain();
    body.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
    body
}

both!(
    /// OAUTH-138
    nobody_registers_unless_it_is_switched_on_and_they_hold_a_token,
    |kind| async move {
        let app = App::start(kind).await;
        let (status, _) = call(&app, "POST", "/oauth2/register", None, Some(&plain())).await;
        assert_eq!(status, 403);
        let token = registration_token(&app.broker, Duration::hours(1), 1).await.unwrap();
        assert_eq!(call(&app, "POST", "/oauth2/register", Some(&token), Some(&plain())).await.0, 403, "off is off");
        let discovery = call(&app, "GET", "/.well-known/openid-configuration", None, None).await.1;
        assert!(discovery.get("registration_endpoint").is_none());

        let scene = Scene::start(kind, "").await;
        let discovery = call(&scene.app, "GET", "/.well-known/openid-configuration", None, None).await.1;
        assert_eq!(discovery["registration_endpoint"], scene.app.at("/oauth2/register"));
        for token in [None, Some("x"), Some(&*"A".repeat(43))] {
            assert_eq!(call(&scene.app, "POST", "/oauth2/register", token, Some(&plain())).await.0, 401);
        }
        let twice = registration_token(&scene.app.broker, Duration::hours(1), 2).await.unwrap();
        let register = || call(&scene.app, "POST", "/oauth2/register", Some(&twice), None);
        assert_eq!(register().await.0, 400, "no body; the token is not spent on that");
        let body = plain();
        let register = || call(&scene.app, "POST", "/oauth2/register", Some(&twice), Some(&body));
        let answers: [_; 4] = tokio::join!(register(), register(), register(), register()).into();
        assert_eq!(answers.iter().filter(|(status, _)| *status == 201).count(), 2);
        let late = registration_token(&scene.app.broker, Duration::hours(1), 1).await.unwrap();
        scene.app.clock().advance(Duration::hours(1));
        assert_eq!(call(&scene.app, "POST", "/oauth2/register", Some(&late), Some(&body)).await.0, 401);
        let mut tx = scene.app.broker.db.read().await.unwrap();
        let stored: Vec<(String,)> = tx.all("SELECT token_hash FROM registration_tokens", &[]).await.unwrap();
        assert!(stored.iter().all(|(hash,)| *hash != late && *hash != twice));
    }
);

both!(
    /// OAUTH-139, OAUTH-141, OAUTH-143, OIDC-077, WEB-055
    what_is_registered_is_told_and_works,
    |kind| async move {
        let scene = Scene::start(kind, "").await;
        let made = scene
            .registered(&with(json!({
                "grant_types": ["authorization_code", "client_credentials"], "scope": "openid report:read",
                "client_uri": "https://a.apps.example/", "surprise": { "a": 1 }, "client_id": "oa", "client_secret": "mine",
                "skip_consent": true,
            })))
            .await;
        let id = made["client_id"].as_str().unwrap();
        assert!(id.len() == 36 && made["client_secret"].as_str().unwrap().len() >= 43);
        assert_eq!((&made["client_secret_expires_at"], &made["token_endpoint_auth_method"]), (&json!(0), &"client_secret_basic".into()));
        assert_eq!(made["registration_client_uri"], scene.app.at(&format!("/oauth2/register/{id}")));
        assert_eq!((&made["client_name"], &made["scope"]), (&"报表 Reports".into(), &"openid report:read".into()));
        assert_eq!(made["response_types"], json!(["code"]));
        assert!(made.get("surprise").is_none() && made.get("skip_consent").is_none());
        assert_eq!(scene.own_token(&made, &made["client_secret"]).await, 200);
        let mut tx = scene.app.broker.db.read().await.unwrap();
        let app = tx.applications().find(id).await.unwrap().unwrap();
        assert_eq!(app.name, "报表 Reports (未验证 · unverified)");
        assert!(app.settings.require_pkce && !app.declared);
        assert_eq!(app.settings.identity.consent, yaopai::model::ConsentRule::Once, "people are asked");
        drop(tx);
        let (status, shown) = scene.manage("GET", &made, None).await;
        assert_eq!((status, &shown["client_name"]), (200, &made["client_name"]));
        assert!(shown.get("client_secret").is_none());
    }
);

both!(
    /// OAUTH-002, OAUTH-006, OAUTH-140, OAUTH-143, OAUTH-147, OIDC-069
    nothing_is_registered_beyond_the_bounds,
    |kind| async move {
        let scene = Scene::start(kind, "").await;
        let key = SigningKey::generate(Algorithm::Es256).unwrap().0;
        let jwks = json!({ "keys": [key.public_jwk()] });
        assert_eq!(scene.register(&with(json!({ "jwks": jwks }))).await.0, 201);
        for uri in [
            "https://evil.example/cb",
            "https://app.example.evil.example/cb",
            "https://app.example/cb#f",
            "https://app.example/*",
            "http://app.example/cb",
            "javascript:alert(1)",
            "com.example.app:/cb",
            "https://user@app.example/cb",
            "",
        ] {
            let (status, body) = scene.register(&with(json!({ "redirect_uris": [uri] }))).await;
            assert_eq!((status, &body["error"]), (400, &"invalid_redirect_uri".into()), "{uri}");
        }
        for changes in [
            json!({ "jwks": jwks, "jwks_uri": "https://app.example/jwks" }),
            json!({ "jwks": { "keys": [] } }),
            json!({ "jwks_uri": "https://127.0.0.1/jwks" }),
            json!({ "jwks_uri": "http://app.example/jwks" }),
            json!({ "grant_types": ["authorization_code"], "response_types": ["token"] }),
            json!({ "grant_types": ["client_credentials"] }),
            json!({ "grant_types": ["client_credentials"], "redirect_uris": [], "response_types": ["code"] }),
            json!({ "grant_types": ["password"] }),
            json!({ "grant_types": ["urn:ietf:params:oauth:grant-type:token-exchange"] }),
            json!({ "grant_types": "authorization_code" }),
            json!({ "scope": "openid admin" }),
            json!({ "token_endpoint_auth_method": "magic" }),
            json!({ "token_endpoint_auth_method": "none", "grant_types": ["authorization_code", "client_credentials"] }),
            json!({ "redirect_uris": [] }),
            json!({ "redirect_uris": "https://app.example/cb" }),
            json!({ "client_name": "<b>Bank</b>" }),
            json!({ "client_name": "knaB \u{202e}" }),
            json!({ "client_name": "x".repeat(61) }),
            json!({ "client_name": 7 }),
            json!({ "client_uri": "javascript:alert(1)" }),
            json!({ "logo_uri": "https://evil.example/logo.png" }),
            json!({ "policy_uri": "http://app.example/" }),
        ] {
            let (status, body) = scene.register(&with(changes.clone())).await;
            assert_eq!((status, &body["error"]), (400, &"invalid_client_metadata".into()), "{changes}");
        }
        for text in ["", "[]", "{", "{\"client_name\":\"a\",\"client_name\":\"b\"}"] {
            let request = scene.app.browser().post(scene.app.at("/oauth2/register")).bearer_auth(&scene.token);
            let answer = request.header("content-type", "application/json").body(text).send().await.unwrap();
            assert_eq!(answer.status(), 400, "{text}");
        }
    }
);

both!(
    /// OAUTH-145, OAUTH-146
    a_registration_is_managed_by_its_own_token,
    |kind| async move {
        let scene = Scene::start(kind, "").await;
        let own = json!({ "grant_types": ["authorization_code", "client_credentials"], "client_uri": "https://app.example/" });
        let (made, other) = (scene.registered(&with(own.clone())).await, scene.registered(&plain()).await);
        let mut stranger = made.clone();
        stranger["registration_access_token"] = other["registration_access_token"].clone();
        let id = made["client_id"].as_str().unwrap();
        let body = with(json!({ "client_id": id, "grant_types": ["authorization_code", "client_credentials"] }));
        for method in ["GET", "PUT", "DELETE"] {
            let body = (method == "PUT").then_some(&body);
            assert_eq!(scene.manage(method, &stranger, body).await.0, 401, "{method}");
        }
        for changes in [
            json!({ "client_id": other["client_id"] }),
            json!({ "client_id": null }),
            json!({ "client_secret": "a-secret-of-my-own-choosing" }),
            json!({ "registration_access_token": made["registration_access_token"] }),
            json!({ "client_secret_expires_at": 0 }),
            json!({ "redirect_uris": [] }),
        ] {
            let mut wrong = body.clone();
            wrong.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
            assert_eq!(scene.manage("PUT", &made, Some(&wrong)).await.0, 400, "{changes}");
        }
        let (status, replaced) = scene.manage("PUT", &made, Some(&body)).await;
        assert_eq!(status, 200, "{replaced}");
        assert!(replaced.get("client_uri").is_none(), "what is left out is gone");
        assert_ne!(replaced["registration_access_token"], made["registration_access_token"]);
        assert_eq!(scene.manage("GET", &made, None).await.0, 401, "the old token is dead");
        assert_eq!(scene.manage("GET", &replaced, None).await.0, 200);
        assert_eq!(scene.own_token(&made, &made["client_secret"]).await, 200, "the secret stays");
        assert_eq!(scene.manage("DELETE", &replaced, None).await.0, 204);
        assert_eq!(scene.manage("GET", &replaced, None).await.0, 401);
        assert_eq!(scene.own_token(&made, &made["client_secret"]).await, 401);
        assert_eq!(scene.manage("GET", &other, None).await.0, 200);
    }
);

both!(
    /// OAUTH-144
    a_trusted_statement_wins_and_no_other_counts,
    |kind| async move {
        let key = SigningKey::generate(Algorithm::Es256).unwrap().0;
        let jwks = json!({ "keys": [key.public_jwk()] }).to_string();
        let more = format!("[[registration.software_issuer]]\nissuer = \"https://vendor.example\"\njwks = '{jwks}'\n");
        let scene = Scene::start(kind, &more).await;
        let statement = |claims: Value| jwt::sign(&key, "JWT", &claims).unwrap();
        let good = json!({ "iss": "https://vendor.example", "client_name": "Vendor", "software_id": "v-1" });
        let made = scene.registered(&with(json!({ "software_statement": statement(good.clone()) }))).await;
        assert_eq!((&made["client_name"], &made["software_id"]), (&"Vendor".into(), &"v-1".into()));
        let other = SigningKey::generate(Algorithm::Es256).unwrap().0;
        let now = scene.app.clock().now().timestamp();
        let mut altered = statement(good.clone());
        altered.replace_range(altered.len() - 8.., "AAAAAAAA");
        for (text, why) in [
            (jwt::sign(&other, "JWT", &good).unwrap(), "invalid_software_statement"),
            (altered, "invalid_software_statement"),
            ("eyJhbGciOiJub25lIn0.e30.".to_owned(), "invalid_software_statement"),
            ("nonsense".to_owned(), "invalid_software_statement"),
            (statement(json!({ "iss": "https://vendor.example", "exp": now })), "invalid_software_statement"),
            (statement(json!({ "iss": "https://other.example" })), "unapproved_software_statement"),
            (statement(json!({ "client_name": "x" })), "unapproved_software_statement"),
        ] {
            let (status, body) = scene.register(&with(json!({ "software_statement": text }))).await;
            assert_eq!((status, &body["error"]), (400, &why.into()), "{text}");
        }
    }
);

/// A registration of a service with `method` and `changes`.
fn service(method: &str, changes: &Value) -> Value {
    let mut body = with(json!({
        "token_endpoint_auth_method": method, "grant_types": ["client_credentials"], "redirect_uris": [],
        "response_types": [], "scope": "report:read",
    }));
    body.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
    body
}

both!(
    /// OAUTH-066, OAUTH-139, OAUTH-140, OAUTH-141: an application that has a key registers it instead of getting a secret.
    an_application_registers_with_its_keys,
    |kind| async move {
        let scene = Scene::start(kind, "").await;
        let own = SigningKey::generate(Algorithm::Es256).unwrap().0;
        let jwks = json!({ "keys": [own.public_jwk()] });
        let body = service("private_key_jwt", &json!({ "jwks": jwks, "token_endpoint_auth_signing_alg": "ES256" }));
        let made = scene.registered(&body).await;
        assert!(made.get("client_secret").is_none() && made.get("client_secret_expires_at").is_none(), "{made}");
        assert_eq!(made["token_endpoint_auth_signing_alg"], "ES256");
        let id = made["client_id"].as_str().unwrap().to_owned();
        let shown = async |assertion: String| {
            let form = [
                ("grant_type", "client_credentials"),
                ("client_assertion_type", ASSERTION),
                ("client_assertion", &assertion),
            ];
            scene.app.browser().post(scene.app.at("/oauth2/token")).form(&form).send().await.unwrap().status().as_u16()
        };
        let signed = |key: &SigningKey| assertion(key, scene.app.clock(), &id, &scene.app.url, &json!({}));
        assert_eq!(shown(signed(&own)).await, 200);
        let next = SigningKey::generate(Algorithm::Es256).unwrap().0;
        assert_eq!(shown(signed(&next)).await, 401);
        // It manages its keys by itself.
        let mut body = service("private_key_jwt", &json!({ "jwks": { "keys": [next.public_jwk()] }, "client_id": id }));
        let (status, replaced) = scene.manage("PUT", &made, Some(&body)).await;
        assert_eq!(status, 200, "{replaced}");
        assert_eq!((shown(signed(&next)).await, shown(signed(&own)).await), (200, 401));
        // From keys to a secret, which is shown once.
        body["token_endpoint_auth_method"] = "client_secret_basic".into();
        body.as_object_mut().unwrap().remove("jwks");
        let (status, replaced) = scene.manage("PUT", &replaced, Some(&body)).await;
        assert_eq!(status, 200, "{replaced}");
        assert_eq!(scene.own_token(&replaced, &replaced["client_secret"]).await, 200);
        assert_eq!(shown(signed(&next)).await, 401);
        let by_address = service("private_key_jwt", &json!({ "jwks_uri": "https://app.example/jwks" }));
        assert_eq!(scene.registered(&by_address).await["jwks_uri"], "https://app.example/jwks");
        for bad in [
            service("private_key_jwt", &json!({})),
            service("private_key_jwt", &json!({ "jwks": { "keys": [{ "kty": "EC", "crv": "P-521" }] } })),
            service("private_key_jwt", &json!({ "jwks": { "keys": [{ "kty": "oct", "k": "c2VjcmV0" }] } })),
            service("private_key_jwt", &json!({ "jwks_uri": "https://evil.example/jwks" })),
            service("private_key_jwt", &json!({ "jwks": jwks, "token_endpoint_auth_signing_alg": "HS256" })),
            service("private_key_jwt", &json!({ "jwks": jwks, "token_endpoint_auth_signing_alg": "none" })),
            service("private_key_jwt", &json!({ "jwks": jwks, "tls_client_auth_san_dns": "app.example" })),
            service("client_secret_basic", &json!({ "token_endpoint_auth_signing_alg": "ES256" })),
            service("client_secret_jwt", &json!({})),
            service("private_key_jwt", &json!({ "jwks": jwks, "dpop_bound_access_tokens": "yes" })),
            // Nobody asks for certificates here.
            service("tls_client_auth", &json!({ "tls_client_auth_san_dns": "app.example" })),
            service("self_signed_tls_client_auth", &json!({ "jwks": jwks })),
            service("private_key_jwt", &json!({ "jwks": jwks, "tls_client_certificate_bound_access_tokens": true })),
        ] {
            let (status, body) = scene.register(&bad).await;
            assert_eq!((status, &body["error"]), (400, &"invalid_client_metadata".into()), "{bad}");
        }
    }
);

both!(
    /// OAUTH-070, OAUTH-071, OAUTH-072, OAUTH-139: certificates are registered where they are asked for.
    an_application_registers_with_its_certificate,
    |kind| async move {
        let mtls = "[mtls]\npublic_url = \"https://mtls.example\"\nheader = \"client-cert\"\n";
        let app = App::with_server(kind, "trusted_proxies = [\"127.0.0.1/32\"]", &format!("{CONFIG}{mtls}")).await;
        let token = registration_token(&app.broker, Duration::hours(1), 100).await.unwrap();
        let scene = Scene { app, token };
        let own = SigningKey::generate(Algorithm::Es256).unwrap().0;
        let names = json!({ "tls_client_auth_san_dns": "billing.app.example" });
        let made = scene.registered(&service("tls_client_auth", &names)).await;
        assert_eq!(made["tls_client_auth_san_dns"], "billing.app.example");
        let more = json!({ "jwks": { "keys": [own.public_jwk()] }, "tls_client_certificate_bound_access_tokens": true });
        let made = scene.registered(&service("self_signed_tls_client_auth", &more)).await;
        let stored = async |made: &Value| {
            let mut tx = scene.app.broker.db.read().await.unwrap();
            tx.applications().find(made["client_id"].as_str().unwrap()).await.unwrap().unwrap()
        };
        let app = stored(&made).await;
        assert!(app.secret_hash.is_none() && app.settings.proof.tls_client_certificate_bound_access_tokens);
        let bound = json!({ "jwks": { "keys": [own.public_jwk()] }, "dpop_bound_access_tokens": true });
        let app = stored(&scene.registered(&service("private_key_jwt", &bound)).await).await;
        assert!(app.settings.proof.dpop_bound_access_tokens);
        let two = json!({ "tls_client_auth_san_dns": "a.app.example", "tls_client_auth_subject_dn": "CN=a" });
        let both = json!({ "dpop_bound_access_tokens": true, "tls_client_certificate_bound_access_tokens": true });
        for bad in [
            service("tls_client_auth", &json!({})),
            service("tls_client_auth", &two),
            service("tls_client_auth", &json!({ "tls_client_auth_san_ip": "nowhere" })),
            service("self_signed_tls_client_auth", &json!({})),
            service("client_secret_basic", &both),
        ] {
            let (status, body) = scene.register(&bad).await;
            assert_eq!((status, &body["error"]), (400, &"invalid_client_metadata".into()), "{bad}");
        }
    }
);
