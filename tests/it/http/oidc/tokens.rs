//! Form and life of tokens, application by application.

use chrono::Duration;
use serde_json::{Value, json};

use super::{Client, Scene, claims, signed_in};
use crate::both;
use crate::harness::{App, Kind, person};

/// Applications that want their tokens otherwise.
const CONFIG: &str = r#"
[[application]]
id = "oa"
secret = { value = "a-secret-of-the-oa" }
redirect_uris = ["https://oa.example/cb"]
grant_types = ["authorization_code", "refresh_token", "client_credentials"]
scopes = ["openid", "profile", "offline_access", "roles", "expense:read"]
[application.tokens]
format = "opaque"
access_token_lifetime = "2m"
id_token_lifetime = "3m"
code_lifetime = "10s"
refresh_idle = "1h"
refresh_absolute = "2h"
id_token_signed_response_alg = "RS256"
userinfo_signed_response_alg = "PS256"
introspection_signed_response_alg = "ES384"

[[application]]
id = "plain"
secret = { value = "a-secret-of-plain" }
redirect_uris = ["https://plain.example/cb"]
audience = ["https://plain.example/api"]
"#;
const OA: Client = Client { id: "oa", secret: Some("a-secret-of-the-oa"), redirect_uri: "https://oa.example/cb" };
const PLAIN: Client =
    Client { id: "plain", secret: Some("a-secret-of-plain"), redirect_uri: "https://plain.example/cb" };

async fn scene(kind: Kind) -> Scene {
    let app = App::with_config(kind, CONFIG).await;
    let user = person(&app.broker, "wang.fang", &["employee"]).await;
    let (session, browser) = signed_in(&app, &user).await;
    Scene { app, user, session, browser }
}

async fn introspect(scene: &Scene, client: Client, token: &str) -> Value {
    let (status, body) = scene.post(client, "/oauth2/introspect", &[("token", token)]).await;
    assert_eq!(status, 200, "{body}");
    body
}

async fn userinfo(scene: &Scene, token: &str) -> u16 {
    scene.userinfo(&json!({ "access_token": token })).await.0
}

fn header(token: &Value) -> jsonwebtoken::Header {
    jsonwebtoken::decode_header(token.as_str().unwrap()).unwrap()
}

both!(
    /// OAUTH-053, OAUTH-054: of one shape, stored hashed, good at introspection and `UserInfo`, dead when cut, changed,
    /// revoked or expired.
    an_opaque_token_is_a_word_that_only_the_broker_reads,
    |kind| async move {
        let scene = scene(kind).await;
        let tokens = scene.tokens(OA, "openid profile roles").await;
        let token = tokens["access_token"].as_str().unwrap();
        assert!(token.len() == 47 && token.starts_with("yat_") && !token.contains('.'), "{token}");
        let seen = introspect(&scene, OA, token).await;
        assert_eq!(
            (&seen["active"], &seen["sub"], &seen["client_id"]),
            (&json!(true), &json!(scene.user.id.to_string()), &json!("oa"))
        );
        assert_eq!(introspect(&scene, PLAIN, token).await, json!({ "active": false }), "it is not meant for that one");
        assert_eq!(userinfo(&scene, token).await, 200);
        for at in 0..token.len() {
            let mut changed = token.as_bytes().to_vec();
            changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
            let changed = String::from_utf8(changed).unwrap();
            for bad in [&token[..at], changed.as_str()] {
                if !bad.is_empty() {
                    assert_eq!(introspect(&scene, OA, bad).await, json!({ "active": false }), "{bad}");
                }
            }
            if at % 8 == 0 {
                assert_eq!(userinfo(&scene, &changed).await, 401);
            }
        }
        let mut tx = scene.app.broker.db.read().await.unwrap();
        let rows: Vec<(String,)> = tx.all("SELECT token_hash FROM access_tokens", &[]).await.unwrap();
        assert!(rows.len() == 1 && !rows[0].0.contains(&token[4..20]));
        drop(tx);
        // Revoked by itself.
        let own = scene.post(OA, "/oauth2/token", &[("grant_type", "client_credentials")]).await.1;
        let own = own["access_token"].as_str().unwrap();
        assert_eq!(introspect(&scene, OA, own).await["sub"], "app:oa");
        assert_eq!(scene.post(PLAIN, "/oauth2/revoke", &[("token", own)]).await.0, 400, "another application's");
        assert_eq!(introspect(&scene, OA, own).await["active"], true);
        assert_eq!(scene.post(OA, "/oauth2/revoke", &[("token", own)]).await.0, 200);
        assert_eq!(introspect(&scene, OA, own).await, json!({ "active": false }));
        // With its grant.
        let refresh = tokens["refresh_token"].as_str().unwrap();
        assert_eq!(scene.post(OA, "/oauth2/revoke", &[("token", refresh)]).await.0, 200);
        assert_eq!(userinfo(&scene, token).await, 401);
        // By time; then its row goes.
        let tokens = scene.tokens(OA, "openid").await;
        let token = tokens["access_token"].as_str().unwrap();
        scene.app.clock().advance(Duration::seconds(121));
        assert_eq!(introspect(&scene, OA, token).await, json!({ "active": false }));
        scene.app.clock().advance(Duration::days(2));
        yaopai::oidc::purge(&scene.app.broker).await.unwrap();
        let mut tx = scene.app.broker.db.read().await.unwrap();
        let rows: Vec<(String,)> = tx.all("SELECT token_hash FROM access_tokens", &[]).await.unwrap();
        assert!(rows.is_empty());
    }
);

both!(
    /// OAUTH-030, OAUTH-061, OIDC-064: each application's own lives and algorithms; its neighbour keeps the general ones.
    lives_and_algorithms_are_the_applications_own,
    |kind| async move {
        let scene = scene(kind).await;
        let tokens = scene.tokens(OA, "openid offline_access").await;
        assert_eq!(tokens["expires_in"], 120);
        let id = claims(&tokens["id_token"]);
        assert_eq!(id["exp"].as_i64().unwrap() - id["iat"].as_i64().unwrap(), 180);
        let head = header(&tokens["id_token"]);
        assert!(head.alg == jsonwebtoken::Algorithm::RS256 && head.kid.is_some());
        let plain = scene.tokens(PLAIN, "openid").await;
        assert_eq!(plain["expires_in"], 600);
        assert_eq!(header(&plain["id_token"]).alg, jsonwebtoken::Algorithm::ES256);
        let code = scene.code(OA, &[]).await;
        let other = scene.code(PLAIN, &[]).await;
        scene.app.clock().advance(Duration::seconds(11));
        assert_eq!(scene.redeem(OA, &code).await.1["error"], "invalid_grant");
        assert_eq!(scene.redeem(PLAIN, &other).await.0, 200);
        // Idle, then absolute.
        let idle = scene.tokens(OA, "openid offline_access").await;
        let mut refresh = tokens["refresh_token"].clone();
        for _ in 0..2 {
            scene.app.clock().advance(Duration::minutes(58));
            let (status, body) = scene.refresh(OA, refresh.as_str().unwrap()).await;
            assert_eq!(status, 200, "{body}");
            refresh = body["refresh_token"].clone();
        }
        let idle = scene.refresh(OA, idle["refresh_token"].as_str().unwrap()).await.1;
        assert_eq!(idle["error"], "invalid_grant", "two hours are not over, but it lay idle for one");
        scene.app.clock().advance(Duration::minutes(5));
        assert_eq!(scene.refresh(OA, refresh.as_str().unwrap()).await.1["error"], "invalid_grant", "past its end");
    }
);
