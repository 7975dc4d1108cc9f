//! Resource indicators and authorization details: what tokens are for, and what they allow in detail.

use serde_json::{Value, json};

use super::{CONFIG, Client, EXPENSE, OA, Scene, answer, authorize_path, claims, par, redemption, signed_in};
use crate::both;
use crate::harness::{App, Kind};

const BANKING: &str = r#"
[[application]]
id = "bank"
secret = { value = "a-secret-of-bank" }
redirect_uris = ["https://bank.example/cb"]
grant_types = ["authorization_code", "refresh_token", "client_credentials"]
scopes = ["openid", "offline_access", "pay"]
[application.request]
resources = ["https://api.bank.example/", "https://expense.example/api", "urn:bank:ledger"]
[application.request.authorization_details.payment]
description = "Pay"
actions = ["initiate", "status"]
[application.request.authorization_details.payment.fields.amount]
kind = "object"
required = true
[application.request.authorization_details.payment.fields.amount.fields.cents]
kind = "integer"
minimum = 1
[application.request.authorization_details.statement]
identifier = true
"#;
const BANK: Client = Client { id: "bank", secret: Some("a-secret-of-bank"), redirect_uri: "https://bank.example/cb" };

async fn banking(kind: Kind) -> Scene {
    Scene::of(kind, &format!("{CONFIG}{BANKING}")).await
}

/// The path of a request with further parameters, some of them several times.
fn path(more: &[(&str, &str)]) -> String {
    let more = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(more).finish();
    format!("{}&{more}", authorize_path(BANK, &[("scope", "openid pay")]))
}

const API: &str = "https://api.bank.example/";
const EXPENSES: &str = "https://expense.example/api";

async fn code(scene: &Scene, more: &[(&str, &str)]) -> String {
    let page = scene.browser.get(&path(more)).await;
    answer(&page, "code").unwrap_or_else(|| panic!("no code in {} {}", page.location(), page.text))
}

async fn redeem(scene: &Scene, code: &str, more: &[(&str, &str)]) -> (u16, Value) {
    let mut form = redemption(BANK, code);
    form.extend(more);
    scene.post(BANK, "/oauth2/token", &form).await
}

async fn refresh(scene: &Scene, tokens: &Value, more: &[(&str, &str)]) -> (u16, Value) {
    let mut form = vec![("grant_type", "refresh_token"), ("refresh_token", tokens["refresh_token"].as_str().unwrap())];
    form.extend(more);
    scene.post(BANK, "/oauth2/token", &form).await
}

both!(
    /// OAUTH-121, OAUTH-060, OAUTH-010, OAUTH-127
    a_token_is_for_the_resource_that_was_named,
    |kind| async move {
        let scene = banking(kind).await;
        let both = [("resource", API), ("resource", EXPENSES)];
        let (status, tokens) = redeem(&scene, &code(&scene, &both).await, &[("resource", API)]).await;
        assert_eq!(status, 200, "{tokens}");
        assert_eq!(claims(&tokens["access_token"])["aud"], API);
        let (status, tokens) = refresh(&scene, &tokens, &[("resource", EXPENSES)]).await;
        assert_eq!((status, &claims(&tokens["access_token"])["aud"]), (200, &json!(EXPENSES)), "consented to as well");
        let about = [("token", tokens["access_token"].as_str().unwrap())];
        assert_eq!(scene.post(EXPENSE, "/oauth2/introspect", &about).await.1["active"], true);
        let (status, tokens) = refresh(&scene, &tokens, &[]).await;
        assert_eq!((status, &claims(&tokens["access_token"])["aud"]), (200, &json!([API, EXPENSES])));
        let (status, body) = refresh(&scene, &tokens, &[("resource", "urn:bank:ledger")]).await;
        assert_eq!((status, &body["error"]), (400, &json!("invalid_target")), "never consented to");
        assert_eq!(refresh(&scene, &tokens, &[]).await.0, 200, "the refresh token was not spent on it");

        let one = code(&scene, &[("resource", API)]).await;
        let (status, body) = redeem(&scene, &one, &[("resource", EXPENSES)]).await;
        assert_eq!((status, &body["error"]), (400, &json!("invalid_target")));
        let (status, tokens) = redeem(&scene, &one, &[]).await;
        assert_eq!((status, &claims(&tokens["access_token"])["aud"]), (200, &json!(API)));
        let about = [("token", tokens["access_token"].as_str().unwrap())];
        assert_eq!(scene.post(EXPENSE, "/oauth2/introspect", &about).await.1, json!({ "active": false }));

        let (_, usual) = redeem(&scene, &code(&scene, &[]).await, &[]).await;
        assert_eq!(claims(&usual["access_token"])["aud"], format!("{}/api", scene.app.url));
        let own = [("grant_type", "client_credentials"), ("scope", "pay"), ("resource", "urn:bank:ledger")];
        let (status, tokens) = scene.post(BANK, "/oauth2/token", &own).await;
        assert_eq!((status, &claims(&tokens["access_token"])["aud"]), (200, &json!("urn:bank:ledger")));
    }
);

both!(
    /// OAUTH-120, OAUTH-122
    a_resource_that_is_not_allowed_is_refused,
    |kind| async move {
        let scene = banking(kind).await;
        for bad in ["/relative", "api.bank.example", "https://api.bank.example/#part", "https://other.example/"] {
            let page = scene.browser.get(&path(&[("resource", API), ("resource", bad)])).await;
            assert_eq!(answer(&page, "error").as_deref(), Some("invalid_target"), "{bad}");
            let own = [("grant_type", "client_credentials"), ("scope", "pay"), ("resource", bad)];
            let (status, body) = scene.post(BANK, "/oauth2/token", &own).await;
            assert_eq!((status, &body["error"]), (400, &json!("invalid_target")), "{bad}");
        }
        let page = scene.authorize(OA, &[("resource", API)]).await;
        assert_eq!(answer(&page, "error").as_deref(), Some("invalid_target"), "not registered for this one");
    }
);

const PAYMENT: &str = r#"[{"type":"payment","actions":["initiate"],"amount":{"cents":7}}]"#;
const TWO: &str =
    r#"[{"type":"payment","actions":["initiate"],"amount":{"cents":7}},{"type":"statement","identifier":"42"}]"#;

both!(details_go_into_response_token_and_introspection, |kind| async move {
    let scene = banking(kind).await;
    let two: Value = serde_json::from_str(TWO).unwrap();
    let one: Value = serde_json::from_str(PAYMENT).unwrap();
    let (status, tokens) = redeem(&scene, &code(&scene, &[("authorization_details", TWO)]).await, &[]).await;
    assert_eq!((status, &tokens["authorization_details"]), (200, &two), "{tokens}");
    assert_eq!(claims(&tokens["access_token"])["authorization_details"], two);
    let about = [("token", tokens["access_token"].as_str().unwrap())];
    let (_, about) = scene.post(BANK, "/oauth2/introspect", &about).await;
    assert_eq!((&about["active"], &about["authorization_details"]), (&json!(true), &two));

    let (status, less) = refresh(&scene, &tokens, &[("authorization_details", PAYMENT)]).await;
    assert_eq!((status, &less["authorization_details"]), (200, &one));
    assert_eq!(claims(&less["access_token"])["authorization_details"], one);
    let (_, again) = refresh(&scene, &less, &[]).await;
    assert_eq!(again["authorization_details"], two, "the grant keeps what was agreed on");
    let more = PAYMENT.replace('7', "8");
    let (status, body) = refresh(&scene, &again, &[("authorization_details", &more)]).await;
    assert_eq!((status, &body["error"]), (400, &json!("invalid_authorization_details")));

    let own = [("grant_type", "client_credentials"), ("scope", "pay"), ("authorization_details", PAYMENT)];
    let (status, tokens) = scene.post(BANK, "/oauth2/token", &own).await;
    assert_eq!((status, &tokens["authorization_details"]), (200, &one));
    let pushed = scene.pushed(BANK, &[("authorization_details", PAYMENT)]).await;
    let page = scene.browser.get(&par::reference(BANK, &pushed)).await;
    let (_, tokens) = redeem(&scene, &answer(&page, "code").unwrap(), &[]).await;
    assert_eq!(tokens["authorization_details"], one);
    let (_, plain) = redeem(&scene, &code(&scene, &[]).await, &[]).await;
    assert_eq!(plain.get("authorization_details"), None);
});

both!(details_that_no_type_allows_are_refused, |kind| async move {
    let scene = banking(kind).await;
    let long = format!(r#"[{{"type":"statement","identifier":"{}"}}]"#, "x".repeat(3_000));
    for bad in [
        "payment",
        "{}",
        "[]",
        "[7]",
        r#"[{"actions":["initiate"]}]"#,
        r#"[{"type":"unknown"}]"#,
        r#"[{"type":"payment"}]"#,
        r#"[{"type":"payment","amount":{"cents":0}}]"#,
        r#"[{"type":"payment","amount":{"cents":7},"actions":["cancel"]}]"#,
        r#"[{"type":"payment","amount":{"cents":7},"surprise":1}]"#,
        r#"[{"type":"payment","type":"statement","amount":{"cents":7}}]"#,
        r#"[{"type":"statement","identifier":7}]"#,
        &long,
    ] {
        let page = scene.browser.get(&path(&[("authorization_details", bad)])).await;
        assert_eq!(answer(&page, "error").as_deref(), Some("invalid_authorization_details"), "{bad}");
        let (status, body) = scene.push(BANK, &[("authorization_details", bad)]).await;
        assert_eq!((status, &body["error"]), (400, &json!("invalid_authorization_details")), "{bad}");
    }
    let page = scene.authorize(OA, &[("authorization_details", PAYMENT)]).await;
    assert_eq!(answer(&page, "error").as_deref(), Some("invalid_authorization_details"), "no type is registered");
});

both!(
    /// OAUTH-122, OIDC-096: discovery lists the types; policy sees the details at the authorization endpoint and at every refresh.
    details_are_known_to_discovery_and_policy,
    |kind| async move {
        let scene = banking(kind).await;
        let document = async |scene: &Scene| -> Value {
            let get = scene.app.browser().get(scene.app.at("/.well-known/openid-configuration"));
            get.send().await.unwrap().json().await.unwrap()
        };
        assert_eq!(document(&scene).await["authorization_details_types_supported"], json!(["payment", "statement"]));
        let without = Scene::start(kind).await;
        assert!(document(&without).await.get("authorization_details_types_supported").is_none());

        let folder = tempfile::tempdir().unwrap();
        let permit = "@id(\"in\") permit (principal, action == Action::\"sign_in\", resource);\n";
        let forbid = "@id(\"no-payments\") forbid (principal, action == Action::\"sign_in\", resource) when {\n\
                      context has authorization_details && context.authorization_details.actions.contains(\"payment:initiate\") };";
        std::fs::copy(crate::harness::policies().join("schema.cedarschema"), folder.path().join("schema.cedarschema")).unwrap();
        std::fs::write(folder.path().join("a.cedar"), permit).unwrap();
        let policies = yaopai::policy::Policies::load(folder.path()).unwrap();
        let app = App::with_policies(kind, &format!("{CONFIG}{BANKING}"), policies).await;
        let user = crate::harness::person(&app.broker, "wang.fang", &[]).await;
        let (session, browser) = signed_in(&app, &user).await;
        let scene = Scene { app, user, session, browser };
        let (status, tokens) = redeem(&scene, &code(&scene, &[("authorization_details", PAYMENT)]).await, &[]).await;
        assert_eq!(status, 200, "{tokens}");
        std::fs::write(folder.path().join("a.cedar"), format!("{permit}{forbid}")).unwrap();
        scene.app.broker.policies.reload().unwrap();
        let page = scene.browser.get(&path(&[("authorization_details", PAYMENT)])).await;
        assert_eq!((page.status.as_u16(), page.location()), (403, ""), "{}", page.text);
        let statement = r#"[{"type":"statement","identifier":"42"}]"#;
        assert!(answer(&scene.browser.get(&path(&[("authorization_details", statement)])).await, "code").is_some());
        assert!(answer(&scene.browser.get(&path(&[])).await, "code").is_some());
        let (status, body) = refresh(&scene, &tokens, &[]).await;
        assert_eq!((status, &body["error"]), (400, &json!("invalid_grant")), "{body}");
    }
);
