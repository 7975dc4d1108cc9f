//! The portal: what a person sees, and what they do not.

#![expect(clippy::indexing_slicing, reason = "a test that cannot go on fails")]

use crate::both;
use crate::harness::{App, Browser, PASSWORD, build, person, save};

const APPLICATIONS: &str = r#"
[[application]]
id = "oa"
name = "办公系统 <OA>"
description = "审批、公文与日程"
launch_url = "https://oa.example/"
secret = { value = "a-secret-of-the-test-that-is-long-enough" }
redirect_uris = ["https://oa.example/callback"]

[[application]]
id = "hr-files"
name = "Personnel files"
launch_url = "https://hr.example/"
secret = { value = "a-secret-of-the-test-that-is-long-enough" }
redirect_uris = ["https://hr.example/callback"]

[[application]]
id = "hidden"
secret = { value = "a-secret-of-the-test-that-is-long-enough" }
redirect_uris = ["https://hidden.example/callback"]

[[application]]
id = "off"
launch_url = "https://off.example/"
enabled = false
secret = { value = "a-secret-of-the-test-that-is-long-enough" }
redirect_uris = ["https://off.example/callback"]
"#;

async fn start(kind: crate::harness::Kind) -> App {
    let app = App::with_config(kind, APPLICATIONS).await;
    yaopai::oidc::declare_applications(&app.broker).await.unwrap();
    app
}

both!(only_applications_that_policy_opens_are_shown, |kind| async move {
    let app = start(kind).await;
    person(&app.broker, "wang.fang", &["employee"]).await;
    person(&app.broker, "zhao.min", &["employee", "hr"]).await;
    person(&app.broker, "guest", &[]).await;
    for (login, expected) in [
        ("wang.fang", vec!["办公系统 <OA>"]),
        ("zhao.min", vec!["Personnel files", "办公系统 <OA>"]),
        ("guest", vec![]),
    ] {
        let browser = Browser::new(&app.url);
        assert_eq!(browser.get("/").await.location(), "/login?return_to=%2F");
        browser.sign_in(login, PASSWORD).await;
        let page = browser.get("/").await;
        let mut names = page.texts(".tile .name");
        names.sort();
        assert_eq!(names, expected, "{login}");
        assert_eq!(page.texts(".empty").len(), usize::from(login == "guest"));
        assert!(page.attributes(".tile", "href").iter().all(|url| url.ends_with(".example/")));
        assert_eq!(page.texts(".bar .who span")[0], "王芳");
        assert!(!page.text.contains("/console/"), "nobody here administers");
    }
});

both!(
    /// WEB-013
    hostile_names_stay_text,
    |kind| async move {
        let app = App::start(kind).await;
        let mut user = build(&app.broker, "wang.fang");
        "<script>alert('王')</script>".clone_into(&mut user.display_name);
        user.title = Some("{{7*7}}\"><img src=x>".to_owned());
        save(&app.broker, &user).await;
        let browser = Browser::new(&app.url).with_header("user-agent", "<svg/onload=alert(1)>");
        browser.sign_in("wang.fang", PASSWORD).await;
        for path in ["/", "/sessions", "/logout"] {
            let page = browser.get(path).await;
            assert_eq!(page.status, 200);
            assert!(page.text.contains("&lt;script&gt;"), "{path}");
            assert!(!page.text.contains("<script") && !page.text.contains("<img src=x") && !page.text.contains("<svg"));
        }
    }
);
