//! Reports by mail and webhook: each occasion once, whatever is restarted; and what is cleared away in time.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::http::HeaderMap;
use axum::routing::post;
use chrono::Duration;
use yaopai::model::{FindingState, RunState};
use yaopai::sync::{deliver_due, purge, queue_scheduled, queue_untold};

use super::{BASE, Company, Entry, MAPPING, person, uuid};
use crate::both;
use crate::harness::https::Https;
use crate::harness::smtp::{Smtp, text_of};

fn people(count: u32) -> Vec<Entry> {
    (1..=count).map(|id| person(id, &format!("u{id}"), BASE)).collect()
}

/// A company whose guard holds at three, with this behind it in the configuration.
async fn company(kind: crate::harness::Kind, further: &str) -> Company {
    Company::with(kind, MAPPING, &format!("floor = 2\n{further}")).await
}

const REPORT: &str = "[[report]]\nname = \"it\"\nmail_to = [\"it@example.com\", \"hr@example.com\"]\n";

both!(
    /// LDAP-019
    a_held_run_is_mailed_once_in_both_languages,
    |kind| async move {
        let server = Smtp::start().await;
        let folder = tempfile::tempdir().unwrap();
        let company = company(kind, &format!("{}{REPORT}", server.config(folder.path()))).await;
        let broker = &company.broker;
        company.applied(&people(10)).await;
        // What went well is no trouble.
        assert_eq!(queue_untold(broker).await.unwrap(), 0);
        let held = company.sync(&people(5)).await;
        assert_eq!(queue_untold(broker).await.unwrap(), 1);
        // The server is busy at first: the mail is tried again, and it is the same mail.
        server.refusals.store(1, std::sync::atomic::Ordering::SeqCst);
        assert_eq!(deliver_due(broker).await.unwrap(), 0);
        assert_eq!(deliver_due(broker).await.unwrap(), 0, "not at once");
        broker.clock.advance(Duration::minutes(2));
        assert_eq!(deliver_due(broker).await.unwrap(), 1);
        let mails = server.mails();
        assert_eq!(mails.len(), 1);
        assert!(mails[0].contains("To: it@example.com, hr@example.com"), "{}", mails[0]);
        let text = text_of(&mails[0]);
        assert!(text.contains("将停用 5 人") && text.contains("5 people would be locked out"), "{text}");
        assert!(text.contains(&format!("/console/plans/{}", held.plan_id.unwrap())), "{text}");
        // As after a restart: nothing is told twice.
        for _ in 0..2 {
            assert_eq!(queue_untold(broker).await.unwrap(), 0);
            assert_eq!(deliver_due(broker).await.unwrap(), 0);
        }
        // A run that fails is told of, too.
        std::fs::remove_file(company.folder.path().join("company.ldif")).unwrap();
        company.run().await.unwrap_err();
        assert_eq!(queue_untold(broker).await.unwrap(), 1);
        assert_eq!(deliver_due(broker).await.unwrap(), 1);
        assert!(text_of(&server.mails()[1]).contains("原因："), "{}", text_of(&server.mails()[1]));
    }
);

both!(a_mail_server_with_another_certificate_gets_nothing, |kind| async move {
    let (server, other) = (Smtp::start().await, Smtp::start().await);
    let folder = tempfile::tempdir().unwrap();
    let settings = server.config(folder.path());
    std::fs::write(folder.path().join("mail-ca.pem"), &other.ca).unwrap();
    let company = company(kind, &format!("{settings}{REPORT}")).await;
    company.applied(&people(10)).await;
    company.sync(&people(5)).await;
    assert_eq!(queue_untold(&company.broker).await.unwrap(), 1);
    assert_eq!(deliver_due(&company.broker).await.unwrap(), 0);
    let sql = "SELECT last_error FROM report_deliveries";
    let errors: Vec<(Option<String>,)> = company.broker.db.read().await.unwrap().all(sql, &[]).await.unwrap();
    let error = errors[0].0.clone().unwrap();
    assert!(error.contains("localhost") && !error.contains("mail secret"), "{error}");
    assert!(server.mails().is_empty());
});

type Calls = Arc<Mutex<Vec<(HeaderMap, Vec<u8>)>>>;

both!(a_webhook_is_signed_and_posted_once, |kind| async move {
    let calls: Calls = Arc::default();
    let kept = calls.clone();
    let take = move |headers: HeaderMap, body: axum::body::Bytes| async move {
        kept.lock().unwrap().push((headers, body.to_vec()));
    };
    let server = Https::start(Router::new().route("/hook", post(take))).await;
    let folder = tempfile::tempdir().unwrap();
    let report = format!(
        "[[report]]\nname = \"bot\"\non = \"each_run\"\nlanguages = [\"zh-CN\"]\nwebhook = \"{}/hook\"\n\
         webhook_secret = {{ value = \"hook secret\" }}\n",
        server.url
    );
    let company = company(kind, &format!("{}{report}", server.outgoing(folder.path()))).await;
    let run = company.applied(&people(3)).await;
    assert_eq!(queue_untold(&company.broker).await.unwrap(), 1);
    assert_eq!(deliver_due(&company.broker).await.unwrap(), 1);
    assert_eq!(deliver_due(&company.broker).await.unwrap(), 0);
    let calls = calls.lock().unwrap();
    let [(headers, body)] = calls.as_slice() else { panic!("{}", calls.len()) };
    let header = |name: &str| headers[name].to_str().unwrap();
    let timestamp = header("webhook-timestamp").parse().unwrap();
    let expected = yaopai::crypto::webhook_signature("hook secret", header("webhook-id"), timestamp, body);
    assert_eq!(header("webhook-signature"), expected);
    let document: serde_json::Value = serde_json::from_slice(body).unwrap();
    assert_eq!(document["runs"][0]["run_id"], run.run_id.to_string());
    assert!(document["text"]["zh-CN"].as_str().unwrap().contains("已执行"), "{document}");
});

both!(a_report_goes_out_at_its_time, |kind| async move {
    let server = Smtp::start().await;
    let folder = tempfile::tempdir().unwrap();
    let report = format!("{REPORT}on = \"schedule\"\nschedule = \"0 10 * * *\"\nlanguages = [\"en\"]\n");
    let company = company(kind, &format!("{}{report}", server.config(folder.path()))).await;
    let broker = &company.broker;
    assert_eq!(queue_scheduled(broker).await.unwrap(), 0, "seen for the first time");
    company.applied(&people(3)).await;
    assert_eq!(queue_untold(broker).await.unwrap(), 0);
    // It is nine in Shanghai.
    broker.clock.advance(Duration::minutes(30));
    assert_eq!(queue_scheduled(broker).await.unwrap(), 0);
    broker.clock.advance(Duration::minutes(31));
    assert_eq!(queue_scheduled(broker).await.unwrap(), 1);
    assert_eq!(queue_scheduled(broker).await.unwrap(), 0);
    assert_eq!(deliver_due(broker).await.unwrap(), 1);
    assert!(text_of(&server.mails()[0]).contains("applied"), "{}", server.mails()[0]);
    // What was missed is made up for once.
    broker.clock.advance(Duration::days(5));
    assert_eq!(queue_scheduled(broker).await.unwrap(), 1);
});

both!(what_is_old_is_cleared_away_and_what_an_undo_needs_is_kept, |kind| async move {
    let company = company(kind, "").await;
    let broker = &company.broker;
    company.applied(&people(3)).await;
    let run = company.applied(&people(4)).await;
    company.broker.clock.advance(Duration::days(89));
    purge(broker).await.unwrap();
    let changes = |plan| async move { broker.db.read().await.unwrap().plans().changes(plan).await.unwrap().len() };
    assert!(changes(run.plan_id.unwrap()).await > 0, "it can still be undone");
    company.broker.clock.advance(Duration::days(2));
    assert!(purge(broker).await.unwrap() > 0);
    assert_eq!(changes(run.plan_id.unwrap()).await, 0);
    let error = yaopai::sync::undo_run(broker, "hr", run.run_id, false, "cli").await.unwrap_err();
    assert!(error.to_string().contains("cleared away"), "{error}");
    company.broker.clock.advance(Duration::days(400));
    purge(broker).await.unwrap();
    let mut tx = broker.db.read().await.unwrap();
    // The run that the source stands on stays; those before are gone.
    assert!(tx.runs().list_by_source("hr", 10).await.unwrap().iter().any(|kept| kept.id == run.run_id));
    assert!(tx.runs().list_by_source("hr", 10).await.unwrap().len() < 3);
    drop(tx);
    assert_eq!(company.sync(&people(4)).await.state, RunState::Unchanged);
});

both!(a_finding_is_worked_off, |kind| async move {
    use yaopai::sync::{FindingError, FindingsOf, accept_findings, assign_findings, reopen_findings};
    let company = company(kind, "").await;
    let broker = &company.broker;
    let twice = |count: u32| {
        let mut all = people(count);
        all.push(person(20, "u1", BASE));
        all
    };
    company.applied(&people(3)).await;
    company.sync(&twice(3)).await;
    let list = |state| async move {
        broker.db.read().await.unwrap().findings().list(None, Some(state), (100, 0)).await.unwrap()
    };
    let open = list(FindingState::Open).await;
    assert_eq!(open.len(), 2);
    let entry = uuid(20);
    let of = FindingsOf { source: "hr", entry: &entry, code: None };
    let nobody = assign_findings(broker, of, Some("nobody"), "cli").await.unwrap_err();
    assert!(matches!(nobody, FindingError::UnknownOwner(_)), "{nobody}");
    assert_eq!(assign_findings(broker, of, Some("U2"), "cli").await.unwrap(), 1);
    let until = broker.clock.now() + Duration::days(7);
    assert!(matches!(accept_findings(broker, of, (" ", until), "cli").await, Err(FindingError::NoReason)));
    let past = broker.clock.now();
    assert!(matches!(accept_findings(broker, of, ("x", past), "cli").await, Err(FindingError::Past)));
    assert_eq!(accept_findings(broker, of, ("being merged", until), "user:boss").await.unwrap(), 1);
    // Every run tries again; what is accepted stays so until its day, with its owner.
    company.sync(&twice(4)).await;
    let accepted = list(FindingState::Accepted).await;
    assert_eq!((accepted.len(), accepted[0].owner.as_deref()), (1, Some("u2")));
    broker.clock.advance(Duration::days(8));
    company.sync(&twice(5)).await;
    let open = list(FindingState::Open).await;
    assert_eq!(open.len(), 2, "its time is up");
    assert!(matches!(reopen_findings(broker, of, "cli").await, Err(FindingError::None { .. })));
    // What is no longer found is resolved by itself, and open again when it comes back.
    company.applied(&people(6)).await;
    assert_eq!(list(FindingState::Resolved).await.len(), 2);
    assert!(matches!(assign_findings(broker, of, None, "cli").await, Err(FindingError::None { .. })));
    company.sync(&twice(7)).await;
    let again = list(FindingState::Open).await;
    assert_eq!((again.len(), again[0].first_seen), (2, broker.clock.now()));
    let sql = "SELECT actor FROM audit_log WHERE action = 'finding_decision'";
    let decided: Vec<(String,)> = broker.db.read().await.unwrap().all(sql, &[]).await.unwrap();
    assert_eq!(decided.len(), 2);
});
