//! What people see of an application that registered itself.

use serde_json::json;

use super::registration::{Scene, with};
use super::{Client, authorize_path, signed_in};
use crate::both;
use crate::harness::person;

both!(
    /// OIDC-070: the page that asks people links to the application's policy and terms, escaped; neither those nor its logo
    /// are fetched, by us or by the page.
    people_find_the_policy_and_the_terms_of_an_application,
    |kind| async move {
        let scene = Scene::start(kind, "").await;
        let policy = "https://app.example/policy?a=1&b=\"><script>";
        let body = with(json!({ "policy_uri": policy, "tos_uri": "https://app.example/terms" }));
        assert_eq!(scene.register(&body).await.0, 400, "an address is written as one");
        let policy = "https://app.example/policy?a=1&b='2'";
        let made = scene
            .registered(&with(json!({
                "policy_uri": policy, "tos_uri": "https://app.example/terms", "logo_uri": "https://app.example/logo.svg",
            })))
            .await;
        assert_eq!((&made["policy_uri"], &made["logo_uri"]), (&policy.into(), &"https://app.example/logo.svg".into()));
        let user = person(&scene.app.broker, "wang.fang", &["employee"]).await;
        let (_, browser) = signed_in(&scene.app, &user).await;
        let id: &'static str = made["client_id"].as_str().unwrap().to_owned().leak();
        let client = Client { id, secret: None, redirect_uri: "https://app.example/cb" };
        let page = browser.get(&authorize_path(client, &[])).await;
        assert_eq!(page.status, 200, "{}", page.text);
        assert_eq!(page.attributes(".wish a", "href"), [policy, "https://app.example/terms"]);
        assert!(!page.text.contains("logo.svg"));
        assert!(page.header("content-security-policy").contains("img-src 'self'"));
    }
);

both!(
    /// OIDC-095: where an application wants to be begun is kept, told, and where the portal sends people.
    an_application_says_where_signing_in_begins,
    |kind| async move {
        let scene = Scene::start(kind, "").await;
        let begin = "https://app.example/begin?a=1";
        let made = scene.registered(&with(json!({ "initiate_login_uri": begin }))).await;
        assert_eq!(made["initiate_login_uri"], begin);
        assert_eq!(scene.manage("GET", &made, None).await.1["initiate_login_uri"], begin);
        let mut tx = scene.app.broker.db.read().await.unwrap();
        let app = tx.applications().find(made["client_id"].as_str().unwrap()).await.unwrap().unwrap();
        assert_eq!(app.settings.launch_url.as_deref(), Some(begin));
        drop(tx);
        for bad in ["http://app.example/begin", "https://evil.example/begin", "javascript:alert(1)", "/begin"] {
            let (status, body) = scene.register(&with(json!({ "initiate_login_uri": bad }))).await;
            assert_eq!((status, &body["error"]), (400, &"invalid_client_metadata".into()), "{bad}");
        }
    }
);
