//! CIBA: an application asks for a person, who approves on a page of ours.

use std::collections::VecDeque;
use std::path::Path;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use chrono::Duration;
use serde_json::{Value, json};
use yaopai::crypto::{SigningKey, jwt};
use yaopai::model::Algorithm;

use super::backchannel::deliver;
use super::{Client, OA, Scene, claims, signed_in};
use crate::both;
use crate::harness::https::Https;
use crate::harness::{App, Browser, Kind, Page, person};

const PASSWORD: &str = "urn:yaopai:acr:password";
const GRANT: &str = "urn:openid:params:grant-type:ciba";
const DESK: Client = Client { id: "desk", secret: Some("a-secret-of-the-desk"), redirect_uri: "" };
const BANK: Client = Client { id: "bank", secret: Some("a-secret-of-the-bank"), redirect_uri: "" };

fn config(more: &str) -> String {
    format!(
        r#"
[[application]]
id = "desk"
name = "服务台 <Desk>"
secret = {{ value = "a-secret-of-the-desk" }}
grant_types = ["urn:openid:params:grant-type:ciba", "refresh_token"]
scopes = ["openid", "profile", "ticket:read"]

[[application]]
id = "oa"
secret = {{ value = "a-secret-of-the-oa" }}
redirect_uris = ["https://oa.example/cb"]

[[application]]
id = "hr-files"
secret = {{ value = "a-secret-of-hr-files" }}
grant_types = ["urn:openid:params:grant-type:ciba"]

[[application]]
id = "bank"
secret = {{ value = "a-secret-of-the-bank" }}
grant_types = ["urn:openid:params:grant-type:ciba"]
{more}"#
    )
}

async fn start(kind: Kind, more: &str) -> Scene {
    let app = App::with_config(kind, &config(more)).await;
    let user = person(&app.broker, "wang.fang", &["employee"]).await;
    let (session, browser) = signed_in(&app, &user).await;
    Scene { app, user, session, browser }
}

impl Scene {
    async fn ask(&self, client: Client, changes: &[(&str, &str)]) -> (u16, Value) {
        let mut form = vec![("scope", "openid profile"), ("login_hint", "Wang.Fang")];
        for (name, value) in changes {
            form.retain(|(known, _)| known != name);
            form.push((name, value));
        }
        form.retain(|(_, value)| !value.is_empty());
        self.post(client, "/oauth2/bc-authorize", &form).await
    }

    async fn asked(&self, client: Client, changes: &[(&str, &str)]) -> Value {
        let (status, body) = self.ask(client, changes).await;
        assert_eq!(status, 200, "{body}");
        body
    }

    async fn fetch(&self, client: Client, asked: &Value) -> (u16, Value) {
        let id = asked["auth_req_id"].as_str().unwrap();
        self.post(client, "/oauth2/token", &[("grant_type", GRANT), ("auth_req_id", id)]).await
    }

    async fn answer(&self, browser: &Browser, decision: &str) -> Page {
        let page = browser.get("/requests").await;
        browser.post(&page.form("/requests").with("decision", decision)).await
    }
}

both!(
    /// OAUTH-104, OAUTH-105, OAUTH-047, WEB-001
    a_person_approves_what_an_application_asks,
    |kind| async move {
        let scene = start(kind, "").await;
        let asked = scene.asked(DESK, &[("binding_message", "工单 4711"), ("scope", "openid ticket:read admin")]).await;
        assert!(asked["auth_req_id"].as_str().unwrap().len() >= 43);
        assert_eq!((&asked["expires_in"], &asked["interval"]), (&json!(300), &json!(5)));
        assert_eq!(scene.fetch(DESK, &asked).await.1["error"], "authorization_pending");
        assert_eq!(scene.fetch(DESK, &asked).await.1["error"], "slow_down");
        let (status, body) = scene.fetch(BANK, &asked).await;
        assert_eq!((status, &body["error"]), (400, &"invalid_grant".into()));

        let portal = scene.browser.get("/").await;
        assert_eq!(portal.texts(".notice strong"), ["An application asks you to sign in."]);
        let page = scene.browser.get("/requests").await;
        assert!(page.text.contains("服务台 &lt;Desk&gt;") && page.text.contains("工单 4711"), "{}", page.text);
        assert_eq!(page.texts(".permissions li").len(), 2);
        // Neither a stranger nor somebody else decides.
        let other = person(&scene.app.broker, "li.na", &["employee"]).await;
        let (_, other) = signed_in(&scene.app, &other).await;
        assert_eq!(other.get("/requests").await.texts(".card.empty").len(), 1);
        let csrf = other.get("/requests").await.form("/logout").fields["csrf"].clone();
        let mut form = page.form("/requests").with("decision", "approve");
        assert_eq!(other.post(&form).await.status, 403);
        form = form.with("csrf", &csrf);
        assert_eq!(other.post(&form).await.status, 404, "as if it were not there");
        assert_eq!(Browser::new(&scene.app.url).get("/requests").await.location(), "/login?return_to=%2Frequests");

        assert_eq!(scene.answer(&scene.browser, "approve").await.location(), "/requests");
        assert_eq!(scene.browser.get("/requests").await.texts(".card.empty").len(), 1);
        let fetch = || scene.fetch(DESK, &asked);
        let answers: [_; 4] = tokio::join!(fetch(), fetch(), fetch(), fetch()).into();
        assert_eq!(answers.iter().filter(|(status, _)| *status == 200).count(), 1);
        let (_, body) = answers.iter().find(|(status, _)| *status == 200).unwrap();
        assert_eq!(body["scope"], "openid ticket:read");
        assert_eq!(claims(&body["id_token"])["sub"], scene.user.id.to_string());
        assert_eq!(scene.userinfo(body).await.0, 200);
        assert_eq!(scene.refresh(DESK, body["refresh_token"].as_str().unwrap()).await.0, 200);

        let asked = scene.asked(DESK, &[]).await;
        scene.answer(&scene.browser, "refuse").await;
        assert_eq!(scene.fetch(DESK, &asked).await.1["error"], "access_denied");
        let asked = scene.asked(DESK, &[("requested_expiry", "45")]).await;
        assert_eq!(asked["expires_in"], 45);
        scene.app.clock().advance(Duration::seconds(46));
        assert_eq!(scene.fetch(DESK, &asked).await.1["error"], "expired_token");
        assert_eq!(scene.browser.get("/requests").await.texts(".card.empty").len(), 1);
    }
);

both!(
    /// WEB-020, WEB-039, OAUTH-053
    requests_are_judged_before_anybody_is_asked,
    |kind| async move {
        let scene = start(kind, "").await;
        let error = |answer: (u16, Value)| {
            assert_eq!(answer.0, 400, "{}", answer.1);
            answer.1["error"].as_str().unwrap().to_owned()
        };
        let long = "x".repeat(65);
        for (changes, why) in [
            (vec![("login_hint", "")], "invalid_request"),
            (vec![("id_token_hint", "x")], "invalid_request"),
            (vec![("login_hint", "nobody.here")], "unknown_user_id"),
            (vec![("scope", "profile")], "invalid_request"),
            (vec![("scope", "")], "invalid_scope"),
            (vec![("request", "a.b.c")], "invalid_request"),
            (vec![("requested_expiry", "0")], "invalid_request"),
            (vec![("requested_expiry", "soon")], "invalid_request"),
            (vec![("binding_message", long.as_str())], "invalid_binding_message"),
            (vec![("binding_message", "a\u{202e}b")], "invalid_binding_message"),
            (vec![("login_hint", ""), ("id_token_hint", "a.b.c")], "unknown_user_id"),
            (vec![("login_hint", ""), ("login_hint_token", "a.b.c")], "invalid_request"),
        ] {
            assert_eq!(error(scene.ask(DESK, &changes).await), why, "{changes:?}");
        }
        assert_eq!(error(scene.ask(OA, &[]).await), "unauthorized_client");
        let hr = Client { id: "hr-files", secret: Some("a-secret-of-hr-files"), redirect_uri: "" };
        assert_eq!(error(scene.ask(hr, &[]).await), "unknown_user_id", "whom policy keeps out is as unknown as nobody");
        // An ID token of another application names nobody.
        let tokens = scene.tokens(OA, "openid").await;
        let hint = tokens["id_token"].as_str().unwrap();
        assert_eq!(error(scene.ask(DESK, &[("login_hint", ""), ("id_token_hint", hint)]).await), "unknown_user_id");
        let asked = scene.asked(DESK, &[]).await;
        scene.answer(&scene.browser, "approve").await;
        let (_, tokens) = scene.fetch(DESK, &asked).await;
        let hint = tokens["id_token"].as_str().unwrap();
        let asked = scene.asked(DESK, &[("login_hint", ""), ("id_token_hint", hint)]).await;
        let mut tx = scene.app.broker.db.read().await.unwrap();
        let stored: Vec<(String, String)> = tx.all("SELECT secret_hash, CAST(details AS TEXT) FROM decoupled_requests", &[]).await.unwrap();
        let id = asked["auth_req_id"].as_str().unwrap();
        assert!(stored.iter().all(|(hash, details)| !hash.contains(id) && !details.contains(id)));
        drop(tx);
        for _ in 0..4 {
            scene.asked(DESK, &[]).await;
        }
        assert_eq!(error(scene.ask(DESK, &[]).await), "slow_down", "nobody is asked until they give in");
        assert_eq!(scene.ask(BANK, &[]).await.0, 200, "another application is not held up");
    }
);

/// An application that is told of decisions: what it was sent, and what it answers.
#[derive(Clone, Default)]
struct Told {
    calls: Arc<Mutex<Vec<(String, Value)>>>,
    answers: Arc<Mutex<VecDeque<u16>>>,
}

const TOLD_TOKEN: (&str, &str) = ("client_notification_token", "8d67dc78-7faa-4d41-aabd-67707b374255");

impl Told {
    /// Listens, and gives the settings of `bank` that lead there, signed with `key` where it signs.
    async fn open(&self, key: &SigningKey, folder: &Path) -> (Https, String) {
        let told = self.clone();
        let take = async move |headers: HeaderMap, body: String| {
            let authorization = headers["authorization"].to_str().unwrap().to_owned();
            told.calls.lock().unwrap().push((authorization, serde_json::from_str(&body).unwrap()));
            StatusCode::from_u16(told.answers.lock().unwrap().pop_front().unwrap_or(204)).unwrap()
        };
        let server = Https::start(Router::new().route("/told", post(take))).await;
        let jwks = json!({ "keys": [key.public_jwk()] }).to_string();
        let more = format!(
            "grants = {{ backchannel_mode = \"ping\", backchannel_notification_endpoint = \"{}/told\" }}\n\
             proof = {{ jwks = '{jwks}' }}\n{}",
            server.url,
            server.outgoing(folder)
        );
        (server, more)
    }

    /// What it was sent, once there were `count` calls.
    async fn heard(&self, count: usize) -> Vec<(String, Value)> {
        for _ in 0..400 {
            if self.calls.lock().unwrap().len() >= count {
                break;
            }
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
        let calls = self.calls.lock().unwrap().clone();
        assert_eq!(calls.len(), count);
        calls
    }
}

/// Waits until a failure is written down: what is being tried is due only when its node's time is over.
async fn put_back(scene: &Scene) {
    for _ in 0..400 {
        let soon = scene.app.broker.clock.now() + Duration::seconds(25);
        let mut tx = scene.app.broker.db.read().await.unwrap();
        let sql = "SELECT COUNT(*) FROM decoupled_requests WHERE ping_due_at <= $1";
        if tx.one::<(i64,)>(sql, &[&soon]).await.unwrap().0 == 1 {
            return;
        }
        drop(tx);
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    panic!("no failure was written down");
}

async fn due(scene: &Scene) -> i64 {
    let mut tx = scene.app.broker.db.read().await.unwrap();
    let sql = "SELECT COUNT(*) FROM decoupled_requests WHERE ping_due_at IS NOT NULL";
    tx.one::<(i64,)>(sql, &[]).await.unwrap().0
}

both!(
    /// OAUTH-105: what an application is to be told outlives the node that was told by the person; a dead application is
    /// tried again, and one that has its tokens, or whose time is over, is left in peace.
    a_ping_is_queued_with_the_decision,
    |kind| async move {
        let told = Told::default();
        let folder = tempfile::tempdir().unwrap();
        let (_server, more) = told.open(&SigningKey::generate(Algorithm::Es256).unwrap().0, folder.path()).await;
        let scene = start(kind, &more).await;
        let asked = scene.asked(BANK, &[TOLD_TOKEN]).await;
        scene.answer(&scene.browser, "approve").await;
        assert_eq!(due(&scene).await, 1, "nobody delivers yet");
        // A node takes it and dies: the next one delivers, once the first one's time is over.
        let now = scene.app.broker.clock.now();
        let mut tx = scene.app.broker.db.write().await.unwrap();
        let taken = tx.decoupled().take_pings("bank", now, now + Duration::seconds(30), 4).await.unwrap();
        assert_eq!((taken.len(), taken[0].1), (1, 1));
        assert!(tx.decoupled().take_pings("bank", now, now + Duration::seconds(30), 4).await.unwrap().is_empty());
        tx.commit().await.unwrap();
        let stop = deliver(&scene.app).await;
        told.answers.lock().unwrap().extend([503, 302]);
        assert!(told.calls.lock().unwrap().is_empty());
        for (seconds, calls) in [(31, 1), (6, 2), (16, 3)] {
            if calls > 1 {
                put_back(&scene).await;
            }
            scene.app.clock().advance(Duration::seconds(seconds));
            let heard = told.heard(calls).await;
            assert_eq!(heard[calls - 1].1, json!({ "auth_req_id": asked["auth_req_id"] }));
        }
        for _ in 0..100 {
            if due(&scene).await == 0 {
                break;
            }
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
        assert_eq!(due(&scene).await, 0, "it was taken");
        stop.cancel();
        assert_eq!(scene.fetch(BANK, &asked).await.0, 200);
        // Refusals are told too; whoever has the tokens is told nothing.
        let refused = scene.asked(BANK, &[TOLD_TOKEN]).await;
        scene.answer(&scene.browser, "refuse").await;
        assert_eq!(due(&scene).await, 1);
        let asked = scene.asked(BANK, &[TOLD_TOKEN]).await;
        scene.answer(&scene.browser, "approve").await;
        assert_eq!((due(&scene).await, scene.fetch(BANK, &asked).await.0, due(&scene).await), (2, 200, 1));
        let stop = deliver(&scene.app).await;
        assert_eq!(told.heard(4).await[3].1, json!({ "auth_req_id": refused["auth_req_id"] }));
        stop.cancel();
        // An application that polls is told nothing.
        scene.asked(DESK, &[]).await;
        scene.answer(&scene.browser, "approve").await;
        assert_eq!(due(&scene).await, 0);
    }
);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_application_is_told_and_names_people_by_its_own_tokens() {
    let told = Told::default();
    let folder = tempfile::tempdir().unwrap();
    let key = SigningKey::generate(Algorithm::Es256).unwrap().0;
    let (_server, more) = told.open(&key, folder.path()).await;
    let scene = start(Kind::Sqlite, &more).await;
    let stop = deliver(&scene.app).await;
    let (status, body) = scene.ask(BANK, &[]).await;
    assert_eq!((status, &body["error"]), (400, &"invalid_request".into()), "a ping needs its token");
    let ping = TOLD_TOKEN;
    let asked = scene.asked(BANK, &[ping]).await;
    scene.answer(&scene.browser, "approve").await;
    let heard = told.heard(1).await;
    stop.cancel();
    assert_eq!(heard[0].0, format!("Bearer {}", ping.1));
    assert_eq!(heard[0].1, json!({ "auth_req_id": asked["auth_req_id"] }), "and nothing else");
    assert_eq!(scene.fetch(BANK, &asked).await.0, 200);

    let now = scene.app.clock().now().timestamp();
    let good = json!({ "iss": "bank", "aud": scene.app.url, "exp": now + 60, "login_hint": "wang.fang" });
    let hint = |changes: Value| {
        let mut claims = good.clone();
        claims.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
        jwt::sign(&key, "JWT", &claims).unwrap()
    };
    let ask = async |token: &str| scene.ask(BANK, &[ping, ("login_hint", ""), ("login_hint_token", token)]).await;
    assert_eq!(ask(&hint(json!({}))).await.0, 200);
    for (changes, why) in [
        (json!({ "exp": now - 1 }), "expired_login_hint_token"),
        (json!({ "exp": null }), "invalid_request"),
        (json!({ "iss": "desk" }), "invalid_request"),
        (json!({ "aud": "https://other.example" }), "invalid_request"),
        (json!({ "login_hint": "nobody.here" }), "unknown_user_id"),
    ] {
        assert_eq!(ask(&hint(changes.clone())).await.1["error"], why, "{changes}");
    }
    let foreign = jwt::sign(&SigningKey::generate(Algorithm::Es256).unwrap().0, "JWT", &good).unwrap();
    assert_eq!(ask(&foreign).await.1["error"], "invalid_request");
}

both!(
    /// OIDC-048, OAUTH-136: the ID token says how the person who approved had signed in, the way that was asked for first.
    the_wished_acr_is_told,
    |kind| async move {
        let scene = start(kind, "").await;
        for (wished, told) in [
            (format!("urn:example:gold {PASSWORD}"), PASSWORD),
            ("urn:example:gold".to_owned(), PASSWORD),
            (String::new(), PASSWORD),
        ] {
            let asked = scene.asked(DESK, &[("acr_values", &wished)]).await;
            scene.answer(&scene.browser, "approve").await;
            let (status, body) = scene.fetch(DESK, &asked).await;
            assert_eq!(status, 200, "{body}");
            let (id, access) = (claims(&body["id_token"]), claims(&body["access_token"]));
            assert_eq!((&id["acr"], &access["acr"]), (&json!(told), &json!(told)), "{wished}");
        }
        let long = "x".repeat(1_025);
        assert_eq!(scene.ask(DESK, &[("acr_values", &long)]).await.1["error"], "invalid_request");
    }
);
