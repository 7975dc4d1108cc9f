//! Assertions of trusted issuers as grants (RFC 7523).

use chrono::Duration;
use serde_json::{Value, json};
use yaopai::crypto::{SigningKey, jwt};
use yaopai::model::{Algorithm, Status};

use super::{Client, EXPENSE, OA, Scene, claims, signed_in};
use crate::both;
use crate::harness::{App, Kind, person, save};

const GRANT: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";

async fn start(kind: Kind, key: &SigningKey) -> Scene {
    let jwks = json!({ "keys": [key.public_jwk()] });
    let config = format!(
        r#"
[[application]]
id = "oa"
secret = {{ value = "a-secret-of-the-oa" }}
redirect_uris = ["https://oa.example/cb"]
grant_types = ["authorization_code", "urn:ietf:params:oauth:grant-type:jwt-bearer"]
scopes = ["openid", "profile", "offline_access", "expense:read", "expense:write"]

[[application]]
id = "expense"
auth_method = "client_secret_post"
secret = {{ value = "a-secret-of-expense" }}
redirect_uris = ["https://expense.example/cb"]
grant_types = ["authorization_code", "urn:ietf:params:oauth:grant-type:jwt-bearer"]

[[application]]
id = "ledger"
secret = {{ value = "a-secret-of-the-ledger" }}
grant_types = ["urn:ietf:params:oauth:grant-type:jwt-bearer"]
scopes = ["expense:read"]

[[application]]
id = "report"
secret = {{ value = "a-secret-of-the-report" }}
grant_types = ["client_credentials"]
scopes = ["expense:read"]

[[trusted_issuer]]
issuer = "https://partner.example"
jwks = {}
applications = ["oa"]

[[trusted_issuer]]
issuer = "https://workloads.example"
jwks = {}
subject = "application"
subjects = {{ "system:serviceaccount:report" = "report" }}
applications = ["ledger"]
"#,
        toml_of(&jwks),
        toml_of(&jwks)
    );
    let app = App::with_config(kind, &config).await;
    let user = person(&app.broker, "wang.fang", &["employee"]).await;
    let (session, browser) = signed_in(&app, &user).await;
    Scene { app, user, session, browser }
}

/// The set as text: it reads the same.
fn toml_of(jwks: &Value) -> String {
    format!("'{jwks}'")
}

impl Scene {
    fn assertion(&self, key: &SigningKey, changes: &Value) -> String {
        let now = self.app.clock().now().timestamp();
        let id: String = self.app.broker.rng.token();
        let mut claims = json!({ "iss": "https://partner.example", "sub": "Wang.Fang", "aud": self.app.url,
                                 "iat": now, "exp": now + 120, "jti": id });
        claims.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
        claims.as_object_mut().unwrap().retain(|_, value| !value.is_null());
        jwt::sign(key, "JWT", &claims).unwrap()
    }

    async fn present(&self, client: Client, assertion: &str, scope: &str) -> (u16, Value) {
        let form = [("grant_type", GRANT), ("assertion", assertion), ("scope", scope)];
        self.post(client, "/oauth2/token", &form).await
    }
}

both!(
    /// OAUTH-066, OAUTH-067, OAUTH-062
    a_trusted_issuer_vouches_for_a_person,
    |kind| async move {
        let key = SigningKey::generate(Algorithm::Es256).unwrap().0;
        let scene = start(kind, &key).await;
        let assertion = scene.assertion(&key, &json!({}));
        let (status, body) = scene.present(OA, &assertion, "openid expense:read offline_access").await;
        assert_eq!(status, 200, "{body}");
        assert_eq!((&body["scope"], body.get("refresh_token")), (&"openid expense:read".into(), None));
        let token = claims(&body["access_token"]);
        assert_eq!((&token["sub"], &token["client_id"]), (&scene.user.id.to_string().into(), &"oa".into()));
        assert_eq!(scene.userinfo(&body).await.0, 200);
        let again = scene.present(OA, &assertion, "openid").await;
        assert_eq!((again.0, &again.1["error"]), (400, &"invalid_grant".into()), "an assertion counts once");
        let one = scene.assertion(&key, &json!({}));
        let present = || scene.present(OA, &one, "openid");
        let answers: [_; 4] = tokio::join!(present(), present(), present(), present()).into();
        assert_eq!(answers.iter().filter(|(status, _)| *status == 200).count(), 1);
        let mut user = scene.user.clone();
        user.status = Status::Disabled;
        save(&scene.app.broker, &user).await;
        let (status, body) = scene.present(OA, &scene.assertion(&key, &json!({})), "openid").await;
        assert_eq!((status, &body["error"]), (400, &"invalid_grant".into()));
    }
);

both!(
    /// OAUTH-066, OAUTH-068, OAUTH-069, OAUTH-113
    nobody_else_is_believed,
    |kind| async move {
        let key = SigningKey::generate(Algorithm::Es256).unwrap().0;
        let scene = start(kind, &key).await;
        let other = SigningKey::generate(Algorithm::Es256).unwrap().0;
        let now = scene.app.clock().now().timestamp();
        let invalid = |answer: (u16, Value), what: &str| {
            assert_eq!((answer.0, &answer.1["error"]), (400, &"invalid_grant".into()), "{what}: {}", answer.1);
        };
        for changes in [
            json!({ "iss": "https://evil.example" }),
            json!({ "iss": "https://workloads.example" }),
            json!({ "aud": "https://other.example" }),
            json!({ "aud": [scene.app.url, "https://other.example"] }),
            json!({ "aud": null }),
            json!({ "exp": null }),
            json!({ "exp": now - 31 }),
            json!({ "exp": now + 3_600 }),
            json!({ "exp": "soon" }),
            json!({ "nbf": now + 60 }),
            json!({ "iat": now + 60 }),
            json!({ "jti": null }),
            json!({ "sub": null }),
            json!({ "sub": "nobody.here" }),
        ] {
            invalid(scene.present(OA, &scene.assertion(&key, &changes), "openid").await, &changes.to_string());
        }
        invalid(scene.present(OA, &scene.assertion(&other, &json!({})), "openid").await, "another key");
        invalid(scene.present(OA, "eyJhbGciOiJub25lIn0.e30.", "openid").await, "none");
        invalid(scene.present(EXPENSE, &scene.assertion(&key, &json!({})), "openid").await, "another application");
        invalid(scene.present(OA, &scene.assertion(&key, &json!({})), "expense:write").await, "policy");
        let guest = person(&scene.app.broker, "guest", &[]).await;
        invalid(scene.present(OA, &scene.assertion(&key, &json!({ "sub": guest.login })), "openid").await, "no role");
        let (status, body) = scene.post(OA, "/oauth2/token", &[("grant_type", GRANT)]).await;
        assert_eq!((status, &body["error"]), (400, &"invalid_request".into()));
    }
);

both!(
    /// OAUTH-048, OAUTH-118
    a_workload_speaks_as_the_application_it_is,
    |kind| async move {
        let key = SigningKey::generate(Algorithm::Es256).unwrap().0;
        let scene = start(kind, &key).await;
        let ledger = Client { id: "ledger", secret: Some("a-secret-of-the-ledger"), redirect_uri: "" };
        let who = json!({ "iss": "https://workloads.example", "sub": "system:serviceaccount:report" });
        let (status, body) = scene.present(ledger, &scene.assertion(&key, &who), "expense:read").await;
        assert_eq!(status, 200, "{body}");
        assert_eq!(claims(&body["access_token"])["sub"], "app:report");
        let unknown = json!({ "iss": "https://workloads.example", "sub": "system:serviceaccount:other" });
        assert_eq!(scene.present(ledger, &scene.assertion(&key, &unknown), "expense:read").await.0, 400);
        let token = body["access_token"].as_str().unwrap();
        let form = [("token", token)];
        let introspect = || scene.post(ledger, "/oauth2/introspect", &form);
        assert_eq!(introspect().await.1["active"], true);
        let mut tx = scene.app.broker.db.write().await.unwrap();
        let mut report = tx.applications().find("report").await.unwrap().unwrap();
        report.enabled = false;
        tx.applications().update(&report).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(introspect().await.1, json!({ "active": false }));
        scene.app.clock().advance(Duration::seconds(1));
        assert_eq!(scene.present(ledger, &scene.assertion(&key, &who), "expense:read").await.0, 400);
    }
);
