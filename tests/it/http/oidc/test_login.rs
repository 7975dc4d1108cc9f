//! Test logins: what an administrator with a one-time link sees, and nobody else.

use serde_json::Value;
use yaopai::oidc::offer_test_login;

use super::{OA, Scene, signed_in};
use crate::both;
use crate::harness::{Browser, PASSWORD, Page, person};

fn documents(page: &Page) -> Vec<Value> {
    page.texts("pre.document").iter().map(|text| serde_json::from_str(text).unwrap()).collect()
}

async fn link(scene: &Scene, scope: Option<&str>) -> String {
    let app = scene.app.broker.db.read().await.unwrap().applications().find("oa").await.unwrap().unwrap();
    let token = offer_test_login(&scene.app.broker, &app, scope).await.unwrap();
    format!("/console/test-login?token={token}")
}

both!(
    /// WEB-001, WEB-042
    an_administrator_sees_once_what_an_application_would_be_told,
    |kind| async move {
        let scene = Scene::start(kind).await;
        let admin = person(&scene.app.broker, "zhao.lei", &["employee", "it-admin"]).await;
        let (_, browser) = signed_in(&scene.app, &admin).await;
        let path = link(&scene, Some("openid profile roles nothing")).await;
        // Looking does not use it up; nobody but an administrator may look.
        assert_eq!(scene.browser.get(&path).await.status, 403);
        let stranger = Browser::new(&scene.app.url);
        let sent = stranger.get(&path).await;
        assert!(sent.status == 303 && sent.location().starts_with("/login?return_to="), "{}", sent.location());
        let back = stranger.sign_in_at(sent.location(), "zhao.lei", PASSWORD).await;
        assert_eq!(back.location(), path, "back to the link after signing in");
        for _ in 0..2 {
            assert_eq!(browser.get(&path).await.status, 200);
        }
        let form = browser.get(&path).await.form("/console/test-login");
        assert_eq!(browser.post(&form.clone().with("csrf", "x")).await.status, 403);
        assert_eq!(browser.post(&form.clone().with("token", "x")).await.status, 404);
        let shown = browser.post(&form).await;
        assert_eq!(shown.status, 200, "{}", shown.text);
        let documents = documents(&shown);
        assert_eq!(documents.len(), 3);
        let [id_token, userinfo, access] = documents.try_into().unwrap();
        assert_eq!((&id_token["aud"], &id_token["sub"]), (&"oa".into(), &admin.id.to_string().into()));
        assert_eq!(userinfo["preferred_username"], "zhao.lei");
        assert_eq!(access["roles"], serde_json::json!(["employee", "it-admin"]));
        assert!(shown.text.contains("nothing") && !shown.text.contains("eyJ"), "no token is issued");
        assert_eq!(browser.post(&form).await.status, 404, "once");
        assert_eq!(browser.get(&path).await.status, 404);
        let grants: Vec<(i64,)> =
            scene.app.broker.db.read().await.unwrap().all("SELECT COUNT(*) FROM grants", &[]).await.unwrap();
        assert_eq!(grants, [(0,)], "nothing is issued");

        let old = link(&scene, None).await;
        scene.app.clock().advance(chrono::Duration::minutes(16));
        assert_eq!(browser.get(&old).await.status, 404, "too late");
        let recorded = scene.audited("application_admin").await;
        assert!(recorded.iter().any(|(_, details)| details.contains("test login\"")), "{recorded:?}");
    }
);

both!(
    /// OAUTH-001, OIDC-051
    a_near_miss_is_named_only_where_it_gives_nothing_away,
    |kind| async move {
        let scene = Scene::start(kind).await;
        let page_of = |uri: &'static str| {
            let scene = &scene;
            async move { scene.authorize(OA, &[("redirect_uri", uri)]).await }
        };
        for (uri, said) in [
            ("https://oa.example/cb/", "the slash at its end"),
            ("http://oa.example/cb", "http and https"),
            ("https://oa.example/CB", "capital and small letters"),
            ("https://oa.example:8443/cb", "its port"),
            ("https://oa.example/%63b", "percent-encoding"),
            ("https://oa.example/cb#x", "a fragment"),
        ] {
            let page = page_of(uri).await;
            assert_eq!(page.status, 400);
            assert!(page.texts("details.integrator li")[0].contains(said), "{uri}: {}", page.text);
            assert!(!page.text.contains("oa.example"), "{uri}: nothing of an address is on the page");
        }
        for uri in ["https://evil.example/cb", "https://oa.example/other", "https://oa.example/cb?x=1", "https://oa.example@evil.example/cb"] {
            let page = page_of(uri).await;
            assert_eq!((page.status.as_u16(), page.texts("details.integrator li").len()), (400, 1), "{uri}");
            assert!(!page.text.contains("differs"), "{uri}");
        }
    }
);
