//! The authorization endpoint: who is answered, what, and where.

use chrono::Duration;

use super::{Client, LEGACY, OA, SPA, Scene, answer, authorize_path};
use crate::both;
use crate::harness::{Browser, PASSWORD};

both!(
    /// OAUTH-014, OIDC-015, OAUTH-007, OIDC-030
    a_signed_in_person_is_sent_on_with_a_code,
    |kind| async move {
        let scene = Scene::start(kind).await;
        let page = scene.authorize(OA, &[]).await;
        assert_eq!(page.status, 303);
        assert!(page.location().starts_with("https://oa.example/cb?code="), "{}", page.location());
        assert_eq!(answer(&page, "state").as_deref(), Some("s-._~"));
        assert_eq!(answer(&page, "iss").as_deref(), Some(scene.app.url.as_str()));
        assert_eq!(answer(&page, "code").unwrap().len(), 43);
        assert_eq!(page.header("cache-control"), "no-store");
        assert_eq!(page.header("referrer-policy"), "no-referrer");
        let with_query = Client { redirect_uri: "https://oa.example/q?tenant=1", ..OA };
        let page = scene.authorize(with_query, &[("nonce", ""), ("state", "")]).await;
        assert!(page.location().starts_with("https://oa.example/q?tenant=1&code="), "{}", page.location());
        assert_eq!(answer(&page, "state"), None);
        let audited = scene.audited("application_access").await;
        assert_eq!(audited.len(), 2);
        assert!(audited[0].1.contains("employees-sign-in"), "{}", audited[0].1);
    }
);

both!(
    /// OAUTH-001, OAUTH-003, OAUTH-006, OAUTH-008, OAUTH-009, OIDC-051, OIDC-066, OIDC-068
    what_names_nobody_is_a_page_and_goes_nowhere,
    |kind| async move {
        let scene = Scene::start(kind).await;
        for changes in [
            ("client_id", ""),
            ("client_id", "nobody"),
            ("redirect_uri", ""),
            ("redirect_uri", "https://oa.example/cb/"),
            ("redirect_uri", "https://oa.example/CB"),
            ("redirect_uri", "https://oa.example:443/cb"),
            ("redirect_uri", "https://oa.example/x/../cb"),
            ("redirect_uri", "https://oa.example/cb?a=b"),
            ("redirect_uri", "https://oa.example/cb#f"),
            ("redirect_uri", "https://oa.example@evil/cb"),
            ("redirect_uri", "https://oa.example/q?tenant=2"),
            ("redirect_uri", "https://oa.example/q?tenant=1&x=y"),
        ] {
            let page = scene.authorize(OA, &[changes]).await;
            assert_eq!((page.status.as_u16(), page.location()), (400, ""), "{changes:?}");
            assert!(page.header("content-type").starts_with("text/html"));
            assert!(page.header("content-security-policy").contains("frame-ancestors 'none'"));
        }
        let twice = format!("{}&redirect_uri=https%3A%2F%2Foa.example%2Fcb", authorize_path(OA, &[]));
        assert_eq!(scene.browser.get(&twice).await.status, 400);
        let native = Client { redirect_uri: "http://127.0.0.1:49152/cb", ..SPA };
        assert!(scene.authorize(native, &[]).await.location().starts_with("http://127.0.0.1:49152/cb?code="));
        let other_path = Client { redirect_uri: "http://127.0.0.1:49152/other", ..SPA };
        assert_eq!(scene.authorize(other_path, &[]).await.status, 400);
        let mut tx = scene.app.broker.db.write().await.unwrap();
        let mut oa = tx.applications().find("oa").await.unwrap().unwrap();
        oa.enabled = false;
        tx.applications().update(&oa).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(scene.authorize(OA, &[]).await.status, 400, "switched off");
    }
);

both!(
    /// OAUTH-010, OAUTH-011, OAUTH-012, OAUTH-014, OAUTH-015, OAUTH-022, OAUTH-026, OAUTH-033, OAUTH-036, OIDC-024,
    /// OIDC-037, OIDC-043, OIDC-046, OIDC-047, OIDC-048, OIDC-054, OIDC-055, OIDC-057
    faults_are_told_to_the_application_by_name,
    |kind| async move {
        let scene = Scene::start(kind).await;
        for (changes, error) in [
            (vec![("response_type", "")], "invalid_request"),
            (vec![("response_type", "token")], "unsupported_response_type"),
            (vec![("response_type", "id_token token")], "unsupported_response_type"),
            (vec![("response_type", "id_token")], "unauthorized_client"),
            (vec![("response_mode", "web_message")], "invalid_request"),
            (vec![("request", "eyJhbGciOiJub25lIn0.e30.")], "request_not_supported"),
            (vec![("request_uri", "https://oa.example/request")], "request_uri_not_supported"),
            (vec![("code_challenge", ""), ("code_challenge_method", "")], "invalid_request"),
            (vec![("code_challenge_method", "plain")], "invalid_request"),
            (vec![("code_challenge_method", "")], "invalid_request"),
            (vec![("code_challenge", "short")], "invalid_request"),
            (vec![("scope", "")], "invalid_scope"),
            (vec![("scope", "unknown")], "invalid_scope"),
            (vec![("prompt", "none login")], "invalid_request"),
            (vec![("prompt", "dance")], "invalid_request"),
            (vec![("max_age", "-1")], "invalid_request"),
            (vec![("max_age", "soon")], "invalid_request"),
        ] {
            let page = scene.authorize(OA, &changes).await;
            assert_eq!(answer(&page, "error").as_deref(), Some(error), "{changes:?} {}", page.text);
            assert_eq!(answer(&page, "state").as_deref(), Some("s-._~"));
            assert_eq!(answer(&page, "iss").as_deref(), Some(scene.app.url.as_str()));
            let description = answer(&page, "error_description").unwrap();
            assert!(description.bytes().all(|byte| matches!(byte, 0x20 | 0x21 | 0x23..=0x5B | 0x5D..=0x7E)));
        }
        let twice = format!("{}&scope=profile", authorize_path(OA, &[]));
        assert_eq!(answer(&scene.browser.get(&twice).await, "error").as_deref(), Some("invalid_request"));
        for harmless in [
            ("extra", "foobar"),
            ("display", "popup"),
            ("ui_locales", "se"),
            ("claims_locales", "se"),
            ("acr_values", "1 2"),
            ("login_hint", "bob"),
            ("claims", "{\"userinfo\":{\"name\":{\"essential\":true}}}"),
            ("prompt", "consent"),
            ("prompt", ""),
        ] {
            assert!(answer(&scene.authorize(OA, &[harmless]).await, "code").is_some(), "{harmless:?}");
        }
        let none = [("code_challenge", ""), ("code_challenge_method", "")];
        assert!(answer(&scene.authorize(LEGACY, &none).await, "code").is_some());
        assert_eq!(answer(&scene.authorize(SPA, &none).await, "error").as_deref(), Some("invalid_request"));
    }
);

both!(
    /// OAUTH-017, OIDC-039
    nobody_is_sent_anywhere_before_signing_in,
    |kind| async move {
        let scene = Scene::start(kind).await;
        let stranger = Browser::new(&scene.app.url);
        for changes in [vec![], vec![("scope", "unknown")], vec![("response_type", "token")]] {
            let page = stranger.get(&authorize_path(OA, &changes)).await;
            assert_eq!(page.status, 303);
            assert!(page.location().starts_with("/login?return_to=%2Foauth2%2Fauthorize%3F"), "{}", page.location());
        }
        let silent = stranger.get(&authorize_path(OA, &[("prompt", "none")])).await;
        assert_eq!(answer(&silent, "error").as_deref(), Some("login_required"));
        assert_eq!(answer(&silent, "iss").as_deref(), Some(scene.app.url.as_str()));
    }
);

both!(
    /// OIDC-040, OIDC-042, OAUTH-016
    signing_in_leads_back_to_the_application,
    |kind| async move {
        let scene = Scene::start(kind).await;
        let browser = Browser::new(&scene.app.url);
        let to_login = browser.get(&authorize_path(OA, &[("state", "st åté & more"), ("max_age", "10000")])).await;
        let form = browser.get(to_login.location()).await.form("/login");
        let back = browser.post(&form.with("login", "wang.fang").with("password", PASSWORD)).await;
        assert_eq!(back.status, 303);
        let done = browser.get(back.location()).await;
        assert_eq!(answer(&done, "state").as_deref(), Some("st åté & more"));
        assert!(answer(&done, "code").is_some());
        for silent in [("prompt", "none"), ("max_age", "10000")] {
            assert!(answer(&browser.get(&authorize_path(OA, &[silent])).await, "code").is_some());
        }
    }
);

both!(
    /// OIDC-038, OIDC-041
    a_fresh_proof_is_really_demanded,
    |kind| async move {
        let scene = Scene::start(kind).await;
        scene.app.clock().advance(Duration::seconds(30));
        for demand in [("prompt", "login"), ("prompt", "select_account"), ("max_age", "1"), ("max_age", "0")] {
            let before = scene.app.clock().now();
            scene.app.clock().advance(Duration::seconds(2));
            let page = scene.authorize(OA, &[demand]).await;
            assert!(page.location().ends_with("&reauth=1"), "{demand:?} {}", page.location());
            let form = scene.browser.get(page.location()).await.form("/login");
            let old = form.fields["return_to"].clone();
            assert_eq!(scene.browser.get(&old).await.location(), page.location(), "without signing in it asks again");
            let filled = form.with("login", "wang.fang").with("password", PASSWORD);
            let back = scene.browser.post(&filled).await;
            let done = scene.browser.get(back.location()).await;
            let code = answer(&done, "code").unwrap_or_else(|| panic!("{demand:?} {}", done.location()));
            let (_, body) = scene.redeem(OA, &code).await;
            let auth_time = crate::http::oidc::claims(&body["id_token"])["auth_time"].as_i64().unwrap();
            assert!(auth_time > before.timestamp(), "{demand:?}");
            assert_eq!(auth_time, scene.app.clock().now().timestamp());
            // The marker serves this request only.
            let other = back.location().replace("nonce=n-0", "nonce=n-1");
            scene.app.clock().advance(Duration::seconds(2));
            assert!(scene.browser.get(&other).await.location().ends_with("&reauth=1"), "{demand:?}");
        }
        let silent = scene.authorize(OA, &[("prompt", "none"), ("max_age", "1")]).await;
        assert_eq!(answer(&silent, "error").as_deref(), Some("login_required"));
    }
);

both!(
    /// OIDC-052
    a_request_by_post_is_answered_like_one_by_get,
    |kind| async move {
        let scene = Scene::start(kind).await;
        let path = authorize_path(OA, &[("state", "ü&=+")]);
        let (_, query) = path.split_once('?').unwrap();
        // As a form of another site would arrive: without the session cookie.
        let request = scene.app.browser().post(scene.app.at("/oauth2/authorize"));
        let form = request.header("content-type", "application/x-www-form-urlencoded").body(query.to_owned());
        let answered = form.send().await.unwrap();
        assert_eq!(answered.status(), 303);
        let page = scene.browser.get(answered.headers()["location"].to_str().unwrap()).await;
        assert_eq!(answer(&page, "state").as_deref(), Some("ü&=+"));
        assert!(answer(&page, "code").is_some());
    }
);

both!(
    /// OIDC-044
    a_hint_at_another_person_is_not_ignored,
    |kind| async move {
        let scene = Scene::start(kind).await;
        let tokens = scene.tokens(OA, "openid").await;
        let hint = tokens["id_token"].as_str().unwrap().to_owned();
        scene.app.clock().advance(Duration::hours(1));
        let same = scene.authorize(OA, &[("prompt", "none"), ("id_token_hint", &hint)]).await;
        assert!(answer(&same, "code").is_some(), "an expired ID token is a good hint");
        let other = crate::harness::person(&scene.app.broker, "li.na", &["employee"]).await;
        let (_, browser) = crate::http::oidc::signed_in(&scene.app, &other).await;
        let silent = authorize_path(OA, &[("prompt", "none"), ("id_token_hint", &hint)]);
        assert_eq!(answer(&browser.get(&silent).await, "error").as_deref(), Some("login_required"));
        let access = tokens["access_token"].as_str().unwrap();
        let silent = scene.authorize(OA, &[("prompt", "none"), ("id_token_hint", access)]).await;
        assert_eq!(answer(&silent, "error").as_deref(), Some("login_required"));
    }
);

both!(policy_decides_who_may_sign_in_to_what, |kind| async move {
    let scene = Scene::start(kind).await;
    let files = Client { id: "hr-files", secret: None, redirect_uri: "https://hr.example/cb" };
    let page = scene.authorize(files, &[]).await;
    assert_eq!((page.status.as_u16(), page.location()), (403, ""));
    assert!(page.text.contains("You may not use this application"), "{}", page.text);
    let silent = scene.authorize(files, &[("prompt", "none")]).await;
    assert_eq!(answer(&silent, "error").as_deref(), Some("access_denied"));
    let audited = scene.audited("application_access").await;
    assert_eq!(audited.len(), 2);
    assert!(audited.iter().all(|(outcome, details)| outcome == "denied" && details.contains("personnel-files-for-hr")));
    let hr = crate::harness::person(&scene.app.broker, "sun.li", &["employee", "hr"]).await;
    let (_, browser) = crate::http::oidc::signed_in(&scene.app, &hr).await;
    assert!(answer(&browser.get(&authorize_path(files, &[])).await, "code").is_some());
});

both!(
    /// OAUTH-019, OAUTH-020
    only_origins_of_applications_may_call_from_a_browser,
    |kind| async move {
        let scene = Scene::start(kind).await;
        let ask = |path: &str, origin: &'static str, method: reqwest::Method| {
            let request = scene.app.browser().request(method, scene.app.at(path)).header("origin", origin);
            async move { request.header("access-control-request-method", "POST").send().await.unwrap() }
        };
        let allowed = "access-control-allow-origin";
        for path in ["/oauth2/token", "/oauth2/userinfo", "/oauth2/jwks", "/.well-known/openid-configuration"] {
            let called = if path == "/oauth2/token" { reqwest::Method::POST } else { reqwest::Method::GET };
            for method in [called, reqwest::Method::OPTIONS] {
                let known = ask(path, "https://spa.example", method.clone()).await;
                assert_eq!(known.headers()[allowed], "https://spa.example", "{path} {method}");
                assert!(!known.headers().contains_key("access-control-allow-credentials"));
                let evil = ask(path, "https://evil.example", method).await;
                assert!(!evil.headers().contains_key(allowed), "{path}");
            }
        }
        let authorize = ask(&authorize_path(SPA, &[]), "https://spa.example", reqwest::Method::GET).await;
        assert!(!authorize.headers().contains_key(allowed));
    }
);
