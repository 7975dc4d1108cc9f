//! A person of an Active Directory domain is synced and signs in.

#![expect(clippy::indexing_slicing, reason = "a test that cannot go on fails")]

use yaopai::sync::{Paint, RunReport, Telling, report_text};
use yaopai::text::Language;

use crate::both;
use crate::harness::slapd::{Options, Slapd};
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
    /// LDAP-051: two domains have the same short name. `DOMAIN\name` tells them apart, as Windows does; each signs in with
    /// the password of their own directory. A domain may be known by the long names (UPN) instead.
    the_same_short_name_in_two_domains_is_two_people,
    |kind| async move {
        let server = samba::shared().await;
        let ldif = "\ndn: uid=wang.fang,ou=people,dc=example,dc=com\nobjectClass: inetOrgPerson\nuid: wang.fang\n\
                    cn: Wang Fang\nsn: Wang\nuserPassword: north-pass\n";
        let ldif = ldif.replace("ou=people,dc=example,dc=com", yaopai::sample::COMPANY);
        let start = move || Slapd::start(Options { ldif: &ldif, people: 20, ..Options::default() });
        let north = tokio::task::spawn_blocking(start).await.unwrap();
        let source = |name: &str, table: &str, login: &str, only: &str| {
            format!("[[source]]\nname = \"{name}\"\n{table}[source.users]\nlogin = '{login}'\nfilter = \"{only}\"\n")
        };
        let sources = [
            source("corp", &server.usual(), "CORP\\{sAMAccountName}", "(sAMAccountName=wang.fang)"),
            source("north", &north.ldaps(), "NORTH\\{uid}", "(uid=wang.fang)"),
            source("long", &server.usual(), "userPrincipalName", "(sAMAccountName=li.na)"),
        ];
        let app = App::with_config(kind, &sources.concat()).await;
        for name in ["corp", "north", "long"] {
            let report = yaopai::sync::run(&app.broker, name, "test", &mut |_| {}).await.unwrap();
            assert_eq!((report.state.as_str(), report.users.read), ("applied", 1), "{report:?}");
        }
        let enters = async |login: &str, password: &str| {
            Browser::new(&app.url).sign_in_at("/login", login, password).await.status.as_u16() == 303
        };
        for (login, password, may) in [
            ("CORP\\wang.fang", samba::PASSWORD, true),
            ("north\\Wang.Fang", "north-pass", true),
            ("CORP\\wang.fang", "north-pass", false),
            ("NORTH\\wang.fang", samba::PASSWORD, false),
            // Nobody is guessed.
            ("wang.fang", samba::PASSWORD, false),
            ("Li.Na@corp.example.com", samba::PASSWORD, true),
        ] {
            assert_eq!(enters(login, password).await, may, "{login}");
        }
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
