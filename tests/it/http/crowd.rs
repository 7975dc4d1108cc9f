//! More people sign in at once than passwords can be checked: a bounded number wait, the others are told when to come
//! again, and nobody else notices.

use futures_util::future::join_all;

use crate::both;
use crate::harness::{App, Browser, PASSWORD, person};

/// One check at a time: 32 wait for it.
const ONE: &str = "[login]\nconcurrent_checks = 1\n";
const PEOPLE: usize = 60;

both!(
    /// WEB-029
    a_crowd_waits_in_a_bounded_line,
    |kind| async move {
        let app = App::with_config(kind, ONE).await;
        person(&app.broker, "wang.fang", &[]).await;
        let forms = join_all((0..PEOPLE).map(|number| {
            let browser = Browser::new(&app.url);
            async move {
                let form = browser.get("/login").await.form("/login");
                (browser, form.with("login", &format!("nobody-{number}")).with("password", "wrong"))
            }
        }))
        .await;
        let crowd = join_all(forms.iter().map(|(browser, form)| browser.post(form)));
        let other = async {
            let browser = Browser::new(&app.url);
            let health = browser.get("/health").await;
            assert_eq!(health.status, 200, "{}", health.text);
        };
        let (answers, ()) = tokio::join!(crowd, other);
        let (busy, judged): (Vec<_>, Vec<_>) = answers.iter().partition(|answer| answer.status == 429);
        assert!(judged.len() >= 33 && !busy.is_empty(), "{} judged, {} sent away", judged.len(), busy.len());
        for answer in &judged {
            assert_eq!(answer.status, 403, "{}", answer.text);
        }
        for answer in &busy {
            assert_eq!(answer.header("retry-after"), "5");
            assert!(answer.text.contains("Try again in a few seconds"), "{}", answer.text);
        }
        // Who was sent away has not used up an attempt.
        let mut tx = app.broker.db.read().await.unwrap();
        let rows: Vec<(i64,)> = tx.all("SELECT failures FROM throttles WHERE key LIKE 'address:%'", &[]).await.unwrap();
        assert_eq!(rows, [(i64::try_from(judged.len()).unwrap(),)]);
        drop(tx);
        assert_eq!(Browser::new(&app.url).sign_in("wang.fang", PASSWORD).await.status, 303);
    }
);
