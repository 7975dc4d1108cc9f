//! The audit log's chain.

use yaopai::audit::{self, Action, Event, Outcome};

use crate::both;
use crate::harness::database;

both!(rows_are_numbered_without_gaps, |kind| async move {
    let folder = tempfile::tempdir().unwrap();
    let db = database(kind, folder.path()).await;
    let at = "2026-11-22T01:00:00Z".parse().unwrap();
    for round in 0..3 {
        let mut tx = db.write().await.unwrap();
        let event = Event::new(Action::SignIn, Outcome::Success, format!("user:{round}"), "");
        audit::append(&mut tx, at, &[event.clone(), event]).await.unwrap();
        tx.commit().await.unwrap();
    }
    let mut tx = db.read().await.unwrap();
    let rows: Vec<(i64, String)> = tx.all("SELECT seq, actor FROM audit_log ORDER BY seq", &[]).await.unwrap();
    let numbers: Vec<i64> = rows.iter().map(|row| row.0).collect();
    assert_eq!(numbers, [1, 2, 3, 4, 5, 6]);
    assert_eq!(rows.last().unwrap().1, "user:2");
});
