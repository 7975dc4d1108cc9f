//! Refresh tokens.

use chrono::Duration;
use serde_json::Value;
use yaopai::model::{EndReason, RoleGrant, Status, User};
use yaopai::store::Db;

use super::{EXPENSE, OA, SPA, Scene, claims};
use crate::both;
use crate::harness::save;

fn refresh_token(tokens: &Value) -> &str {
    tokens["refresh_token"].as_str().unwrap()
}

both!(
    /// OAUTH-055, OAUTH-136, OIDC-058
    a_refresh_token_is_replaced_and_the_sign_in_stays_what_it_was,
    |kind| async move {
        let scene = Scene::start(kind).await;
        for client in [OA, SPA] {
            let first = scene.tokens(client, "openid profile").await;
            scene.app.clock().advance(Duration::seconds(300));
            let (status, second) = scene.refresh(client, refresh_token(&first)).await;
            assert_eq!(status, 200, "{second}");
            assert_ne!(refresh_token(&first), refresh_token(&second));
            let (before, after) = (claims(&first["id_token"]), claims(&second["id_token"]));
            for same in ["iss", "sub", "aud", "auth_time", "amr", "sid"] {
                assert_eq!(before[same], after[same], "{same}");
            }
            assert!(after["iat"].as_i64() > before["iat"].as_i64());
            assert!(after.get("nonce").is_none());
            assert_eq!(claims(&first["access_token"])["auth_time"], claims(&second["access_token"])["auth_time"]);
            assert_eq!(scene.userinfo(&second).await.0, 200);
        }
    }
);

both!(
    /// OAUTH-056
    a_second_use_after_the_grace_kills_the_family,
    |kind| async move {
        let scene = Scene::start(kind).await;
        let first = scene.tokens(SPA, "openid").await;
        let (_, second) = scene.refresh(SPA, refresh_token(&first)).await;
        scene.app.clock().advance(Duration::seconds(6));
        let (status, body) = scene.refresh(SPA, refresh_token(&first)).await;
        assert_eq!((status, &body["error"]), (400, &"invalid_grant".into()));
        assert_eq!(scene.refresh(SPA, refresh_token(&second)).await.0, 400, "the successor is dead");
        assert_eq!(scene.userinfo(&second).await.0, 401, "and so are live access tokens");
        assert_eq!(scene.audited("token_reuse").await.len(), 1);
    }
);

both!(
    /// OAUTH-057
    two_tabs_at_once_end_up_with_one_family,
    |kind| async move {
        let scene = Scene::start(kind).await;
        let first = scene.tokens(SPA, "openid").await;
        let (a, b) = tokio::join!(scene.refresh(SPA, refresh_token(&first)), scene.refresh(SPA, refresh_token(&first)));
        assert_eq!((a.0, b.0), (200, 200));
        assert_eq!(a.1["refresh_token"], b.1["refresh_token"], "both have the same successor");
        let (status, third) = scene.refresh(SPA, refresh_token(&a.1)).await;
        assert_eq!(status, 200);
        // Late, but within the grace: refused, and nothing dies.
        assert_eq!(scene.refresh(SPA, refresh_token(&first)).await.0, 400);
        assert_eq!(scene.refresh(SPA, refresh_token(&third)).await.0, 200);
        let mut tx = scene.app.broker.db.read().await.unwrap();
        let alive: Vec<(i64,)> =
            tx.all("SELECT COUNT(*) FROM refresh_tokens WHERE used_at IS NULL", &[]).await.unwrap();
        assert_eq!(alive, [(1,)]);
    }
);

both!(
    /// OAUTH-058, OAUTH-059, OAUTH-054
    a_refresh_token_is_bound_to_application_and_scopes,
    |kind| async move {
        let scene = Scene::start(kind).await;
        let tokens = scene.tokens(OA, "openid profile email").await;
        let token = refresh_token(&tokens);
        assert_eq!(scene.refresh(EXPENSE, token).await.1["error"], "invalid_grant");
        assert_eq!(scene.refresh(OA, &token[..42]).await.1["error"], "invalid_grant");
        let with = |token: &str, scope: &str| {
            let form = [("grant_type", "refresh_token"), ("refresh_token", token), ("scope", scope)];
            let form: Vec<(String, String)> = form.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect();
            let scene = &scene;
            async move {
                let form: Vec<(&str, &str)> = form.iter().map(|(a, b)| (a.as_str(), b.as_str())).collect();
                scene.post(OA, "/oauth2/token", &form).await
            }
        };
        assert_eq!(with(token, "openid profile email org").await.1["error"], "invalid_scope");
        let (status, narrow) = with(token, "openid profile").await;
        assert_eq!((status, &narrow["scope"]), (200, &"openid profile".into()));
        assert_eq!(claims(&narrow["access_token"])["scope"], "openid profile");
        let (_, whole) = scene.refresh(OA, refresh_token(&narrow)).await;
        assert_eq!(whole["scope"], "openid profile email");
    }
);

both!(
    /// OAUTH-061
    an_idle_token_and_an_old_family_die,
    |kind| async move {
        let scene = Scene::start(kind).await;
        let idle = scene.tokens(OA, "openid offline_access").await;
        scene.app.clock().advance(Duration::days(14));
        assert_eq!(scene.refresh(OA, refresh_token(&idle)).await.0, 400);
        let (_, browser) = crate::http::oidc::signed_in(&scene.app, &scene.user).await;
        let scene = Scene { browser, ..scene };
        let mut tokens = scene.tokens(OA, "openid offline_access").await;
        for _ in 0..9 {
            scene.app.clock().advance(Duration::days(9));
            let (status, next) = scene.refresh(OA, refresh_token(&tokens)).await;
            assert_eq!(status, 200, "{next}");
            tokens = next;
        }
        scene.app.clock().advance(Duration::days(9));
        assert_eq!(scene.refresh(OA, refresh_token(&tokens)).await.0, 400, "90 days after the sign-in");
    }
);

async fn end_session(db: &Db, scene: &Scene) {
    let mut tx = db.write().await.unwrap();
    tx.sessions().end(scene.session.id, EndReason::SignedOut, scene.app.clock().now()).await.unwrap();
    tx.commit().await.unwrap();
}

both!(
    /// OAUTH-063, OIDC-091
    signing_out_ends_what_was_not_asked_for_offline,
    |kind| async move {
        let scene = Scene::start(kind).await;
        let online = scene.tokens(OA, "openid").await;
        let offline = scene.tokens(OA, "openid offline_access").await;
        assert_eq!(scene.userinfo(&online).await.0, 200);
        end_session(&scene.app.broker.db, &scene).await;
        assert_eq!(scene.userinfo(&online).await.0, 401);
        assert_eq!(scene.refresh(OA, refresh_token(&online)).await.0, 400);
        assert_eq!(scene.refresh(OA, refresh_token(&offline)).await.0, 200);
    }
);

both!(
    /// OAUTH-062
    a_person_who_is_locked_out_is_out_at_once,
    |kind| async move {
        let scene = Scene::start(kind).await;
        let tokens = scene.tokens(OA, "openid offline_access").await;
        assert_eq!(scene.userinfo(&tokens).await.0, 200);
        save(&scene.app.broker, &User { status: Status::Disabled, ..scene.user.clone() }).await;
        assert_eq!(scene.refresh(OA, refresh_token(&tokens)).await.1["error"], "invalid_grant");
        save(&scene.app.broker, &scene.user).await;
        assert_eq!(scene.refresh(OA, refresh_token(&tokens)).await.0, 200, "a refusal did not use the token up");
        let mut tx = scene.app.broker.db.write().await.unwrap();
        tx.revoke_people(&[scene.user.id], EndReason::Disabled, scene.app.clock().now()).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(scene.userinfo(&tokens).await.0, 401);
        assert_eq!(scene.refresh(OA, refresh_token(&tokens)).await.0, 400);
    }
);

both!(
    /// OAUTH-064
    new_tokens_carry_the_roles_of_now,
    |kind| async move {
        let scene = Scene::start(kind).await;
        let tokens = scene.tokens(OA, "openid roles").await;
        assert_eq!(claims(&tokens["access_token"])["roles"], serde_json::json!(["employee"]));
        let mut tx = scene.app.broker.db.write().await.unwrap();
        let grant = RoleGrant {
            user_id: scene.user.id,
            role: "expense-approver".into(),
            rule: "test".into(),
            run_id: None,
            granted_at: scene.user.created_at,
            scope: String::new(),
        };
        tx.role_grants().insert(&[grant]).await.unwrap();
        tx.commit().await.unwrap();
        let (_, tokens) = scene.refresh(OA, refresh_token(&tokens)).await;
        let now = serde_json::json!(["employee", "expense-approver"]);
        assert_eq!(claims(&tokens["access_token"])["roles"], now);
        assert_eq!(claims(&tokens["id_token"])["roles"], now);
        let mut tx = scene.app.broker.db.write().await.unwrap();
        tx.run("DELETE FROM role_grants", &[]).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(scene.refresh(OA, refresh_token(&tokens)).await.0, 400, "policy lets the person in no more");
    }
);

both!(what_has_expired_is_cleared_away, |kind| async move {
    let scene = Scene::start(kind).await;
    let tokens = scene.tokens(OA, "openid").await;
    scene.refresh(OA, refresh_token(&tokens)).await;
    assert_eq!(yaopai::oidc::purge(&scene.app.broker).await.unwrap(), 0);
    scene.app.clock().advance(Duration::days(200));
    // One code, two refresh tokens, one grant.
    assert_eq!(yaopai::oidc::purge(&scene.app.broker).await.unwrap(), 4);
    assert_eq!(yaopai::oidc::purge(&scene.app.broker).await.unwrap(), 0);
});
