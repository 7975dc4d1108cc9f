//! What the end of a session takes with it, and what keeps a session alive.

use chrono::TimeDelta;
use yaopai::login;

use super::{OA, Scene};
use crate::both;

both!(
    /// OIDC-091: refresh tokens of the session die with it, those with `offline_access` live on.
    only_offline_access_outlives_the_session,
    |kind| async move {
        let scene = Scene::start(kind).await;
        let online = scene.tokens(OA, "openid").await;
        let offline = scene.tokens(OA, "openid offline_access").await;
        let hint = online["id_token"].as_str().unwrap();
        scene.browser.get(&format!("/oauth2/logout?id_token_hint={hint}")).await;
        assert_eq!(scene.refresh(OA, online["refresh_token"].as_str().unwrap()).await.0, 400);
        assert_eq!(scene.refresh(OA, offline["refresh_token"].as_str().unwrap()).await.0, 200);
    }
);

both!(
    /// A session that is idle at the broker stands while an application refreshes its tokens.
    work_in_an_application_keeps_the_session,
    |kind| async move {
        let scene = Scene::start(kind).await;
        let mut tokens = scene.tokens(OA, "openid").await;
        for _ in 0..3 {
            scene.app.clock().advance(TimeDelta::hours(1));
            let (status, body) = scene.refresh(OA, tokens["refresh_token"].as_str().unwrap()).await;
            assert_eq!(status, 200, "{body}");
            tokens = body;
            assert_eq!(login::end_expired(&scene.app.broker).await.unwrap(), 0);
        }
        scene.app.clock().advance(TimeDelta::hours(2));
        assert_eq!(login::end_expired(&scene.app.broker).await.unwrap(), 1);
        assert_eq!(scene.refresh(OA, tokens["refresh_token"].as_str().unwrap()).await.0, 400);
    }
);
