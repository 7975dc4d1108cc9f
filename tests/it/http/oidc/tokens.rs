//! Form and life of tokens, application by application.

use chrono::Duration;
use serde_json::{Value, json};

use super::{Client, Scene, claims, signed_in};
use crate::both;
use crate::harness::{App, Kind, person};
use jsonwebtoken::jwk::JwkSet;

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

/// The claims of a JWT, once a published key verified it; `kind` is its `typ`.
async fn verified(scene: &Scene, token: &str, kind: &str) -> Value {
    let keys: JwkSet =
        scene.app.browser().get(scene.app.at("/oauth2/jwks")).send().await.unwrap().json().await.unwrap();
    let header = jsonwebtoken::decode_header(token).unwrap();
    assert_eq!(header.typ.as_deref(), Some(kind));
    let key = jsonwebtoken::DecodingKey::from_jwk(keys.find(&header.kid.unwrap()).unwrap()).unwrap();
    let mut rules = jsonwebtoken::Validation::new(header.alg);
    rules.validate_exp = false;
    rules.validate_aud = false;
    rules.required_spec_claims.clear();
    jsonwebtoken::decode::<Value>(token, &key, &rules).unwrap().claims
}

both!(
    /// OIDC-065, OIDC-027: signed with the registered algorithm, named for issuer and application, no nonce; the
    /// neighbour gets JSON. Such an answer is no ID token and no access token.
    userinfo_is_signed_where_an_application_wants_it,
    |kind| async move {
        let scene = scene(kind).await;
        for (client, media) in [(OA, "application/jwt"), (PLAIN, "application/json")] {
            let tokens = scene.tokens(client, "openid profile").await;
            let token = tokens["access_token"].as_str().unwrap();
            let answer = scene.app.browser().get(scene.app.at("/oauth2/userinfo")).bearer_auth(token).send().await;
            let answer = answer.unwrap();
            assert_eq!((answer.status().as_u16(), answer.headers()["content-type"].to_str().unwrap()), (200, media));
            if client.id != OA.id {
                continue;
            }
            let text = answer.text().await.unwrap();
            assert_eq!(header(&json!(text)).alg, jsonwebtoken::Algorithm::PS256);
            let told = verified(&scene, &text, "JWT").await;
            assert_eq!(
                (&told["iss"], &told["aud"], &told["sub"]),
                (&json!(scene.app.url), &json!("oa"), &claims(&tokens["id_token"])["sub"])
            );
            assert!(told["nonce"].is_null() && told["preferred_username"] == "wang.fang", "{told}");
            assert_eq!(userinfo(&scene, &text).await, 401, "it is no access token");
            let hint = [("id_token_hint", text.as_str()), ("prompt", "none")];
            assert!(scene.authorize(OA, &hint).await.location().contains("error=login_required"), "nor an ID token");
        }
    }
);

both!(
    /// OAUTH-137: `typ`, `aud` of the one who asks, the answer inside; a dead token is answered in the same form.
    introspection_is_signed_for_who_asks_so,
    |kind| async move {
        let scene = scene(kind).await;
        let tokens = scene.tokens(OA, "openid").await;
        for (token, is_good) in [(tokens["access_token"].as_str().unwrap(), true), ("yat_unknown", false)] {
            let request = scene.app.browser().post(scene.app.at("/oauth2/introspect"));
            let request = request.basic_auth(OA.id, OA.secret).form(&[("token", token)]);
            let answer = request.header("accept", "application/token-introspection+jwt").send().await.unwrap();
            assert_eq!(answer.headers()["content-type"], "application/token-introspection+jwt");
            let text = answer.text().await.unwrap();
            assert_eq!(header(&json!(text)).alg, jsonwebtoken::Algorithm::ES384);
            let told = verified(&scene, &text, "token-introspection+jwt").await;
            assert_eq!((&told["iss"], &told["aud"]), (&json!(scene.app.url), &json!("oa")));
            assert!(told["iat"].is_i64() && told["sub"].is_null() && told["exp"].is_null(), "{told}");
            assert_eq!(told["token_introspection"]["active"], is_good);
            assert_eq!(told["token_introspection"].as_object().unwrap().len() > 1, is_good);
            assert_eq!(introspect(&scene, OA, &text).await, json!({ "active": false }), "it is no access token");
        }
        let request = scene.app.browser().post(scene.app.at("/oauth2/introspect")).form(&[("token", "x")]);
        let refused = request.header("accept", "application/token-introspection+jwt").send().await.unwrap();
        assert_eq!(refused.status(), 401);
    }
);

/// Runs npm `jose`: `input` goes to its standard input.
async fn jose(what: &str, input: &Value) -> Value {
    use tokio::io::AsyncWriteExt as _;
    let here = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/e2e/clients");
    assert!(here.join("node_modules/jose").exists(), "the npm clients are not installed: run `make setup`");
    let mut node = tokio::process::Command::new("node");
    let node = node.args(["jwe.mjs", what]).current_dir(here);
    let pipe = std::process::Stdio::piped;
    let mut node = node.stdin(pipe()).stdout(pipe()).stderr(pipe()).kill_on_drop(true).spawn().unwrap();
    node.stdin.take().unwrap().write_all(input.to_string().as_bytes()).await.unwrap();
    let output = node.wait_with_output().await.unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

both!(
    /// ID token and `UserInfo` encrypted to an application, read by npm `jose`: each way the key travels, each content
    /// encryption. Without a fitting key nothing is given out.
    what_is_encrypted_a_foreign_library_reads,
    |kind| async move {
        let pairs = jose("keys", &Value::Null).await;
        let ways =
            [("rsa", "RSA-OAEP-256", "A256GCM"), ("p256", "ECDH-ES", "A128CBC-HS256"), ("p384", "ECDH-ES+A256KW", "A256GCM")];
        let config: Vec<String> = ways
            .iter()
            .map(|(name, alg, enc)| {
                let keys = json!({ "keys": [pairs[name]["public"]] });
                format!(
                    "[[application]]\nid = \"{name}\"\nsecret = {{ value = \"a-secret-of-the-oa\" }}\n\
                     redirect_uris = [\"https://oa.example/cb\"]\n[application.proof]\njwks = '{keys}'\n\
                     [application.tokens]\nid_token_encrypted_response_alg = \"{alg}\"\n\
                     id_token_encrypted_response_enc = \"{enc}\"\nuserinfo_encrypted_response_alg = \"{alg}\"\n\
                     userinfo_encrypted_response_enc = \"{enc}\"\nuserinfo_signed_response_alg = \"EdDSA\"\n"
                )
            })
            .collect();
        let app = App::with_config(kind, &config.concat()).await;
        let user = person(&app.broker, "wang.fang", &["employee"]).await;
        let (session, browser) = signed_in(&app, &user).await;
        let scene = Scene { app, user, session, browser };
        for (name, alg, enc) in ways {
            let client = Client { id: name, ..OA };
            let tokens = scene.tokens(client, "openid profile").await;
            let token = tokens["access_token"].as_str().unwrap();
            let told = scene.app.browser().get(scene.app.at("/oauth2/userinfo")).bearer_auth(token).send().await.unwrap();
            assert_eq!(told.headers()["content-type"], "application/jwt");
            for jwe in [tokens["id_token"].as_str().unwrap().to_owned(), told.text().await.unwrap()] {
                assert_eq!(jwe.split('.').count(), 5);
                let ask = json!({ "token": jwe, "key": pairs[name]["private"], "alg": alg, "enc": enc });
                let opened = jose("open", &ask).await;
                assert_eq!(opened["header"]["cty"], "JWT");
                let claims = verified(&scene, opened["plain"].as_str().unwrap(), "JWT").await;
                assert_eq!((&claims["aud"], &claims["sub"]), (&json!(name), &json!(scene.user.id.to_string())));
            }
        }
    }
);
