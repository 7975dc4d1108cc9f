//! Group commit: many at once share transactions, several nodes share one chain, nothing is lost.

use std::collections::BTreeSet;

use yaopai::audit::{self, Action, Event, Outcome, Recorder};
use yaopai::store::Db;
use yaopai::time::Clock;

use crate::both;
use crate::harness::{Kind, database};

fn clock() -> Clock {
    Clock::fixed("2026-11-22T01:00:00Z".parse().unwrap())
}

fn event(actor: String) -> Event {
    Event::new(Action::GatewayCall, Outcome::Success, actor, "route:expense-api")
}

both!(many_at_once_are_all_there_when_record_returns, |kind| async move {
    let folder = tempfile::tempdir().unwrap();
    let db = database(kind, folder.path()).await;
    let recorder = Recorder::new(db.clone(), clock());
    let tasks: Vec<_> = (0..1_200)
        .map(|n| {
            let recorder = recorder.clone();
            tokio::spawn(async move { recorder.record(event(format!("user:{n}"))).await })
        })
        .collect();
    for task in tasks {
        task.await.unwrap().unwrap();
    }
    let verified = audit::verify(&db).await.unwrap();
    assert_eq!((verified.rows, verified.fault), (1_200, None));
    let rows: Vec<(String,)> = db.read().await.unwrap().all("SELECT actor FROM audit_log", &[]).await.unwrap();
    assert_eq!(rows.into_iter().collect::<BTreeSet<_>>().len(), 1_200);
});

both!(
    /// Several nodes append to one chain without forking it.
    several_nodes_write_one_chain,
    |kind| async move {
        let folder = tempfile::tempdir().unwrap();
        let db = database(kind, folder.path()).await;
        let mut tasks = Vec::new();
        for node in 0..4 {
            // Recorders that know nothing of each other: on PostgreSQL the head row's lock keeps them apart.
            let recorder = Recorder::new(db.clone(), clock());
            for n in 0..50 {
                let recorder = recorder.clone();
                tasks.push(tokio::spawn(async move { recorder.record(event(format!("node:{node}:{n}"))).await }));
            }
            let db = db.clone();
            tasks.push(tokio::spawn(async move {
                for n in 0..10 {
                    let mut tx = db.write().await?;
                    audit::append(&mut tx, clock().now(), &[event(format!("tx:{node}:{n}"))]).await?;
                    tx.commit().await?;
                }
                Ok(())
            }));
        }
        for task in tasks {
            task.await.unwrap().unwrap();
        }
        let verified = audit::verify(&db).await.unwrap();
        assert_eq!((verified.rows, verified.fault), (240, None));
    }
);

both!(what_was_begun_is_written_though_nobody_waits, |kind| async move {
    let folder = tempfile::tempdir().unwrap();
    let db = database(kind, folder.path()).await;
    let recorder = Recorder::new(db.clone(), clock());
    for n in 0..5 {
        let recorder = recorder.clone();
        let task = tokio::spawn(async move { recorder.record(event(format!("user:{n}"))).await });
        tokio::task::yield_now().await;
        tokio::time::sleep(std::time::Duration::from_millis(1)).await;
        task.abort();
    }
    recorder.flush().await.unwrap();
    let verified = audit::verify(&db).await.unwrap();
    assert!(verified.rows >= 1 && verified.fault.is_none());
});

/// AUD-005: what cannot be recorded is refused, and recording goes on when the database is back.
#[tokio::test]
async fn a_database_that_fails_is_an_error_and_not_the_end() {
    let folder = tempfile::tempdir().unwrap();
    let db = database(Kind::Sqlite, folder.path()).await;
    let recorder = Recorder::new(db.clone(), clock());
    let Db::Sqlite { writer, .. } = &db else { panic!() };
    let lock = db.write().await.unwrap();
    drop(lock);
    let mut tx = db.write().await.unwrap();
    tx.run("ALTER TABLE audit_log RENAME TO hidden", &[]).await.unwrap();
    tx.commit().await.unwrap();
    assert!(recorder.record(event("user:1".to_owned())).await.is_err());
    let mut tx = db.write().await.unwrap();
    tx.run("ALTER TABLE hidden RENAME TO audit_log", &[]).await.unwrap();
    tx.commit().await.unwrap();
    recorder.record(event("user:2".to_owned())).await.unwrap();
    assert_eq!(audit::verify(&db).await.unwrap().rows, 1);
    writer.close().await;
    assert!(recorder.record(event("user:3".to_owned())).await.is_err());
}
