//! Request objects: signed authorization requests, in the address and pushed.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use yaopai::crypto::{SigningKey, jwt};
use yaopai::model::Algorithm;

use super::{CONFIG, Client, Scene, VERIFIER, answer, authorize_path, challenge, claims, par};
use crate::both;
use crate::harness::{Browser, Kind};

const SIGNER: Client =
    Client { id: "signer", secret: Some("a-secret-of-signer"), redirect_uri: "https://signer.example/cb" };
const TYP: &str = "oauth-authz-req+jwt";

/// A broker with an application that signs its requests, and its key.
struct Signed {
    scene: Scene,
    key: SigningKey,
}

impl Signed {
    /// `settings` are further keys of `[application.request]`.
    async fn start(kind: Kind, settings: &str) -> Self {
        let key = SigningKey::generate(Algorithm::Es256).unwrap().0;
        let jwks = json!({ "keys": [key.public_jwk()] });
        let application = format!(
            r#"
[[application]]
id = "signer"
secret = {{ value = "a-secret-of-signer" }}
redirect_uris = ["https://signer.example/cb", "https://signer.example/other"]
[application.request]
{settings}
[application.proof]
jwks = '{jwks}'
"#
        );
        Self { scene: Scene::of(kind, &format!("{CONFIG}{application}")).await, key }
    }

    /// The claims of a good object, with changes: null leaves one out.
    fn claims(&self, changes: &[(&str, Value)]) -> Value {
        let now = self.scene.app.clock().now().timestamp();
        let mut claims = json!({
            "iss": "signer", "aud": self.scene.app.url, "exp": now + 300, "nbf": now, "iat": now,
            "client_id": "signer", "response_type": "code", "redirect_uri": "https://signer.example/cb",
            "scope": "openid email", "state": "inside", "nonce": "n-1", "max_age": 10_000,
            "code_challenge": challenge(VERIFIER), "code_challenge_method": "S256",
            "claims": { "userinfo": { "name": null } },
        });
        for (name, value) in changes {
            if value.is_null() {
                claims.as_object_mut().unwrap().remove(*name);
            } else {
                claims[*name] = value.clone();
            }
        }
        claims
    }

    fn object(&self, changes: &[(&str, Value)]) -> String {
        jwt::sign(&self.key, TYP, &self.claims(changes)).unwrap()
    }

    /// The answer to an object beside which `client_id` alone stands, and a redirect URI for faults.
    async fn ask(&self, object: &str) -> crate::harness::Page {
        self.scene.browser.get(&path(object)).await
    }
}

/// The address with an object.
fn path(object: &str) -> String {
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    query.append_pair("client_id", "signer").append_pair("request", object);
    query.append_pair("redirect_uri", SIGNER.redirect_uri).append_pair("state", "outside");
    format!("/oauth2/authorize?{}", query.finish())
}

/// A token with this header, signed by `key`.
fn with_header(key: &SigningKey, header: &Value, claims: &Value) -> String {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let message = format!("{}.{}", part(header), part(claims));
    format!("{message}.{}", URL_SAFE_NO_PAD.encode(key.sign(message.as_bytes()).unwrap()))
}

both!(
    /// OAUTH-097, OIDC-055, OIDC-057
    only_what_is_signed_counts,
    |kind| async move {
        let signed = Signed::start(kind, "").await;
        let page = signed.ask(&signed.object(&[])).await;
        assert!(page.location().starts_with("https://signer.example/cb?code="), "{} {}", page.location(), page.text);
        assert_eq!(answer(&page, "state").as_deref(), Some("inside"));
        let (status, tokens) = signed.scene.redeem(SIGNER, &answer(&page, "code").unwrap()).await;
        assert_eq!((status, &tokens["scope"]), (200, &json!("openid email")));

        // The other registered redirect URI stands inside: it wins, and what stands outside is ignored.
        let other = signed.object(&[("redirect_uri", json!("https://signer.example/other"))]);
        let outside = [("request", other.as_str()), ("scope", "profile"), ("prompt", "login")];
        let page = signed.scene.authorize(SIGNER, &outside).await;
        assert!(page.location().starts_with("https://signer.example/other?code="), "{}", page.location());

        // Somebody who has to sign in comes back with the object.
        let browser = Browser::new(&signed.scene.app.url);
        let to_login = browser.get(&path(&signed.object(&[]))).await;
        let back = browser.sign_in_at(to_login.location(), "wang.fang", crate::harness::PASSWORD).await;
        assert!(answer(&browser.get(back.location()).await, "code").is_some());
    }
);

both!(
    /// OAUTH-096, OAUTH-098, OAUTH-099, OAUTH-102, OIDC-120
    what_is_not_signed_as_it_should_be_is_refused,
    |kind| async move {
        let signed = Signed::start(kind, "request_object_signing_alg = \"ES256\"").await;
        let now = signed.scene.app.clock().now().timestamp();
        let (key, claims) = (&signed.key, signed.claims(&[]));
        let kid = key.kid();
        let stranger = SigningKey::generate(Algorithm::Es256).unwrap().0;
        let other_algorithm = SigningKey::generate(Algorithm::EdDsa).unwrap().0;
        let good = signed.object(&[]);
        let unsigned = format!("{}.", good.rsplit_once('.').unwrap().0);
        let objects = vec![
            ("cut", good[..good.len() - 4].to_owned()),
            ("empty signature", unsigned),
            ("none", with_header(key, &json!({ "alg": "none", "typ": TYP }), &claims)),
            ("shared key", with_header(key, &json!({ "alg": "HS256", "kid": kid, "typ": TYP }), &claims)),
            ("own key inside", with_header(key, &json!({ "alg": "ES256", "typ": TYP, "jwk": key.public_jwk() }), &claims)),
            ("foreign kid", with_header(key, &json!({ "alg": "ES256", "kid": "x", "typ": TYP }), &claims)),
            ("critical", with_header(key, &json!({ "alg": "ES256", "kid": kid, "typ": TYP, "crit": ["x"] }), &claims)),
            ("a stranger's", jwt::sign(&stranger, TYP, &claims).unwrap()),
            ("a stranger's with our kid", with_header(&stranger, &json!({ "alg": "ES256", "kid": kid, "typ": TYP }), &claims)),
            ("another algorithm", jwt::sign(&other_algorithm, TYP, &claims).unwrap()),
            ("an access token", jwt::sign(key, "at+jwt", &claims).unwrap()),
            ("a client assertion", signed.object(&[("sub", json!("signer"))])),
            ("no iss", signed.object(&[("iss", Value::Null)])),
            ("another iss", signed.object(&[("iss", json!("oa"))])),
            ("no aud", signed.object(&[("aud", Value::Null)])),
            ("another aud", signed.object(&[("aud", json!("https://other.example"))])),
            ("no exp", signed.object(&[("exp", Value::Null)])),
            ("expired", signed.object(&[("exp", json!(now))])),
            ("valid for too long", signed.object(&[("exp", json!(now + 3_601))])),
            ("too old", signed.object(&[("nbf", json!(now - 3_601)), ("exp", json!(now + 10))])),
            ("not yet", signed.object(&[("nbf", json!(now + 60))])),
            ("another client", signed.object(&[("client_id", json!("oa"))])),
            ("no client", signed.object(&[("client_id", Value::Null)])),
            ("an object inside", signed.object(&[("request", json!(good))])),
            ("a reference inside", signed.object(&[("request_uri", json!("https://signer.example/r"))])),
            ("encrypted", "a.b.c.d.e".to_owned()),
            ("no JWT", "x".to_owned()),
        ];
        for (what, object) in objects {
            let page = signed.ask(&object).await;
            assert_eq!(answer(&page, "error").as_deref(), Some("invalid_request_object"), "{what}: {}", page.location());
            assert_eq!(answer(&page, "code"), None, "{what}");
            let (status, body) =
                signed.scene.post(SIGNER, "/oauth2/par", &[("client_id", "signer"), ("request", &object)]).await;
            assert_eq!((status, &body["error"]), (400, &json!("invalid_request_object")), "{what} pushed: {body}");
        }
        let several = json!([signed.scene.app.url, "https://other.example"]);
        for fine in [
            signed.object(&[("aud", several)]),
            signed.object(&[("nbf", json!(now + 8))]),
            signed.object(&[("nbf", Value::Null)]),
            jwt::sign(key, "JWT", &claims).unwrap(),
        ] {
            assert!(answer(&signed.ask(&fine).await, "code").is_some());
        }
        let both = format!("{}&request_uri=https%3A%2F%2Fsigner.example%2Fr", path(&good));
        let page = signed.scene.browser.get(&both).await;
        assert_eq!(answer(&page, "error").as_deref(), Some("invalid_request"));
        // Without a redirect URI in the open, there is nowhere to send the fault.
        let closed = path("x").replace("redirect_uri", "ignored");
        let page = signed.scene.browser.get(&closed).await;
        assert_eq!((page.status.as_u16(), page.location()), (400, ""));
    }
);

both!(
    /// OAUTH-101, OIDC-120
    where_a_signature_is_demanded_nothing_else_passes,
    |kind| async move {
        let signed = Signed::start(kind, "require_signed_request_object = true").await;
        let scene = &signed.scene;
        let page = scene.authorize(SIGNER, &[]).await;
        assert_eq!(answer(&page, "error").as_deref(), Some("invalid_request"));
        let (status, body) = scene.push(SIGNER, &[]).await;
        assert_eq!((status, &body["error"]), (400, &json!("invalid_request")), "{body}");

        let object = signed.object(&[("max_age", Value::Null)]);
        let form = [("request", object.as_str()), ("scope", "profile"), ("client_id", "signer")];
        let (status, body) = scene.post(SIGNER, "/oauth2/par", &form).await;
        assert_eq!(status, 201, "{body}");
        let page = scene.browser.get(&par::reference(SIGNER, body["request_uri"].as_str().unwrap())).await;
        let (status, tokens) = scene.redeem(SIGNER, &answer(&page, "code").unwrap()).await;
        assert_eq!((status, &tokens["scope"]), (200, &json!("openid email")), "what was signed counts");
        let document = scene.app.browser().get(scene.app.at("/.well-known/openid-configuration"));
        let document: Value = document.send().await.unwrap().json().await.unwrap();
        assert_eq!(document["request_parameter_supported"], true);
        let listed = document["request_object_signing_alg_values_supported"].as_array().unwrap();
        assert!(!listed.contains(&json!("none")) && !listed.contains(&json!("HS256")), "{listed:?}");
    }
);

both!(
    /// OAUTH-097
    three_parameters_may_stand_beside_where_that_is_switched_on,
    |kind| async move {
        let without = [("response_type", Value::Null), ("client_id", Value::Null), ("scope", Value::Null)];
        let strict = Signed::start(kind, "").await;
        let page = strict.ask(&strict.object(&without)).await;
        assert_eq!(answer(&page, "error").as_deref(), Some("invalid_request_object"));
        let page = strict.ask(&strict.object(&[("scope", Value::Null)])).await;
        assert_eq!(answer(&page, "error").as_deref(), Some("invalid_scope"));

        let merging = Signed::start(kind, "merge_request_object = true").await;
        let object = merging.object(&without);
        let path = authorize_path(SIGNER, &[("request", &object), ("scope", "openid profile"), ("nonce", "outside")]);
        let page = merging.scene.browser.get(&path).await;
        let (status, tokens) = merging.scene.redeem(SIGNER, &answer(&page, "code").unwrap()).await;
        assert_eq!((status, &tokens["scope"]), (200, &json!("openid profile")));
        assert_eq!(claims(&tokens["id_token"])["nonce"], "n-1");
        // What stands inside wins.
        let path = authorize_path(SIGNER, &[("request", &merging.object(&[])), ("scope", "openid profile")]);
        let page = merging.scene.browser.get(&path).await;
        let (_, tokens) = merging.scene.redeem(SIGNER, &answer(&page, "code").unwrap()).await;
        assert_eq!(tokens["scope"], "openid email");
    }
);

both!(
    /// OAUTH-096: an object with an id is good for one answer, wherever it is shown again.
    an_object_with_an_id_is_good_once,
    |kind| async move {
        let signed = Signed::start(kind, "").await;
        let scene = &signed.scene;
        let object = |id: &str| signed.object(&[("jti", json!(id)), ("max_age", Value::Null)]);
        let push = async |object: &str| {
            scene.post(SIGNER, "/oauth2/par", &[("request", object), ("client_id", "signer")]).await
        };
        // The way through the sign-in is one use.
        let first = object("first");
        let browser = Browser::new(&scene.app.url);
        let to_login = browser.get(&path(&first)).await;
        let back = browser.sign_in_at(to_login.location(), "wang.fang", crate::harness::PASSWORD).await;
        assert!(answer(&browser.get(back.location()).await, "code").is_some());
        for again in [browser.get(&path(&first)).await, signed.ask(&first).await] {
            assert_eq!(answer(&again, "error").as_deref(), Some("invalid_request_object"), "{}", again.location());
            assert_eq!(answer(&again, "code"), None);
        }
        let (status, body) = push(&first).await;
        assert_eq!((status, &body["error"]), (400, &json!("invalid_request_object")), "{body}");
        // Pushed, it is used up by the push.
        let second = object("second");
        let (status, body) = push(&second).await;
        assert_eq!(status, 201, "{body}");
        assert_eq!(push(&second).await.0, 400);
        assert_eq!(answer(&signed.ask(&second).await, "error").as_deref(), Some("invalid_request_object"));
        let page = scene.browser.get(&par::reference(SIGNER, body["request_uri"].as_str().unwrap())).await;
        assert!(answer(&page, "code").is_some(), "the pushed request itself is untouched");
        // What is refused for another reason uses nothing up; an id that is none is refused.
        let third = signed.object(&[("jti", json!("third")), ("scope", json!("nothing"))]);
        assert_eq!(push(&third).await.0, 400);
        assert!(answer(&signed.ask(&object("third")).await, "code").is_some());
        for bad in [json!(7), json!(""), json!("x".repeat(300))] {
            let page = signed.ask(&signed.object(&[("jti", bad.clone())])).await;
            assert_eq!(answer(&page, "error").as_deref(), Some("invalid_request_object"), "{bad}");
        }
        // Without an id, it is as before.
        let plain = signed.object(&[("max_age", Value::Null)]);
        for _ in 0..2 {
            assert!(answer(&signed.ask(&plain).await, "code").is_some());
        }
    }
);
