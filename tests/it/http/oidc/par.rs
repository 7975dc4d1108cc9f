//! Pushed authorization requests: taken, referred to, answered once.

use chrono::Duration;
use serde_json::Value;

use super::{CONFIG, Client, EXPENSE, LEGACY, OA, SPA, Scene, answer, authorize_path};
use crate::both;
use crate::harness::{Browser, Kind, PASSWORD};

/// An application that pushes every request.
const PUSHY: &str = r#"
[[application]]
id = "pushy"
secret = { value = "a-secret-of-pushy" }
redirect_uris = ["https://pushy.example/cb"]
[application.request]
require_pushed_authorization_requests = true
"#;
const PUSHY_CLIENT: Client =
    Client { id: "pushy", secret: Some("a-secret-of-pushy"), redirect_uri: "https://pushy.example/cb" };

async fn pushy(kind: Kind) -> Scene {
    Scene::of(kind, &format!("{CONFIG}{PUSHY}")).await
}

/// The parameters of an authorization request, as a form.
fn form(client: Client, changes: &[(&str, &str)]) -> Vec<(String, String)> {
    let path = authorize_path(client, changes);
    let (_, query) = path.split_once('?').unwrap();
    let all = url::form_urlencoded::parse(query.as_bytes()).into_owned();
    all.filter(|(name, _)| name != "client_id").collect()
}

impl Scene {
    pub(super) async fn push(&self, client: Client, changes: &[(&str, &str)]) -> (u16, Value) {
        let form = form(client, changes);
        let form: Vec<(&str, &str)> = form.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        self.post(client, "/oauth2/par", &form).await
    }

    /// A reference to a pushed request.
    pub(super) async fn pushed(&self, client: Client, changes: &[(&str, &str)]) -> String {
        let (status, body) = self.push(client, changes).await;
        assert_eq!(status, 201, "{body}");
        body["request_uri"].as_str().unwrap().to_owned()
    }
}

pub(super) fn reference(client: Client, request_uri: &str) -> String {
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    query.append_pair("client_id", client.id).append_pair("request_uri", request_uri);
    format!("/oauth2/authorize?{}", query.finish())
}

both!(
    /// OAUTH-086, OAUTH-092, OIDC-114, OAUTH-014, OAUTH-053
    a_pushed_request_is_answered_once,
    |kind| async move {
        let scene = pushy(kind).await;
        let (status, body) = scene.push(OA, &[("state", "pushed")]).await;
        assert_eq!((status, &body["expires_in"]), (201, &Value::from(90)));
        let request_uri = body["request_uri"].as_str().unwrap();
        let random = request_uri.strip_prefix("urn:ietf:params:oauth:request_uri:").unwrap();
        assert_eq!(random.len(), 43, "256 bits in base64url");
        let mut tx = scene.app.broker.db.read().await.unwrap();
        let rows: Vec<(String, String)> =
            tx.all("SELECT request_hash, parameters FROM pushed_requests", &[]).await.unwrap();
        assert!(!format!("{rows:?}").contains(random), "stored hashed");
        assert!(!rows[0].1.contains("secret"), "{rows:?}");
        drop(tx);

        // What stands beside the reference counts for nothing.
        let path = format!(
            "{}&scope=email&state=other&redirect_uri=https%3A%2F%2Fevil.example&prompt=login&response_mode=form_post",
            reference(OA, request_uri)
        );
        let page = scene.browser.get(&path).await;
        assert!(page.location().starts_with("https://oa.example/cb?code="), "{} {}", page.location(), page.text);
        assert_eq!(answer(&page, "state").as_deref(), Some("pushed"));
        assert_eq!(answer(&page, "iss").as_deref(), Some(scene.app.url.as_str()));
        let (status, tokens) = scene.redeem(OA, &answer(&page, "code").unwrap()).await;
        assert_eq!((status, &tokens["scope"]), (200, &Value::from("openid")));

        let page = scene.browser.get(&reference(OA, request_uri)).await;
        assert_eq!((page.status.as_u16(), page.location()), (400, ""), "answered already");
        assert!(page.text.contains("This sign-in was used already"), "{}", page.text);
    }
);

both!(
    /// OIDC-112, OAUTH-090
    signing_in_may_take_its_time,
    |kind| async move {
        let scene = pushy(kind).await;
        let browser = Browser::new(&scene.app.url);
        let request_uri = scene.pushed(OA, &[("state", &"long".repeat(900))]).await;
        let to_login = browser.get(&reference(OA, &request_uri)).await;
        assert!(to_login.location().len() < 300, "the way back stays short: {}", to_login.location());
        scene.app.clock().advance(Duration::minutes(10));
        // Looked at twice: it counts as used when it is answered, not when it is opened.
        assert_eq!(browser.get(&reference(OA, &request_uri)).await.status, 303);
        let form = browser.get(to_login.location()).await.form("/login");
        let back = browser.post(&form.with("login", "wang.fang").with("password", PASSWORD)).await;
        let done = browser.get(back.location()).await;
        assert!(answer(&done, "code").is_some(), "{} {}", done.location(), done.text);
        assert_eq!(browser.get(back.location()).await.status, 400, "answered");

        let unopened = scene.pushed(OA, &[]).await;
        scene.app.clock().advance(Duration::seconds(91));
        let page = browser.get(&reference(OA, &unopened)).await;
        assert_eq!((page.status.as_u16(), page.location()), (400, ""));
        let opened = scene.pushed(OA, &[("prompt", "login")]).await;
        let again = browser.get(&reference(OA, &opened)).await;
        assert!(again.location().ends_with("&reauth=1"), "{}", again.location());
        scene.app.clock().advance(Duration::minutes(5));
        let back = browser.sign_in_at(again.location(), "wang.fang", PASSWORD).await;
        assert!(answer(&browser.get(back.location()).await, "code").is_some(), "a fresh proof is demanded once");
        scene.app.clock().advance(Duration::hours(1));
        assert!(yaopai::oidc::purge(&scene.app.broker).await.unwrap() >= 3);
        let mut tx = scene.app.broker.db.read().await.unwrap();
        let (left,): (i64,) = tx.one("SELECT COUNT(*) FROM pushed_requests", &[]).await.unwrap();
        assert_eq!(left, 0);
    }
);

both!(
    /// OIDC-112
    two_browsers_at_once_get_one_answer,
    |kind| async move {
        let scene = pushy(kind).await;
        let request_uri = scene.pushed(OA, &[]).await;
        let path = reference(OA, &request_uri);
        let (one, two) = tokio::join!(scene.browser.get(&path), scene.browser.get(&path));
        let codes = [&one, &two].iter().filter(|page| answer(page, "code").is_some()).count();
        assert_eq!(codes, 1, "{} {}", one.status, two.status);
    }
);

both!(
    /// OAUTH-087, OAUTH-088, OAUTH-094, OAUTH-095, OIDC-103, OIDC-102, OIDC-113
    what_would_be_refused_later_is_refused_at_once,
    |kind| async move {
        let scene = pushy(kind).await;
        for (changes, error) in [
            (vec![("request_uri", "urn:ietf:params:oauth:request_uri:x")], "invalid_request"),
            (vec![("redirect_uri", "https://oa.example/new")], "invalid_request"),
            (vec![("redirect_uri", "")], "invalid_request"),
            (vec![("code_challenge", ""), ("code_challenge_method", "")], "invalid_request"),
            (vec![("code_challenge_method", "plain")], "invalid_request"),
            (vec![("response_type", "token")], "unsupported_response_type"),
            (vec![("response_type", "code id_token")], "unauthorized_client"),
            (vec![("scope", "unknown")], "invalid_scope"),
            (vec![("request", "e30.e30.")], "request_not_supported"),
            (vec![("response_mode", "web_message")], "invalid_request"),
        ] {
            let (status, body) = scene.push(OA, &changes).await;
            assert_eq!((status, body["error"].as_str()), (400, Some(error)), "{changes:?} {body}");
            assert!(body.get("request_uri").is_none());
        }
        let wrong = Client { secret: Some("not-the-secret-of-oa"), ..OA };
        let (status, body) = scene.push(wrong, &[]).await;
        assert_eq!((status, &body["error"]), (401, &Value::from("invalid_client")));
        let nobody = Client { id: "oa", secret: None, ..OA };
        assert_eq!(scene.push(nobody, &[]).await.0, 401);
        assert_eq!(scene.push(EXPENSE, &[]).await.0, 201, "client_secret_post proves it here too");
        let native = scene.pushed(SPA, &[]).await;
        assert!(answer(&scene.browser.get(&reference(SPA, &native)).await, "code").is_some(), "a public application");

        let twice = [("scope", "openid"), ("scope", "email")];
        let (status, body) = scene.post(OA, "/oauth2/par", &twice).await;
        assert_eq!((status, &body["error"]), (400, &Value::from("invalid_request")));
        let got = scene.app.browser().get(scene.app.at("/oauth2/par")).send().await.unwrap();
        assert_eq!(got.status(), 405);
        let (status, body) = scene.push(OA, &[("state", &"x".repeat(70_000))]).await;
        assert_eq!((status, &body["error"]), (413, &Value::from("invalid_request")));
    }
);

both!(
    /// OAUTH-089, OAUTH-093, OIDC-112
    a_reference_serves_its_application_and_is_checked_again,
    |kind| async move {
        let scene = pushy(kind).await;
        let request_uri = scene.pushed(OA, &[]).await;
        for path in [
            reference(LEGACY, &request_uri),
            reference(OA, "urn:ietf:params:oauth:request_uri:unknown"),
            format!("{}&request_uri=urn:ietf:params:oauth:request_uri:x", reference(OA, &request_uri)),
            format!("{}&request=e30.e30.", reference(OA, &request_uri)),
            reference(OA, &request_uri).replace("client_id=oa&", ""),
        ] {
            let page = scene.browser.get(&path).await;
            assert_eq!((page.status.as_u16(), page.location()), (400, ""), "{path}");
        }
        // By POST a form of another site arrives: asked again by GET, and only by reference.
        let page = scene.authorize(OA, &[("request_uri", "https://oa.example/request.jwt")]).await;
        assert_eq!(answer(&page, "error").as_deref(), Some("request_uri_not_supported"));

        let mut tx = scene.app.broker.db.write().await.unwrap();
        let mut oa = tx.applications().find("oa").await.unwrap().unwrap();
        let uris = std::mem::replace(&mut oa.settings.redirect_uris, vec!["https://oa.example/new".into()]);
        tx.applications().update(&oa).await.unwrap();
        tx.commit().await.unwrap();
        let page = scene.browser.get(&reference(OA, &request_uri)).await;
        assert_eq!((page.status.as_u16(), page.location()), (400, ""), "the redirect URI was taken away");
        let mut tx = scene.app.broker.db.write().await.unwrap();
        oa.settings.redirect_uris = uris;
        oa.enabled = false;
        tx.applications().update(&oa).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(scene.browser.get(&reference(OA, &request_uri)).await.status, 400, "switched off");
    }
);

both!(
    /// OAUTH-091, OIDC-101
    where_pushing_is_demanded_a_plain_request_is_refused,
    |kind| async move {
        let scene = pushy(kind).await;
        let page = scene.authorize(PUSHY_CLIENT, &[]).await;
        assert_eq!(answer(&page, "error").as_deref(), Some("invalid_request"));
        assert_eq!(answer(&page, "code"), None);
        let request_uri = scene.pushed(PUSHY_CLIENT, &[]).await;
        let page = scene.browser.get(&reference(PUSHY_CLIENT, &request_uri)).await;
        assert!(answer(&page, "code").is_some(), "{}", page.text);

        let all = format!("{CONFIG}\n[oidc]\nrequire_pushed_authorization_requests = true\n");
        let scene = Scene::of(kind, &all).await;
        assert_eq!(answer(&scene.authorize(OA, &[]).await, "error").as_deref(), Some("invalid_request"));
        let request_uri = scene.pushed(OA, &[]).await;
        assert!(answer(&scene.browser.get(&reference(OA, &request_uri)).await, "code").is_some());
        let document = scene.app.browser().get(scene.app.at("/.well-known/openid-configuration"));
        let document: Value = document.send().await.unwrap().json().await.unwrap();
        assert_eq!(document["require_pushed_authorization_requests"], true);
        assert_eq!(document["pushed_authorization_request_endpoint"], scene.app.at("/oauth2/par"));
    }
);

#[test]
fn a_life_that_breaks_the_standard_is_refused_at_start() {
    let text = "[server]\npublic_url = \"https://id.example\"\n[oidc]\npushed_request_lifetime = \"15m\"\n";
    let found = yaopai::config::Config::parse(std::path::Path::new("yaopai.toml"), text, &[]).unwrap_err();
    assert!(found.to_string().contains("oidc.pushed_request_lifetime"), "{found}");
}
