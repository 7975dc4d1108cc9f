//! Proving oneself again in the browser where one is signed in: what stays, what dies; and what is cleared away later.

use chrono::Duration;
use serde_json::Value;
use yaopai::model::EndReason;

use super::{EXPENSE, OA, Scene, answer, claims, signed_in};
use crate::both;
use crate::harness::{Browser, PASSWORD, Page, person};

/// The scene's browser proves itself again for `OA`, as `login`; gives the application's tokens.
async fn again(scene: &Scene, login: &str) -> Value {
    let demand = scene.authorize(OA, &[("prompt", "login")]).await;
    assert!(demand.location().ends_with("&reauth=1"), "{}", demand.location());
    let back = scene.browser.sign_in_at(demand.location(), login, PASSWORD).await;
    let done = scene.browser.get(back.location()).await;
    let code = answer(&done, "code").unwrap_or_else(|| panic!("no code in {}", done.location()));
    let (status, tokens) = scene.redeem(OA, &code).await;
    assert_eq!(status, 200, "{tokens}");
    tokens
}

async fn refreshes(scene: &Scene, tokens: &Value) -> u16 {
    scene.refresh(EXPENSE, tokens["refresh_token"].as_str().unwrap()).await.0
}

/// Whether this cookie opens the portal.
async fn opens(scene: &Scene, cookie: &str) -> bool {
    let browser = Browser::new(&scene.app.url);
    browser.plant("yaopai", cookie);
    browser.get("/").await.status == 200
}

both!(
    /// WEB-003, OIDC-038, OIDC-041
    who_proves_it_again_keeps_the_session_under_a_new_token,
    |kind| async move {
        let scene = Scene::start(kind).await;
        let other = scene.tokens(EXPENSE, "openid").await;
        let (cookie, form) = (scene.browser.cookie("yaopai").unwrap(), scene.browser.get("/").await.form("/logout"));
        scene.app.clock().advance(Duration::minutes(2));
        let now = scene.app.clock().now();
        let tokens = again(&scene, "wang.fang").await;

        let id = claims(&tokens["id_token"]);
        assert_eq!(id["auth_time"], now.timestamp());
        assert_eq!(id["sid"], scene.session.id.to_string());
        assert_eq!(id["sid"], claims(&other["id_token"])["sid"]);
        let fresh = scene.browser.cookie("yaopai").unwrap();
        assert_ne!(fresh, cookie);
        assert!(!opens(&scene, &cookie).await, "the old cookie is dead");
        assert!(opens(&scene, &fresh).await);
        assert_eq!(scene.browser.post(&form).await.status, 403, "and so are forms of before");

        assert_eq!(scene.userinfo(&other).await.0, 200);
        let (status, next) = scene.refresh(EXPENSE, other["refresh_token"].as_str().unwrap()).await;
        assert_eq!(status, 200, "another application's grant survives: {next}");
        assert_eq!(claims(&next["id_token"])["auth_time"], claims(&other["id_token"])["auth_time"]);

        let mut tx = scene.app.broker.db.read().await.unwrap();
        let session = tx.sessions().find(scene.session.id).await.unwrap().unwrap();
        let lives = &scene.app.broker.config.session;
        assert_eq!((session.created_at, session.auth_time), (scene.session.created_at, now));
        assert_eq!((session.idle_expires_at, session.expires_at), (now + lives.idle.0, now + lives.absolute.0));
        assert_eq!((session.ended_at, session.address.as_str()), (None, "127.0.0.1"), "seen from where the proof was");
        let reached = tx.sessions().list_reached(scene.user.id).await.unwrap();
        let reached: Vec<&str> = reached.iter().map(|(_, application)| application.as_str()).collect();
        assert_eq!(reached, ["expense", "oa"]);
        assert_eq!(tx.sessions().list_live(scene.user.id, now).await.unwrap().len(), 1);
    }
);

both!(
    /// WEB-003
    another_person_or_an_expired_session_is_no_renewal,
    |kind| async move {
        let scene = Scene::start(kind).await;
        person(&scene.app.broker, "li.na", &["employee"]).await;
        let other = scene.tokens(EXPENSE, "openid").await;
        let cookie = scene.browser.cookie("yaopai").unwrap();
        let tokens = again(&scene, "li.na").await;
        assert_ne!(claims(&tokens["id_token"])["sid"], scene.session.id.to_string());
        assert_ne!(claims(&tokens["id_token"])["sub"], claims(&other["id_token"])["sub"]);
        assert!(!opens(&scene, &cookie).await);
        assert_eq!(refreshes(&scene, &other).await, 400, "the other person's session ended");
        let mut tx = scene.app.broker.db.read().await.unwrap();
        let ended = tx.sessions().find(scene.session.id).await.unwrap().unwrap();
        assert_eq!(ended.ended_reason, Some(EndReason::Replaced));
        drop(tx);

        let sid = claims(&tokens["id_token"])["sid"].clone();
        scene.app.clock().advance(Duration::hours(3));
        assert_eq!(scene.browser.sign_in("li.na", PASSWORD).await.status, 303);
        let tokens = scene.tokens(OA, "openid").await;
        assert_ne!(claims(&tokens["id_token"])["sid"], sid, "what has expired does not come back");
    }
);

both!(
    /// WEB-003
    two_proofs_at_once_leave_no_old_cookie,
    |kind| async move {
        let scene = Scene::start(kind).await;
        let other = scene.tokens(EXPENSE, "openid").await;
        let cookie = scene.browser.cookie("yaopai").unwrap();
        let form = scene.browser.get("/login?reauth=1").await.form("/login");
        let form = form.with("login", "wang.fang").with("password", PASSWORD);
        let (one, two) = tokio::join!(scene.browser.post(&form), scene.browser.post(&form));
        let token = |page: &Page| {
            let mut set = page.headers.get_all("set-cookie").iter().map(|value| value.to_str().unwrap());
            let pair = set.find_map(|line| line.strip_prefix("yaopai=")).unwrap();
            pair.split(';').next().unwrap().to_owned()
        };
        assert_eq!((one.status.as_u16(), two.status.as_u16()), (303, 303));
        assert_ne!(token(&one), token(&two));
        assert!(!opens(&scene, &cookie).await);
        assert!(opens(&scene, &scene.browser.cookie("yaopai").unwrap()).await);
        assert_eq!(refreshes(&scene, &other).await, 200);
    }
);

both!(sessions_long_over_are_cleared_away, |kind| async move {
    let scene = Scene::start(kind).await;
    let broker = scene.app.broker.clone();
    let offline = scene.tokens(OA, "openid offline_access").await;
    let (signed_out, browser) = signed_in(&scene.app, &scene.user).await;
    let scene = Scene { browser, ..scene };
    scene.tokens(EXPENSE, "openid").await;
    let mut tx = broker.db.write().await.unwrap();
    tx.sessions().end(signed_out.id, EndReason::SignedOut, scene.app.clock().now()).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(Browser::new(&scene.app.url).sign_in("wang.fang", "wrong").await.status, 403);
    let purge = async || {
        yaopai::oidc::purge(&broker).await.unwrap();
        yaopai::login::purge(&broker).await.unwrap()
    };
    assert_eq!(purge().await, 0);
    scene.app.clock().advance(Duration::days(10));
    assert_eq!(purge().await, 2, "what was counted under the account and the address");
    let (status, offline) = scene.refresh(OA, offline["refresh_token"].as_str().unwrap()).await;
    assert_eq!(status, 200);
    scene.app.clock().advance(Duration::days(10));
    let (status, _) = scene.refresh(OA, offline["refresh_token"].as_str().unwrap()).await;
    assert_eq!(status, 200);
    scene.app.clock().advance(Duration::hours(239));
    assert_eq!(purge().await, 0, "30 days are not over");
    scene.app.clock().advance(Duration::hours(4));
    let (live, _) = signed_in(&scene.app, &scene.user).await;
    assert_eq!(purge().await, 2, "the session that was signed out, and the application it reached");
    let mut tx = broker.db.read().await.unwrap();
    let rows: Vec<(String,)> = tx.all("SELECT application_id FROM session_applications", &[]).await.unwrap();
    assert_eq!(rows, [("oa".to_owned(),)], "a session stays while a grant names it");
    assert!(tx.sessions().find(scene.session.id).await.unwrap().is_some());
    assert!(tx.sessions().find(live.id).await.unwrap().is_some());
    drop(tx);
    scene.app.clock().advance(Duration::days(70));
    assert_eq!(purge().await, 3, "both sessions that were left");
    assert_eq!(purge().await, 0);
});
