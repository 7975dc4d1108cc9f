//! What applications are told of a person: the `claims` parameter, the mapping of an application, pairwise subjects,
//! `acr`.

use serde_json::{Value, json};
use yaopai::model::{Attributes, User};
use yaopai::store::Json;

use super::{Client, OA, Scene, answer, authorize_path, claims, signed_in};
use crate::both;
use crate::harness::{App, Kind, person, save};

/// Applications of these tests, beside those of all.
pub const CONFIG: &str = r#"
[[application]]
id = "grafana"
secret = { value = "a-secret-of-grafana" }
redirect_uris = ["https://grafana.example/login/generic_oauth"]
scopes = ["openid", "email"]
[application.identity.claims]
preferred_username = "employee_number"
staff = { template = "{display_name} ({attribute:room})" }
half = { template = "{manager} {login}" }
tenant = { value = "acme", into = ["access_token"] }
cost_center = { attribute = "cost_center", into = ["id_token", "userinfo", "access_token"] }
boss = { from = "manager", scope = "email" }
hidden = { from = "login", scope = "profile" }
all_roles = { from = "roles", into = ["access_token"] }

[[application]]
id = "shop"
secret = { value = "a-secret-of-the-shop" }
redirect_uris = ["https://shop.example/cb"]
post_logout_redirect_uris = ["https://shop.example/bye"]
[application.identity]
subject_type = "pairwise"

[[application]]
id = "stall"
secret = { value = "a-secret-of-the-stall" }
redirect_uris = ["https://shop.example/stall"]
[application.identity]
subject_type = "pairwise"

[[application]]
id = "rival"
secret = { value = "a-secret-of-the-rival" }
redirect_uris = ["https://rival.example/cb"]
[application.identity]
subject_type = "pairwise"
"#;

const GRAFANA: Client = Client {
    id: "grafana",
    secret: Some("a-secret-of-grafana"),
    redirect_uri: "https://grafana.example/login/generic_oauth",
};
const SHOP: Client =
    Client { id: "shop", secret: Some("a-secret-of-the-shop"), redirect_uri: "https://shop.example/cb" };
const STALL: Client =
    Client { id: "stall", secret: Some("a-secret-of-the-stall"), redirect_uri: "https://shop.example/stall" };
const RIVAL: Client =
    Client { id: "rival", secret: Some("a-secret-of-the-rival"), redirect_uri: "https://rival.example/cb" };

async fn scene(kind: Kind) -> Scene {
    let app = App::with_config(kind, &format!("{}{CONFIG}", super::CONFIG)).await;
    let boss = person(&app.broker, "li.lei", &[]).await;
    let user = person(&app.broker, "wang.fang", &["employee"]).await;
    let mut attributes = Attributes::new();
    attributes.insert("room".into(), vec!["B-203".into()]);
    attributes.insert("cost_center".into(), vec!["4100".into(), "4200".into()]);
    let user = User {
        employee_number: Some("10023".into()),
        mail: Some("wang.fang@example.com".into()),
        mobile: Some("+8613800000000".into()),
        manager_id: Some(boss.id),
        attributes: Json(attributes),
        ..user
    };
    save(&app.broker, &user).await;
    let (session, browser) = signed_in(&app, &user).await;
    Scene { app, user, session, browser }
}

async fn tokens(scene: &Scene, client: Client, changes: &[(&str, &str)]) -> Value {
    let code = scene.code(client, changes).await;
    let (status, body) = scene.redeem(client, &code).await;
    assert_eq!(status, 200, "{body}");
    body
}

both!(
    /// OIDC-012, OIDC-021, OIDC-056
    single_claims_are_told_where_they_were_asked_for_and_nothing_else,
    |kind| async move {
        let scene = scene(kind).await;
        let asked = json!({
            "userinfo": { "name": { "essential": true }, "email": null, "nickname": null, "sub": null,
                          "employee_number": { "value": "another" } },
            "id_token": { "preferred_username": null, "phone_number": { "values": ["+8613800000000"] }, "iss": null },
        });
        let tokens = tokens(&scene, OA, &[("claims", &asked.to_string())]).await;
        let id_token = claims(&tokens["id_token"]);
        assert_eq!(id_token["preferred_username"], "wang.fang");
        assert_eq!(id_token["phone_number"], "+8613800000000");
        assert_eq!(id_token["iss"], scene.app.url.as_str());
        for absent in ["name", "email", "nickname"] {
            assert!(id_token.get(absent).is_none(), "{absent}");
        }
        let (status, told) = scene.userinfo(&tokens).await;
        assert_eq!(status, 200);
        let sub = scene.user.id.to_string();
        assert_eq!(told, json!({ "sub": sub, "name": "王芳", "email": "wang.fang@example.com" }));
        let refreshed = scene.refresh(OA, tokens["refresh_token"].as_str().unwrap()).await.1;
        assert_eq!(scene.userinfo(&refreshed).await.1, told, "a refresh changes nothing");
        assert_eq!(claims(&refreshed["id_token"])["phone_number"], "+8613800000000");
    }
);

both!(
    /// What an application may not have by scope it does not get by the parameter either.
    the_parameter_is_no_way_around_the_scopes_of_an_application,
    |kind| async move {
        let scene = scene(kind).await;
        let asked = r#"{"userinfo":{"phone_number":{"essential":true},"roles":null,"name":null},"id_token":{"phone_number":null}}"#;
        let tokens = tokens(&scene, GRAFANA, &[("claims", asked)]).await;
        let (_, told) = scene.userinfo(&tokens).await;
        for absent in ["phone_number", "roles", "name"] {
            assert!(told.get(absent).is_none() && claims(&tokens["id_token"]).get(absent).is_none(), "{absent}");
        }
        for bad in ["x", "[]", r#"{"userinfo":7}"#] {
            let page = scene.authorize(GRAFANA, &[("claims", bad)]).await;
            assert_eq!(answer(&page, "error").as_deref(), Some("invalid_request"), "{bad}");
        }
    }
);

both!(an_application_is_told_under_its_own_names, |kind| async move {
    let scene = scene(kind).await;
    let tokens = tokens(&scene, GRAFANA, &[("scope", "openid email")]).await;
    let (id_token, access) = (claims(&tokens["id_token"]), claims(&tokens["access_token"]));
    let (_, told) = scene.userinfo(&tokens).await;
    for claims in [&id_token, &told] {
        assert_eq!(claims["preferred_username"], "10023", "{claims}");
        assert_eq!(claims["staff"], "王芳 (B-203)");
        assert_eq!(claims["half"], "li.lei wang.fang");
        assert_eq!(claims["cost_center"], json!(["4100", "4200"]));
        assert_eq!(claims["boss"], "li.lei");
        assert!(claims.get("tenant").is_none() && claims.get("hidden").is_none());
    }
    assert_eq!(told["email"], "wang.fang@example.com");
    assert_eq!(access["tenant"], "acme");
    assert_eq!(access["cost_center"], json!(["4100", "4200"]));
    assert_eq!(access["all_roles"], json!(["employee"]));
    assert!(access.get("staff").is_none());
    // Without the manager half a template is not told.
    save(&scene.app.broker, &User { manager_id: None, ..scene.user.clone() }).await;
    let (_, told) = scene.userinfo(&tokens).await;
    assert!(told.get("half").is_none() && told.get("boss").is_none(), "{told}");
});

both!(
    /// OIDC-005, OIDC-022, OIDC-044
    a_pairwise_subject_is_the_same_everywhere_in_its_sector_and_nowhere_else,
    |kind| async move {
        let scene = scene(kind).await;
        let shop = tokens(&scene, SHOP, &[]).await;
        let sub = claims(&shop["id_token"])["sub"].as_str().unwrap().to_owned();
        assert!(sub.len() == 43 && !sub.contains(&scene.user.id.to_string()));
        assert_eq!(claims(&shop["access_token"])["sub"], sub.as_str());
        assert_eq!(scene.userinfo(&shop).await.1["sub"], sub.as_str());
        for token in ["access_token", "refresh_token"] {
            let form = [("token", shop[token].as_str().unwrap())];
            let (_, about) = scene.post(SHOP, "/oauth2/introspect", &form).await;
            assert_eq!((&about["active"], &about["sub"]), (&json!(true), &json!(sub)), "{token}");
        }
        let refreshed = scene.refresh(SHOP, shop["refresh_token"].as_str().unwrap()).await.1;
        assert_eq!(claims(&refreshed["id_token"])["sub"], sub.as_str());
        let stall = tokens(&scene, STALL, &[]).await;
        assert_eq!(claims(&stall["id_token"])["sub"], sub.as_str(), "one sector");
        let rival = tokens(&scene, RIVAL, &[]).await;
        assert_ne!(claims(&rival["id_token"])["sub"], sub.as_str(), "another sector");
        let (_, other) = signed_in(&scene.app, &person(&scene.app.broker, "li.na", &["employee"]).await).await;
        let page = other.get(&authorize_path(SHOP, &[])).await;
        let code = answer(&page, "code").unwrap();
        let (_, theirs) = scene.redeem(SHOP, &code).await;
        assert_ne!(claims(&theirs["id_token"])["sub"], sub.as_str(), "another person");

        // A hint names the person by the subject of its own application.
        let hint = shop["id_token"].as_str().unwrap();
        let silent = [("prompt", "none"), ("id_token_hint", hint)];
        assert!(answer(&scene.authorize(SHOP, &silent).await, "code").is_some());
        let foreign = scene.authorize(RIVAL, &silent).await;
        assert_eq!(answer(&foreign, "error").as_deref(), Some("login_required"), "another application's hint");
        let stranger = other.get(&authorize_path(SHOP, &silent)).await;
        assert_eq!(answer(&stranger, "error").as_deref(), Some("login_required"));
        let wanted = json!({ "id_token": { "sub": { "value": sub } } }).to_string();
        let by_claim = [("prompt", "none"), ("claims", wanted.as_str())];
        assert!(answer(&scene.authorize(SHOP, &by_claim).await, "code").is_some());
        let stranger = other.get(&authorize_path(SHOP, &by_claim)).await;
        assert_eq!(answer(&stranger, "error").as_deref(), Some("login_required"));

        // Revoking it and signing out with it work as with any other.
        let path = format!("/oauth2/logout?id_token_hint={hint}&post_logout_redirect_uri=https://shop.example/bye");
        assert_eq!(scene.browser.get(&path).await.location(), "https://shop.example/bye");
        assert_eq!(scene.userinfo(&shop).await.0, 401);
    }
);

both!(
    /// OIDC-048, OAUTH-136, OAUTH-151
    acr_is_what_was_done_and_an_essential_one_that_is_not_there_is_refused,
    |kind| async move {
        let scene = scene(kind).await;
        let password = "urn:yaopai:acr:password";
        let first = tokens(&scene, OA, &[("acr_values", "urn:x urn:yaopai:acr:password")]).await;
        assert_eq!(claims(&first["id_token"])["acr"], password);
        assert_eq!(claims(&first["access_token"])["acr"], password);
        let unknown = tokens(&scene, OA, &[("acr_values", "urn:x"), ("scope", "openid offline_access")]).await;
        assert_eq!(claims(&unknown["id_token"])["acr"], password, "voluntary: what there is");
        scene.app.clock().advance(chrono::Duration::minutes(30));
        let refreshed = scene.refresh(OA, unknown["refresh_token"].as_str().unwrap()).await.1;
        for name in ["acr", "auth_time", "amr"] {
            for token in ["id_token", "access_token"] {
                assert_eq!(claims(&refreshed[token])[name], claims(&unknown[token])[name], "{token} {name}");
            }
        }
        let voluntary = r#"{"id_token":{"acr":{"values":["urn:x"]}}}"#;
        assert!(answer(&scene.authorize(OA, &[("claims", voluntary)]).await, "code").is_some());
        let met = r#"{"id_token":{"acr":{"essential":true,"values":["urn:x","urn:yaopai:acr:password"]}}}"#;
        assert!(answer(&scene.authorize(OA, &[("claims", met)]).await, "code").is_some());
        for unmet in [
            r#"{"id_token":{"acr":{"essential":true,"values":["urn:x"]}}}"#,
            r#"{"id_token":{"acr":{"essential":true,"value":"urn:x"}}}"#,
            r#"{"id_token":{"acr":{"essential":true,"value":7}}}"#,
        ] {
            let page = scene.authorize(OA, &[("claims", unmet), ("acr_values", password)]).await;
            assert_eq!(answer(&page, "error").as_deref(), Some("unmet_authentication_requirements"), "{unmet}");
            assert!(answer(&page, "code").is_none());
        }
    }
);
