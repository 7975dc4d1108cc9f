//! The sign-in page: who gets in, who does not, and what an attacker learns.

#![expect(clippy::indexing_slicing, reason = "a test that cannot go on fails")]

use chrono::Duration;
use yaopai::model::Status;

use crate::both;
use crate::harness::{App, Browser, Form, PASSWORD, build, person, save};

/// Bytes of a body a little over what is read: a client that is still sending much more when it is refused may see the line
/// close before it sees the answer.
const BARELY_TOO_LONG: usize = 66_000;
const OA: &str = r#"
[[application]]
id = "oa"
secret = { value = "a-secret-of-the-test-that-is-long-enough" }
redirect_uris = ["https://oa.example/cb"]
"#;

async fn audited(app: &App) -> Vec<(String, String, String)> {
    let mut tx = app.broker.db.read().await.unwrap();
    tx.all("SELECT outcome, subject, details FROM audit_log WHERE action = 'sign_in' ORDER BY seq", &[]).await.unwrap()
}

async fn sessions(app: &App) -> Vec<(Option<String>,)> {
    let mut tx = app.broker.db.read().await.unwrap();
    tx.all("SELECT ended_reason FROM sessions ORDER BY COALESCE(ended_reason, 'zz')", &[]).await.unwrap()
}

fn cookies(page: &crate::harness::Page) -> Vec<String> {
    page.headers.get_all("set-cookie").iter().map(|value| value.to_str().unwrap().to_owned()).collect()
}

/// WEB-003, WEB-004, OAUTH-016
mod who_proves_it_gets_a_session {
    use super::*;

    both!(of_their_own, |kind| async move {
        let app = App::start(kind).await;
        let user = person(&app.broker, "Wang.Fang", &[]).await;
        let browser = Browser::new(&app.url);
        browser.plant("yaopai", &"A".repeat(43));
        let answer = browser.sign_in_at("/login?return_to=%2Fsessions", " wang.FANG ", PASSWORD).await;
        assert_eq!((answer.status.as_u16(), answer.location()), (303, "/sessions"));
        let set = cookies(&answer);
        let session = set.iter().find(|cookie| cookie.starts_with("yaopai=")).unwrap();
        assert!(session.ends_with("; Path=/; HttpOnly; SameSite=Lax"), "{session}");
        assert!(!answer.text.contains(&browser.cookie("yaopai").unwrap()));
        let first = browser.cookie("yaopai").unwrap();
        assert_ne!(first, "A".repeat(43));

        // Signed in already: no form. Asked to prove it again: a form, and another cookie of the same session.
        assert_eq!(browser.get("/login").await.location(), "/");
        let answer = browser.sign_in_at("/login?reauth=1", "wang.fang", PASSWORD).await;
        assert_eq!(answer.status, 303);
        assert_ne!(browser.cookie("yaopai").unwrap(), first);
        assert_eq!(sessions(&app).await, [(None,)]);
        browser.plant("yaopai", &first);
        assert_eq!(browser.get("/login").await.status, 200, "the old cookie opens nothing");

        let rows = audited(&app).await;
        assert_eq!(rows.len(), 2);
        assert_eq!((rows[0].0.as_str(), rows[0].1.as_str()), ("success", format!("user:{}", user.id).as_str()));
    });
}

both!(
    /// WEB-020
    wrong_unknown_and_disabled_look_the_same,
    |kind| async move {
        let app = App::start(kind).await;
        person(&app.broker, "wang.fang", &[]).await;
        let mut gone = build(&app.broker, "li.na");
        gone.status = Status::Disabled;
        save(&app.broker, &gone).await;
        let mut federated = build(&app.broker, "zhao.min");
        federated.password_hash = None;
        save(&app.broker, &federated).await;
        let mut weak = build(&app.broker, "sun.li");
        weak.password_hash = Some("{SSHA}5en6G6MezRroT3XKqkdPOmY/BfQ=".to_owned());
        save(&app.broker, &weak).await;

        let mut answers = Vec::new();
        for (login, password) in [
            ("wang.fang", "wrong"),
            ("nobody.xx", "wrong"),
            ("li.na", PASSWORD),
            ("zhao.min", "wrong"),
            ("sun.li", "wrong"),
        ] {
            let browser = Browser::new(&app.url);
            browser.plant("yaopai-browser", &"B".repeat(43));
            let answer = browser.sign_in(login, password).await;
            assert_eq!(answer.status, 403);
            let mut headers = answer.headers.clone();
            headers.remove("x-request-id");
            headers.remove("date");
            headers.remove("content-length");
            let text = answer.text.replace(&format!("value=\"{login}\""), "value=\"LOGIN\"");
            answers.push((format!("{headers:?}"), text));
        }
        for answer in &answers[1..] {
            assert_eq!(answer, &answers[0]);
        }
        let rows = audited(&app).await;
        assert_eq!(rows.len(), 5);
        assert!(rows.iter().all(|(outcome, _, details)| outcome == "denied" && !details.contains("nobody.xx")));
        assert_eq!(rows[1].1, "", "nobody's attempt names nobody");
    }
);

both!(
    /// WEB-001, WEB-002
    only_our_form_in_this_browser_signs_in,
    |kind| async move {
        let app = App::start(kind).await;
        person(&app.broker, "wang.fang", &[]).await;
        let (victim, attacker) = (Browser::new(&app.url), Browser::new(&app.url));
        let form = |browser: &Browser| {
            let browser = browser.clone();
            async move {
                let page = browser.get("/login").await;
                page.form("/login").with("login", "wang.fang").with("password", PASSWORD)
            }
        };
        let own = form(&victim).await;
        let foreign = form(&attacker).await;
        let without = Form { fields: own.fields.clone().into_iter().filter(|(name, _)| name != "csrf").collect(), ..own.clone() };
        for (what, form) in [("another browser's token", &foreign), ("no token", &without)] {
            let answer = victim.post(form).await;
            assert_eq!(answer.status, 403, "{what}");
            assert!(answer.text.contains("out of date"), "{what}");
        }
        let cross = victim.clone().with_header("sec-fetch-site", "cross-site").post(&own).await;
        assert_eq!(cross.status, 403);
        let cross = victim.clone().with_header("origin", "https://evil.example").post(&own).await;
        assert_eq!(cross.status, 403);
        let bare = Browser::new(&app.url).post(&own).await;
        assert_eq!(bare.status, 403, "a browser without the page's cookie");
        let json = app.browser().post(app.at("/login")).json(&own.fields).send().await.unwrap();
        assert_eq!(json.status(), 415);
        assert!(sessions(&app).await.is_empty() && audited(&app).await.is_empty(), "nothing was even tried");
        let right = victim.with_header("sec-fetch-site", "same-origin").post(&own).await;
        assert_eq!(right.status, 303);
    }
);

both!(
    /// WEB-023, WEB-025
    guessing_makes_the_account_wait_and_nobody_else,
    |kind| async move {
        let app = App::start(kind).await;
        person(&app.broker, "john", &[]).await;
        person(&app.broker, "li.na", &[]).await;
        let owner = Browser::new(&app.url);
        assert_eq!(owner.sign_in("john", PASSWORD).await.status, 303);
        let guesser = Browser::new(&app.url);
        for login in ["john", "JOHN", " john", "Ｊohn", "john\u{200b}"] {
            assert_eq!(guesser.sign_in(login, "wrong").await.status, 403, "{login}");
        }
        let answer = guesser.sign_in("john", PASSWORD).await;
        assert_eq!(answer.status, 429);
        assert_eq!(answer.header("retry-after"), "300");
        assert!(answer.texts("#problem")[0].contains("Wait 5 minutes"), "{:?}", answer.texts("#problem"));
        assert_eq!(guesser.sign_in("li.na", PASSWORD).await.status, 303, "others are unharmed");
        let known = owner.sign_in_at("/login?reauth=1", "john", PASSWORD).await;
        assert_eq!(known.status, 303, "who signed in here before still gets in");

        app.clock().advance(Duration::seconds(301));
        assert_eq!(guesser.sign_in_at("/login?reauth=1", "john", "wrong").await.status, 403);
        let answer = guesser.sign_in_at("/login?reauth=1", "john", PASSWORD).await;
        assert_eq!((answer.status.as_u16(), answer.header("retry-after")), (429, "600"), "the wait grows");
        app.clock().advance(Duration::seconds(601));
        let fresh = Browser::new(&app.url);
        assert_eq!(fresh.sign_in("john", PASSWORD).await.status, 303, "it is no lock-out");
        for _ in 0..4 {
            assert_eq!(Browser::new(&app.url).sign_in("john", "wrong").await.status, 403);
        }
        assert_eq!(Browser::new(&app.url).sign_in("john", PASSWORD).await.status, 303, "success starts afresh");
    }
);

both!(one_address_cannot_try_everybody, |kind| async move {
    let app = App::with_config(kind, "[login]\nfailures_per_address = 3\n").await;
    person(&app.broker, "wang.fang", &[]).await;
    let browser = Browser::new(&app.url);
    for login in ["a", "b", "c"] {
        assert_eq!(browser.sign_in(login, "Spring2026").await.status, 403);
    }
    assert_eq!(browser.sign_in("wang.fang", PASSWORD).await.status, 429);
    app.clock().advance(Duration::seconds(301));
    assert_eq!(browser.sign_in("wang.fang", PASSWORD).await.status, 303);
});

both!(
    /// WEB-026
    a_burst_of_guesses_does_not_outrun_the_limit,
    |kind| async move {
        let app = App::with_config(kind, "[login]\nfailures_per_address = 1000\n").await;
        person(&app.broker, "wang.fang", &[]).await;
        let browser = Browser::new(&app.url);
        let form = browser.get("/login").await.form("/login").with("login", "wang.fang");
        let guesses: Vec<_> = (0..60)
            .map(|guess| {
                let (browser, form) = (browser.clone(), form.clone().with("password", &format!("guess-{guess}")));
                tokio::spawn(async move { browser.post(&form).await.status.as_u16() })
            })
            .collect();
        let mut judged = 0;
        for guess in guesses {
            let status = guess.await.unwrap();
            assert!(status == 403 || status == 429, "{status}");
            judged += u32::from(status == 403);
        }
        assert_eq!(judged, 5, "five guesses were judged, the others had to wait");
    }
);

both!(
    /// WEB-029, LDAP-092
    empty_and_endless_passwords_are_refused_before_any_check,
    |kind| async move {
        let app = App::start(kind).await;
        person(&app.broker, "wang.fang", &[]).await;
        let browser = Browser::new(&app.url);
        for (login, password) in [("wang.fang", ""), ("", PASSWORD), ("  ", PASSWORD)] {
            assert_eq!(browser.sign_in(login, password).await.status, 400);
        }
        assert_eq!(browser.sign_in("wang.fang", &"x".repeat(1_025)).await.status, 400);
        let huge = browser.sign_in("wang.fang", &"x".repeat(BARELY_TOO_LONG)).await;
        assert_eq!(huge.status, 413);
        assert!(huge.text.contains("</html>"));
        assert!(audited(&app).await.is_empty());
        for _ in 0..6 {
            assert_eq!(browser.sign_in("wang.fang", "").await.status, 400, "and they do not count as guesses");
        }
        assert_eq!(browser.sign_in("wang.fang", PASSWORD).await.status, 303);
    }
);

both!(
    /// WEB-014, GW-034
    nobody_is_sent_elsewhere,
    |kind| async move {
        let app = App::start(kind).await;
        person(&app.broker, "wang.fang", &[]).await;
        for evil in ["https%3A%2F%2Fevil.example", "%2F%2Fevil.example", "%2F%5Cevil.example", "%2Foauth2%2Ftoken", "/\t/e"] {
            let browser = Browser::new(&app.url);
            let path = format!("/login?return_to={evil}");
            let answer = browser.sign_in_at(&path, "wang.fang", PASSWORD).await;
            assert_eq!((answer.status.as_u16(), answer.location()), (303, "/"), "{evil}");
            let form = browser.get("/login?reauth=1").await.form("/login").with("return_to", "//evil.example");
            let answer = browser.post(&form.with("login", "wang.fang").with("password", PASSWORD)).await;
            assert_eq!(answer.location(), "/");
            let back = browser.get(&format!("/language?to=zh-CN&return_to={evil}")).await;
            assert_eq!(back.location(), "/");
            assert_eq!(browser.get(&path).await.location(), "/");
        }
    }
);

both!(
    /// WEB-010, WEB-011, WEB-012, OAUTH-018, OAUTH-021
    every_page_carries_its_armour,
    |kind| async move {
        let app = App::with_config(kind, OA).await;
        yaopai::oidc::declare_applications(&app.broker).await.unwrap();
        let browser = Browser::new(&app.url);
        let authorize = "%2Foauth2%2Fauthorize%3Fclient_id%3Doa%26redirect_uri%3Dhttps%253A%252F%252Foa.example%252Fcb";
        for path in ["/login", &format!("/login?return_to={authorize}"), "/nothing-here", "/console/runs/../x"] {
            let page = browser.get(path).await;
            let policy = page.header("content-security-policy");
            for part in ["default-src 'none'", "style-src 'self'", "object-src 'none'", "base-uri 'none'", "frame-ancestors 'none'"] {
                assert!(policy.contains(part), "{path}: {policy}");
            }
            assert!(!policy.contains("unsafe") && !policy.contains("script-src"), "{policy}");
            assert_eq!(page.header("x-frame-options"), "DENY");
            assert_eq!(page.header("referrer-policy"), "no-referrer");
            assert_eq!(page.header("x-content-type-options"), "nosniff");
            assert_eq!(page.header("cache-control"), "no-store");
            assert!(page.header("content-type").starts_with("text/html"));
            for inline in ["<script", "<style", " style=", " onclick=", "javascript:"] {
                assert!(!page.text.contains(inline), "{path}: {inline}");
            }
            let from = [page.attributes("link", "href"), page.attributes("img", "src")].concat();
            assert!(from.len() > 2 && from.iter().all(|address| address.starts_with("/assets/")), "{from:?}");
            for address in from {
                let asset = browser.get(&address).await;
                assert_eq!(asset.status, 200);
                assert_eq!(asset.header("cache-control"), "public, max-age=31536000, immutable");
            }
        }
        let plain = browser.get("/login").await;
        assert!(plain.header("content-security-policy").ends_with("form-action 'self'"));
        // Chromium holds form-action against the redirects after the form: the application must be in it.
        let sent_on = browser.get(&format!("/login?return_to={authorize}")).await;
        assert!(sent_on.header("content-security-policy").ends_with("form-action 'self' https://oa.example"));
        for (evil, expected) in [
            ("%2Foauth2%2Fauthorize%3Fclient_id%3Doa%26redirect_uri%3Dhttps%3A%2F%2Fevil.example", "'self' https://oa.example"),
            ("%2Foauth2%2Fauthorize%3Fclient_id%3Dnone%26redirect_uri%3Dhttps%3A%2F%2Fevil.example", "'self'"),
            ("%2Fgateway%2Freturn%3Fto%3Dhttps%3A%2F%2Fevil.example", "'self'"),
        ] {
            let page = browser.get(&format!("/login?return_to={evil}")).await;
            let policy = page.header("content-security-policy");
            assert!(policy.ends_with(&format!("form-action {expected}")), "{policy}");
        }
    }
);

both!(
    /// WEB-013, WEB-017
    what_is_typed_stays_text,
    |kind| async move {
        let app = App::start(kind).await;
        let browser = Browser::new(&app.url);
        for hostile in [
            "\"><script>alert(1)</script>",
            "' onfocus=alert(1) autofocus='",
            "{{7*7}}",
            "${7*7}",
            "{% include 'x' %}",
            "<svg/onload=alert(1)>",
            "</title><img src=x onerror=alert(1)>",
        ] {
            let page = browser.sign_in(hostile, "x").await;
            assert_eq!(page.attributes("#login", "value"), [hostile]);
            assert!(!page.text.contains("<script") && !page.text.contains("<svg") && !page.text.contains("<img src=x"));
            let hint: String = url::form_urlencoded::byte_serialize(hostile.as_bytes()).collect();
            let inner: String = url::form_urlencoded::byte_serialize(
                format!("/oauth2/authorize?login_hint={hint}").as_bytes(),
            )
            .collect();
            let page = browser.get(&format!("/login?return_to={inner}")).await;
            assert_eq!(page.attributes("#login", "value"), [hostile]);
        }
    }
);

both!(pages_speak_the_browsers_language_and_the_chosen_one, |kind| async move {
    let app = App::start(kind).await;
    let chinese = Browser::new(&app.url).with_header("accept-language", "zh-CN,zh;q=0.9,en;q=0.8");
    let page = chinese.get("/login?return_to=%2Fsessions").await;
    assert_eq!((page.header("content-language"), page.attributes("html", "lang")), ("zh-CN", vec!["zh-CN".to_owned()]));
    assert_eq!(page.texts("button[type=submit]"), ["登录"]);
    let switch = page.attributes("nav.switch a", "href");
    let answer = chinese.get(&switch[0]).await;
    assert_eq!((answer.status.as_u16(), answer.location()), (303, "/login?return_to=%2Fsessions"));
    let page = chinese.get(answer.location()).await;
    assert_eq!(page.texts("button[type=submit]"), ["Sign in"]);
    assert_eq!(page.texts("nav.switch [aria-current]"), ["English"]);
    let wrong = chinese.sign_in("x", "y").await;
    assert_eq!(wrong.header("content-language"), "en");
    assert!(wrong.attributes("nav.switch a", "href")[0].contains("return_to=%2Flogin"));
});

both!(a_path_that_is_not_there_says_so, |kind| async move {
    let app = App::start(kind).await;
    let browser = Browser::new(&app.url);
    let page = browser.get("/nothing-here").await;
    assert_eq!((page.status.as_u16(), page.texts("h1")), (404, vec!["There is no such page.".to_owned()]));
    assert!(page.text.contains(page.header("x-request-id")));
    let answer = browser.send(app.browser().put(app.at("/login"))).await;
    assert_eq!(answer.status, 405);
    assert!(answer.header("allow").contains("POST"), "{:?}", answer.headers);
});
