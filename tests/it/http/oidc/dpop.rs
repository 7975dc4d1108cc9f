//! DPoP (RFC 9449): tokens that only the holder of a key can use.

use chrono::Duration;
use serde_json::{Value, json};
use yaopai::crypto::SigningKey;
use yaopai::http::App as State;
use yaopai::model::Algorithm;
use yaopai::oidc::{DpopError, KeyRing, Shown, check_proof};

use super::{
    CONFIG, Client, OA, SPA, Scene, VERIFIER, answer, authorize_path, challenge, claims, redemption, signed_in,
};
use crate::both;
use crate::harness::prove::{ASSERTION, Proof, assertion, jwk, key};
use crate::harness::{App, Kind, person};

/// Applications that want more: bound tokens, nonces, FAPI 2.0.
fn more(fapi: &SigningKey) -> String {
    let jwks = json!({ "keys": [fapi.public_jwk()] });
    format!(
        r#"
[[application]]
id = "bound"
secret = {{ value = "a-secret-of-the-bound" }}
redirect_uris = ["https://bound.example/cb"]
grant_types = ["authorization_code", "refresh_token", "client_credentials"]
scopes = ["openid", "offline_access", "files:read"]
[application.proof]
dpop_bound_access_tokens = true

[[application]]
id = "nonced"
secret = {{ value = "a-secret-of-the-nonced" }}
redirect_uris = ["https://nonced.example/cb"]
scopes = ["openid"]
[application.proof]
dpop_nonce = true
dpop_bound_access_tokens = true

[[application]]
id = "bank"
auth_method = "private_key_jwt"
profile = "fapi2"
redirect_uris = ["https://bank.example/cb"]
grant_types = ["client_credentials"]
scopes = ["files:read"]
[application.proof]
jwks = '{jwks}'
"#
    )
}

const BOUND: Client =
    Client { id: "bound", secret: Some("a-secret-of-the-bound"), redirect_uri: "https://bound.example/cb" };
const NONCED: Client =
    Client { id: "nonced", secret: Some("a-secret-of-the-nonced"), redirect_uri: "https://nonced.example/cb" };

async fn scene(kind: Kind, fapi: &SigningKey) -> Scene {
    let app = App::with_config(kind, &format!("{CONFIG}{}", more(fapi))).await;
    let user = person(&app.broker, "wang.fang", &["employee"]).await;
    let (session, browser) = signed_in(&app, &user).await;
    Scene { app, user, session, browser }
}

struct Answered {
    status: u16,
    body: Value,
    nonce: Option<String>,
    challenge: String,
}

async fn read(answer: reqwest::Response) -> Answered {
    let header = |name| answer.headers().get(name).map(|value| value.to_str().unwrap().to_owned());
    let (nonce, challenge) = (header("dpop-nonce"), header("www-authenticate").unwrap_or_default());
    let status = answer.status().as_u16();
    Answered { status, nonce, challenge, body: answer.json().await.unwrap_or(Value::Null) }
}

impl Scene {
    /// A form at the token endpoint with these proofs.
    async fn token(&self, client: Client, form: &[(&str, &str)], proofs: &[&str]) -> Answered {
        let mut form = form.to_vec();
        let mut request = self.app.browser().post(self.app.at("/oauth2/token"));
        match client.secret {
            Some(secret) => request = request.basic_auth(client.id, Some(secret)),
            None => form.push(("client_id", client.id)),
        }
        for proof in proofs {
            request = request.header("DPoP", *proof);
        }
        read(request.form(&form).send().await.unwrap()).await
    }

    /// `UserInfo` with this `Authorization` and these proofs.
    async fn told(&self, authorization: &str, proofs: &[&str]) -> Answered {
        let mut request =
            self.app.browser().get(self.app.at("/oauth2/userinfo")).header("authorization", authorization);
        for proof in proofs {
            request = request.header("DPOP", *proof);
        }
        read(request.send().await.unwrap()).await
    }
}

both!(
    /// OAUTH-065, OAUTH-075, OAUTH-080, OAUTH-085, OIDC-119
    a_public_application_gets_tokens_that_only_its_key_can_use,
    |kind| async move {
        let scene = scene(kind, &key()).await;
        let (own, other, clock) = (key(), key(), scene.app.clock().clone());
        let (token_url, info_url) = (scene.app.at("/oauth2/token"), scene.app.at("/oauth2/userinfo"));
        let proof = |key: &SigningKey| Proof::new(key, "POST", &token_url).sign(&clock);
        let code = scene.code(SPA, &[("scope", "openid profile")]).await;
        let given = scene.token(SPA, &redemption(SPA, &code), &[&proof(&own)]).await;
        assert_eq!((given.status, given.body["token_type"].as_str()), (200, Some("DPoP")), "{}", given.body);
        let token = given.body["access_token"].as_str().unwrap().to_owned();
        assert_eq!(claims(&json!(token))["cnf"], json!({ "jkt": own.kid() }));
        let used = |key: &SigningKey| Proof::new(key, "GET", &info_url).of(&token).sign(&clock);
        for scheme in ["DPoP", "dpop", "DPOP"] {
            assert_eq!(scene.told(&format!("{scheme} {token}"), &[&used(&own)]).await.status, 200, "{scheme}");
        }
        let once = used(&own);
        assert_eq!(scene.told(&format!("DPoP {token}"), &[&once]).await.status, 200);
        for (what, authorization, proofs) in [
            ("replayed", format!("DPoP {token}"), vec![once]),
            ("bearer", format!("Bearer {token}"), vec![]),
            ("bearer with proof", format!("Bearer {token}"), vec![used(&own)]),
            ("no proof", format!("DPoP {token}"), vec![]),
            ("two proofs", format!("DPoP {token}"), vec![used(&own), used(&own)]),
            ("other key", format!("DPoP {token}"), vec![used(&other)]),
            ("no ath", format!("DPoP {token}"), vec![Proof::new(&own, "GET", &info_url).sign(&clock)]),
            ("wrong ath", format!("DPoP {token}"), vec![Proof::new(&own, "GET", &info_url).of("x").sign(&clock)]),
            ("wrong method", format!("DPoP {token}"), vec![Proof::new(&own, "POST", &info_url).of(&token).sign(&clock)]),
            ("wrong address", format!("DPoP {token}"), vec![Proof::new(&own, "GET", &token_url).of(&token).sign(&clock)]),
        ] {
            let proofs: Vec<&str> = proofs.iter().map(String::as_str).collect();
            let told = scene.told(&authorization, &proofs).await;
            assert_eq!(told.status, 401, "{what}");
            assert!(told.challenge.contains("error=\"invalid_"), "{what}: {}", told.challenge);
        }
        // A bearer token is one, whatever is shown beside it.
        let plain = scene.tokens(OA, "openid").await["access_token"].as_str().unwrap().to_owned();
        let proof_of_plain = Proof::new(&own, "GET", &info_url).of(&plain).sign(&clock);
        assert_eq!(scene.told(&format!("DPoP {plain}"), &[&proof_of_plain]).await.status, 401);
        assert_eq!(scene.told(&format!("Bearer {plain}"), &[]).await.status, 200);
        // The refresh token of a public application is bound too.
        let refresh = given.body["refresh_token"].as_str().unwrap().to_owned();
        let form = [("grant_type", "refresh_token"), ("refresh_token", refresh.as_str())];
        assert_eq!(scene.token(SPA, &form, &[&proof(&other)]).await.body["error"], "invalid_grant");
        assert_eq!(scene.token(SPA, &form, &[]).await.body["error"], "invalid_grant");
        let next = scene.token(SPA, &form, &[&proof(&own)]).await;
        assert_eq!((next.status, next.body["token_type"].as_str()), (200, Some("DPoP")), "{}", next.body);
    }
);

both!(
    /// OAUTH-076, OAUTH-077, OAUTH-078, OAUTH-083, OAUTH-084, OIDC-115, OIDC-116
    proofs_are_judged_as_the_negative_tests_say,
    |kind| async move {
        let scene = scene(kind, &key()).await;
        let (own, clock, url) = (key(), scene.app.clock().clone(), scene.app.at("/oauth2/token"));
        let form = [("grant_type", "client_credentials"), ("scope", "files:read")];
        let at = || Proof::new(&own, "POST", &url);
        let header = |changes: Value| at().header(changes).sign(&clock);
        let claims = |changes: Value| at().claims(changes).sign(&clock);
        let now = clock.now().timestamp();
        let port = url.rsplit(':').next().unwrap().split('/').next().unwrap();
        for (what, good) in [
            ("plain", claims(json!({}))),
            ("more claims", claims(json!({ "x": 1, "nbf": now + 600, "exp": now - 600 }))),
            ("query and fragment", claims(json!({ "htu": format!("{url}?a=b#c") }))),
            ("capital letters", claims(json!({ "htu": format!("HTTP://127.0.0.1:{port}/oauth2/token") }))),
            ("10 s ago", claims(json!({ "iat": now - 10 }))),
            ("10 s ahead", claims(json!({ "iat": now + 10 }))),
        ] {
            assert_eq!(scene.token(BOUND, &form, &[&good]).await.status, 200, "{what}");
        }
        let used = claims(json!({}));
        assert_eq!(scene.token(BOUND, &form, &[&used]).await.status, 200);
        let mut private = jwk(&own);
        private["d"] = "AAAA".into();
        let bad_signature = |proof: String| format!("{}AAAA", &proof[..proof.len() - 4]);
        let rsa = SigningKey::generate(Algorithm::Rs256).unwrap().0;
        for (what, proofs) in [
            ("two headers", vec![claims(json!({})), claims(json!({}))]),
            ("no JWT", vec!["x".to_owned()]),
            ("no typ", vec![header(json!({ "typ": null }))]),
            ("no alg", vec![header(json!({ "alg": null }))]),
            ("no jwk", vec![header(json!({ "jwk": null }))]),
            ("no jti", vec![claims(json!({ "jti": null }))]),
            ("no htm", vec![claims(json!({ "htm": null }))]),
            ("no htu", vec![claims(json!({ "htu": null }))]),
            ("no iat", vec![claims(json!({ "iat": null }))]),
            ("wrong typ", vec![header(json!({ "typ": "JWT" }))]),
            ("RS256", vec![Proof::new(&rsa, "POST", &url).sign(&clock)]),
            ("none", vec![header(json!({ "alg": "none" }))]),
            ("HS256", vec![header(json!({ "alg": "HS256" }))]),
            ("bad signature", vec![bad_signature(claims(json!({})))]),
            ("other key's jwk", vec![header(json!({ "jwk": jwk(&key()) }))]),
            ("private jwk", vec![header(json!({ "jwk": private }))]),
            ("wrong htm", vec![claims(json!({ "htm": "GET" }))]),
            ("small htm", vec![claims(json!({ "htm": "post" }))]),
            ("wrong htu", vec![claims(json!({ "htu": "https://other.example/oauth2/token" }))]),
            ("other path", vec![claims(json!({ "htu": scene.app.at("/oauth2/introspect") }))]),
            ("an hour ago", vec![claims(json!({ "iat": now - 3600 }))]),
            ("in an hour", vec![claims(json!({ "iat": now + 3600 }))]),
            ("iat as text", vec![claims(json!({ "iat": now.to_string() }))]),
            ("long jti", vec![claims(json!({ "jti": "x".repeat(300) }))]),
            ("crit", vec![header(json!({ "crit": ["x"] }))]),
            ("used before", vec![used]),
            ("none at all", vec![]),
        ] {
            let proofs: Vec<&str> = proofs.iter().map(String::as_str).collect();
            let answer = scene.token(BOUND, &form, &proofs).await;
            assert_eq!((answer.status, answer.body["error"].as_str()), (400, Some("invalid_dpop_proof")), "{what}");
        }
        // What a caller says in Host is not our address.
        let evil = claims(json!({ "htu": "http://evil.example/oauth2/token" }));
        let request = scene.app.browser().post(&url).header("host", "evil.example").header("DPoP", evil);
        let answer = request.basic_auth("bound", Some("a-secret-of-the-bound")).form(&form).send().await.unwrap();
        assert_eq!(answer.status(), 400);
    }
);

both!(
    /// OAUTH-077
    a_proof_is_good_once_on_all_nodes,
    |kind| async move {
        let app = App::start(kind).await;
        let other = State::new(app.broker.clone(), KeyRing::open(&app.broker).await.unwrap());
        let own = key();
        let shown = Shown {
            proofs: vec![Proof::new(&own, "GET", "https://id.example/x").sign(app.clock())],
            method: "GET".to_owned(),
            addresses: vec!["https://id.example/x".to_owned()],
        };
        assert_eq!(check_proof(&app.broker, &shown, None, false).await.unwrap(), own.kid());
        let again = check_proof(&other.broker, &shown, None, false).await;
        assert!(matches!(again, Err(DpopError::Proof("the proof was used before"))));
        app.clock().advance(Duration::seconds(200));
        yaopai::oidc::purge(&app.broker).await.unwrap();
        let (left,): (i64,) =
            app.broker.db.read().await.unwrap().one("SELECT COUNT(*) FROM used_proofs", &[]).await.unwrap();
        assert_eq!(left, 0);
    }
);

both!(
    /// OAUTH-079
    nonces_are_demanded_where_they_are_switched_on,
    |kind| async move {
        let scene = scene(kind, &key()).await;
        let (own, clock) = (key(), scene.app.clock().clone());
        let (token_url, info_url) = (scene.app.at("/oauth2/token"), scene.app.at("/oauth2/userinfo"));
        let code = scene.code(NONCED, &[("scope", "openid")]).await;
        let form = redemption(NONCED, &code);
        let with = |nonce: Value| Proof::new(&own, "POST", &token_url).claims(json!({ "nonce": nonce })).sign(&clock);
        let asked = scene.token(NONCED, &form, &[&with(Value::Null)]).await;
        assert_eq!((asked.status, asked.body["error"].as_str()), (400, Some("use_dpop_nonce")));
        let nonce = asked.nonce.unwrap();
        assert_eq!(scene.token(NONCED, &form, &[&with(json!("guessed"))]).await.body["error"], "use_dpop_nonce");
        let given = scene.token(NONCED, &form, &[&with(json!(nonce))]).await;
        assert_eq!(given.status, 200, "{}", given.body);
        let token = given.body["access_token"].as_str().unwrap().to_owned();
        let used = |nonce: Value| {
            Proof::new(&own, "GET", &info_url).of(&token).claims(json!({ "nonce": nonce })).sign(&clock)
        };
        let authorization = format!("DPoP {token}");
        let asked = scene.told(&authorization, &[&used(Value::Null)]).await;
        assert_eq!((asked.status, asked.nonce.is_some()), (401, true));
        assert!(asked.challenge.contains("error=\"use_dpop_nonce\""), "{}", asked.challenge);
        assert_eq!(scene.told(&authorization, &[&used(json!(nonce))]).await.status, 200);
        scene.app.clock().advance(Duration::minutes(10));
        let code = scene.code(NONCED, &[("scope", "openid")]).await;
        let late = scene.token(NONCED, &redemption(NONCED, &code), &[&with(json!(nonce))]).await;
        assert_eq!(late.body["error"], "use_dpop_nonce");
        assert!(late.nonce.is_some_and(|new| new != nonce));
    }
);

both!(
    /// OAUTH-081, OAUTH-082, OIDC-117, OIDC-118
    codes_and_tokens_are_bound_as_asked_for,
    |kind| async move {
        let scene = scene(kind, &key()).await;
        let (own, other, clock, url) = (key(), key(), scene.app.clock().clone(), scene.app.at("/oauth2/token"));
        let proof = |key: &SigningKey| Proof::new(key, "POST", &url).sign(&clock);
        let asked = [("scope", "openid offline_access"), ("dpop_jkt", own.kid())];
        let code = scene.code(BOUND, &asked).await;
        let refused = scene.token(BOUND, &redemption(BOUND, &code), &[&proof(&other)]).await;
        assert_eq!((refused.status, refused.body["error"].as_str()), (400, Some("invalid_grant")));
        let code = scene.code(BOUND, &asked).await;
        let missing = scene.token(BOUND, &redemption(BOUND, &code), &[]).await;
        assert_eq!((missing.status, missing.body["error"].as_str()), (400, Some("invalid_dpop_proof")));
        let given = scene.token(BOUND, &redemption(BOUND, &code), &[&proof(&own)]).await;
        assert_eq!(given.status, 200, "{}", given.body);
        // A confidential application proves itself at each refresh: its refresh tokens are bound to nothing else.
        let refresh = given.body["refresh_token"].as_str().unwrap().to_owned();
        let form = [("grant_type", "refresh_token"), ("refresh_token", refresh.as_str())];
        let next = scene.token(BOUND, &form, &[&proof(&other)]).await;
        assert_eq!(next.status, 200, "{}", next.body);
        assert_eq!(claims(&next.body["access_token"])["cnf"]["jkt"], other.kid());
        let page = scene.browser.get(&authorize_path(BOUND, &[("dpop_jkt", "short")])).await;
        assert_eq!(answer(&page, "error").as_deref(), Some("invalid_request"));
        // Pushed with a proof: the code is bound to its key, and dpop_jkt may not say another.
        let par = scene.app.at("/oauth2/par");
        let push = async |jkt: &str| {
            let proof = Proof::new(&own, "POST", &par).sign(&clock);
            let challenge = challenge(VERIFIER);
            let form = [
                ("response_type", "code"),
                ("redirect_uri", BOUND.redirect_uri),
                ("scope", "openid"),
                ("code_challenge", challenge.as_str()),
                ("code_challenge_method", "S256"),
                ("dpop_jkt", jkt),
            ];
            let request = scene.app.browser().post(&par).basic_auth(BOUND.id, BOUND.secret).header("DPoP", proof);
            read(request.form(&form).send().await.unwrap()).await
        };
        assert_eq!(push(other.kid()).await.body["error"], "invalid_dpop_proof");
        let pushed = push("").await;
        assert_eq!(pushed.status, 201, "{}", pushed.body);
        let uri = pushed.body["request_uri"].as_str().unwrap().to_owned();
        let query = url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs([("client_id", BOUND.id), ("request_uri", &uri)])
            .finish();
        let page = scene.browser.get(&format!("/oauth2/authorize?{query}")).await;
        let code = answer(&page, "code").unwrap_or_else(|| panic!("{} {}", page.status, page.text));
        let refused = scene.token(BOUND, &redemption(BOUND, &code), &[&proof(&other)]).await;
        assert_eq!(refused.body["error"], "invalid_grant");
    }
);

both!(
    /// OIDC-108, OIDC-109, OAUTH-074
    fapi_gives_no_unbound_token_and_takes_no_old_algorithm,
    |kind| async move {
        let own = key();
        let scene = scene(kind, &own).await;
        let url = scene.app.at("/oauth2/token");
        let post = async |proofs: &[&str]| {
            let token = assertion(&own, scene.app.clock(), "bank", &scene.app.url, &json!({}));
            let form =
                [("grant_type", "client_credentials"), ("client_assertion_type", ASSERTION), ("client_assertion", &token)];
            let mut request = scene.app.browser().post(&url).form(&form);
            for proof in proofs {
                request = request.header("DPoP", *proof);
            }
            read(request.send().await.unwrap()).await
        };
        let unbound = post(&[]).await;
        assert_eq!((unbound.status, unbound.body["error"].as_str()), (400, Some("invalid_request")));
        let bound = post(&[&Proof::new(&key(), "POST", &url).sign(scene.app.clock())]).await;
        assert_eq!((bound.status, bound.body["token_type"].as_str()), (200, Some("DPoP")), "{}", bound.body);
        let refused = |proof: &str, method: &str| {
            let text = format!(
                "[server]\npublic_url = 'http://localhost'\n[[application]]\nid = 'a'\nprofile = 'fapi2'\n\
                 auth_method = '{method}'\nsecret = {{ value = 'a-secret-of-many-letters' }}\n[application.proof]\n{proof}"
            );
            yaopai::config::Config::parse(std::path::Path::new("t.toml"), &text, &[]).unwrap_err().to_string()
        };
        assert!(refused("", "client_secret_basic").contains("profile fapi2 does not take client_secret_basic"));
        let jwks = "jwks = '{\"keys\":[{}]}'";
        let with = |more: &str| refused(&format!("{jwks}\n{more}"), "private_key_jwt");
        assert!(with("signing_algorithm = 'RS256'").contains("PS256, ES256, EdDSA"));
        assert!(with("wide_audience = true").contains("wide_audience"));
    }
);
