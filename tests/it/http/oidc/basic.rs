//! What the conformance suite looks at in (almost) every module of its Basic and Form Post plans, and what an outage
//! looks like from outside.

use std::collections::HashMap;

use super::{CONFIG, Client, EXPENSE, LEGACY, OA, SPA, Scene, answer, authorize_path, claims, redemption};
use crate::both;
use crate::harness::App;

/// Bits of Shannon entropy in a text, as the suite measures it: those of its characters, times their number.
fn entropy(text: &str) -> f64 {
    let mut counts: HashMap<char, f64> = HashMap::new();
    for letter in text.chars() {
        *counts.entry(letter).or_default() += 1.0;
    }
    let length = f64::from(u32::try_from(text.chars().count()).unwrap());
    counts.values().map(|count| -(count / length) * (count / length).log2()).sum::<f64>() * length
}

both!(
    /// OIDC-015, OIDC-016, OIDC-017: the answer is in the query alone, each parameter once, with our issuer and a code that
    /// nobody guesses.
    an_answer_holds_what_it_should_and_no_more,
    |kind| async move {
        let scene = Scene::start(kind).await;
        let mut seen = Vec::new();
        for client in [OA, EXPENSE, SPA, LEGACY] {
            let page = scene.authorize(client, &[]).await;
            let url = url::Url::parse(page.location()).unwrap();
            assert_eq!(url.fragment(), None);
            let mut names: Vec<String> = url.query_pairs().map(|(name, _)| name.into_owned()).collect();
            names.sort_unstable();
            assert_eq!(names, ["code", "iss", "state"], "{url}");
            assert_eq!(answer(&page, "iss").as_deref(), Some(scene.app.url.as_str()));
            assert_eq!(answer(&page, "state").as_deref(), Some("s-._~"));
            let code = answer(&page, "code").unwrap();
            assert!(code.len() >= 43, "256 bits in base64url");
            assert!(entropy(&code) > 96.0, "{} bits in {code}", entropy(&code));
            seen.push(code);
        }
        seen.sort_unstable();
        seen.dedup();
        assert_eq!(seen.len(), 4);
        // Errors say the same, and no code.
        let refused = scene.app.browser().get(scene.app.at(&authorize_path(OA, &[("prompt", "none")]))).send().await;
        let refused = url::Url::parse(refused.unwrap().headers()["location"].to_str().unwrap()).unwrap();
        let mut names: Vec<String> = refused.query_pairs().map(|(name, _)| name.into_owned()).collect();
        names.retain(|name| name != "error_description");
        names.sort_unstable();
        assert_eq!((names.join(" "), refused.fragment()), ("error iss state".to_owned(), None));
    }
);

both!(
    /// OIDC-036: another order of words and parameters is the same request.
    the_order_of_a_request_means_nothing,
    |kind| async move {
        let scene = Scene::start(kind).await;
        let path = authorize_path(OA, &[("scope", "openid profile email")]);
        let (endpoint, query) = path.split_once('?').unwrap();
        let mut pairs: Vec<(String, String)> = url::form_urlencoded::parse(query.as_bytes()).into_owned().collect();
        pairs.reverse();
        for (name, value) in &mut pairs {
            if name == "scope" {
                "email profile openid".clone_into(value);
            }
        }
        let query = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish();
        let page = scene.browser.get(&format!("{endpoint}?{query}")).await;
        let code = answer(&page, "code").unwrap_or_else(|| panic!("{}", page.text));
        let mut form = redemption(OA, &code);
        form.reverse();
        let (status, body) = scene.post(OA, "/oauth2/token", &form).await;
        assert_eq!(status, 200, "{body}");
        let mut scope: Vec<&str> = body["scope"].as_str().unwrap().split(' ').collect();
        scope.sort_unstable();
        assert_eq!(scope, ["email", "openid", "profile"]);
        assert_eq!(claims(&body["id_token"])["sub"], scene.user.id.to_string());
    }
);

both!(
    /// OIDC-067: a registered query is kept, and the answer stands behind it.
    a_redirect_uri_keeps_its_query,
    |kind| async move {
        let scene = Scene::start(kind).await;
        let queried = Client { redirect_uri: "https://oa.example/q?tenant=1", ..OA };
        let page = scene.authorize(queried, &[]).await;
        assert!(page.location().starts_with("https://oa.example/q?tenant=1&"), "{}", page.location());
        assert_eq!(answer(&page, "tenant").as_deref(), Some("1"));
        assert_eq!(scene.redeem(queried, &answer(&page, "code").unwrap()).await.0, 200);
    }
);

both!(
    /// OAUTH-132: while the database is away nothing is promised: 503 and when to ask again, not an error of the caller.
    an_outage_is_told_as_one,
    |kind| async move {
        let app = App::with_config(kind, CONFIG).await;
        app.broker.db.close().await;
        for (path, form) in [
            ("/oauth2/revoke", [("token", "x"), ("token_type_hint", "refresh_token")]),
            ("/oauth2/token", [("grant_type", "client_credentials"), ("scope", "openid")]),
            ("/oauth2/introspect", [("token", "x"), ("token_type_hint", "access_token")]),
        ] {
            let post = app.browser().post(app.at(path)).basic_auth("oa", Some("a-secret-of-the-oa")).form(&form);
            let answer = post.send().await.unwrap();
            assert_eq!((answer.status().as_u16(), &answer.headers()["retry-after"]), (503, &"5".parse().unwrap()), "{path}");
            let body: serde_json::Value = answer.json().await.unwrap();
            assert_eq!(body["error"], "server_error", "{path}");
        }
    }
);
