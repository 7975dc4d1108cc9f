//! Applications in their own name, and how they prove themselves.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::Value;
use yaopai::oidc::{KeyRing, TokenError, verify_access_token};

use crate::both;
use crate::harness::App;

const CONFIG: &str = r#"
[[application]]
id = "reports"
secret = { value = "a-secret-of-the-tests" }
grant_types = ["client_credentials"]
scopes = ["openid", "report:read", "report:write"]

[[application]]
id = "post"
auth_method = "client_secret_post"
secret = { value = "a-secret-of-the-tests" }
grant_types = ["client_credentials"]
scopes = ["report:read"]

[[application]]
id = "a:b%20 +é"
secret = { value = "p:%+ secret of ü, long" }
grant_types = ["client_credentials"]

[[application]]
id = "spa"
auth_method = "none"
redirect_uris = ["https://spa.example/cb"]
grant_types = ["authorization_code", "client_credentials"]
"#;

async fn ask(app: &App, basic: Option<(&str, &str)>, form: &[(&str, &str)]) -> reqwest::Response {
    let mut request = app.browser().post(app.at("/oauth2/token")).form(form);
    if let Some((id, secret)) = basic {
        let encode = |text: &str| url::form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
        let pair = STANDARD.encode(format!("{}:{}", encode(id), encode(secret)));
        request = request.header("authorization", format!("Basic {pair}"));
    }
    request.send().await.unwrap()
}

const GOOD: Option<(&str, &str)> = Some(("reports", "a-secret-of-the-tests"));
const GRANT: (&str, &str) = ("grant_type", "client_credentials");

fn claims(token: &str) -> (Value, Value) {
    let part = |at| {
        let part = token.split('.').nth(at).unwrap();
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
    };
    (part(0), part(1))
}

both!(
    /// OAUTH-040, OAUTH-048, OAUTH-133, OAUTH-135
    an_application_gets_a_token_in_its_own_name,
    |kind| async move {
        let app = App::with_config(kind, CONFIG).await;
        let answer = ask(&app, GOOD, &[GRANT, ("scope", "report:read")]).await;
        assert_eq!(answer.status(), 200);
        assert_eq!(answer.headers().get("cache-control").unwrap(), "no-store");
        let body: Value = answer.json().await.unwrap();
        assert_eq!(body["token_type"], "Bearer");
        assert_eq!(body["expires_in"], 600);
        assert_eq!(body["scope"], "report:read");
        assert!(body.get("refresh_token").is_none() && body.get("id_token").is_none());
        let token = body["access_token"].as_str().unwrap();
        let (header, claims) = claims(token);
        assert_eq!((&header["typ"], &header["alg"]), (&"at+jwt".into(), &"ES256".into()));
        assert_eq!(claims["sub"], "app:reports");
        assert_eq!(claims["aud"], app.at("/api"));
        assert_eq!(claims["iss"], app.url);
        assert_eq!(claims["client_id"], "reports");
        let keys = KeyRing::open(&app.broker).await.unwrap();
        let read = verify_access_token(&app.broker, &keys, token).await.unwrap();
        assert_eq!((read.sub.as_str(), read.user_id, read.has_scope("report:read")), ("app:reports", None, true));
        app.clock().advance(chrono::Duration::seconds(600));
        assert!(matches!(verify_access_token(&app.broker, &keys, token).await, Err(TokenError::Expired)));
    }
);

both!(
    /// OAUTH-041, OAUTH-043, OAUTH-044, OAUTH-045, OAUTH-049
    an_application_that_does_not_prove_itself_gets_nothing,
    |kind| async move {
        let app = App::with_config(kind, CONFIG).await;
        let mut bodies = Vec::new();
        for basic in [("reports", "wrong"), ("nobody", "wrong"), ("post", "a-secret-of-the-tests"), ("spa", "guess")] {
            let answer = ask(&app, Some(basic), &[GRANT]).await;
            assert_eq!(answer.status(), 401, "{basic:?}");
            assert!(answer.headers()["www-authenticate"].to_str().unwrap().starts_with("Basic "));
            bodies.push(answer.text().await.unwrap());
        }
        bodies.dedup();
        assert_eq!(bodies.len(), 1, "the answers tell applications apart: {bodies:?}");
        assert_eq!(ask(&app, None, &[GRANT, ("client_id", "reports")]).await.status(), 401);
        assert_eq!(ask(&app, None, &[GRANT]).await.status(), 401);
        let two = ask(&app, GOOD, &[GRANT, ("client_secret", "a-secret-of-the-tests")]).await;
        assert_eq!((two.status().as_u16(), two.json::<Value>().await.unwrap()["error"].clone()), (400, "invalid_request".into()));
        let public = ask(&app, None, &[GRANT, ("client_id", "spa")]).await;
        assert_eq!(public.json::<Value>().await.unwrap()["error"], "unauthorized_client");
        let post = ask(&app, None, &[GRANT, ("client_id", "post"), ("client_secret", "a-secret-of-the-tests")]).await;
        assert_eq!(post.status(), 200);
    }
);

both!(
    /// OAUTH-042
    credentials_with_special_characters_are_read,
    |kind| async move {
        let app = App::with_config(kind, CONFIG).await;
        let answer = ask(&app, Some(("a:b%20 +é", "p:%+ secret of ü, long")), &[GRANT]).await;
        assert_eq!(answer.status(), 200);
    }
);

both!(
    /// OAUTH-010, OAUTH-023, OAUTH-038, OAUTH-039, OAUTH-047
    requests_that_cannot_be_answered_are_refused_by_name,
    |kind| async move {
        let app = App::with_config(kind, CONFIG).await;
        let mut seen = Vec::new();
        for form in [
            vec![],
            vec![("grant_type", "password")],
            vec![("grant_type", "urn:ietf:params:oauth:grant-type:device_code")],
            vec![("grant_type", "authorization_code")],
            vec![GRANT, GRANT],
            vec![GRANT, ("scope", "openid")],
            vec![GRANT, ("scope", "unknown")],
        ] {
            let answer = ask(&app, GOOD, &form).await;
            assert_eq!(answer.status(), 400);
            seen.push(answer.json::<Value>().await.unwrap());
        }
        insta::assert_json_snapshot!("token_errors", seen);
        let url = app.at("/oauth2/token");
        assert_eq!(app.browser().get(&url).send().await.unwrap().status(), 405);
        let query = format!("{url}?grant_type=client_credentials&client_id=post&client_secret=a-secret-of-the-tests");
        let none: [(&str, &str); 0] = [];
        assert_eq!(app.browser().post(query).form(&none).send().await.unwrap().status(), 401);
        let json = app.browser().post(&url).json(&serde_json::json!({ "grant_type": "client_credentials" }));
        assert_eq!(json.send().await.unwrap().status(), 400);
        let multipart = app.browser().post(&url).header("content-type", "multipart/form-data; boundary=x").body("--x--");
        assert_eq!(multipart.send().await.unwrap().status(), 400);
    }
);

both!(
    /// OAUTH-046
    guessing_is_throttled_and_locks_nobody_out,
    |kind| async move {
        let proxy = "trusted_proxies = ['127.0.0.1/32']";
        let app = App::with_server(kind, proxy, CONFIG).await;
        let from = |address: &'static str, secret: &'static str| {
            app.browser()
                .post(app.at("/oauth2/token"))
                .header("x-forwarded-for", address)
                .basic_auth("reports", Some(secret))
                .form(&[GRANT])
                .send()
        };
        let mut last = 0;
        for _ in 0..30 {
            last = from("203.0.113.1", "wrong").await.unwrap().status().as_u16();
        }
        assert_eq!(last, 429);
        assert_eq!(from("203.0.113.1", "a-secret-of-the-tests").await.unwrap().status(), 429);
        assert_eq!(from("203.0.113.2", "a-secret-of-the-tests").await.unwrap().status(), 200);
    }
);
