//! Introspection and revocation.

use chrono::Duration;
use serde_json::json;

use super::{EXPENSE, LEGACY, OA, SPA, Scene};
use crate::both;

both!(
    /// OAUTH-123, OAUTH-124, OAUTH-126, OAUTH-127, OAUTH-128
    a_service_sees_tokens_meant_for_it_and_no_others,
    |kind| async move {
        let scene = Scene::start(kind).await;
        let tokens = scene.tokens(OA, "openid expense:read").await;
        let access = tokens["access_token"].as_str().unwrap();
        let refresh = tokens["refresh_token"].as_str().unwrap();
        let dead = json!({ "active": false });
        let (status, about) =
            scene.post(OA, "/oauth2/introspect", &[("token", access), ("token_type_hint", "refresh_token")]).await;
        assert_eq!((status, &about["active"], &about["token_type"]), (200, &true.into(), &"Bearer".into()));
        assert_eq!((&about["scope"], &about["client_id"]), (&"openid expense:read".into(), &"oa".into()));
        assert_eq!((&about["sub"], &about["iss"]), (&scene.user.id.to_string().into(), &scene.app.url.clone().into()));
        let (_, about) = scene.post(OA, "/oauth2/introspect", &[("token", refresh)]).await;
        assert_eq!(about["active"], true);
        // Of the same audience: sees the access token, never the refresh token. Of another audience: sees nothing.
        assert_eq!(scene.post(LEGACY, "/oauth2/introspect", &[("token", access)]).await.1["active"], true);
        assert_eq!(scene.post(LEGACY, "/oauth2/introspect", &[("token", refresh)]).await.1, dead);
        assert_eq!(scene.post(EXPENSE, "/oauth2/introspect", &[("token", access)]).await.1, dead);
        for unknown in ["x", "a.b.c", &access[..access.len() - 2], &refresh[1..]] {
            let (status, about) = scene.post(OA, "/oauth2/introspect", &[("token", unknown)]).await;
            assert_eq!((status, about), (200, dead.clone()), "{unknown}");
        }
        assert_eq!(scene.post(SPA, "/oauth2/introspect", &[("token", access)]).await.0, 401);
        let url = scene.app.at("/oauth2/introspect");
        let bare = scene.app.browser().post(&url).form(&[("token", access)]).send().await.unwrap();
        assert_eq!(bare.status(), 401);
        let get = scene.app.browser().get(format!("{url}?token={access}")).basic_auth("oa", OA.secret);
        assert_eq!(get.send().await.unwrap().status(), 405);
        scene.app.clock().advance(Duration::seconds(600));
        assert_eq!(scene.post(OA, "/oauth2/introspect", &[("token", access)]).await.1, dead);
    }
);

both!(
    /// OAUTH-125, OAUTH-129, OAUTH-130, OAUTH-131
    a_revoked_token_is_dead_at_once,
    |kind| async move {
        let scene = Scene::start(kind).await;
        let first = scene.tokens(OA, "openid").await;
        let second = scene.tokens(OA, "openid").await;
        let text = |tokens: &serde_json::Value, name: &str| tokens[name].as_str().unwrap().to_owned();
        let (access, refresh) = (text(&first, "access_token"), text(&first, "refresh_token"));
        assert_eq!(scene.userinfo(&first).await.0, 200);
        // Another application's token lives on; an unknown one is answered like a revoked one.
        for token in [&access, &refresh] {
            assert_eq!(scene.post(EXPENSE, "/oauth2/revoke", &[("token", token)]).await.0, 400);
        }
        assert_eq!(scene.userinfo(&first).await.0, 200);
        assert_eq!(scene.post(OA, "/oauth2/revoke", &[("token", "unknown")]).await.0, 200);
        assert_eq!(scene.post(OA, "/oauth2/revoke", &[("token", "a.b.c")]).await.0, 200);
        // An access token dies alone.
        let hint = ("token_type_hint", "refresh_token");
        assert_eq!(scene.post(OA, "/oauth2/revoke", &[("token", &access), hint]).await.0, 200);
        assert_eq!(scene.userinfo(&first).await.0, 401);
        assert_eq!(scene.post(OA, "/oauth2/introspect", &[("token", &access)]).await.1["active"], false);
        let (status, third) = scene.refresh(OA, &refresh).await;
        assert_eq!(status, 200);
        // A refresh token takes its access tokens along, and no other grant's.
        assert_eq!(scene.userinfo(&third).await.0, 200);
        assert_eq!(scene.post(OA, "/oauth2/revoke", &[("token", &text(&third, "refresh_token"))]).await.0, 200);
        assert_eq!(scene.userinfo(&third).await.0, 401);
        assert_eq!(scene.userinfo(&second).await.0, 200);
        assert_eq!(scene.audited("token_revoke").await.len(), 2);
    }
);
