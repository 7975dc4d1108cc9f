//! Undo: the last plan taken back.

use yaopai::model::{RunState, Status};
use yaopai::sync::{SyncError, undo};

use super::{BASE, Company, Entry, FINANCE, SALES, group, person, unit};
use crate::both;

fn company() -> Vec<Entry> {
    vec![
        unit(1, "sales", BASE),
        unit(2, "finance", BASE),
        person(10, "wang", SALES).with("mail", "w@example.com"),
        person(11, "li", SALES),
        group(20, "staff", &[&format!("cn=p10,{SALES}"), &format!("cn=p11,{SALES}")]),
    ]
}

fn reorganised() -> Vec<Entry> {
    vec![
        unit(1, "sales", BASE),
        unit(2, "finance", BASE),
        // Names swapped, one moved, one new, one out of the group.
        person(10, "li", FINANCE),
        person(11, "wang", SALES),
        person(12, "new", SALES),
        group(20, "staff", &[&format!("cn=p11,{SALES}")]),
    ]
}

both!(the_last_plan_is_taken_back, |kind| async move {
    let company = Company::new(kind).await;
    company.applied(&self::company()).await;
    let (wang, li) = (company.user("wang").await, company.user("li").await);
    company.applied(&reorganised()).await;
    assert_eq!(company.user("li").await.id, wang.id);
    let report = undo(&company.broker, "hr", "cli").await.unwrap();
    assert_eq!((report.state, report.undoes.is_some()), (RunState::Applied, true));
    let back = company.user("wang").await;
    assert_eq!((back.id, back.mail.as_deref()), (wang.id, Some("w@example.com")));
    assert_eq!((company.user("li").await.id, company.user("li").await.department_id), (li.id, li.department_id));
    assert_eq!(company.department("wang").await.as_deref(), Some("sales"));
    assert_eq!(company.groups("wang").await, ["staff"]);
    let new = company.user("new").await;
    assert_eq!((new.status, new.status_reason.as_deref()), (Status::Disabled, Some("undone")));
    let error = undo(&company.broker, "hr", "cli").await.unwrap_err();
    assert!(matches!(error, SyncError::NothingToUndo(_)), "{error}");
    // The source has not changed its mind: the next run is held, and can be approved.
    let held = company.sync(&reorganised()).await;
    assert_eq!((held.state, held.held[0].code.as_str()), (RunState::Held, "after_undo"));
    company.approve(&held).await;
    assert_eq!(company.user("li").await.id, wang.id);
    assert_eq!((company.user("new").await.id, company.user("new").await.status), (new.id, Status::Active));
    assert_eq!(company.sync(&reorganised()).await.state, RunState::Unchanged);
});

both!(undo_is_refused_where_something_else_has_changed_the_same, |kind| async move {
    let company = Company::new(kind).await;
    company.applied(&self::company()).await;
    company.applied(&reorganised()).await;
    let li = company.user("li").await;
    let mut tx = company.broker.db.write().await.unwrap();
    let sql = "INSERT INTO change_log (at, kind, object_kind, object_id) VALUES ($1, 'changed', 'user', $2)";
    tx.run(sql, &[&company.broker.clock.now(), &li.id]).await.unwrap();
    tx.commit().await.unwrap();
    let error = undo(&company.broker, "hr", "cli").await.unwrap_err();
    assert!(matches!(&error, SyncError::UndoConflicts(which) if *which == [format!("user {}", li.id)]), "{error}");
    assert_eq!(company.user("li").await, li);
});
