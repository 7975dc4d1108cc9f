//! `UserInfo`, and what every endpoint that takes an access token refuses.

use serde_json::{Value, json};
use yaopai::model::{Department, DepartmentId, DepartmentKind, Position, PositionId, Status, User};

use super::{OA, Scene};
use crate::both;
use crate::harness::save;

async fn call(request: reqwest::RequestBuilder) -> (u16, String) {
    let answer = request.send().await.unwrap();
    let challenge = answer.headers().get("www-authenticate").map(|value| value.to_str().unwrap().to_owned());
    (answer.status().as_u16(), challenge.unwrap_or_default())
}

async fn in_a_department(scene: &Scene) {
    let now = scene.app.clock().now();
    let id = || scene.app.broker.rng.uuid(now);
    let department = |name: &str, parent_id| Department {
        id: DepartmentId(id()),
        source: "hr".into(),
        code: name.to_ascii_lowercase(),
        name: name.into(),
        parent_id,
        sort_order: 0,
        status: Status::Active,
        created_at: now,
        updated_at: now,
        kind: DepartmentKind::Department,
        head_id: None,
        cost_centre: None,
        legal_entity: None,
    };
    let top = department("Company", None);
    let middle = department("Finance", Some(top.id));
    let leaf = department("Ledger", Some(middle.id));
    let position = Position {
        id: PositionId(id()),
        source: "hr".into(),
        code: "clerk".into(),
        name: "Clerk".into(),
        status: Status::Active,
        created_at: now,
        updated_at: now,
    };
    let user = User {
        department_id: Some(leaf.id),
        position_id: Some(position.id),
        employee_number: Some("10023".into()),
        family_name: Some("王".into()),
        given_name: Some("芳".into()),
        mail: Some("wang.fang@example.com".into()),
        mobile: Some("+8613800000000".into()),
        title: Some("Accountant".into()),
        ..scene.user.clone()
    };
    let mut tx = scene.app.broker.db.write().await.unwrap();
    tx.departments().upsert(&[top, middle, leaf]).await.unwrap();
    tx.positions().upsert(&[position]).await.unwrap();
    tx.commit().await.unwrap();
    save(&scene.app.broker, &user).await;
}

both!(
    /// OIDC-021, OIDC-022, OIDC-031, OIDC-032, OIDC-034, OIDC-035
    scopes_say_what_an_application_learns,
    |kind| async move {
        let scene = Scene::start(kind).await;
        in_a_department(&scene).await;
        let mut seen = serde_json::Map::new();
        for scope in ["openid", "openid profile", "openid email", "openid phone", "openid org", "openid roles"] {
            let tokens = scene.tokens(OA, scope).await;
            let (status, mut claims) = scene.userinfo(&tokens).await;
            assert_eq!(status, 200);
            assert_eq!(claims["sub"], scene.user.id.to_string());
            claims["sub"] = "(the person)".into();
            seen.insert(scope.to_owned(), claims);
            let id = crate::http::oidc::claims(&tokens["id_token"]);
            for personal in ["name", "email", "phone_number", "departments"] {
                assert!(id.get(personal).is_none());
            }
        }
        insta::assert_json_snapshot!("claims_by_scope", Value::Object(seen));
    }
);

both!(
    /// OAUTH-050, OAUTH-051, OAUTH-052, OIDC-027, OIDC-028, OIDC-029
    tokens_come_in_the_header_and_nowhere_else,
    |kind| async move {
        let scene = Scene::start(kind).await;
        let tokens = scene.tokens(OA, "openid").await;
        let token = tokens["access_token"].as_str().unwrap();
        let url = scene.app.at("/oauth2/userinfo");
        let client = scene.app.browser();
        for scheme in ["Bearer", "bearer", "BEARER"] {
            let header = format!("{scheme} {token}");
            assert_eq!(call(client.get(&url).header("authorization", &header)).await.0, 200);
            assert_eq!(call(client.post(&url).header("authorization", &header)).await.0, 200);
        }
        let bare = (401, "Bearer realm=\"yaopai\"".to_owned());
        assert_eq!(call(client.get(&url)).await, bare);
        assert_eq!(call(client.get(format!("{url}?access_token={token}"))).await, bare);
        assert_eq!(call(client.post(&url).form(&[("access_token", token)])).await, bare);
        let (status, challenge) = call(client.get(&url).bearer_auth("nonsense")).await;
        assert_eq!(status, 401);
        assert!(challenge.contains("error=\"invalid_token\""));
        let narrow = scene.tokens(OA, "profile").await;
        let narrow = narrow["access_token"].as_str().unwrap();
        let (status, challenge) = call(client.get(&url).bearer_auth(narrow)).await;
        assert_eq!(status, 403);
        assert!(challenge.contains("error=\"insufficient_scope\""));
        for end in [token.len() - 1, token.len() / 2, 10] {
            assert_eq!(call(client.get(&url).bearer_auth(&token[..end])).await.0, 401);
        }
    }
);

both!(
    /// OAUTH-134
    no_other_token_passes_for_an_access_token,
    |kind| async move {
        let scene = Scene::start(kind).await;
        let tokens = scene.tokens(OA, "openid").await;
        let url = scene.app.at("/oauth2/userinfo");
        for other in ["id_token", "refresh_token"] {
            let other = tokens[other].as_str().unwrap();
            assert_eq!(call(scene.app.browser().get(&url).bearer_auth(other)).await.0, 401);
        }
        let (_, about) = scene.post(OA, "/oauth2/introspect", &[("token", tokens["id_token"].as_str().unwrap())]).await;
        assert_eq!(about, json!({ "active": false }));
    }
);
