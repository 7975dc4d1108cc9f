//! Sessions: seen, ended one by one, ended everywhere, ended by time.

#![expect(clippy::indexing_slicing, reason = "a test that cannot go on fails")]

use chrono::Duration;
use yaopai::model::{EndReason, Status};

use crate::both;
use crate::harness::{App, Browser, PASSWORD, person, save};

async fn signed_in(app: &App, login: &str) -> Browser {
    let browser = Browser::new(&app.url);
    assert_eq!(browser.sign_in(login, PASSWORD).await.status, 303);
    browser
}

/// Whether the cookie still opens the portal.
async fn is_in(browser: &Browser) -> bool {
    browser.get("/").await.status == 200
}

both!(
    /// WEB-005, WEB-006, WEB-012
    signing_out_ends_the_session_on_the_server,
    |kind| async move {
        let app = App::start(kind).await;
        person(&app.broker, "wang.fang", &["employee"]).await;
        let browser = signed_in(&app, "wang.fang").await;
        let cookie = browser.cookie("yaopai").unwrap();
        let question = browser.get("/logout").await;
        assert!(is_in(&browser).await, "asking does nothing");
        let answer = browser.post(&question.form("/logout")).await;
        assert_eq!((answer.status.as_u16(), answer.location()), (303, "/signed-out"));
        assert_eq!(browser.cookie("yaopai"), None);
        assert_eq!(browser.get("/signed-out").await.texts("h1"), ["You are signed out"]);
        browser.plant("yaopai", &cookie);
        assert!(!is_in(&browser).await, "the old cookie is worth nothing");
        let mut flipped = cookie.clone().into_bytes();
        flipped[7] ^= 1;
        browser.plant("yaopai", &String::from_utf8_lossy(&flipped));
        assert!(!is_in(&browser).await);
        for nonsense in ["x", "%00", "\"; a=b", &"A".repeat(5_000)] {
            browser.plant("yaopai", nonsense);
            assert_eq!(browser.get("/").await.location(), "/login?return_to=%2F");
        }
    }
);

both!(
    /// WEB-001
    forms_of_a_session_want_its_own_token,
    |kind| async move {
        let app = App::start(kind).await;
        person(&app.broker, "wang.fang", &[]).await;
        person(&app.broker, "li.na", &[]).await;
        let (own, other) = (signed_in(&app, "wang.fang").await, signed_in(&app, "li.na").await);
        let foreign = other.get("/").await.form("/logout");
        let pages = [("/logout", "/"), ("/sessions/end", "/sessions"), ("/sessions/end-all", "/sessions")];
        for (action, _) in pages.iter().chain(&[("/sessions/end-others", "/sessions")]) {
            let mut form = foreign.clone();
            form.action = (*action).to_owned();
            assert_eq!(own.post(&form).await.status, 403, "{action}");
            let cross = own.clone().with_header("sec-fetch-site", "same-site");
            assert_eq!(cross.post(&own.get("/").await.form("/logout")).await.status, 403);
            let nobody = Browser::new(&app.url).post(&form).await;
            assert_eq!(nobody.location(), "/login?return_to=%2F", "{action}");
        }
        assert!(is_in(&own).await && is_in(&other).await, "nothing happened");
    }
);

both!(
    /// WEB-007, WEB-009
    a_person_ends_their_sessions_and_nobody_elses,
    |kind| async move {
        let app = App::start(kind).await;
        person(&app.broker, "wang.fang", &[]).await;
        person(&app.broker, "li.na", &[]).await;
        let here = signed_in(&app, "wang.fang").await;
        let phone = Browser::new(&app.url).with_header("user-agent", "Mozilla/5.0 (iPhone) Safari/604");
        phone.sign_in("wang.fang", PASSWORD).await;
        let laptop = signed_in(&app, "wang.fang").await;
        let stranger = signed_in(&app, "li.na").await;
        app.clock().advance(Duration::minutes(5));

        let page = here.get("/sessions").await;
        assert_eq!(page.texts(".rows li").len(), 3);
        assert!(page.texts(".rows li")[0].contains("this browser"));
        assert!(page.texts(".rows li").iter().any(|row| row.contains("Safari on iPhone")), "{:?}", page.texts(".rows li"));
        assert!(page.texts(".rows li")[1].contains("22 Nov 2026, 09:00, last used 5 minutes ago"));

        let foreign = page.form("/sessions/end");
        let mut attack = stranger.get("/").await.form("/logout").with("session", &foreign.fields["session"]);
        "/sessions/end".clone_into(&mut attack.action);
        assert_eq!(stranger.post(&attack).await.status, 404, "answered as if it did not exist");
        assert_eq!(here.get("/sessions").await.texts(".rows li").len(), 3);

        assert_eq!(here.post(&foreign).await.location(), "/sessions");
        assert_eq!(usize::from(is_in(&phone).await) + usize::from(is_in(&laptop).await), 1);
        let third = signed_in(&app, "wang.fang").await;
        here.post(&here.get("/sessions").await.form("/sessions/end-others")).await;
        assert!(is_in(&here).await && is_in(&stranger).await);
        assert!(!is_in(&phone).await && !is_in(&laptop).await && !is_in(&third).await);

        let fourth = signed_in(&app, "wang.fang").await;
        let answer = here.post(&here.get("/sessions").await.form("/sessions/end-all")).await;
        assert_eq!(answer.location(), "/signed-out");
        assert!(!is_in(&here).await && !is_in(&fourth).await && is_in(&stranger).await);
        let mut tx = app.broker.db.read().await.unwrap();
        let rows: Vec<(String,)> =
            tx.all("SELECT details FROM audit_log WHERE action = 'sign_out' ORDER BY seq", &[]).await.unwrap();
        assert_eq!(rows.len(), 3, "each is in the audit log: {rows:?}");
    }
);

both!(
    /// WEB-008
    sessions_end_by_themselves,
    |kind| async move {
        let app = App::with_config(kind, "[session]\nidle = \"30m\"\nabsolute = \"2h\"\n").await;
        person(&app.broker, "wang.fang", &[]).await;
        let idle = signed_in(&app, "wang.fang").await;
        let busy = signed_in(&app, "wang.fang").await;
        for minutes in [20, 20, 20, 20, 20, 15] {
            app.clock().advance(Duration::minutes(minutes));
            assert!(is_in(&busy).await, "used within the half hour");
        }
        assert!(!is_in(&idle).await, "unused for more than half an hour");
        app.clock().advance(Duration::minutes(6));
        assert!(!is_in(&busy).await, "two hours are the end in any case");
    }
);

both!(
    /// WEB-007
    locking_somebody_out_ends_their_sessions,
    |kind| async move {
        let app = App::start(kind).await;
        let user = person(&app.broker, "wang.fang", &[]).await;
        let browser = signed_in(&app, "wang.fang").await;
        let mut gone = user.clone();
        gone.status = Status::Disabled;
        save(&app.broker, &gone).await;
        assert!(!is_in(&browser).await, "a person who is not active has no session, whatever the row says");
        save(&app.broker, &user).await;
        assert!(is_in(&browser).await);
        let mut tx = app.broker.db.write().await.unwrap();
        let revoked = tx.revoke_people(&[user.id], EndReason::Disabled, app.clock().now()).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(revoked.sessions, 1);
        assert!(!is_in(&browser).await);
    }
);

both!(
    /// WEB-060
    the_recovery_administrator_gets_in_once,
    |kind| async move {
        let app = App::start(kind).await;
        let hasher = yaopai::crypto::Hasher::new(2);
        let (one, two) = tokio::join!(
            yaopai::login::ensure_recovery(&app.broker, &hasher),
            yaopai::login::ensure_recovery(&app.broker, &hasher)
        );
        let mut made: Vec<_> = [one.unwrap(), two.unwrap()].into_iter().flatten().collect();
        assert_eq!(made.len(), 1, "two starts at once make one");
        let password = made.remove(0);
        let browser = Browser::new(&app.url);
        assert_eq!(browser.sign_in("recovery", "changeme").await.status, 403);
        assert_eq!(browser.sign_in("Recovery", &password).await.status, 303);
        let page = browser.get("/").await;
        assert_eq!(page.texts(".bar .who span")[0], "recovery");
        assert!(page.attributes(".bar .places a", "href").contains(&"/console/runs".to_owned()), "it administers");
        assert_eq!(Browser::new(&app.url).sign_in("recovery", &password).await.status, 403, "once is once");

        let renewed = yaopai::login::renew_recovery(&app.broker, &hasher).await.unwrap();
        assert_ne!(*renewed, *password);
        let again = Browser::new(&app.url);
        assert_eq!(again.sign_in("recovery", &password).await.status, 403);
        assert_eq!(again.sign_in("recovery", &renewed).await.status, 303);
        let stored: Vec<(String,)> =
            app.broker.db.read().await.unwrap().all("SELECT password_hash FROM operators", &[]).await.unwrap();
        assert!(stored.len() == 1 && stored[0].0.starts_with("$argon2id$"), "{stored:?}");
    }
);
