//! Consent of people for third-party applications: asked, remembered, asked for more, refused, taken back.

use serde_json::{Value, json};

use super::{Client, OA, Scene, answer, authorize_path, signed_in};
use crate::both;
use crate::harness::{App, Browser, Kind, Page, person};

const CONFIG: &str = r#"
[[application]]
id = "travel"
name = "Travel <b>& more</b>"
secret = { value = "a-secret-of-travel" }
redirect_uris = ["https://travel.example/cb"]
scopes = ["openid", "profile", "email", "phone", "offline_access", "trip:book", "trip:read"]
[application.identity]
consent = "once"
[application.identity.scope_texts."trip:book"]
en = "Book trips and hotels for you"
zh-CN = "为您预订行程和酒店"
[application.identity.claims]
staff = "employee_number"

[[application]]
id = "bank"
secret = { value = "a-secret-of-the-bank" }
redirect_uris = ["https://bank.example/cb"]
[application.identity]
consent = "always"
"#;

const TRAVEL: Client =
    Client { id: "travel", secret: Some("a-secret-of-travel"), redirect_uri: "https://travel.example/cb" };
const BANK: Client =
    Client { id: "bank", secret: Some("a-secret-of-the-bank"), redirect_uri: "https://bank.example/cb" };

async fn scene(kind: Kind) -> Scene {
    let app = App::with_config(kind, &format!("{}{CONFIG}", super::CONFIG)).await;
    let user = person(&app.broker, "wang.fang", &["employee"]).await;
    let (session, browser) = signed_in(&app, &user).await;
    Scene { app, user, session, browser }
}

/// Says yes or no on the page.
async fn reply(browser: &Browser, page: &Page, decision: &str) -> Page {
    browser.post(&page.form("/oauth2/consent").with("decision", decision)).await
}

async fn consented(scene: &Scene, client: Client, changes: &[(&str, &str)]) -> Value {
    let page = scene.authorize(client, changes).await;
    assert_eq!(page.status, 200, "{}", page.text);
    let back = reply(&scene.browser, &page, "yes").await;
    assert_eq!(back.status, 303, "{}", back.text);
    let (status, body) = scene.redeem(client, &answer(&back, "code").unwrap()).await;
    assert_eq!(status, 200, "{body}");
    body
}

both!(
    /// OAUTH-018, OAUTH-021
    a_third_party_application_is_asked_for_once_and_again_when_it_wants_more,
    |kind| async move {
        let scene = scene(kind).await;
        let page = scene.authorize(TRAVEL, &[("scope", "openid email trip:book trip:read")]).await;
        assert_eq!(page.status, 200);
        assert_eq!(page.header("x-frame-options"), "DENY");
        assert_eq!(page.header("referrer-policy"), "no-referrer");
        let policy = page.header("content-security-policy");
        assert!(policy.contains("form-action 'self' https://travel.example;") || policy.ends_with("https://travel.example"), "{policy}");
        let text = page.texts("main").join(" ");
        for said in ["Travel <b>& more</b>", "at travel.example", "Know your mail address", "employee number",
            "Book trips and hotels for you", "Use “trip:read” in your name", "王芳 (wang.fang)"] {
            assert!(text.contains(said), "{said} is not in {text}");
        }
        let first = reply(&scene.browser, &page, "yes").await;
        assert_eq!(first.status, 303);
        assert!(answer(&first, "code").is_some() && answer(&first, "iss").is_some());
        assert_eq!(answer(&first, "state").as_deref(), Some("s-._~"));
        // Remembered: the same, and less, go through, also silently.
        for scope in ["openid email trip:book trip:read", "openid", "trip:read openid"] {
            let again = scene.authorize(TRAVEL, &[("scope", scope), ("prompt", "none")]).await;
            assert!(answer(&again, "code").is_some(), "{scope}: {}", again.location());
        }
        // More is asked for: a scope, a single claim.
        let more = scene.authorize(TRAVEL, &[("scope", "openid phone")]).await;
        assert!(more.texts(".notice").join(" ").contains("now wants more"), "{}", more.text);
        let claim = r#"{"userinfo":{"phone_number":null}}"#;
        let single = scene.authorize(TRAVEL, &[("claims", claim)]).await;
        assert!(single.texts(".wish").join(" ").contains("mobile number"), "{}", single.text);
        let silent = scene.authorize(TRAVEL, &[("scope", "openid phone"), ("prompt", "none")]).await;
        assert_eq!(answer(&silent, "error").as_deref(), Some("consent_required"));
        // What was agreed before stays, when more is agreed to.
        reply(&scene.browser, &more, "yes").await;
        let all = [("scope", "openid email phone trip:book trip:read"), ("prompt", "none")];
        assert!(answer(&scene.authorize(TRAVEL, &all).await, "code").is_some());
        let asked = scene.authorize(TRAVEL, &[("prompt", "consent")]).await;
        assert_eq!(asked.status, 200, "prompt=consent asks all the same");
        // The company's own applications do not ask.
        assert!(answer(&scene.authorize(OA, &[("prompt", "consent")]).await, "code").is_some());
        let given = scene.audited("consent").await;
        assert_eq!(given.len(), 2, "{given:?}");
        assert!(given[0].0 == "success" && given[0].1.contains("trip:book"), "{given:?}");
    }
);

both!(who_is_always_asked_is_asked_at_every_sign_in, |kind| async move {
    let scene = scene(kind).await;
    for _ in 0..2 {
        consented(&scene, BANK, &[]).await;
    }
    let silent = scene.authorize(BANK, &[("prompt", "none")]).await;
    assert_eq!(answer(&silent, "error").as_deref(), Some("consent_required"));
});

both!(
    /// OAUTH-025
    who_does_not_agree_goes_back_with_access_denied,
    |kind| async move {
        let scene = scene(kind).await;
        let page = scene.authorize(TRAVEL, &[]).await;
        let back = reply(&scene.browser, &page, "no").await;
        assert_eq!(back.status, 303);
        assert_eq!(answer(&back, "error").as_deref(), Some("access_denied"));
        assert_eq!(answer(&back, "state").as_deref(), Some("s-._~"));
        assert_eq!(answer(&back, "iss").as_deref(), Some(scene.app.url.as_str()));
        assert_eq!(scene.audited("consent").await[0].0, "denied");
        assert_eq!(scene.authorize(TRAVEL, &[]).await.status, 200, "asked again next time");
    }
);

both!(
    /// OAUTH-027, WEB-001
    a_yes_counts_for_what_was_shown_to_this_person_in_this_session_and_not_for_long,
    |kind| async move {
        let scene = scene(kind).await;
        let page = scene.authorize(TRAVEL, &[]).await;
        let form = page.form("/oauth2/consent").with("decision", "yes");
        let is_asked = |page: &Page| page.status == 200 && page.texts(".wish").len() == 1;

        let no_token = scene.browser.post(&form.clone().with("csrf", "x")).await;
        assert_eq!(no_token.status, 403);
        let (_, other) = signed_in(&scene.app, &person(&scene.app.broker, "li.na", &["employee"]).await).await;
        assert_eq!(other.post(&form.clone()).await.status, 403, "another person's session");
        let own = other.get(&authorize_path(TRAVEL, &[])).await.form("/oauth2/consent");
        let stolen = own.with("decision", "yes").with("ticket", &form.fields["ticket"]);
        assert!(is_asked(&other.post(&stolen).await), "another person's ticket");

        for (name, client, changes) in [
            ("another application", BANK, vec![]),
            ("more scopes", TRAVEL, vec![("scope", "openid phone")]),
            ("another state", TRAVEL, vec![("state", "other")]),
        ] {
            let path = authorize_path(client, &changes);
            let changed = form.clone().with("request", path.split_once('?').unwrap().1);
            assert!(is_asked(&scene.browser.post(&changed).await), "{name}");
        }
        for ticket in ["", "x", "1.", &format!("{}x", form.fields["ticket"])] {
            assert!(is_asked(&scene.browser.post(&form.clone().with("ticket", ticket)).await), "{ticket}");
        }
        for decision in ["", "YES", "maybe"] {
            assert_eq!(scene.browser.post(&form.clone().with("decision", decision)).await.status, 400);
        }
        let by_get = format!("{}&ticket={}&decision=yes", authorize_path(TRAVEL, &[]), form.fields["ticket"]);
        assert!(is_asked(&scene.browser.get(&by_get).await), "an address agrees to nothing");
        scene.app.clock().advance(chrono::Duration::minutes(16));
        assert!(is_asked(&scene.browser.post(&form).await), "too late");
        assert!(scene.audited("consent").await.is_empty());
    }
);

both!(
    /// OAUTH-062
    a_consent_that_is_taken_back_ends_everything_that_rests_on_it,
    |kind| async move {
        let scene = scene(kind).await;
        let tokens = consented(&scene, TRAVEL, &[("scope", "openid offline_access trip:read")]).await;
        let own = scene.tokens(OA, "openid").await;
        assert_eq!(scene.userinfo(&tokens).await.0, 200);
        let list = scene.browser.get("/consents").await;
        let row = list.texts(".rows").join(" ");
        assert!(row.contains("Travel <b>& more</b>") && row.contains("Keep its access"), "{row}");
        let form = list.form("/consents/withdraw");

        let (_, other) = signed_in(&scene.app, &person(&scene.app.broker, "li.na", &["employee"]).await).await;
        assert!(other.get("/consents").await.texts(".empty").join(" ").contains("not agreed to anything"));
        assert_eq!(other.post(&form.clone()).await.status, 403, "the form of another session");
        assert_eq!(scene.browser.post(&form.clone().with("csrf", "x")).await.status, 403);
        assert_eq!(scene.browser.post(&form.clone().with("application", "oa")).await.status, 404);
        assert_eq!(scene.userinfo(&tokens).await.0, 200, "nothing has happened yet");

        assert_eq!(scene.browser.post(&form.clone()).await.location(), "/consents");
        assert_eq!(scene.userinfo(&tokens).await.0, 401, "the access token is dead at once");
        let (status, error) = scene.refresh(TRAVEL, tokens["refresh_token"].as_str().unwrap()).await;
        assert_eq!((status, &error["error"]), (400, &json!("invalid_grant")));
        assert_eq!(scene.userinfo(&own).await.0, 200, "other applications go on");
        assert_eq!(scene.authorize(TRAVEL, &[]).await.status, 200, "asked again");
        assert_eq!(scene.browser.post(&form).await.status, 404, "once");
        let recorded = scene.audited("consent").await;
        assert!(recorded[1].1.contains("\"withdrawn\""), "{recorded:?}");
    }
);

both!(
    /// OIDC-037, OIDC-045, OIDC-046, OIDC-047, WEB-013
    hints_of_the_application_reach_the_sign_in_page,
    |kind| async move {
        let scene = scene(kind).await;
        let stranger = Browser::new(&scene.app.url);
        let page_of = |changes: Vec<(&'static str, &'static str)>| {
            let stranger = stranger.clone();
            async move {
                let sent = stranger.get(&authorize_path(OA, &changes)).await;
                stranger.get(sent.location()).await
            }
        };
        let hostile = "\"><script>alert(1)</script>";
        let page = page_of(vec![("login_hint", hostile), ("ui_locales", "se zh-Hans-CN en"), ("display", "popup")]).await;
        assert_eq!(page.attributes("#login", "value"), [hostile]);
        assert!(!page.text.contains("<script>"));
        assert_eq!(page.header("content-language"), "zh-CN");
        assert_eq!(page_of(vec![("ui_locales", "se"), ("claims_locales", "se")]).await.header("content-language"), "en");
        assert_eq!(page_of(vec![("ui_locales", hostile), ("display", hostile)]).await.status, 200);
        // A failed attempt stays in the language.
        let failed = page.form("/login").with("login", "nobody").with("password", "wrong");
        assert_eq!(stranger.post(&failed).await.header("content-language"), "zh-CN");
        // What the person chose in this browser goes before.
        stranger.get("/language?to=en&return_to=/").await;
        assert_eq!(page_of(vec![("ui_locales", "zh-CN")]).await.header("content-language"), "en");
        let created = scene.authorize(OA, &[("prompt", "create")]).await;
        assert_eq!(answer(&created, "error").as_deref(), Some("invalid_request"));
    }
);
