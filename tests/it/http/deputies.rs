//! Deputies: a person names one for a while, sees it, and ends it; nobody meddles with somebody else's.

#![expect(clippy::indexing_slicing, reason = "a test that cannot go on fails")]

use chrono::Duration;
use yaopai::audit::Action;

use crate::both;
use crate::harness::{App, Browser, PASSWORD, person};

async fn signed_in(app: &App, login: &str) -> Browser {
    let browser = Browser::new(&app.url);
    assert_eq!(browser.sign_in(login, PASSWORD).await.status, 303);
    browser
}

both!(
    /// WEB-001, WEB-054
    a_person_names_a_deputy_for_a_while_and_ends_it,
    |kind| async move {
        let app = App::start(kind).await;
        for login in ["li.na", "chen.jie", "guest"] {
            person(&app.broker, login, &["employee"]).await;
        }
        let (browser, deputy) = (signed_in(&app, "li.na").await, signed_in(&app, "chen.jie").await);
        let page = browser.get("/deputies").await;
        let form = page.form("/deputies");
        let today: chrono::NaiveDate = form.fields["from"].parse().unwrap();
        let day = |days: i64| (today + Duration::days(days)).to_string();
        let wish = |who: &str, to: &str| form.clone().with("deputy", who).with("to", to).with("reason", "<b>leave</b>");
        // What is wrong is said, and what was typed stays.
        for (who, to, problem) in [
            ("nobody", day(3), "Nobody active"),
            ("li.na", day(3), "acts for themselves"),
            ("chen.jie", day(-1), "has passed"),
            ("chen.jie", String::new(), "last day is needed"),
            ("chen.jie", day(400), "last day is needed"),
            ("chen.jie", "soon".to_owned(), "cannot be read"),
        ] {
            let answer = browser.post(&wish(who, &to)).await;
            assert_eq!(answer.status, 422, "{who} {to}");
            assert!(answer.texts("[role=alert]")[0].contains(problem), "{who} {to}: {:?}", answer.texts("[role=alert]"));
            assert_eq!(answer.attributes("#deputy", "value"), [who]);
        }
        assert_eq!(browser.post(&wish("CHEN.JIE", &day(3))).await.location(), "/deputies");
        let named = browser.get("/deputies").await;
        assert!(named.texts(".rows li")[0].contains("chen.jie") && named.texts(".rows li")[0].contains("<b>leave</b>"));
        assert!(deputy.get("/deputies").await.texts(".rows li")[0].contains("li.na"));
        // With the token of another session, or of nobody: refused.
        let end = named.form("/deputies/end");
        let other = signed_in(&app, "guest").await;
        assert_eq!(other.post(&end).await.status, 403);
        let mut meddling = other.get("/").await.form("/logout");
        "/deputies/end".clone_into(&mut meddling.action);
        meddling.fields.insert("deputy".to_owned(), end.fields["deputy"].clone());
        assert_eq!(other.post(&meddling).await.status, 404, "somebody else's");
        assert_eq!(browser.clone().with_header("sec-fetch-site", "cross-site").post(&end).await.status, 403);
        // Naming wants a fresh proof; ending does not.
        app.clock().advance(Duration::minutes(16));
        assert!(browser.post(&wish("chen.jie", &day(9))).await.location().starts_with("/login?return_to=%2Fdeputies"));
        let stale = browser.get("/deputies").await;
        assert!(stale.texts("form #deputy").is_empty());
        let prove = stale.attributes(".buttons a.button", "href")[0].clone();
        assert_eq!(browser.sign_in_at(&prove, "li.na", PASSWORD).await.location(), "/deputies");
        // The deputy may decline.
        let own = deputy.get("/deputies").await.form("/deputies/end");
        assert_eq!(deputy.post(&own).await.location(), "/deputies");
        let ended = browser.get("/deputies").await;
        assert!(ended.texts(".rows .tag")[0].contains("ended"), "{}", ended.text);
        let mut tx = app.broker.db.read().await.unwrap();
        assert_eq!(tx.acting().list().await.unwrap().len(), 1);
        let told = tx.audit().list_after(0, i64::MAX, 1_000).await.unwrap();
        let told: Vec<_> = told.iter().filter(|row| row.action == Action::Acting.as_str()).collect();
        assert_eq!(told.len(), 2);
        assert!(told.iter().all(|row| row.actor.starts_with("user:") && !row.address.is_empty()));
    }
);
