//! Appending: numbers without gaps, text from outside made inert, nothing without its transaction.

use serde_json::json;
use yaopai::audit::{self, Action, Event, Outcome};

use super::fill;
use crate::both;
use crate::harness::database;

both!(rows_are_numbered_without_gaps, |kind| async move {
    let folder = tempfile::tempdir().unwrap();
    let db = database(kind, folder.path()).await;
    fill(&db, 2).await;
    let mut tx = db.write().await.unwrap();
    let event = Event::new(Action::SignIn, Outcome::Denied, "user:x", "");
    audit::append(&mut tx, "2026-11-22T01:00:01Z".parse().unwrap(), &[event.clone(), event]).await.unwrap();
    tx.commit().await.unwrap();
    let mut tx = db.read().await.unwrap();
    let rows: Vec<(i64, String)> = tx.all("SELECT seq, actor FROM audit_log ORDER BY seq", &[]).await.unwrap();
    let expected = [(1, "user:0"), (2, "user:1"), (3, "user:x"), (4, "user:x")].map(|(n, who)| (n, who.to_owned()));
    assert_eq!(rows, expected);
});

both!(
    /// AUD-004
    a_transaction_rolled_back_leaves_no_trace,
    |kind| async move {
        let folder = tempfile::tempdir().unwrap();
        let db = database(kind, folder.path()).await;
        fill(&db, 1).await;
        let mut tx = db.write().await.unwrap();
        let event = Event::new(Action::Sync, Outcome::Success, "cli", "source:hr");
        audit::append(&mut tx, "2026-11-22T01:00:01Z".parse().unwrap(), &[event]).await.unwrap();
        drop(tx);
        fill(&db, 1).await;
        let verified = audit::verify(&db).await.unwrap();
        assert_eq!((verified.rows, verified.fault), (2, None));
    }
);

both!(
    /// AUD-017
    what_comes_from_outside_is_inert,
    |kind| async move {
        let folder = tempfile::tempdir().unwrap();
        let db = database(kind, folder.path()).await;
        let mut tx = db.write().await.unwrap();
        let evil = "a\r\nb\u{1b}[31m\0\u{202E}\u{9b}<b>";
        let event = Event::new(Action::SignIn, Outcome::Failure, evil, "x".repeat(5_000))
            .from_request(evil, evil)
            .with(json!({ "user_agent": evil }));
        audit::append(&mut tx, "2026-11-22T01:00:01Z".parse().unwrap(), &[event]).await.unwrap();
        tx.commit().await.unwrap();
        let row = db.read().await.unwrap().audit().list_after(0, 1, 10).await.unwrap().pop().unwrap();
        for field in [&row.actor, &row.address, &row.request_id] {
            assert_eq!(field, "a\u{FFFD}\u{FFFD}b\u{FFFD}[31m\u{FFFD}\u{FFFD}\u{FFFD}<b>");
        }
        assert_eq!(row.subject.len(), 300);
        assert!(!row.details.contains(['\r', '\n', '\u{1b}', '\0', '\u{202E}', '\u{9b}']), "{}", row.details);
        let details: serde_json::Value = serde_json::from_str(&row.details).unwrap();
        assert_eq!(details["user_agent"], evil);
        assert_eq!(audit::verify(&db).await.unwrap().fault, None);
    }
);
