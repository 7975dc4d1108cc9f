//! A person of an Active Directory domain is synced and signs in.

#![expect(clippy::indexing_slicing, reason = "a test that cannot go on fails")]

use yaopai::sync::{Paint, RunReport, Telling, report_text};
use yaopai::text::Language;

use crate::both;
use crate::harness::{App, Browser, samba};

both!(
    /// LDAP-097: what a wrong password, a disabled and an expired account see is the same; the audit log knows better.
    people_of_a_domain_are_synced_and_sign_in,
    |kind| async move {
        let server = samba::shared().await;
        let mapping = "[source.users]\n[source.departments]\nfrom = \"ou\"\n[source.groups]\n";
        let app = App::with_config(kind, &format!("[[source]]\nname = \"ad\"\n{}{mapping}", server.usual())).await;
        let report = yaopai::sync::run(&app.broker, "ad", "test", &mut |_| {}).await.unwrap();
        assert_eq!(report.state.as_str(), "applied", "{report:?}");
        assert_eq!(report.users.locked_out, 2, "{report:?}");

        let browser = Browser::new(&app.url);
        let answer = browser.sign_in_at("/login", "Wang.Fang", samba::PASSWORD).await;
        assert_eq!((answer.status.as_u16(), answer.location()), (303, "/"));

        // A password that must be changed was proved: that may be said. Anything else looks like a wrong password.
        let fresh = Browser::new(&app.url).sign_in_at("/login", "fresh", samba::PASSWORD).await;
        assert_eq!(fresh.status, 403);
        let wrong = Browser::new(&app.url).sign_in_at("/login", "li.na", "wrong").await;
        for login in ["disabled", "expired", "nobody"] {
            let answer = Browser::new(&app.url).sign_in_at("/login", login, samba::PASSWORD).await;
            assert_eq!((answer.status, answer.texts(".problem")), (wrong.status, wrong.texts(".problem")), "{login}");
        }
        let mut tx = app.broker.db.read().await.unwrap();
        let rows: Vec<(String, String)> = tx
            .all("SELECT outcome, details FROM audit_log WHERE action = 'sign_in' ORDER BY seq", &[])
            .await
            .unwrap();
        assert!(rows.iter().any(|(_, details)| details.contains("must_change_password")), "{rows:?}");
        assert_eq!(rows.iter().filter(|(outcome, _)| outcome == "success").count(), 1, "{rows:?}");
    }
);

both!(
    /// LDAP-012, LDAP-097: the service account was disabled; the report says so in the reader's language, and nobody is
    /// touched.
    a_refused_bind_is_explained_in_both_languages,
    |kind| async move {
        let server = samba::shared().await;
        let table = server.usual().replace(samba::READER, "disabled@corp.example.com");
        let app = App::with_config(kind, &format!("[[source]]\nname = \"ad\"\n{table}[source.users]\n")).await;
        let error = yaopai::sync::run(&app.broker, "ad", "test", &mut |_| {}).await.unwrap_err();
        assert!(error.to_string().contains("data 533"), "{error}");
        let mut tx = app.broker.db.read().await.unwrap();
        let rows: Vec<(String,)> = tx.all("SELECT CAST(report AS TEXT) FROM runs", &[]).await.unwrap();
        let report: RunReport = serde_json::from_str(&rows[0].0).unwrap();
        let said = |language| {
            report_text(&report, None, Telling { language, paint: Paint::Plain, zone: chrono_tz::Asia::Shanghai })
        };
        let (zh, en) = (said(Language::Zh), said(Language::En));
        assert!(zh.contains("账号已被禁用；请启用") && zh.contains("没有做任何更改"), "{zh}");
        assert!(en.contains("the account is disabled; enable it") && en.contains(&error.to_string()), "{en}");
    }
);
