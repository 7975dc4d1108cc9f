//! Signing in with the directory's password, at a real OpenLDAP.

use uuid::Uuid;
use yaopai::model::{Attributes, ObjectKind, RunId, Status, User};
use yaopai::sample;
use yaopai::store::Json;

use crate::both;
use crate::harness::scripted_ldap::{Asked, ScriptedLdap};
use crate::harness::slapd::{self, Slapd};
use crate::harness::{App, Browser, Kind, PASSWORD, build, person, save};

async fn start(kind: Kind, server: &Slapd) -> App {
    let source = format!("[[source]]\nname = \"hr\"\n{}\n[source.users]\n", server.ldaps());
    App::with_config(kind, &source).await
}

/// A person linked to an entry of the directory, as a sync would have left them.
async fn linked(app: &App, login: &str, dn: &str, status: Status) -> User {
    let mut user = build(&app.broker, login);
    user.password_hash = None;
    user.status = status;
    user.attributes = Json(Attributes::new());
    save(&app.broker, &user).await;
    let mut tx = app.broker.db.write().await.unwrap();
    let run = RunId::new(&app.broker.rng, app.clock().now());
    let sql = "INSERT INTO links (source, kind, external_id, object_id, dn, digest, run_id) \
               VALUES ('hr', $1, $2, $3, $4, '', $5)";
    let external: String = Uuid::from_u128(user.id.0.as_u128()).to_string();
    tx.run(sql, &[&ObjectKind::User, &external, &user.id, &dn, &run]).await.unwrap();
    tx.commit().await.unwrap();
    user
}

/// The DN of a sample person.
fn dn(login: &str) -> String {
    let ldif = sample::ldif(1_200, 1);
    let record = ldif.split("\n\n").find(|record| record.contains(&format!("\nuid: {login}\n"))).unwrap();
    let unfolded = record.replace("\n ", "");
    let line = unfolded.lines().find(|line| line.starts_with("dn:")).unwrap();
    match line.strip_prefix("dn:: ") {
        Some(encoded) => {
            use base64::Engine as _;
            String::from_utf8(base64::engine::general_purpose::STANDARD.decode(encoded).unwrap()).unwrap()
        }
        None => line.trim_start_matches("dn: ").to_owned(),
    }
}

both!(
    /// WEB-020, LDAP-092
    the_directory_decides,
    |kind| async move {
        let server = slapd::shared().await;
        let app = start(kind, server).await;
        let clerk = sample::CLERK.login;
        linked(&app, clerk, &dn(clerk), Status::Active).await;
        let gone = sample::APPROVER.login;
        linked(&app, gone, &dn(gone), Status::Disabled).await;
        linked(&app, "moved", "uid=moved,dc=example,dc=com", Status::Active).await;
        let browser = Browser::new(&app.url);
        assert_eq!(browser.sign_in(clerk, "").await.status, 400, "an empty password is never bound with");
        for (login, password) in
            [(clerk, "wrong"), (gone, sample::PASSWORD), ("moved", sample::PASSWORD), ("nobody", sample::PASSWORD)]
        {
            let answer = browser.sign_in(login, password).await;
            assert_eq!(answer.status, 403, "{login}");
            assert!(answer.text.contains("Login name or password is not right"), "{login}");
        }
        assert_eq!(browser.sign_in(clerk, sample::PASSWORD).await.status, 303);
    }
);

both!(
    /// LDAP-098: guesses at the sign-in page end at our throttle long before a directory would lock the account (ten is what
    /// Microsoft recommends): the directory is asked five times.
    guesses_do_not_lock_accounts_in_the_directory,
    |kind| async move {
        let server = ScriptedLdap::start(Vec::new()).await;
        server.answer_binds_with(49);
        let app = App::with_config(kind, &format!("[[source]]\nname = \"hr\"\n{}[source.users]\n", server.table())).await;
        let dn = "uid=wang.fang,dc=x";
        linked(&app, "wang.fang", dn, Status::Active).await;
        let browser = Browser::new(&app.url);
        let mut refused = 0;
        for _ in 0..30 {
            let answer = browser.sign_in("wang.fang", "guess").await;
            assert!([403, 429].contains(&answer.status.as_u16()), "{}", answer.status);
            refused += u32::from(answer.status == 429);
        }
        let asked = server.asked().iter().filter(|asked| **asked == Asked::Bind(dn.to_owned())).count();
        assert_eq!((asked, refused), (5, 25));
    }
);

both!(
    /// LDAP-099, LDAP-100: the directory is gone. Whoever is signed in stays so, the right password of the directory is refused
    /// and not remembered, people with a password here come in, and the console works.
    an_outage_of_the_directory_is_no_outage_of_ours,
    |kind| async move {
        let server = ScriptedLdap::start(Vec::new()).await;
        let files = "[[source]]\nname = \"files\"\n[source.ldif]\nfile = \"x.ldif\"\n[source.users]\nlogin = \"uid\"\n";
        let sources = format!("[[source]]\nname = \"hr\"\n{}[source.users]\n{files}", server.table());
        let app = App::with_config(kind, &sources).await;
        linked(&app, "wang.fang", "uid=wang.fang,dc=x", Status::Active).await;
        person(&app.broker, "local.admin", &["it-admin"]).await;
        let mut tx = app.broker.db.write().await.unwrap();
        tx.run("UPDATE users SET source = 'files' WHERE login_key = 'local.admin'", &[]).await.unwrap();
        tx.commit().await.unwrap();
        let inside = Browser::new(&app.url);
        assert_eq!(inside.sign_in("wang.fang", "right").await.status, 303);
        drop(server);
        assert_eq!(inside.get("/").await.status, 200, "a session does not need the directory");
        let outside = Browser::new(&app.url);
        assert_eq!(outside.sign_in("wang.fang", "right").await.status, 503, "nothing stands in for the directory");
        let local = Browser::new(&app.url);
        assert_eq!(local.sign_in("local.admin", PASSWORD).await.status, 303);
        assert_eq!(local.get("/console/runs").await.status, 200);
        assert_eq!(inside.get("/").await.status, 200);
    }
);

both!(
    /// WEB-020
    a_directory_that_does_not_answer_is_the_same_for_everybody,
    |kind| async move {
        let source = "[[source]]\nname = \"hr\"\n[source.ldap]\nurl = \"ldap://127.0.0.1:1\"\nallow_plaintext = true\n\
                      bind_dn = \"cn=reader\"\nbind_password = { value = \"x\" }\nbase_dn = \"dc=example\"\n[source.users]\n";
        let app = App::with_config(kind, source).await;
        linked(&app, "wang.fang", "uid=wang.fang,dc=example", Status::Active).await;
        linked(&app, "li.na", "uid=li.na,dc=example", Status::Disabled).await;
        let mut answers = Vec::new();
        for login in ["wang.fang", "li.na", "nobody.xx"] {
            let browser = Browser::new(&app.url);
            browser.plant("yaopai-browser", &"B".repeat(43));
            for _ in 0..6 {
                let answer = browser.sign_in(login, "x").await;
                assert_eq!((answer.status.as_u16(), answer.header("retry-after")), (503, "60"), "{login}");
                assert!(answer.text.contains("directory cannot be reached"));
                answers.push(answer.text.replace(&format!("value=\"{login}\""), "value=\"LOGIN\""));
            }
        }
        answers.dedup();
        assert_eq!(answers.len(), 1, "one answer, and an outage does not make anybody wait");
    }
);
