//! Runs, plans, links, findings, the change log, leases.

#![expect(clippy::indexing_slicing, reason = "a test that cannot go on fails")]

use chrono::Duration;
use serde_json::json;
use uuid::Uuid;
use yaopai::model::{
    Change, ChangeKind, NewFinding, ObjectKind, Plan, PlanId, PlanState, PlannedLink, Run, RunId, RunState,
};
use yaopai::store::Json;
use yaopai::time::Instant;

use crate::both;
use crate::harness::database;

fn at() -> Instant {
    "2026-11-22T01:00:00Z".parse().unwrap()
}

fn id(number: u128) -> Uuid {
    Uuid::from_u128(number)
}

fn plan(number: u128) -> Plan {
    Plan {
        settles: None,
        approved_by: None,
        approved_at: None,
        reason: None,
        id: PlanId(id(number)),
        source: "hr".into(),
        run_id: RunId(id(number + 100)),
        state: PlanState::Planned,
        digest: "d".into(),
        ground: "g".into(),
        guard: Json(json!([])),
        summary: Json(json!({})),
        findings: Json(vec![finding("missing_login")]),
        undoes: None,
        created_at: at(),
        expires_at: at() + Duration::hours(1),
        decided_at: None,
        decided_by: None,
        applied_at: None,
    }
}

fn finding(code: &str) -> NewFinding {
    NewFinding {
        code: code.into(),
        external_id: "x".into(),
        dn: "uid=x".into(),
        arguments: std::collections::BTreeMap::from([("key".to_owned(), "users.login".to_owned())]),
        details: "no uid".into(),
        quarantined: true,
    }
}

fn change(object: u128) -> Change {
    Change {
        kind: ChangeKind::Created,
        object_kind: ObjectKind::Group,
        object_id: id(object),
        before: None,
        after: Some(json!({ "code": "g", "name": "组" }).into()),
    }
}

both!(runs_are_listed_newest_first, |kind| async move {
    let folder = tempfile::tempdir().unwrap();
    let db = database(kind, folder.path()).await;
    let mut tx = db.write().await.unwrap();
    for number in 1..=3 {
        let run = Run {
            id: RunId(id(number)),
            source: "hr".into(),
            state: RunState::Running,
            started_by: "cli".into(),
            started_at: at() + Duration::seconds(i64::try_from(number).unwrap()),
            ended_at: None,
            plan_id: None,
            report: Json(json!({})),
        };
        tx.runs().insert(&run).await.unwrap();
    }
    let report = Json(json!({ "changes": 0 }));
    tx.runs().update(RunId(id(1)), RunState::Unchanged, at(), Some(PlanId(id(7))), &report).await.unwrap();
    assert_eq!(tx.runs().fail_interrupted("hr", at()).await.unwrap(), 2);
    let runs = tx.runs().list_by_source("hr", 2).await.unwrap();
    assert_eq!(runs.iter().map(|run| run.id.0.as_u128()).collect::<Vec<_>>(), [3, 2]);
    assert!(runs.iter().all(|run| run.state == RunState::Failed));
    let first = tx.runs().find(RunId(id(1))).await.unwrap().unwrap();
    assert_eq!((first.state, first.plan_id, first.report), (RunState::Unchanged, Some(PlanId(id(7))), report));
    assert_eq!(tx.runs().list(10).await.unwrap().len(), 3);
});

both!(a_plan_is_taken_once, |kind| async move {
    let folder = tempfile::tempdir().unwrap();
    let db = database(kind, folder.path()).await;
    let mut tx = db.write().await.unwrap();
    let now = at();
    tx.plans().insert(&plan(1)).await.unwrap();
    tx.plans().insert(&plan(2)).await.unwrap();
    let changes = [change(5), change(6)];
    tx.plans().insert_changes(PlanId(id(2)), &changes).await.unwrap();
    assert_eq!(tx.plans().changes(PlanId(id(2))).await.unwrap(), changes);
    assert_eq!(tx.plans().find_waiting("hr", now).await.unwrap().unwrap().id, PlanId(id(2)));
    assert!(tx.plans().find_waiting("hr", now + Duration::hours(1)).await.unwrap().is_none());
    assert!(!tx.plans().consume(PlanId(id(2)), None, now + Duration::hours(2)).await.unwrap());
    assert!(tx.plans().consume(PlanId(id(2)), Some("cli".into()), now).await.unwrap());
    assert!(!tx.plans().consume(PlanId(id(2)), None, now).await.unwrap());
    tx.plans().supersede("hr", PlanId(id(2))).await.unwrap();
    assert_eq!(tx.plans().find(PlanId(id(1))).await.unwrap().unwrap().state, PlanState::Superseded);
    assert!(tx.plans().find_last_applied("hr").await.unwrap().is_none());
    assert!(tx.source_states().advance("hr", 0, RunId(id(102)), now).await.unwrap());
    let last = tx.plans().find_last_applied("hr").await.unwrap().unwrap();
    assert_eq!((last.id, last.decided_by.as_deref(), last.applied_at), (PlanId(id(2)), Some("cli"), Some(now)));
    tx.plans().set_state(PlanId(id(2)), PlanState::Undone).await.unwrap();
    assert_eq!(tx.plans().find(PlanId(id(2))).await.unwrap().unwrap().state, PlanState::Undone);
});

both!(links_and_the_change_log_follow_the_plan, |kind| async move {
    let folder = tempfile::tempdir().unwrap();
    let db = database(kind, folder.path()).await;
    let mut tx = db.write().await.unwrap();
    let plan_id = PlanId(id(1));
    let run = RunId(id(101));
    tx.plans().insert(&plan(1)).await.unwrap();
    tx.plans().insert_changes(plan_id, &[change(5), change(6)]).await.unwrap();
    let mut link = PlannedLink {
        kind: ObjectKind::Group,
        external_id: "x".into(),
        object_id: id(5),
        dn: "cn=x".into(),
        digest: "1".into(),
        password: Some("h".into()),
    };
    tx.plans().insert_links(plan_id, std::slice::from_ref(&link), &["cn=x".to_owned()]).await.unwrap();
    assert_eq!(tx.plans().passwords(plan_id).await.unwrap(), [(id(5), "h".to_owned())]);
    tx.links().apply_plan(plan_id, "hr", run).await.unwrap();
    link.digest = "2".into();
    tx.plans().insert(&plan(2)).await.unwrap();
    tx.plans().insert_links(PlanId(id(2)), &[link], &["cn=x".to_owned()]).await.unwrap();
    tx.links().apply_plan(PlanId(id(2)), "hr", run).await.unwrap();
    let links = tx.links().list_by_source("hr").await.unwrap();
    assert_eq!(links.iter().map(|link| link.digest.as_str()).collect::<Vec<_>>(), ["2"]);
    assert_eq!(tx.links().find_by_object(id(5)).await.unwrap().as_ref(), links.first());
    assert_eq!(tx.change_log().append_plan(plan_id, run, at()).await.unwrap(), 2);
    let logged = tx.change_log().list_after(0, 10).await.unwrap();
    assert_eq!(logged.iter().map(|row| row.object_id).collect::<Vec<_>>(), [id(5), id(6)]);
    assert_eq!(logged[0].after, change(5).after);
    assert_eq!(tx.change_log().later_than(run).await.unwrap(), []);
    tx.plans().insert_changes(PlanId(id(2)), &[change(6)]).await.unwrap();
    tx.change_log().append_plan(PlanId(id(2)), RunId(id(102)), at()).await.unwrap();
    let later = tx.change_log().later_than(run).await.unwrap();
    assert_eq!(later.iter().map(|change| change.object_id).collect::<Vec<_>>(), [id(6)]);
    assert_eq!(tx.change_log().list_by_object(id(6), 5).await.unwrap().len(), 2);
    let counts = [("disabled", String::new(), 3), ("members_removed", "g".to_owned(), 2)];
    tx.guard_counts().insert(run, "hr", at(), &counts).await.unwrap();
    let older = at() - Duration::days(2);
    tx.guard_counts().insert(RunId(id(102)), "hr", older, &[("disabled", String::new(), 4)]).await.unwrap();
    let mut sums = tx.guard_counts().since("hr", at() - Duration::days(1), at() - Duration::weeks(1)).await.unwrap();
    sums.sort();
    let sum = |what: &str, about: &str, day, week| (what.to_owned(), about.to_owned(), day, week);
    assert_eq!(sums, [sum("disabled", "", 3, 7), sum("members_removed", "g", 2, 2)]);
    tx.guard_counts().forget(run).await.unwrap();
    assert_eq!(tx.guard_counts().purge(at()).await.unwrap(), 1);
});

both!(findings_are_replaced_and_remember_when_they_were_first_seen, |kind| async move {
    let folder = tempfile::tempdir().unwrap();
    let db = database(kind, folder.path()).await;
    let mut tx = db.write().await.unwrap();
    let later = at() + Duration::days(1);
    tx.findings().replace("hr", RunId(id(1)), at(), &[finding("a"), finding("b")]).await.unwrap();
    tx.findings().replace("hr", RunId(id(2)), later, &[finding("b")]).await.unwrap();
    let found = tx.findings().list_by_source("hr").await.unwrap();
    assert_eq!(found.len(), 1);
    assert_eq!((found[0].code.as_str(), found[0].first_seen, found[0].last_seen), ("b", at(), later));
});

both!(a_sources_ground_moves_once, |kind| async move {
    let folder = tempfile::tempdir().unwrap();
    let db = database(kind, folder.path()).await;
    let mut tx = db.write().await.unwrap();
    let run = RunId(id(1));
    assert!(tx.source_states().advance("hr", 0, run, at()).await.unwrap());
    assert!(!tx.source_states().advance("hr", 0, run, at()).await.unwrap());
    assert!(tx.source_states().advance("hr", 1, run, at()).await.unwrap());
    assert!(!tx.source_states().advance("hr", 1, run, at()).await.unwrap());
    tx.source_states().describe("hr", "s", "r", 5).await.unwrap();
    let state = tx.source_states().find("hr").await.unwrap().unwrap();
    assert_eq!((state.version, state.scope_digest.as_str(), state.users_seen), (2, "s", 5));
});

both!(
    /// LDAP-033
    a_lease_has_one_holder,
    |kind| async move {
        let folder = tempfile::tempdir().unwrap();
        let db = database(kind, folder.path()).await;
        let mut tx = db.write().await.unwrap();
        let (now, until) = (at(), at() + Duration::seconds(10));
        assert!(tx.leases().acquire("sync:hr", "a", now, until).await.unwrap());
        assert!(!tx.leases().acquire("sync:hr", "b", now, until).await.unwrap());
        assert!(tx.leases().acquire("sync:hr", "a", now, until).await.unwrap());
        assert!(tx.leases().acquire("sync:hr", "b", until, until + Duration::seconds(1)).await.unwrap());
        tx.leases().release("sync:hr", "a").await.unwrap();
        assert!(!tx.leases().acquire("sync:hr", "a", until, until).await.unwrap());
        tx.leases().release("sync:hr", "b").await.unwrap();
        assert!(tx.leases().acquire("sync:hr", "a", now, until).await.unwrap());
        assert_eq!(tx.leases().last_due("nightly").await.unwrap(), None);
        assert!(tx.leases().take_due("nightly", now).await.unwrap());
        assert!(!tx.leases().take_due("nightly", now).await.unwrap());
        assert!(tx.leases().take_due("nightly", until).await.unwrap());
        assert_eq!(tx.leases().last_due("nightly").await.unwrap(), Some(until));
    }
);
