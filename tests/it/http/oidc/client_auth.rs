//! Applications that prove themselves by what they sign (RFC 7523).

use std::net::{IpAddr, Ipv4Addr};

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::Duration;
use serde_json::{Value, json};
use yaopai::crypto::SigningKey;
use yaopai::http::App as State;
use yaopai::model::{Algorithm, ApplicationSettings, AuthMethod, GrantType};
use yaopai::oidc::{
    Caller, ClientError, GrantError, KeyRing, NewApplication, Params, Presented, add_application, answer_token_request,
    purge, rotate_secret,
};

use crate::both;
use crate::harness::prove::{ASSERTION, assertion, changed, jwk, jws, key, part, unique};
use crate::harness::{App, Kind};

const SECRET: &str = "a-secret-that-signs-and-is-long-enough";

/// A broker that knows `robot` by these keys, and `teller` by a shared secret that signs.
async fn scene(kind: Kind, keys: &[&SigningKey], extra: &str) -> App {
    let jwks = json!({ "keys": keys.iter().map(|key| key.public_jwk()).collect::<Vec<_>>() });
    let config = format!(
        "[[application]]\nid = \"robot\"\nauth_method = \"private_key_jwt\"\ngrant_types = [\"client_credentials\"]\n\
         scopes = [\"files:read\"]\n[application.proof]\njwks = '{jwks}'\n{extra}\n\
         [[application]]\nid = \"teller\"\nauth_method = \"client_secret_jwt\"\nsecret = {{ value = \"{SECRET}\" }}\n\
         grant_types = [\"client_credentials\"]\nscopes = [\"files:read\"]\n"
    );
    App::with_config(kind, &config).await
}

async fn post(app: &App, form: &[(&str, &str)]) -> (u16, Value) {
    let mut all = vec![("grant_type", "client_credentials")];
    all.extend(form);
    let answer = app.browser().post(app.at("/oauth2/token")).form(&all).send().await.unwrap();
    (answer.status().as_u16(), answer.json().await.unwrap_or(Value::Null))
}

async fn show(app: &App, assertion: &str) -> (u16, Value) {
    post(app, &[("client_assertion_type", ASSERTION), ("client_assertion", assertion)]).await
}

both!(
    /// OAUTH-066, OAUTH-068, OAUTH-069, OIDC-076, OIDC-109, OIDC-110, OIDC-111
    an_assertion_is_good_as_registered_and_not_otherwise,
    |kind| async move {
        let (own, ed) = (key(), SigningKey::generate(Algorithm::EdDsa).unwrap().0);
        let app = scene(kind, &[&own, &ed], "").await;
        let (clock, us) = (app.clock().clone(), app.url.clone());
        let of = |key: &SigningKey, changes: Value| assertion(key, &clock, "robot", &us, &changes);
        let now = clock.now().timestamp();
        for good in [
            of(&own, json!({})),
            of(&ed, json!({})),
            of(&own, json!({ "nbf": now + 8, "iat": now + 8 })),
            of(&own, json!({ "iat": null })),
        ] {
            let (status, body) = show(&app, &good).await;
            assert_eq!((status, body["token_type"].as_str()), (200, Some("Bearer")), "{body}");
        }
        let header = |changes: Value| {
            let claims = json!({ "iss": "robot", "sub": "robot", "aud": us, "exp": now + 60, "jti": "x" });
            let base = json!({ "alg": "ES256", "kid": own.kid(), "typ": "JWT" });
            (changed(base, &changes), claims)
        };
        let forged = |changes: Value| {
            let (header, claims) = header(changes);
            jws(&own, &header, &claims)
        };
        let unsigned = {
            let (header, claims) = header(json!({ "alg": "none" }));
            format!("{}.{}.", part(&header), part(&claims))
        };
        let by_public_key = {
            let (header, claims) = header(json!({ "alg": "HS256" }));
            let message = format!("{}.{}", part(&header), part(&claims));
            let key = hmac::Key::new(hmac::HMAC_SHA256, own.public_jwk().to_string().as_bytes());
            format!("{message}.{}", URL_SAFE_NO_PAD.encode(hmac::sign(&key, message.as_bytes())))
        };
        for (what, bad) in [
            ("iss", of(&own, json!({ "iss": "teller" }))),
            ("sub", of(&own, json!({ "sub": "teller" }))),
            ("no sub", of(&own, json!({ "sub": null }))),
            ("aud", of(&own, json!({ "aud": "https://other.example/oauth2/token" }))),
            ("array", of(&own, json!({ "aud": [us] }))),
            ("two", of(&own, json!({ "aud": [us, "https://other.example"] }))),
            ("token endpoint", of(&own, json!({ "aud": app.at("/oauth2/token") }))),
            ("par endpoint", of(&own, json!({ "aud": app.at("/oauth2/par") }))),
            ("no aud", of(&own, json!({ "aud": null }))),
            ("no exp", of(&own, json!({ "exp": null }))),
            ("past", of(&own, json!({ "exp": now - 300 }))),
            ("far", of(&own, json!({ "exp": now + 86_400 }))),
            ("nbf", of(&own, json!({ "nbf": now + 61 }))),
            ("iat", of(&own, json!({ "iat": now + 61 }))),
            ("no jti", of(&own, json!({ "jti": null }))),
            ("another's key", assertion(&key(), &clock, "robot", &us, &json!({}))),
            ("own kid, another's key", jws(&key(), &header(json!({})).0, &header(json!({})).1)),
            ("none", unsigned),
            ("public key as secret", by_public_key),
            ("jwk", forged(json!({ "jwk": jwk(&own) }))),
            ("jku", forged(json!({ "jku": "https://127.0.0.1:1/jwks" }))),
            ("x5u", forged(json!({ "x5u": "https://127.0.0.1:1/x5u" }))),
            ("x5c", forged(json!({ "x5c": [] }))),
            ("crit", forged(json!({ "crit": ["exp"] }))),
            ("typ", forged(json!({ "typ": "oauth-authz-req+jwt" }))),
            ("alg of another key", forged(json!({ "alg": "EdDSA" }))),
            ("no token", "x".to_owned()),
        ] {
            let (status, body) = show(&app, &bad).await;
            assert_eq!((status, body["error"].as_str()), (401, Some("invalid_client")), "{what}: {body}");
        }
    }
);

both!(
    /// OAUTH-067
    an_assertion_is_good_once_on_all_nodes,
    |kind| async move {
        let own = key();
        let app = scene(kind, &[&own], "").await;
        let once = assertion(&own, app.clock(), "robot", &app.url, &json!({}));
        assert_eq!(show(&app, &once).await.0, 200);
        assert_eq!(show(&app, &once).await.0, 401);
        // Another node of the same database, with nothing in its memory.
        let other = State::new(app.broker.clone(), KeyRing::open(&app.broker).await.unwrap());
        let caller = Caller { address: IpAddr::V4(Ipv4Addr::LOCALHOST), request_id: "r".to_owned() };
        let form = |token: &str| {
            let of = |name, value| Params::default().with(name, value);
            of("grant_type", "client_credentials").with("client_assertion_type", ASSERTION).with("client_assertion", token)
        };
        let asked = async |token: &str| {
            answer_token_request(other.provider(), &caller, &Presented::default(), &form(token)).await
        };
        assert!(matches!(asked(&once).await, Err(GrantError::Client(ClientError::Refused))));
        let next = assertion(&own, app.clock(), "robot", &app.url, &json!({}));
        assert!(asked(&next).await.is_ok());
        assert_eq!(show(&app, &next).await.0, 401);
        // What would no longer be accepted is not kept.
        app.clock().advance(Duration::minutes(5));
        yaopai::oidc::purge(&app.broker).await.unwrap();
        let (left,): (i64,) =
            app.broker.db.read().await.unwrap().one("SELECT COUNT(*) FROM used_proofs", &[]).await.unwrap();
        assert_eq!(left, 0);
    }
);

both!(
    /// OAUTH-043, OAUTH-044, OAUTH-045, OAUTH-046
    the_registered_method_is_the_only_one,
    |kind| async move {
        let own = key();
        let app = scene(kind, &[&own], "").await;
        let good = || assertion(&own, app.clock(), "robot", &app.url, &json!({}));
        let typed = ("client_assertion_type", ASSERTION);
        for secret in [
            vec![("client_id", "robot"), ("client_secret", "guessed")],
            vec![("client_id", "robot")],
            vec![("client_assertion", good().as_str())],
            vec![("client_id", "teller"), typed, ("client_assertion", good().as_str())],
        ] {
            let (status, body) = post(&app, &secret).await;
            assert_eq!((status, body["error"].as_str()), (401, Some("invalid_client")), "{secret:?}");
        }
        let token = good();
        let two = [typed, ("client_assertion", token.as_str()), ("client_secret", "x")];
        assert_eq!(post(&app, &two).await.1["error"], "invalid_request");
        for _ in 0..25 {
            show(&app, &assertion(&key(), app.clock(), "robot", &app.url, &json!({}))).await;
        }
        assert_eq!(show(&app, &good()).await.0, 429);
    }
);

both!(
    /// OAUTH-044, OAUTH-053, OAUTH-068
    a_shared_secret_signs_and_is_stored_sealed,
    |kind| async move {
        let app = scene(kind, &[&key()], "").await;
        let signed = |secret: &str, alg: &str| {
            let now = app.clock().now().timestamp();
            let jti = unique();
            let claims = json!({ "iss": "teller", "sub": "teller", "aud": app.url, "exp": now + 60, "jti": jti });
            let message = format!("{}.{}", part(&json!({ "alg": alg })), part(&claims));
            let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
            format!("{message}.{}", URL_SAFE_NO_PAD.encode(hmac::sign(&key, message.as_bytes())))
        };
        assert_eq!(show(&app, &signed(SECRET, "HS256")).await.0, 200);
        assert_eq!(show(&app, &signed("another-secret-that-is-long-enough-too", "HS256")).await.0, 401);
        assert_eq!(show(&app, &signed(SECRET, "ES256")).await.0, 401);
        assert_eq!(post(&app, &[("client_id", "teller"), ("client_secret", SECRET)]).await.0, 401);
        let mut tx = app.broker.db.read().await.unwrap();
        let (sealed,): (String,) = tx.one("SELECT sealed FROM sealed_secrets", &[]).await.unwrap();
        assert!(!sealed.contains(SECRET) && !sealed.contains(&URL_SAFE_NO_PAD.encode(SECRET)));
    }
);

both!(
    /// OAUTH-068, OAUTH-069
    old_ways_are_switched_on_for_one_application,
    |kind| async move {
        let rsa = SigningKey::generate(Algorithm::Rs256).unwrap().0;
        let strict = scene(kind, &[&rsa], "").await;
        let of = |app: &App, aud: Value| assertion(&rsa, app.clock(), "robot", &app.url, &json!({ "aud": aud }));
        assert_eq!(show(&strict, &of(&strict, json!(strict.url))).await.0, 401, "RS256 has to be registered");
        let wide = scene(kind, &[&rsa], "signing_algorithm = \"RS256\"\nwide_audience = true").await;
        for aud in [json!(wide.url), json!(wide.at("/oauth2/token")), json!([wide.url, "https://other.example"])] {
            assert_eq!(show(&wide, &of(&wide, aud.clone())).await.0, 200, "{aud}");
        }
        assert_eq!(show(&wide, &of(&wide, json!("https://other.example"))).await.0, 401);
    }
);

/// An assertion of `id` under a shared secret.
fn by_secret(app: &App, id: &str, secret: &str) -> String {
    let now = app.clock().now().timestamp();
    let claims = json!({ "iss": id, "sub": id, "aud": app.url, "iat": now, "exp": now + 60, "jti": unique() });
    let message = format!("{}.{}", part(&json!({ "alg": "HS256", "typ": "JWT" })), part(&claims));
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes()), message.as_bytes());
    format!("{message}.{}", URL_SAFE_NO_PAD.encode(tag))
}

both!(
    /// OAUTH-068: a secret that signs rotates like one that is shown: both count until the overlap ends, then one does.
    a_secret_that_signs_rotates_with_an_overlap,
    |kind| async move {
        let app = App::start(kind).await;
        let of = |id: &str, auth_method| NewApplication {
            id: id.to_owned(),
            name: id.to_owned(),
            auth_method,
            settings: ApplicationSettings {
                grant_types: vec![GrantType::ClientCredentials],
                scopes: vec!["files:read".to_owned()],
                ..ApplicationSettings::default()
            },
        };
        let signing = add_application(&app.broker, of("signs", AuthMethod::ClientSecretJwt)).await.unwrap();
        let showing = add_application(&app.broker, of("shows", AuthMethod::ClientSecretBasic)).await.unwrap();
        let (first, shown_first) = (signing.1.unwrap(), showing.1.unwrap());
        let signs = async |secret: &str| show(&app, &by_secret(&app, "signs", secret)).await.0;
        let shows = async |secret: &str| {
            let form = [("grant_type", "client_credentials")];
            let post = app.browser().post(app.at("/oauth2/token")).basic_auth("shows", Some(secret)).form(&form);
            post.send().await.unwrap().status().as_u16()
        };
        assert_eq!((signs(&first).await, shows(&shown_first).await), (200, 200));
        let hour = Some(Duration::hours(1));
        let (second, until) = rotate_secret(&app.broker, "signs", hour).await.unwrap();
        let (shown_second, _) = rotate_secret(&app.broker, "shows", hour).await.unwrap();
        assert_eq!(until, Some(app.clock().now() + Duration::hours(1)));
        app.clock().advance(Duration::minutes(59));
        for secret in [&first, &second] {
            assert_eq!(signs(secret).await, 200);
        }
        assert_eq!((shows(&shown_first).await, shows(&shown_second).await), (200, 200));
        // The end of the overlap.
        app.clock().advance(Duration::minutes(1));
        assert_eq!((signs(&first).await, signs(&second).await), (401, 200));
        assert_eq!((shows(&shown_first).await, shows(&shown_second).await), (401, 200));
        // What no longer counts is not kept.
        app.clock().advance(Duration::seconds(1));
        purge(&app.broker).await.unwrap();
        let kept = app.broker.db.read().await.unwrap().proofs().secret("signs").await.unwrap().unwrap();
        assert_eq!(kept.1, None);
        // Without overlap the old one ends at once, and the one before the old one in any case.
        let (third, _) = rotate_secret(&app.broker, "signs", hour).await.unwrap();
        let (fourth, until) = rotate_secret(&app.broker, "signs", None).await.unwrap();
        assert_eq!(until, None);
        assert_eq!((signs(&second).await, signs(&third).await, signs(&fourth).await), (401, 401, 200));
    }
);
