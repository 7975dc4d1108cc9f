//! RP-initiated logout.

use chrono::Duration;

use super::{OA, Scene, answer};
use crate::both;
use crate::harness::Browser;

fn path(params: &[(&str, &str)]) -> String {
    let query = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(params).finish();
    format!("/oauth2/logout?{query}")
}

async fn is_signed_in(scene: &Scene) -> bool {
    answer(&scene.authorize(OA, &[("prompt", "none")]).await, "code").is_some()
}

const BYE: (&str, &str) = ("post_logout_redirect_uri", "https://oa.example/bye");

both!(
    /// OIDC-079, OIDC-085, OIDC-086
    an_application_of_the_session_signs_out_at_once,
    |kind| async move {
        for state in [Some("x y&z"), None] {
            let scene = Scene::start(kind).await;
            let tokens = scene.tokens(OA, "openid").await;
            scene.app.clock().advance(Duration::minutes(30));
            let mut params = vec![("id_token_hint", tokens["id_token"].as_str().unwrap()), BYE];
            params.extend(state.map(|state| ("state", state)));
            let page = scene.browser.get(&path(&params)).await;
            assert_eq!(page.status, 303, "{}", page.text);
            assert!(page.location().starts_with("https://oa.example/bye"));
            assert_eq!(answer(&page, "state").as_deref(), state);
            assert_eq!(scene.browser.cookie("yaopai"), None);
            assert!(!is_signed_in(&scene).await);
            assert_eq!(scene.audited("sign_out").await.len(), 1);
        }
        let scene = Scene::start(kind).await;
        let tokens = scene.tokens(OA, "openid").await;
        let form = [("id_token_hint", tokens["id_token"].as_str().unwrap()), BYE];
        let posted = scene.app.browser().post(scene.app.at("/oauth2/logout")).form(&form).send().await.unwrap();
        let page = scene.browser.get(posted.headers()["location"].to_str().unwrap()).await;
        assert_eq!(page.location(), "https://oa.example/bye");
    }
);

both!(
    /// OIDC-080, OIDC-081, OIDC-082, OIDC-083
    nobody_is_sent_where_nothing_is_registered,
    |kind| async move {
        let scene = Scene::start(kind).await;
        let tokens = scene.tokens(OA, "openid").await;
        let hint = tokens["id_token"].as_str().unwrap();
        let (message, _) = hint.rsplit_once('.').unwrap();
        let (_, claims) = message.split_once('.').unwrap();
        let unsigned = format!("{message}.");
        let none = format!("eyJhbGciOiJub25lIn0.{claims}.");
        let access = tokens["access_token"].as_str().unwrap();
        for params in [
            vec![("id_token_hint", hint), ("post_logout_redirect_uri", "https://evil.example/")],
            vec![("id_token_hint", hint), ("post_logout_redirect_uri", "https://oa.example/bye?foo=bar")],
            vec![("id_token_hint", hint), ("post_logout_redirect_uri", "https://oa.example/cb")],
            vec![("id_token_hint", hint), ("client_id", "expense"), BYE],
            vec![("id_token_hint", &unsigned), BYE],
            vec![("id_token_hint", &none), BYE],
            vec![("id_token_hint", access), BYE],
            vec![("id_token_hint", "x"), BYE],
            vec![BYE],
            vec![BYE, BYE],
        ] {
            let page = scene.browser.get(&path(&params)).await;
            assert_eq!(page.location(), "", "{params:?}");
            assert!(is_signed_in(&scene).await, "{params:?}");
        }
    }
);

both!(
    /// OIDC-084, OIDC-086
    without_a_hint_the_person_is_asked,
    |kind| async move {
        let scene = Scene::start(kind).await;
        for params in [vec![], vec![("state", "x")], vec![BYE]] {
            let page = scene.browser.get(&path(&params)).await;
            assert_eq!(page.status, 200);
            assert!(page.form("/logout").fields.contains_key("csrf"));
            assert!(is_signed_in(&scene).await);
        }
        let stranger = Browser::new(&scene.app.url);
        assert_eq!(stranger.get(&path(&[])).await.status, 200);
        // The hint of somebody else's session signs nobody out.
        let other = crate::harness::person(&scene.app.broker, "li.na", &["employee"]).await;
        let (_, browser) = crate::http::oidc::signed_in(&scene.app, &other).await;
        let tokens = scene.tokens(OA, "openid").await;
        let page = browser.get(&path(&[("id_token_hint", tokens["id_token"].as_str().unwrap()), BYE])).await;
        assert_eq!((page.status.as_u16(), page.location()), (200, ""));
        assert!(is_signed_in(&scene).await);
    }
);
