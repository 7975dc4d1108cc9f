//! RP-initiated logout.

use chrono::Duration;

use super::{EXPENSE, OA, Scene, answer, signed_in};
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

both!(
    /// OIDC-083, OIDC-084, OIDC-086: without a hint, `client_id` says whose address it is to be. The person is asked first,
    /// and then goes back; where nobody is signed in there is nothing to ask. No other address is gone to.
    a_person_who_agrees_goes_back_without_a_hint,
    |kind| async move {
        let scene = Scene::start(kind).await;
        let page = scene.browser.get(&path(&[("client_id", "oa"), BYE, ("state", "x y&z")])).await;
        assert_eq!((page.status.as_u16(), page.location()), (200, ""));
        assert!(is_signed_in(&scene).await, "asked, nothing more");
        let policy = page.header("content-security-policy");
        assert!(policy.ends_with("form-action 'self' https://oa.example"), "{policy}");
        let form = page.form("/logout");
        // What the form says is compared anew: nobody is sent elsewhere by a form that was altered.
        for (name, value) in [("post_logout_redirect_uri", "https://evil.example/"), ("client_id", "expense")] {
            let (_, browser) = signed_in(&scene.app, &scene.user).await;
            let altered = browser.get(&path(&[("client_id", "oa"), BYE])).await.form("/logout").with(name, value);
            assert_eq!(browser.post(&altered).await.location(), "/signed-out", "{name}");
        }
        let back = scene.browser.post(&form).await;
        assert_eq!(answer(&back, "state").as_deref(), Some("x y&z"));
        assert!(back.location().starts_with("https://oa.example/bye?"), "{}", back.location());
        assert_eq!(scene.browser.cookie("yaopai"), None);
        assert!(!is_signed_in(&scene).await);

        let stranger = Browser::new(&scene.app.url);
        assert_eq!(stranger.get(&path(&[("client_id", "oa"), BYE])).await.location(), "https://oa.example/bye");
        let scene = Scene::start(kind).await;
        for params in [
            vec![("client_id", "oa"), ("post_logout_redirect_uri", "https://evil.example/")],
            vec![("client_id", "oa"), ("post_logout_redirect_uri", "https://oa.example/bye?foo=bar")],
            vec![("client_id", "expense"), BYE],
            vec![("client_id", "nobody"), BYE],
        ] {
            for browser in [&scene.browser, &stranger] {
                let page = browser.get(&path(&params)).await;
                assert_eq!((page.status.as_u16(), page.location()), (400, ""), "{params:?}");
            }
        }
        assert!(is_signed_in(&scene).await);
    }
);

/// Two applications with an address for a frame; the third has none.
const FRAMED: &str = r#"
[[application]]
id = "oa"
secret = { value = "a-secret-of-the-oa" }
redirect_uris = ["https://oa.example/cb"]
post_logout_redirect_uris = ["https://oa.example/bye"]
logout = { frontchannel_logout_uri = "https://oa.example/out?a=1", frontchannel_logout_session_required = true }

[[application]]
id = "expense"
auth_method = "client_secret_post"
secret = { value = "a-secret-of-expense" }
redirect_uris = ["https://expense.example/cb"]
logout = { frontchannel_logout_uri = "https://expense.example/out" }
"#;

async fn framed(kind: crate::harness::Kind) -> Scene {
    let app = crate::harness::App::with_config(kind, FRAMED).await;
    let user = crate::harness::person(&app.broker, "wang.fang", &["employee"]).await;
    let (session, browser) = crate::http::oidc::signed_in(&app, &user).await;
    Scene { app, user, session, browser }
}

both!(
    /// OIDC-093: the page loads the application's address with `iss` and `sid`, may load nothing else, and goes on.
    applications_are_told_in_frames,
    |kind| async move {
        let scene = framed(kind).await;
        let tokens = scene.tokens(OA, "openid").await;
        let hint = tokens["id_token"].as_str().unwrap();
        let page = scene.browser.get(&path(&[("id_token_hint", hint), BYE, ("state", "a b")])).await;
        assert_eq!(page.status, 200, "{}", page.text);
        let frames = page.attributes("iframe", "src");
        let [frame] = frames.as_slice() else { panic!("{frames:?}") };
        let url = url::Url::parse(frame).unwrap();
        let pairs: Vec<(String, String)> = url.query_pairs().into_owned().collect();
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let sid = scene.session.id.to_string();
        assert_eq!(pairs, [pair("a", "1"), pair("iss", &scene.app.url), pair("sid", &sid)]);
        let policy = page.header("content-security-policy");
        assert!(policy.ends_with("; frame-src https://oa.example"), "{policy}");
        assert_eq!(page.header("refresh"), "3; url=https://oa.example/bye?state=a+b");
        assert_eq!(page.attributes("a.button", "href"), ["https://oa.example/bye?state=a+b"]);
        assert_eq!(scene.browser.cookie("yaopai"), None);
        assert!(!is_signed_in(&scene).await);

        // Asked first, the page with the frames goes on all the same.
        let scene = framed(kind).await;
        scene.tokens(OA, "openid").await;
        let form = scene.browser.get(&path(&[("client_id", "oa"), BYE])).await.form("/logout");
        let page = scene.browser.post(&form).await;
        assert_eq!(page.attributes("iframe", "src").len(), 1);
        assert_eq!(page.header("refresh"), "3; url=https://oa.example/bye");

        // The same where the person signs out, for every application that the session reached, in both languages.
        let scene = framed(kind).await;
        scene.tokens(OA, "openid").await;
        scene.tokens(EXPENSE, "openid").await;
        let form = scene.browser.get("/logout").await.form("/logout");
        let page = scene.browser.clone().with_header("accept-language", "zh-CN").post(&form).await;
        assert_eq!((page.status.as_u16(), page.attributes("iframe", "src").len()), (200, 2), "{}", page.text);
        assert!(page.text.contains("正在通知 2 个应用") && page.header("refresh").is_empty());
        assert_eq!(scene.browser.cookie("yaopai"), None);
    }
);

both!(
    /// OIDC-084: with a hint and nothing else the person is signed out; asked and agreed, too.
    signing_out_ends_at_the_page_that_says_so,
    |kind| async move {
        let scene = Scene::start(kind).await;
        let tokens = scene.tokens(OA, "openid").await;
        let page = scene.browser.get(&path(&[("id_token_hint", tokens["id_token"].as_str().unwrap())])).await;
        assert_eq!((page.status.as_u16(), page.location()), (200, ""));
        assert!(page.text.contains("You are signed out"));
        assert!(!is_signed_in(&scene).await);
        let scene = Scene::start(kind).await;
        for params in [vec![], vec![("state", "x")]] {
            let form = scene.browser.get(&path(&params)).await.form("/logout");
            if params.is_empty() {
                continue;
            }
            let page = scene.browser.post(&form).await;
            assert_eq!(page.location(), "/signed-out");
            assert!(!is_signed_in(&scene).await);
        }
    }
);
