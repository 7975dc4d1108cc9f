//! Step-up (RFC 9470): a resource demands a fresh or stronger proof, the application fetches one, the new token shows it.

use reqwest::Response;

use super::{CONFIG, OA, Scene, answer, authorize_path, claims, signed_in};
use crate::both;
use crate::harness::{App, PASSWORD, person};

const ROUTE: &str = r#"
[[route]]
name = "expense-api"
path = "/expense"
methods = ["GET"]
scopes = ["expense:read"]
sessions = true
acr = "urn:yaopai:acr:password"
max_age = "10m"
"#;

async fn ask(scene: &Scene, header: (&str, &str)) -> Response {
    let mut request = scene.app.browser().get(scene.app.at("/gateway/check")).header(header.0, header.1);
    for (name, value) in
        [("x-original-method", "GET"), ("x-original-uri", "/expense"), ("x-forwarded-host", "127.0.0.1")]
    {
        request = request.header(name, value);
    }
    request.send().await.unwrap()
}

fn header<'a>(answer: &'a Response, name: &str) -> &'a str {
    answer.headers().get(name).map_or("", |value| value.to_str().unwrap())
}

both!(
    /// OAUTH-150
    a_route_that_wants_a_fresh_proof_says_so_and_takes_the_token_of_one,
    |kind| async move {
        let trusted = "trusted_proxies = [\"127.0.0.1/32\"]";
        let app = App::with_server(kind, trusted, &format!("{CONFIG}{ROUTE}")).await;
        let user = person(&app.broker, "liu.qiang", &["employee", "expense-approver"]).await;
        let (session, browser) = signed_in(&app, &user).await;
        let scene = Scene { app, user, session, browser };
        let scope = "openid offline_access expense:read";
        let tokens = scene.tokens(OA, scope).await;
        let bearer = |tokens: &serde_json::Value| format!("Bearer {}", tokens["access_token"].as_str().unwrap());
        assert_eq!(ask(&scene, ("authorization", &bearer(&tokens))).await.status(), 200);

        scene.app.clock().advance(chrono::Duration::minutes(11));
        let refreshed = scene.refresh(OA, tokens["refresh_token"].as_str().unwrap()).await.1;
        let refused = ask(&scene, ("authorization", &bearer(&refreshed))).await;
        assert_eq!(refused.status(), 401, "a new token of an old proof");
        let challenge = header(&refused, "www-authenticate");
        for part in ["error=\"insufficient_user_authentication\"", "acr_values=\"urn:yaopai:acr:password\"", "max_age=\"600\""] {
            assert!(challenge.contains(part), "{challenge}");
        }
        assert_eq!(header(&refused, "x-yaopai-reason"), "insufficient_user_authentication");
        assert_eq!(header(&refused, "x-yaopai-sign-in"), "", "an application does not sign in");

        // The application sends the person with what the challenge says; the proof is new, and so is the token's.
        let demand = [("scope", scope), ("max_age", "600"), ("acr_values", "urn:yaopai:acr:password")];
        let sent = scene.browser.get(&authorize_path(OA, &demand)).await;
        assert!(sent.location().contains("reauth=1"), "{}", sent.location());
        let back = scene.browser.sign_in_at(sent.location(), "liu.qiang", PASSWORD).await;
        let back = scene.browser.get(back.location()).await;
        let fresh = scene.redeem(OA, &answer(&back, "code").unwrap()).await.1;
        assert!(claims(&fresh["access_token"])["auth_time"].as_i64() > claims(&refreshed["access_token"])["auth_time"].as_i64());
        assert_eq!(ask(&scene, ("authorization", &bearer(&fresh))).await.status(), 200);
    }
);

both!(a_browser_with_an_old_proof_is_sent_to_prove_itself_again, |kind| async move {
    let trusted = "trusted_proxies = [\"127.0.0.1/32\"]";
    let app = App::with_server(kind, trusted, &format!("{CONFIG}{ROUTE}")).await;
    let user = person(&app.broker, "liu.qiang", &["employee", "expense-approver"]).await;
    let (session, browser) = signed_in(&app, &user).await;
    let cookie = format!("yaopai={}", browser.cookie("yaopai").unwrap());
    let scene = Scene { app, user, session, browser };
    assert_eq!(ask(&scene, ("cookie", &cookie)).await.status(), 200);
    scene.app.clock().advance(chrono::Duration::minutes(11));
    let refused = ask(&scene, ("cookie", &cookie)).await;
    assert_eq!(refused.status(), 401);
    let sign_in = header(&refused, "x-yaopai-sign-in");
    assert!(sign_in.contains("/login?") && sign_in.ends_with("&reauth=1"), "{sign_in}");
});
