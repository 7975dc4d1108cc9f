//! Who is absent is looked at twice, locked out first, deleted later, and comes back as the same person.

use chrono::Duration;
use yaopai::model::{RunState, Status};
use yaopai::source;
use yaopai::sync;

use super::several::{Several, ldif};
use super::{BASE, Company, Entry, FINANCE, MAPPING, SALES, group, person, unit, uuid};
use crate::both;

/// Only the people below `sales` are this source's.
fn below_sales(more: &str, tables: &str) -> String {
    ldif("hr", more, tables).replace("login = \"uid\"", &format!("base_dn = \"{SALES}\"\nlogin = \"uid\""))
}

/// The entry of another id.
fn known_by(mut entry: Entry, id: u32) -> Entry {
    entry.lines.retain(|line| !line.starts_with("entryUUID"));
    entry.with("entryUUID", &uuid(id))
}

both!(
    /// LDAP-016, LDAP-048, LDAP-050
    whoever_moves_out_of_scope_is_not_gone,
    |kind| async move {
        let mut several = Several::new(kind, &below_sales("", "")).await;
        let people = |place| [person(1, "wang", place), person(2, "li", SALES)];
        several.applied("hr", &people(SALES)).await;
        let wang = several.user("wang").await;
        let report = several.applied("hr", &people(FINANCE)).await;
        assert_eq!((report.users.absent, report.moved_out, report.findings["moved_out_of_scope"]), (1, 1, 1), "{report:#?}");
        let out = several.user("wang").await;
        assert_eq!((out.status, out.status_reason.as_deref()), (Status::Disabled, Some("out_of_scope")));
        several.applied("hr", &people(SALES)).await;
        let back = several.user("wang").await;
        assert_eq!((back.id, back.status, several.roles("wang").await), (wang.id, Status::Active, vec!["employee".to_owned()]));

        // They stay, and are looked for again on every run.
        several.configure(&below_sales("out_of_scope = \"keep\"", ""));
        several.write("hr", &people(FINANCE));
        for _ in 0..2 {
            let report = several.run("hr").await;
            assert_eq!((report.users.absent, report.findings["moved_out_of_scope"]), (0, 1), "{report:#?}");
            assert_eq!(several.user("wang").await.status, Status::Active);
        }
        several.configure(&below_sales("out_of_scope = \"hold\"", ""));
        let report = several.run("hr").await;
        assert_eq!((report.state, report.held[0].code.as_str()), (RunState::Held, "moved_out"), "{report:#?}");
        several.configure(&below_sales("out_of_scope = \"keep\"", ""));
        several.write("hr", &people(FINANCE)[1..]);
        let report = several.run("hr").await;
        assert_eq!((report.users.absent, report.moved_out), (1, 0), "{report:#?}");
        assert_eq!(several.user("wang").await.status_reason.as_deref(), Some("absent"));
    }
);

both!(
    /// LDAP-015, LDAP-016
    when_the_second_look_fails_nobody_is_gone,
    |kind| async move {
        let company = Company::new(kind).await;
        company.applied(&[unit(1, "sales", BASE), person(1, "wang", SALES), person(2, "li", SALES)]).await;
        company.write(&[unit(1, "sales", BASE), person(2, "li", SALES)]);
        let config = company.broker.config.source("hr").unwrap();
        let snapshot = source::read(config, &company.broker.config.folder, &mut |_| {}).await.unwrap();
        // Between the read and the second look the file goes.
        std::fs::rename(company.folder.path().join("company.ldif"), company.folder.path().join("away")).unwrap();
        let report = sync::take_snapshot(&company.broker, &snapshot, "cli", true).await.unwrap();
        assert_eq!((report.state, report.users.absent, report.findings["absence_unconfirmed"]), (RunState::Unchanged, 0, 1), "{report:#?}");
        assert_eq!(company.user("wang").await.status, Status::Active);
        // There again when looked at twice: present.
        company.write(&[unit(1, "sales", BASE), person(1, "wang", SALES), person(2, "li", SALES)]);
        let report = sync::take_snapshot(&company.broker, &snapshot, "cli", true).await.unwrap();
        assert_eq!((report.users.absent, report.findings["seen_again"]), (0, 1), "{report:#?}");
        // What was not confirmed is not forgotten, though the same is read again.
        company.write(&[unit(1, "sales", BASE), person(2, "li", SALES)]);
        let report = company.run().await.unwrap();
        assert_eq!((report.state, report.users.absent), (RunState::Applied, 1), "{report:#?}");
    }
);

both!(
    /// LDAP-043: the same person comes back under a new entry.
    a_rehire_is_the_same_person,
    |kind| async move {
        let several = Several::new(kind, &ldif("hr", "", "")).await;
        several.rules(
            "[[rule]]\nid = \"g\"\nrole = \"auditor\"\ndescription = \"x\"\ngroup = \"auditors\"\n\
             [[rule]]\nid = \"all\"\nrole = \"employee\"\ndescription = \"x\"\neveryone = true\n",
        );
        let others = [person(2, "li", BASE), person(3, "zhao", BASE)];
        let with = |entries: &[Entry]| others.iter().chain(entries).cloned().collect::<Vec<_>>();
        let auditors = group(20, "auditors", &[&format!("cn=p1,{BASE}"), &format!("cn=p2,{BASE}")]);
        several.applied("hr", &with(&[person(1, "wang", BASE), auditors])).await;
        let wang = several.user("wang").await;
        assert_eq!(several.roles("wang").await, ["auditor", "employee"]);
        let left = group(20, "auditors", &[&format!("cn=p2,{BASE}")]);
        several.applied("hr", &with(std::slice::from_ref(&left))).await;
        assert_eq!(several.user("wang").await.status, Status::Disabled);
        // A namesake with another number is somebody else.
        let namesake = known_by(person(7, "wang", BASE).with("mail", "w@example.com"), 70);
        several.applied("hr", &with(&[left.clone(), namesake])).await;
        assert_ne!(several.user("wang").await.id, wang.id);
        several.applied("hr", &with(std::slice::from_ref(&left))).await;
        // A new entry with the old number is the same person; old privileges do not come back by themselves.
        let again = known_by(person(1, "wang.fang", BASE), 71);
        let report = several.applied("hr", &with(&[left.clone(), again.clone()])).await;
        assert_eq!((report.users.created, report.users.enabled, report.rehired), (0, 1, 1), "{report:#?}");
        let back = several.user("wang.fang").await;
        assert_eq!((back.id, back.status), (wang.id, Status::Active));
        assert_eq!(several.roles("wang.fang").await, ["employee"]);
        several.rests(&["hr"]).await;
        let mut tx = several.broker.db.read().await.unwrap();
        let former: Vec<(String,)> = tx.all("SELECT CAST(details AS TEXT) FROM audit_log", &[]).await.unwrap();
        assert!(former.iter().any(|row| row.0.contains("former_entry") && row.0.contains(&uuid(1))));
        drop(tx);
        // Both at once: nobody knows which, and whoever is linked stays as they are.
        let twice = with(&[left.clone(), again.clone(), known_by(person(1, "wf", BASE), 72)]);
        let report = { several.write("hr", &twice); several.run("hr").await };
        assert_eq!(report.findings["duplicate_employee_number"], 2);
        // The old one locked out, and still there: a conflict.
        let locked = [left.clone(), again.with("employeeType", "left"), known_by(person(1, "wf", BASE), 72)];
        several.write("hr", &with(&locked));
        let report = several.run("hr").await;
        assert_eq!(report.users.created + report.rehired, 0, "{report:#?}");
        assert_eq!(several.user("wang.fang").await.id, wang.id);
    }
);

both!(
    /// LDAP-031
    deleted_after_the_grace_period_and_hired_again,
    |kind| async move {
        let grace = |max: i64, how: &str| {
            ldif("hr", "", &format!("[source.grace]\ndelete_after = \"90d\"\nmax_deleted = {max}\nrehire = \"{how}\"\n"))
        };
        let mut several = Several::new(kind, &grace(1, "restore")).await;
        let rest = [person(9, "zhao", BASE), person(8, "qian", BASE)];
        let all: Vec<Entry> = rest.iter().cloned().chain([person(1, "wang", BASE).with("mail", "w@example.com"), person(2, "li", BASE)]).collect();
        several.applied("hr", &all).await;
        let (wang, li) = (several.user("wang").await, several.user("li").await);
        several.applied("hr", &rest).await;
        let deleted = sync::delete_due(&several.broker, "hr", "cli", false).await.unwrap();
        assert_eq!((deleted.state, deleted.deleted), (RunState::Unchanged, 0));
        // Within the grace period an operator lets somebody in again, whole; the next run leaves them in.
        sync::restore(&several.broker, li.id, "user:boss").await.unwrap();
        assert_eq!(several.roles("li").await, ["employee"]);
        several.run("hr").await;
        assert_eq!(several.user("li").await.status, Status::Active);
        let refused = sync::restore(&several.broker, li.id, "user:boss").await.unwrap_err().to_string();
        assert!(refused.contains("`li` cannot be restored: the account is active"), "{refused}");
        // Past it: more than the limit wait for approval.
        several.applied("hr", &rest[..1]).await;
        several.broker.clock.advance(Duration::days(91));
        let held = sync::delete_due(&several.broker, "hr", "cli", false).await.unwrap();
        assert_eq!((held.state, held.held[0].actual, held.deleted), (RunState::Held, 2, 0), "{held:#?}");
        let report = sync::delete_due(&several.broker, "hr", "cli", true).await.unwrap();
        assert_eq!(report.deleted, 2);
        let mut tx = several.broker.db.read().await.unwrap();
        let gone = tx.users().find(wang.id).await.unwrap().unwrap();
        drop(tx);
        assert_eq!((gone.status, gone.employee_number.as_deref()), (Status::Deleted, Some("E1")));
        assert_eq!((gone.login.as_str(), gone.display_name.as_str(), gone.mail), ("", "", None));
        assert!(sync::restore(&several.broker, wang.id, "cli").await.unwrap_err().to_string().contains("grace period"));
        // Hired again: the same person, with what the source says now. First under a new entry, then under the old one.
        several.configure(&grace(1, "hold"));
        let back = known_by(person(1, "wang.fang", BASE), 77);
        several.write("hr", &[rest[0].clone(), back, rest[1].clone()]);
        let report = several.run("hr").await;
        assert_eq!((report.state, report.held[0].code.as_str()), (RunState::Held, "rehired"), "{report:#?}");
        several.approve(&report).await;
        let back = several.user("wang.fang").await;
        assert_eq!((back.id, back.status, back.display_name.as_str()), (wang.id, Status::Active, "Person 1"));
        assert_eq!(several.roles("wang.fang").await, ["employee"]);
        assert_eq!(several.user("qian").await.status, Status::Active);
        several.rests(&["hr"]).await;
    }
);

both!(
    /// An owner that is no longer configured: its accounts stay, and may be handed over.
    an_owner_that_went_is_explained_and_followed,
    |kind| async move {
        let join = ldif("new", "", "[source.join]\n");
        let mut several = Several::new(kind, &format!("{}{join}", ldif("old", "", ""))).await;
        several.applied("old", &[person(1, "wang", BASE).with("title", "a"), person(2, "li", BASE)]).await;
        several.configure(&format!("{join}{}", ldif("third", "", "")));
        several.write("new", &[known_by(person(1, "w", BASE).with("title", "b"), 71), person(5, "zhao", BASE)]);
        let report = several.run("new").await;
        assert_eq!((report.findings["owner_gone"], report.users.created), (1, 1), "{report:#?}");
        let wang = several.user("wang").await;
        assert_eq!((wang.source.as_str(), wang.title.as_deref(), wang.status), ("old", Some("a"), Status::Active));
        let refused = sync::run(&several.broker, "old", "cli", &mut |_| {}).await.unwrap_err().to_string();
        assert!(refused.contains("no longer configured") && refused.contains("2 active accounts"), "{refused}");
        let handed = sync::hand_over(&several.broker, "old", "new", "cli").await.unwrap();
        assert_eq!((handed.people, handed.left), (1, 1));
        several.run("new").await;
        let owned = several.user("w").await;
        assert_eq!((owned.id, owned.source.as_str(), owned.title.as_deref()), (wang.id, "new", Some("b")));
        // Now the new owner's absence counts.
        several.applied("new", &[person(5, "zhao", BASE)]).await;
        assert_eq!(several.user("w").await.status, Status::Disabled);
    }
);

both!(
    /// Two domains: whoever moves from one to the other stays the same person, where that is wanted.
    an_heir_takes_over_whom_the_owner_no_longer_has,
    |kind| async move {
        let sources = format!("{}{}", ldif("east", "", ""), ldif("west", "", "[source.join]\nadopts = true\n"));
        let several = Several::new(kind, &sources).await;
        several.applied("east", &[person(1, "wang", BASE), person(2, "li", BASE)]).await;
        let wang = several.user("wang").await;
        // Still in both: the east owns, the west adds.
        several.applied("west", &[known_by(person(1, "wang.w", BASE), 71)]).await;
        assert_eq!(several.user("wang").await.source, "east");
        several.applied("east", &[person(2, "li", BASE)]).await;
        assert_eq!(several.user("wang").await.status, Status::Disabled);
        let report = several.run("west").await;
        assert_eq!((report.state, report.users.enabled), (RunState::Applied, 1), "{report:#?}");
        let moved = several.user("wang.w").await;
        assert_eq!((moved.id, moved.source.as_str(), moved.status), (wang.id, "west", Status::Active));
        several.rests(&["east", "west"]).await;
        // Taken back, the owner is who it was.
        sync::undo(&several.broker, "west", "cli").await.unwrap();
        let undone = several.user("wang").await;
        assert_eq!((undone.id, undone.source.as_str(), undone.status), (wang.id, "east", Status::Disabled));
    }
);

both!(
    /// LDAP-066: two values of one field that the server turns around every night.
    several_values_in_another_order_are_no_change,
    |kind| async move {
        let company = Company::with(kind, MAPPING, "").await;
        let mails = |first: &str, second: &str| [person(1, "wang", BASE).with("mail", first).with("mail", second)];
        company.applied(&mails("b@example.com", "a@example.com")).await;
        assert_eq!(company.user("wang").await.mail.as_deref(), Some("a@example.com"));
        let report = company.sync(&mails("a@example.com", "b@example.com")).await;
        assert_eq!(report.state, RunState::Unchanged);
        // A third one that sorts before it: the one that is here stays while it is among them.
        let mut three = mails("0@example.com", "b@example.com");
        three[0] = three[0].clone().with("mail", "a@example.com");
        company.sync(&three).await;
        assert_eq!(company.user("wang").await.mail.as_deref(), Some("a@example.com"));
        company.sync(&mails("0@example.com", "b@example.com")).await;
        assert_eq!(company.user("wang").await.mail.as_deref(), Some("0@example.com"));
        let report = company.sync(&[person(1, "wang", BASE).with("mail", "b@example.com")]).await;
        assert_eq!((report.state, report.users.changed), (RunState::Applied, 1));
    }
);
