//! The device grant (RFC 8628): a device polls, a person types its code.

use chrono::Duration;
use serde_json::{Value, json};
use yaopai::crypto::SigningKey;
use yaopai::model::Status;

use super::{Client, OA, Scene, claims, signed_in};
use crate::both;
use crate::harness::prove::{Proof, key};
use crate::harness::{App, Kind, person, save};

const GRANT: &str = "urn:ietf:params:oauth:grant-type:device_code";
const CONFIG: &str = r#"
[[application]]
id = "screen"
name = "会议室 <屏幕>"
auth_method = "none"
grant_types = ["urn:ietf:params:oauth:grant-type:device_code", "refresh_token"]
scopes = ["openid", "profile", "offline_access", "room:book"]

[[application]]
id = "scanner"
secret = { value = "a-secret-of-the-scanner" }
grant_types = ["urn:ietf:params:oauth:grant-type:device_code"]

[[application]]
id = "oa"
secret = { value = "a-secret-of-the-oa" }
redirect_uris = ["https://oa.example/cb"]

[[application]]
id = "hr-files"
secret = { value = "a-secret-of-hr-files" }
grant_types = ["urn:ietf:params:oauth:grant-type:device_code"]
"#;
const SCREEN: Client = Client { id: "screen", secret: None, redirect_uri: "" };
const SCANNER: Client = Client { id: "scanner", secret: Some("a-secret-of-the-scanner"), redirect_uri: "" };
const HR: Client = Client { id: "hr-files", secret: Some("a-secret-of-hr-files"), redirect_uri: "" };

async fn start(kind: Kind) -> Scene {
    let app = App::with_config(kind, CONFIG).await;
    let user = person(&app.broker, "wang.fang", &["employee"]).await;
    let (session, browser) = signed_in(&app, &user).await;
    Scene { app, user, session, browser }
}

impl Scene {
    async fn device(&self, client: Client, scope: &str) -> Value {
        let (status, body) = self.post(client, "/oauth2/device_authorization", &[("scope", scope)]).await;
        assert_eq!(status, 200, "{body}");
        body
    }

    async fn poll(&self, client: Client, device: &Value) -> (u16, Value) {
        let code = device["device_code"].as_str().unwrap();
        self.post(client, "/oauth2/token", &[("grant_type", GRANT), ("device_code", code)]).await
    }

    async fn fault(&self, client: Client, device: &Value) -> String {
        let (status, body) = self.poll(client, device).await;
        assert_eq!(status, 400, "{body}");
        body["error"].as_str().unwrap().to_owned()
    }

    /// Types the code and clicks.
    async fn click(&self, device: &Value, decision: &str) -> crate::harness::Page {
        let page = self.browser.get(&format!("/device?user_code={}", device["user_code"].as_str().unwrap())).await;
        assert_eq!(page.status, 200, "{}", page.text);
        self.browser.post(&page.form("/device").with("decision", decision)).await
    }
}

both!(
    /// OAUTH-103, OAUTH-107
    a_device_is_signed_in_by_a_click,
    |kind| async move {
        let scene = start(kind).await;
        let device = scene.device(SCREEN, "openid profile room:book admin").await;
        assert!(device["device_code"].as_str().unwrap().len() >= 43, "256 bits");
        let code = device["user_code"].as_str().unwrap();
        assert_eq!(device["verification_uri"], scene.app.at("/device"));
        assert_eq!(device["verification_uri_complete"], scene.app.at(&format!("/device?user_code={code}")));
        assert_eq!((&device["expires_in"], &device["interval"]), (&json!(600), &json!(5)));

        let path = format!("/device?user_code={code}");
        let stranger = crate::harness::Browser::new(&scene.app.url);
        let page = stranger.get(&path).await;
        assert_eq!(page.location(), format!("/login?return_to=%2Fdevice%3Fuser_code%3D{code}"));
        let page = scene.browser.get(&path).await;
        assert_eq!((page.status.as_u16(), page.header("x-frame-options")), (200, "DENY"));
        assert!(page.text.contains(code) && page.text.contains("会议室 &lt;屏幕&gt;"), "{}", page.text);
        let permissions = page.texts(".permissions li");
        assert_eq!(permissions.len(), 3, "{permissions:?}");
        assert!(permissions[2].contains("room:book"));
        assert_eq!(scene.fault(SCREEN, &device).await, "authorization_pending", "a page approves nothing");

        let done = scene.click(&device, "approve").await;
        assert_eq!((done.status.as_u16(), done.location()), (303, "/device?result=approved"));
        assert_eq!(scene.browser.get(done.location()).await.texts("h1"), ["The device is signed in"]);
        let (status, body) = scene.poll(SCREEN, &device).await;
        assert_eq!(status, 200, "{body}");
        assert_eq!(body["scope"], "openid profile room:book");
        let access = claims(&body["access_token"]);
        assert_eq!((&access["sub"], &access["client_id"]), (&scene.user.id.to_string().into(), &"screen".into()));
        assert_eq!(access["sid"], scene.session.id.to_string());
        assert_eq!(claims(&body["id_token"])["aud"], "screen");
        assert_eq!(scene.userinfo(&body).await.0, 200);
        assert_eq!(scene.refresh(SCREEN, body["refresh_token"].as_str().unwrap()).await.0, 200);
        let decided = scene.audited("application_access").await;
        assert!(decided.iter().any(|(outcome, details)| outcome == "success" && details.contains("device")));

        // What a sign-in gave ends with the session it was approved in.
        let page = scene.browser.get("/logout").await;
        scene.browser.post(&page.form("/logout")).await;
        assert_eq!(scene.userinfo(&body).await.0, 401);
    }
);

both!(
    /// OAUTH-104, OAUTH-105, OAUTH-109, OAUTH-053
    polls_are_answered_by_what_happened,
    |kind| async move {
        let scene = start(kind).await;
        let device = scene.device(SCANNER, "openid").await;
        assert_eq!(scene.fault(SCANNER, &device).await, "authorization_pending");
        assert_eq!(scene.fault(SCANNER, &device).await, "slow_down");
        scene.app.clock().advance(Duration::seconds(6));
        assert_eq!(scene.fault(SCANNER, &device).await, "slow_down", "now it is ten seconds, and fifteen after this");
        scene.app.clock().advance(Duration::seconds(15));
        assert_eq!(scene.fault(SCANNER, &device).await, "authorization_pending");
        assert_eq!(scene.fault(HR, &device).await, "invalid_grant", "another application's");
        assert_eq!(scene.click(&device, "refuse").await.location(), "/device?result=refused");
        assert_eq!(scene.fault(SCANNER, &device).await, "access_denied");
        assert_eq!(scene.click_again(&device).await, 400, "decided once");

        let device = scene.device(SCANNER, "openid").await;
        scene.app.clock().advance(Duration::seconds(601));
        assert_eq!(scene.fault(SCANNER, &device).await, "expired_token");
        assert_eq!(scene.click_again(&device).await, 400, "too late");
        assert_eq!(scene.fault(SCANNER, &json!({ "device_code": "A".repeat(43) })).await, "invalid_grant");

        let device = scene.device(SCANNER, "openid").await;
        scene.click(&device, "approve").await;
        let poll = || scene.poll(SCANNER, &device);
        let answers: [_; 6] = tokio::join!(poll(), poll(), poll(), poll(), poll(), poll()).into();
        assert_eq!(answers.iter().filter(|(status, _)| *status == 200).count(), 1);
        assert!(answers.iter().filter(|(status, _)| *status != 200).all(|(_, body)| body["error"] == "invalid_grant"));
        let (_, won) = answers.iter().find(|(status, _)| *status == 200).unwrap();
        assert_eq!(scene.userinfo(won).await.0, 200, "the others did not take it away");

        let mut tx = scene.app.broker.db.read().await.unwrap();
        let sql = "SELECT secret_hash, user_code_hash FROM decoupled_requests";
        let stored: Vec<(String, Option<String>)> = tx.all(sql, &[]).await.unwrap();
        let letters = device["user_code"].as_str().unwrap().replace('-', "");
        assert!(stored.iter().all(|(secret, code)| {
            !secret.contains(device["device_code"].as_str().unwrap()) && !code.as_ref().unwrap().contains(&letters)
        }));
    }
);

impl Scene {
    /// Status of a form that comes once more.
    async fn click_again(&self, device: &Value) -> u16 {
        let other = self.device(SCANNER, "openid").await;
        let page = self.browser.get(&format!("/device?user_code={}", other["user_code"].as_str().unwrap())).await;
        let form = page.form("/device").with("user_code", device["user_code"].as_str().unwrap());
        self.browser.post(&form.with("decision", "approve")).await.status.as_u16()
    }
}

both!(
    /// OAUTH-110, OAUTH-047
    only_applications_with_the_grant_may_ask,
    |kind| async move {
        let scene = start(kind).await;
        let (status, body) = scene.post(OA, "/oauth2/device_authorization", &[("scope", "openid")]).await;
        assert_eq!((status, &body["error"]), (400, &"unauthorized_client".into()));
        let device = scene.device(SCANNER, "openid").await;
        assert_eq!(scene.fault(OA, &device).await, "unauthorized_client");
        let (status, body) = scene.post(SCANNER, "/oauth2/device_authorization", &[("scope", "admin")]).await;
        assert_eq!((status, &body["error"]), (400, &"invalid_scope".into()));
        let wrong = Client { secret: Some("wrong"), ..SCANNER };
        assert_eq!(scene.post(wrong, "/oauth2/device_authorization", &[]).await.0, 401);
        // Policy is asked when the person agrees, and again nothing is given.
        let device = scene.device(HR, "openid").await;
        assert_eq!(scene.click(&device, "approve").await.status, 403);
        assert_eq!(scene.fault(HR, &device).await, "authorization_pending");
    }
);

both!(
    /// OAUTH-106, OAUTH-108
    codes_cannot_be_guessed,
    |kind| async move {
        let scene = start(kind).await;
        let device = scene.device(SCANNER, "openid").await;
        let code = device["user_code"].as_str().unwrap();
        for typed in [code.to_lowercase(), code.replace('-', "%20"), code.replace('-', "")] {
            assert_eq!(scene.browser.get(&format!("/device?user_code={typed}")).await.status, 200, "{typed}");
        }
        for turn in 0..10 {
            let page = scene.browser.get("/device?user_code=BCDFG-HJKLM").await;
            assert_eq!(page.status, 400, "{turn}");
        }
        let path = format!("/device?user_code={code}");
        let page = scene.browser.get(&path).await;
        assert_eq!((page.status.as_u16(), page.header("retry-after")), (429, "60"), "the right one too");
        let (_, again) = signed_in(&scene.app, &scene.user).await;
        assert_eq!(again.get(&path).await.status, 429, "another session of the same person");
        let other = person(&scene.app.broker, "li.na", &["employee"]).await;
        let (_, other) = signed_in(&scene.app, &other).await;
        assert_eq!(other.get(&path).await.status, 200, "somebody else is not held up");
        // Another person and another address, in turn, until everybody has to wait.
        let mut tx = scene.app.broker.db.write().await.unwrap();
        tx.run("UPDATE throttles SET failures = 1999 WHERE key = 'device-all'", &[]).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(other.get("/device?user_code=BCDFG-HJKLM").await.status, 400);
        let third = person(&scene.app.broker, "zhao.min", &["employee"]).await;
        let (_, third) = signed_in(&scene.app, &third).await;
        assert_eq!((third.get(&path).await.status.as_u16(), third.get(&path).await.header("retry-after")), (429, "600"));
        scene.app.clock().advance(Duration::seconds(601));
        let device = scene.device(SCANNER, "openid").await;
        let path = format!("/device?user_code={}", device["user_code"].as_str().unwrap());
        assert_eq!(third.get(&path).await.status, 200);
        let foreign = third.with_header("sec-fetch-site", "cross-site");
        let page = foreign.get("/device?user_code=BCDFG-HJKLM").await;
        assert_eq!(page.status, 200, "a foreign page cannot make a browser guess");
        assert_eq!(page.attributes("#user_code", "value"), ["BCDFG-HJKLM"]);
    }
);

both!(
    /// WEB-001, OAUTH-018, OAUTH-062
    a_decision_wants_the_persons_own_form,
    |kind| async move {
        let scene = start(kind).await;
        let device = scene.device(SCANNER, "openid").await;
        let other = person(&scene.app.broker, "li.na", &["employee"]).await;
        let (_, other) = signed_in(&scene.app, &other).await;
        let path = format!("/device?user_code={}", device["user_code"].as_str().unwrap());
        let foreign = other.get(&path).await.form("/device").with("decision", "approve");
        assert_eq!(scene.browser.post(&foreign).await.status, 403);
        let form = scene.browser.get(&path).await.form("/device");
        let across = scene.browser.clone().with_header("sec-fetch-site", "cross-site");
        assert_eq!(across.post(&form.clone().with("decision", "approve")).await.status, 403);
        assert_eq!(scene.browser.post(&form.clone().with("decision", "maybe")).await.status, 400);
        assert_eq!(scene.fault(SCANNER, &device).await, "authorization_pending");
        scene.browser.post(&form.with("decision", "approve")).await;
        let mut user = scene.user.clone();
        user.status = Status::Disabled;
        save(&scene.app.broker, &user).await;
        scene.app.clock().advance(Duration::seconds(30));
        assert_eq!(scene.fault(SCANNER, &device).await, "invalid_grant", "disabled before the tokens were fetched");
    }
);

both!(
    /// OAUTH-106
    a_public_application_cannot_fill_the_table,
    |kind| async move {
        let scene = start(kind).await;
        for _ in 0..60 {
            scene.device(SCREEN, "openid").await;
        }
        let (status, body) = scene.post(SCREEN, "/oauth2/device_authorization", &[("scope", "openid")]).await;
        assert_eq!((status, &body["error"]), (400, &"slow_down".into()));
        scene.device(SCANNER, "openid").await;
    }
);

both!(
    /// OAUTH-065
    the_refresh_token_of_a_device_is_bound_to_its_key,
    |kind| async move {
        let scene = start(kind).await;
        let (own, other, clock, url) = (key(), key(), scene.app.clock().clone(), scene.app.at("/oauth2/token"));
        let ask = async |form: &[(&str, &str)], key: Option<&SigningKey>| -> Value {
            let mut request = scene.app.browser().post(&url).form(&[form, &[("client_id", "screen")]].concat());
            if let Some(key) = key {
                request = request.header("dpop", Proof::new(key, "POST", &url).sign(&clock));
            }
            serde_json::from_str(&request.send().await.unwrap().text().await.unwrap()).unwrap()
        };
        let device = scene.device(SCREEN, "openid offline_access").await;
        scene.click(&device, "approve").await;
        let polled = [("grant_type", GRANT), ("device_code", device["device_code"].as_str().unwrap())];
        let given = ask(&polled, Some(&own)).await;
        assert_eq!(given["token_type"], "DPoP", "{given}");
        let again = [("grant_type", "refresh_token"), ("refresh_token", given["refresh_token"].as_str().unwrap())];
        assert_eq!(ask(&again, None).await["error"], "invalid_grant");
        assert_eq!(ask(&again, Some(&other)).await["error"], "invalid_grant");
        assert_eq!(ask(&again, Some(&own)).await["token_type"], "DPoP");
    }
);
