//! Verification names the first bad record: changed, removed, inserted, renumbered, cut.

use std::io::BufReader;

use yaopai::audit::{self, ChainFault, ExportedRow, Verification};
use yaopai::store::{Db, StoreError};

use super::fill;
use crate::both;
use crate::harness::database;

async fn run(db: &Db, statements: &[&'static str]) -> Verification {
    let mut tx = db.write().await.unwrap();
    for sql in statements {
        assert_ne!(tx.run(sql, &[]).await.unwrap(), 0, "{sql}");
    }
    tx.commit().await.unwrap();
    audit::verify(db).await.unwrap()
}

both!(an_untouched_log_verifies, |kind| async move {
    let folder = tempfile::tempdir().unwrap();
    let db = database(kind, folder.path()).await;
    let empty = audit::verify(&db).await.unwrap();
    assert_eq!(empty, Verification { rows: 0, hash: String::new(), fault: None });
    fill(&db, 5).await;
    let verified = audit::verify(&db).await.unwrap();
    assert_eq!((verified.rows, verified.hash.len(), verified.fault), (5, 64, None));
});

both!(
    /// AUD-006
    a_changed_row_is_found_whatever_the_column,
    |kind| async move {
        let folder = tempfile::tempdir().unwrap();
        let db = database(kind, folder.path()).await;
        fill(&db, 6).await;
        for (change, back) in [
            ("UPDATE audit_log SET actor = 'user:9' WHERE seq = 3", "UPDATE audit_log SET actor = 'user:2' WHERE seq = 3"),
            ("UPDATE audit_log SET outcome = 'denied' WHERE seq = 3", "UPDATE audit_log SET outcome = 'success' WHERE seq = 3"),
            ("UPDATE audit_log SET details = '{ }' WHERE seq = 3", "UPDATE audit_log SET details = '{}' WHERE seq = 3"),
            ("UPDATE audit_log SET address = '192.0.2.1' WHERE seq = 3", "UPDATE audit_log SET address = '' WHERE seq = 3"),
        ] {
            assert_eq!(run(&db, &[change]).await.fault, Some(ChainFault::Changed { row: 3 }), "{change}");
            assert_eq!(run(&db, &[back]).await.fault, None, "{back}");
        }
        // Moving text from one field to the next keeps the concatenation and is found too.
        let fault = run(&db, &["UPDATE audit_log SET actor = '', subject = 'user:2' WHERE seq = 3"]).await.fault;
        assert_eq!(fault, Some(ChainFault::Changed { row: 3 }));
    }
);

both!(
    /// AUD-006
    removed_swapped_and_inserted_rows_are_found,
    |kind| async move {
        let folder = tempfile::tempdir().unwrap();
        let db = database(kind, folder.path()).await;
        fill(&db, 6).await;
        let swap = [
            "UPDATE audit_log SET seq = -1 WHERE seq = 2",
            "UPDATE audit_log SET seq = 2 WHERE seq = 3",
            "UPDATE audit_log SET seq = 3 WHERE seq = -1",
        ];
        assert_eq!(run(&db, &swap).await.fault, Some(ChainFault::Changed { row: 2 }));
        assert_eq!(run(&db, &swap).await.fault, None);

        let sql = "INSERT INTO audit_log SELECT 7, at, action, outcome, actor, subject, address, request_id, details, hash \
                   FROM audit_log WHERE seq = 6";
        assert_eq!(run(&db, &[sql]).await.fault, Some(ChainFault::Beyond { row: 7 }));
        run(&db, &["DELETE FROM audit_log WHERE seq = 7"]).await;

        let verified = run(&db, &["DELETE FROM audit_log WHERE seq = 4"]).await;
        assert_eq!((verified.rows, verified.fault), (3, Some(ChainFault::Gap { after: 3, found: 5 })));
        // Renumbering after the removal does not help.
        let verified = run(
            &db,
            &["UPDATE audit_log SET seq = 4 WHERE seq = 5", "UPDATE audit_log SET seq = 5 WHERE seq = 6"],
        )
        .await;
        assert_eq!((verified.rows, verified.fault), (3, Some(ChainFault::Changed { row: 4 })));
    }
);

both!(
    /// AUD-006
    a_cut_tail_and_a_changed_head_are_found,
    |kind| async move {
        let folder = tempfile::tempdir().unwrap();
        let db = database(kind, folder.path()).await;
        fill(&db, 6).await;
        let verified = run(&db, &["DELETE FROM audit_log WHERE seq > 4"]).await;
        assert_eq!(verified.fault, Some(ChainFault::Cut { last: 4, head: 6 }));
        let verified = run(&db, &["UPDATE audit_head SET seq = 4"]).await;
        assert_eq!(verified.fault, Some(ChainFault::Head { row: 4 }));
        let verified = run(&db, &["DELETE FROM audit_log"]).await;
        assert_eq!(verified.fault, Some(ChainFault::Cut { last: 0, head: 4 }));
    }
);

both!(long_logs_are_verified_in_batches, |kind| async move {
    let folder = tempfile::tempdir().unwrap();
    let db = database(kind, folder.path()).await;
    let events: Vec<_> = (0..4_500)
        .map(|n| audit::Event::new(audit::Action::SignIn, audit::Outcome::Success, format!("user:{n}"), ""))
        .collect();
    let mut tx = db.write().await.unwrap();
    audit::append(&mut tx, "2026-11-22T01:00:00Z".parse().unwrap(), &events).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(audit::verify(&db).await.unwrap().rows, 4_500);
    let verified = run(&db, &["UPDATE audit_log SET actor = '' WHERE seq = 4400"]).await;
    assert_eq!((verified.rows, verified.fault), (4_399, Some(ChainFault::Changed { row: 4_400 })));
});

async fn exported(db: &Db, after: i64) -> Vec<String> {
    let mut lines = Vec::new();
    let write = |rows: &[ExportedRow]| {
        lines.extend(rows.iter().map(|row| serde_json::to_string(row).unwrap()));
        Ok::<(), StoreError>(())
    };
    audit::export(db, after, write).await.unwrap();
    lines
}

fn file(lines: &[String]) -> Verification {
    audit::verify_file(BufReader::new(lines.join("\n").as_bytes())).unwrap()
}

both!(
    /// AUD-006
    an_exported_file_is_verified_without_the_database,
    |kind| async move {
        let folder = tempfile::tempdir().unwrap();
        let db = database(kind, folder.path()).await;
        fill(&db, 6).await;
        let verified = audit::verify(&db).await.unwrap();
        let lines = exported(&db, 0).await;
        assert_eq!(file(&lines), verified);
        let part = exported(&db, 3).await;
        assert_eq!(part.len(), 3);
        assert_eq!(file(&part), verified);
        let mut changed = lines.clone();
        changed[2] = changed[2].replace("user:2", "user:9");
        assert_eq!(file(&changed).fault, Some(ChainFault::Changed { row: 3 }));
        let mut removed = lines.clone();
        removed.remove(2);
        assert_eq!(file(&removed).fault, Some(ChainFault::Gap { after: 2, found: 4 }));
        let mut doubled = lines.clone();
        doubled.insert(2, lines[1].clone());
        assert_eq!(file(&doubled).fault, Some(ChainFault::Gap { after: 2, found: 2 }));
        assert!(audit::verify_file(BufReader::new(&b"{}\n"[..])).is_err());
    }
);
