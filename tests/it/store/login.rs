//! Clearing away sessions and throttles, batch by batch.

use chrono::Duration;
use yaopai::model::{Session, SessionId};
use yaopai::random::Rng;
use yaopai::store::Limit;
use yaopai::time::Instant;

use crate::both;
use crate::harness::database;

fn noon() -> Instant {
    "2026-11-22T12:00:00Z".parse().unwrap()
}

fn session(rng: &Rng, name: &str, begun: Instant) -> Session {
    Session {
        id: SessionId::new(rng, begun),
        token_hash: name.to_owned(),
        user_id: None,
        operator_id: None,
        auth_time: begun,
        amr: "pwd".to_owned(),
        address: "203.0.113.7".to_owned(),
        user_agent: "test".to_owned(),
        created_at: begun,
        last_seen_at: begun,
        idle_expires_at: begun + Duration::hours(2),
        expires_at: begun + Duration::hours(12),
        ended_at: None,
        ended_reason: None,
    }
}

both!(sessions_are_purged_in_batches, |kind| async move {
    let folder = tempfile::tempdir().unwrap();
    let db = database(kind, folder.path()).await;
    let (rng, begun) = (Rng::system(), noon());
    let mut tx = db.write().await.unwrap();
    for number in 0..501 {
        let dead = session(&rng, &format!("dead {number}"), begun);
        tx.sessions().insert(&dead).await.unwrap();
        tx.sessions().reached(dead.id, "oa", begun).await.unwrap();
    }
    let renewed = Session {
        expires_at: begun + Duration::days(2),
        idle_expires_at: begun + Duration::days(2),
        ..session(&rng, "renewed", begun)
    };
    tx.sessions().insert(&renewed).await.unwrap();
    tx.sessions().reached(renewed.id, "oa", begun).await.unwrap();
    assert_eq!(tx.sessions().purge(begun + Duration::hours(2)).await.unwrap(), 0);
    let before = begun + Duration::hours(3);
    assert_eq!(tx.sessions().purge(before).await.unwrap(), 1_000, "500 sessions with their applications");
    assert_eq!(tx.sessions().purge(before).await.unwrap(), 2);
    assert_eq!(tx.sessions().purge(before).await.unwrap(), 0);
    assert!(tx.sessions().find(renewed.id).await.unwrap().is_some());
    tx.commit().await.unwrap();
});

both!(
    /// WEB-023
    a_key_that_waits_or_counts_is_not_purged,
    |kind| async move {
        let folder = tempfile::tempdir().unwrap();
        let db = database(kind, folder.path()).await;
        let minutes = Duration::minutes;
        let limit = Limit { failures: 2, window: minutes(1), wait: minutes(10) };
        let mut tx = db.write().await.unwrap();
        for key in ["blocked", "blocked", "counting"] {
            tx.throttles().attempt(key, noon(), limit).await.unwrap().unwrap();
        }
        let mut left = Vec::new();
        for later in [0, 1, 9, 10] {
            let now = noon() + minutes(later);
            let purged = tx.throttles().purge(now - limit.window, now).await.unwrap();
            left.push((later, purged, tx.throttles().blocked_until("blocked", now).await.unwrap().is_some()));
        }
        assert_eq!(left, [(0, 0, true), (1, 1, true), (9, 0, true), (10, 1, false)]);
        tx.commit().await.unwrap();
    }
);
