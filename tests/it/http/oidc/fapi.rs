//! The FAPI 2.0 Security Profile, module by module of its conformance plan, as an application with `private_key_jwt` and
//! DPoP meets it. What is about assertions and proofs alone stands in `client_auth` and `dpop`.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::Duration;
use serde_json::{Value, json};
use yaopai::crypto::SigningKey;

use super::{CONFIG, Client, Scene, VERIFIER, answer, authorize_path, challenge, claims, par};
use crate::both;
use crate::harness::prove::{ASSERTION, Proof, assertion, key};
use crate::harness::{Kind, Page};

const BANK: Client = Client { id: "bank", secret: None, redirect_uri: "https://bank.example/cb" };
const SHOP: Client = Client { id: "shop", secret: None, redirect_uri: "https://shop.example/cb" };

/// Two applications of the profile, their keys, and the key that tokens are bound to.
struct Fapi {
    scene: Scene,
    own: SigningKey,
    holder: SigningKey,
}

impl Fapi {
    async fn start(kind: Kind) -> Self {
        Self::with(kind, "").await
    }

    /// The same with further settings of both.
    async fn with(kind: Kind, more: &str) -> Self {
        let (own, holder) = (key(), key());
        let jwks = json!({ "keys": [own.public_jwk()] });
        let of = |id: &str| {
            format!(
                "\n[[application]]\nid = \"{id}\"\nprofile = \"fapi2\"\nauth_method = \"private_key_jwt\"\n\
                 redirect_uris = [\"https://{id}.example/cb\"]\nscopes = [\"openid\", \"offline_access\"]\n\
                 [application.proof]\njwks = '{jwks}'\n{more}"
            )
        };
        Self { scene: Scene::of(kind, &format!("{CONFIG}{}{}", of("bank"), of("shop"))).await, own, holder }
    }

    /// A form with a client assertion, whose claims are changed, and a proof.
    async fn send(&self, client: Client, path: &str, form: &[(&str, &str)], proof: bool) -> (u16, Value) {
        let app = &self.scene.app;
        let assertion = assertion(&self.own, app.clock(), client.id, &app.url, &json!({}));
        let mut form = form.to_vec();
        form.extend([("client_assertion_type", ASSERTION), ("client_assertion", &assertion)]);
        let mut request = app.browser().post(app.at(path)).form(&form);
        if proof {
            request = request.header("DPoP", Proof::new(&self.holder, "POST", &app.at(path)).sign(app.clock()));
        }
        let answered = request.send().await.unwrap();
        (answered.status().as_u16(), answered.json().await.unwrap_or(Value::Null))
    }

    /// A pushed request, with changes: an empty value leaves a parameter out.
    async fn push(&self, client: Client, changes: &[(&str, &str)]) -> (u16, Value) {
        let path = authorize_path(client, changes);
        let (_, query) = path.split_once('?').unwrap();
        let form: Vec<(String, String)> = url::form_urlencoded::parse(query.as_bytes()).into_owned().collect();
        let form: Vec<(&str, &str)> = form.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        self.send(client, "/oauth2/par", &form, false).await
    }

    /// The answer to a pushed request.
    async fn ask(&self, client: Client, changes: &[(&str, &str)]) -> Page {
        let (status, body) = self.push(client, changes).await;
        assert_eq!(status, 201, "{changes:?} {body}");
        self.scene.browser.get(&par::reference(client, body["request_uri"].as_str().unwrap())).await
    }

    async fn redeem(&self, client: Client, code: &str, verifier: &str, proof: bool) -> (u16, Value) {
        let mut form =
            vec![("grant_type", "authorization_code"), ("code", code), ("redirect_uri", client.redirect_uri)];
        form.extend(Some(("code_verifier", verifier)).filter(|_| !verifier.is_empty()));
        self.send(client, "/oauth2/token", &form, proof).await
    }

    async fn code(&self) -> String {
        answer(&self.ask(BANK, &[]).await, "code").unwrap()
    }
}

both!(
    /// OIDC-097, OIDC-099, OIDC-100, OIDC-114, OIDC-118, OAUTH-014
    the_happy_flow,
    |kind| async move {
        let fapi = Fapi::start(kind).await;
        let long = "n".repeat(384);
        for changes in [
            vec![],
            vec![("state", "")],
            vec![("nonce", "")],
            vec![("nonce", "0123456789012345678901234567890123456789012345678901234567890123")],
            vec![("nonce", &long), ("state", &long)],
        ] {
            let page = fapi.ask(BANK, &changes).await;
            assert_eq!(page.status, 303, "{}", page.text);
            let sent = |name: &str, usual: &str| {
                let changed = changes.iter().find(|(known, _)| *known == name).map(|(_, value)| *value);
                Some(changed.unwrap_or(usual).to_owned()).filter(|value| !value.is_empty())
            };
            assert_eq!(answer(&page, "state"), sent("state", "s-._~"), "nothing invented, nothing cut");
            assert_eq!(answer(&page, "iss").as_deref(), Some(fapi.scene.app.url.as_str()));
            let (status, tokens) = fapi.redeem(BANK, &answer(&page, "code").unwrap(), VERIFIER, true).await;
            assert_eq!((status, &tokens["token_type"]), (200, &json!("DPoP")), "{tokens}");
            let id = claims(&tokens["id_token"]);
            assert_eq!(id.get("nonce").and_then(Value::as_str).map(str::to_owned), sent("nonce", "n-0"));
            assert!(claims(&tokens["access_token"])["cnf"]["jkt"].is_string());
            let form = [("grant_type", "refresh_token"), ("refresh_token", tokens["refresh_token"].as_str().unwrap())];
            let (status, next) = fapi.send(BANK, "/oauth2/token", &form, true).await;
            assert_eq!((status, &next["token_type"]), (200, &json!("DPoP")), "{next}");
        }
        let path = format!("/oauth2/userinfo?access_token={}", fapi.code().await);
        assert_eq!(fapi.scene.app.browser().get(fapi.scene.app.at(&path)).send().await.unwrap().status(), 401);
    }
);

both!(
    /// OIDC-098: who says no is believed: the application learns it, with its state and our issuer.
    a_person_refuses,
    |kind| async move {
        let fapi = Fapi::with(kind, "[application.identity]\nconsent = \"always\"\n").await;
        let page = fapi.ask(BANK, &[]).await;
        assert_eq!(page.status, 200, "{}", page.text);
        let back = fapi.scene.browser.post(&page.form("/oauth2/consent").with("decision", "no")).await;
        assert_eq!(answer(&back, "error").as_deref(), Some("access_denied"), "{}", back.location());
        assert_eq!(answer(&back, "state").as_deref(), Some("s-._~"));
        assert_eq!(answer(&back, "iss").as_deref(), Some(fapi.scene.app.url.as_str()));
        assert_eq!(answer(&back, "code"), None);
    }
);

both!(
    /// OIDC-101, OIDC-102, OIDC-103, OIDC-113
    requests_outside_the_profile_are_refused,
    |kind| async move {
        let fapi = Fapi::start(kind).await;
        let page = fapi.scene.browser.get(&authorize_path(BANK, &[])).await;
        assert_eq!(answer(&page, "error").as_deref(), Some("invalid_request"), "not pushed");
        assert_eq!(answer(&page, "code"), None);
        for (changes, error) in [
            (vec![("response_type", "code id_token")], "unauthorized_client"),
            (vec![("response_type", "id_token")], "unauthorized_client"),
            (vec![("response_type", "token")], "unsupported_response_type"),
            (vec![("code_challenge", ""), ("code_challenge_method", "")], "invalid_request"),
            (vec![("code_challenge", VERIFIER), ("code_challenge_method", "plain")], "invalid_request"),
            (vec![("request_uri", "urn:ietf:params:oauth:request_uri:x")], "invalid_request"),
            (vec![("redirect_uri", "https://bank.example/other")], "invalid_request"),
        ] {
            let (status, body) = fapi.push(BANK, &changes).await;
            assert_eq!((status, body["error"].as_str()), (400, Some(error)), "{changes:?}");
        }
        let got = fapi.scene.app.browser().get(fapi.scene.app.at("/oauth2/par")).send().await.unwrap();
        assert_eq!(got.status(), 405);
        let (status, body) = fapi.scene.push(BANK, &[]).await;
        assert_eq!((status, body["error"].as_str()), (401, Some("invalid_client")), "no assertion");
    }
);

both!(
    /// OIDC-104, OIDC-105, OIDC-106, OIDC-107, OIDC-108
    a_code_serves_its_application_its_verifier_and_a_minute,
    |kind| async move {
        let fapi = Fapi::start(kind).await;
        let refused = |(status, body): (u16, Value)| {
            assert_eq!((status, body["error"].as_str()), (400, Some("invalid_grant")), "{body}");
        };
        refused(fapi.redeem(BANK, &fapi.code().await, "", true).await);
        refused(fapi.redeem(BANK, &fapi.code().await, &"wrong".repeat(10), true).await);
        refused(fapi.redeem(SHOP, &fapi.code().await, VERIFIER, true).await);
        let (status, _) = fapi.redeem(BANK, &fapi.code().await, VERIFIER, false).await;
        assert_eq!(status, 400, "tokens are bound");
        let code = fapi.code().await;
        let (status, tokens) = fapi.redeem(BANK, &code, VERIFIER, true).await;
        assert_eq!(status, 200);
        fapi.scene.app.clock().advance(Duration::seconds(1));
        refused(fapi.redeem(BANK, &code, VERIFIER, true).await);
        let form = [("grant_type", "refresh_token"), ("refresh_token", tokens["refresh_token"].as_str().unwrap())];
        refused(fapi.send(BANK, "/oauth2/token", &form, true).await);
        let late = fapi.code().await;
        fapi.scene.app.clock().advance(Duration::seconds(61));
        refused(fapi.redeem(BANK, &late, VERIFIER, true).await);
    }
);

both!(
    /// OIDC-112
    a_reference_serves_its_application_once_and_briefly,
    |kind| async move {
        let fapi = Fapi::start(kind).await;
        let (_, body) = fapi.push(BANK, &[]).await;
        assert!(body["expires_in"].as_i64().unwrap() < 600);
        let request_uri = body["request_uri"].as_str().unwrap();
        let page = fapi.scene.browser.get(&par::reference(SHOP, request_uri)).await;
        assert_eq!((page.status.as_u16(), page.location()), (400, ""), "another application's");
        let page = fapi.scene.browser.get(&par::reference(BANK, request_uri)).await;
        assert!(answer(&page, "code").is_some());
        let page = fapi.scene.browser.get(&par::reference(BANK, request_uri)).await;
        assert_eq!((page.status.as_u16(), page.location()), (400, ""), "answered");
        let (_, body) = fapi.push(BANK, &[]).await;
        fapi.scene.app.clock().advance(Duration::seconds(body["expires_in"].as_i64().unwrap() + 1));
        let page = fapi.scene.browser.get(&par::reference(BANK, body["request_uri"].as_str().unwrap())).await;
        assert_eq!((page.status.as_u16(), page.location()), (400, ""), "expired");
    }
);

both!(
    /// OIDC-120
    a_signed_request_must_say_from_when_it_holds,
    |kind| async move {
        let fapi = Fapi::start(kind).await;
        let app = &fapi.scene.app;
        let now = app.clock().now().timestamp();
        let object = |nbf: Value| {
            json!({
                "iss": "bank", "aud": app.url, "exp": now + 300, "nbf": nbf, "client_id": "bank", "response_type": "code",
                "redirect_uri": BANK.redirect_uri, "scope": "openid", "code_challenge": challenge(VERIFIER),
                "code_challenge_method": "S256",
            })
        };
        let signed = |claims: Value| {
            let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
            let header = json!({ "alg": "ES256", "kid": fapi.own.kid(), "typ": "oauth-authz-req+jwt" });
            let message = format!("{}.{}", part(&header), part(&claims));
            format!("{message}.{}", URL_SAFE_NO_PAD.encode(fapi.own.sign(message.as_bytes()).unwrap()))
        };
        let mut without = object(json!(now));
        without.as_object_mut().unwrap().remove("nbf");
        for (object, expected) in [(signed(object(json!(now + 8))), 201), (signed(without), 400)] {
            let form = [("client_id", "bank"), ("request", object.as_str())];
            let (status, body) = fapi.send(BANK, "/oauth2/par", &form, false).await;
            assert_eq!(status, expected, "{body}");
        }
    }
);

/// OIDC-096, OIDC-102
#[test]
fn a_configuration_outside_the_profile_is_refused_at_start() {
    for (what, settings) in [
        ("response_types", "[application.request]\nresponse_types = [\"code\", \"code id_token\"]"),
        ("https://", "redirect_uris = [\"http://127.0.0.1/cb\"]"),
        ("RS256", "signing_algorithm = \"RS256\""),
        ("request_object_signing_alg", "[application.request]\nrequest_object_signing_alg = \"RS256\""),
    ] {
        let uris = if settings.contains("redirect") { "" } else { "redirect_uris = [\"https://bank.example/cb\"]" };
        let text = format!(
            "[server]\npublic_url = \"https://id.example\"\n[[application]]\nid = \"bank\"\nprofile = \"fapi2\"\n\
             secret = {{ value = \"a-secret-of-the-bank\" }}\n{uris}\n{settings}\n"
        );
        let found = yaopai::config::Config::parse(std::path::Path::new("yaopai.toml"), &text, &[]).unwrap_err();
        assert!(found.to_string().contains("profile fapi2") && found.to_string().contains(what), "{what}: {found}");
    }
}
