//! Undo: the last plan taken back.

use yaopai::model::{RunState, Status};
use yaopai::sync::{SyncError, undo, undo_run};

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
    let SyncError::UndoConflicts(conflicts) = &error else { panic!("{error}") };
    assert_eq!(conflicts.iter().map(|conflict| conflict.object_id).collect::<Vec<_>>(), [li.id.0]);
    assert!(error.to_string().contains("li Person") && error.to_string().contains("by no run"), "{error}");
    assert_eq!(company.user("li").await, li);
});

/// The company with one more person, `id` called `uid`, for each of `more`.
fn grown(more: &[(u32, &str)]) -> Vec<Entry> {
    let mut all = company();
    all.extend(more.iter().map(|(id, uid)| person(*id, uid, SALES)));
    all
}

both!(any_run_is_taken_back_while_nothing_later_touched_the_same, |kind| async move {
    let company = Company::new(kind).await;
    company.applied(&self::company()).await;
    let first = company.applied(&grown(&[(12, "sun")])).await;
    let second = company.applied(&grown(&[(12, "sun"), (13, "qian")])).await;
    // Not the last run: what came later touched others.
    let report = undo_run(&company.broker, "hr", first.run_id, false, "cli").await.unwrap();
    assert_eq!((report.state, report.is_partial), (RunState::Applied, false));
    assert_eq!(company.user("sun").await.status_reason.as_deref(), Some("undone"));
    assert_eq!(company.user("qian").await.status, Status::Active);
    let again = undo_run(&company.broker, "hr", first.run_id, false, "cli").await.unwrap_err();
    assert!(again.to_string().contains("it was taken back already"), "{again}");
    let undo_of_undo = undo_run(&company.broker, "hr", report.run_id, false, "cli").await.unwrap_err();
    assert!(undo_of_undo.to_string().contains("an undo itself"), "{undo_of_undo}");
    undo_run(&company.broker, "hr", second.run_id, false, "cli").await.unwrap();
    assert_eq!(company.user("qian").await.status, Status::Disabled);
    let nothing = undo_run(&company.broker, "hr", yaopai::model::RunId(uuid::Uuid::nil()), false, "cli").await;
    assert!(matches!(nothing, Err(SyncError::NotUndoable { .. })));
});

both!(a_run_and_its_undo_are_in_nobodys_way, |kind| async move {
    let company = Company::new(kind).await;
    company.applied(&self::company()).await;
    let mail = |to: &str| {
        let mut all = self::company();
        all[2] = person(10, "wang", SALES).with("mail", to);
        all
    };
    let first = company.applied(&mail("first@example.com")).await;
    let second = company.applied(&mail("second@example.com")).await;
    let error = undo_run(&company.broker, "hr", first.run_id, false, "cli").await.unwrap_err();
    let SyncError::UndoConflicts(conflicts) = &error else { panic!("{error}") };
    assert_eq!((conflicts.len(), conflicts[0].run_id), (1, Some(second.run_id)));
    assert!(error.to_string().contains(&format!("wang Person 10 (changed by run {}", second.run_id)), "{error}");
    let zh = error.fault().words(yaopai::text::Language::Zh);
    assert!(zh.contains("拒绝撤销") && zh.contains("wang"), "{zh}");
    undo_run(&company.broker, "hr", second.run_id, false, "cli").await.unwrap();
    assert_eq!(company.user("wang").await.mail.as_deref(), Some("first@example.com"));
    undo_run(&company.broker, "hr", first.run_id, false, "cli").await.unwrap();
    assert_eq!(company.user("wang").await.mail.as_deref(), Some("w@example.com"));
});

both!(what_is_not_in_the_way_is_taken_back_on_request, |kind| async move {
    let company = Company::new(kind).await;
    company.applied(&self::company()).await;
    let both = |wang: &str, li: &str| {
        let mut all = self::company();
        all[2] = person(10, "wang", SALES).with("mail", wang);
        all[3] = person(11, "li", SALES).with("mail", li);
        all
    };
    let first = company.applied(&both("a@example.com", "b@example.com")).await;
    company.applied(&both("c@example.com", "b@example.com")).await;
    assert!(undo_run(&company.broker, "hr", first.run_id, false, "cli").await.is_err());
    let report = undo_run(&company.broker, "hr", first.run_id, true, "cli").await.unwrap();
    assert!(report.is_partial);
    assert_eq!(company.user("wang").await.mail.as_deref(), Some("c@example.com"));
    assert_eq!(company.user("li").await.mail, None);
    // Everything of it is touched by now: nothing is left that could be taken back.
    let error = undo_run(&company.broker, "hr", first.run_id, true, "cli").await.unwrap_err();
    assert!(matches!(error, SyncError::UndoConflicts(_)), "{error}");
});

both!(an_undo_leaves_nobody_in_a_department_that_goes, |kind| async move {
    let company = Company::new(kind).await;
    company.applied(&self::company()).await;
    let north = format!("ou=north,{SALES}");
    let mut more = self::company();
    more.push(unit(3, "north", SALES));
    let made = company.applied(&more).await;
    more.push(person(12, "sun", &north));
    company.applied(&more).await;
    let before = company.dump().await;
    let error = undo_run(&company.broker, "hr", made.run_id, true, "cli").await.unwrap_err();
    assert!(matches!(error, SyncError::UndoUnclean(_)) && error.to_string().contains("sun"), "{error}");
    assert_eq!(company.dump().await, before);
});
