//! Plan and apply: what comes in, what a second run does, what a bad entry does.

use yaopai::model::{ChangeKind, PlanState, RunState, Status};
use yaopai::sync::{SyncError, run};

use super::{BASE, Company, Entry, FINANCE, MAPPING, SALES, group, person, unit, uuid};
use crate::both;

fn company() -> Vec<Entry> {
    vec![
        unit(1, "sales", BASE),
        unit(2, "finance", BASE),
        unit(3, "north", SALES),
        person(10, "wang", SALES).with("title", "manager").with("l", "Beijing"),
        person(11, "li", &format!("ou=north,{SALES}")).with("manager", &format!("cn=p10,{SALES}")).with("l", "B"),
        person(12, "zhao", FINANCE).with("manager", &format!("cn=p13,{FINANCE}")).with("employeeType", "Left"),
        person(13, "chen", FINANCE).with("title", "clerk"),
        group(20, "inner", &[&format!("cn=p11,ou=north,{SALES}"), &format!("CN=P13, {FINANCE}"), "cn=nobody"]),
        group(21, "outer", &[&format!("cn=inner,ou=groups,{BASE}"), &format!("cn=outer,ou=groups,{BASE}")]),
    ]
}

both!(
    /// LDAP-034, LDAP-035, LDAP-072, LDAP-075
    a_company_comes_in_and_a_second_run_plans_nothing,
    |kind| async move {
        let company = Company::new(kind).await;
        let report = company.applied(&self::company()).await;
        assert_eq!((report.users.created, report.users.locked_out, report.departments.created), (4, 1, 3));
        assert_eq!((report.positions.created, report.groups.created), (2, 2));
        assert_eq!((report.members.added, report.members.skipped), (3, 1));
        assert_eq!(report.roles["employee"].granted, 3);
        assert_eq!(report.findings["unknown_member"], 1);
        let li = company.user("li").await;
        assert_eq!(li.manager_id, Some(company.user("wang").await.id));
        assert_eq!((li.display_name.as_str(), li.attributes.0["city"][0].as_str()), ("Person 11", "B"));
        assert_eq!(company.department("li").await.as_deref(), Some("north"));
        assert_eq!(company.groups("li").await, ["inner", "outer"]);
        assert_eq!(company.roles("li").await, ["employee"]);
        let zhao = company.user("zhao").await;
        assert_eq!((zhao.status, zhao.status_reason.as_deref()), (Status::Disabled, Some("source_disabled")));
        assert_eq!(zhao.manager_id, Some(company.user("chen").await.id));
        assert_eq!(company.roles("zhao").await, [""; 0]);
        // Members and values in another order, other spellings of a DN: the same company.
        let before = company.broker.db.read().await.unwrap().links().list_by_source("hr").await.unwrap();
        let mut again = self::company();
        again.reverse();
        let report = company.sync(&again).await;
        assert_eq!((report.state, report.changes, report.users.unchanged), (RunState::Unchanged, 0, 4));
        assert_eq!(report.plan_id, None);
        let after = company.broker.db.read().await.unwrap().links().list_by_source("hr").await.unwrap();
        assert_eq!(before.len(), after.len());
        assert_eq!(company.user("li").await, li);
    }
);

both!(
    /// LDAP-027, LDAP-028
    a_dry_run_touches_nothing_and_is_applied_as_shown,
    |kind| async move {
        let company = Company::new(kind).await;
        let before = company.dump().await;
        let planned = company.plan(&self::company()).await;
        assert_eq!(planned.state, RunState::Planned);
        assert_eq!(company.dump().await, before);
        let plan = planned.plan_id.unwrap();
        let shown = company.broker.db.read().await.unwrap().plans().changes(plan).await.unwrap();
        let applied = company.apply(plan).await.unwrap();
        assert_eq!((applied.users, applied.changes), (planned.users, planned.changes));
        let logged = company.broker.db.read().await.unwrap().change_log().list_after(0, 1_000).await.unwrap();
        let logged: Vec<_> = logged.into_iter().map(|row| (row.kind, row.object_id, row.after)).collect();
        let shown: Vec<_> = shown.into_iter().map(|change| (change.kind, change.object_id, change.after)).collect();
        assert_eq!(logged, shown);
        let error = company.apply(plan).await.unwrap_err();
        assert!(matches!(error, SyncError::PlanGone { state: PlanState::Applied, .. }), "{error}");
    }
);

both!(
    /// LDAP-027
    a_plan_whose_ground_moved_is_refused,
    |kind| async move {
        let company = Company::new(kind).await;
        let first = company.plan(&self::company()).await;
        let second = company.applied(&self::company()).await;
        let error = company.apply(first.plan_id.unwrap()).await.unwrap_err();
        assert!(matches!(error, SyncError::PlanGone { state: PlanState::Superseded, .. }), "{error}");
        assert_eq!(second.users.created, 4);
        // Other role rules are another ground.
        let mut more = self::company();
        more.push(person(14, "sun", SALES));
        let planned = company.plan(&more).await;
        company.rules("");
        let error = company.apply(planned.plan_id.unwrap()).await.unwrap_err();
        assert!(matches!(error, SyncError::GroundMoved(_)), "{error}");
        // A plan that somebody changed in the database is not the one that was shown.
        let planned = company.plan(&more).await;
        let mut tx = company.broker.db.write().await.unwrap();
        let sql = "UPDATE plan_changes SET kind = 'disabled' WHERE plan_id = $1 AND seq = 1";
        tx.run(sql, &[&planned.plan_id.unwrap()]).await.unwrap();
        tx.commit().await.unwrap();
        let error = company.apply(planned.plan_id.unwrap()).await.unwrap_err();
        assert!(matches!(error, SyncError::PlanChanged(_)), "{error}");
    }
);

both!(
    /// LDAP-017, LDAP-044
    a_bad_entry_is_left_out_and_counts_as_present,
    |kind| async move {
        let company = Company::new(kind).await;
        company.applied(&self::company()).await;
        let wang = company.user("wang").await;
        let mut bad = self::company();
        bad[3].lines.retain(|line| !line.starts_with("uid:"));
        bad.push(person(15, "li", FINANCE));
        bad.push(person(16, "qian", FINANCE).with("manager", "cn=gone,dc=example,dc=com"));
        let li = company.user("li").await;
        for round in 0..2 {
            let report = company.sync(&bad).await;
            assert_eq!(report.findings["missing_login"], 1, "{round}");
            assert_eq!(report.findings["duplicate_login"], 2, "{:#?}", report.finding_list);
            assert_eq!(report.users.quarantined, 3);
            assert_eq!(report.users.absent, 0);
            assert_eq!(company.user("wang").await.version, wang.version);
            assert_eq!(company.user("li").await, li);
            assert_eq!(report.state, [RunState::Applied, RunState::Unchanged][round]);
            let telling = yaopai::sync::Telling {
                language: yaopai::text::Language::Zh,
                paint: yaopai::sync::Paint::Plain,
                zone: chrono_tz::Asia::Shanghai,
            };
            let zh = yaopai::sync::report_text(&report, None, telling);
            assert!(zh.contains("登录名重复 2  duplicate_login") && zh.contains("请在数据源中"), "{zh}");
        }
        assert_eq!(company.user("qian").await.manager_id, None);
        let found = company.broker.db.read().await.unwrap().findings().list_by_source("hr").await.unwrap();
        let codes: Vec<&str> = found.iter().map(|finding| finding.code.as_str()).collect();
        assert_eq!(codes, ["duplicate_login", "duplicate_login", "missing_login", "unknown_manager", "unknown_member"]);
        assert!(found.iter().any(|finding| finding.external_id == uuid(10) && finding.quarantined));
        // Arguments for every language, a sentence for machines that know none.
        assert_eq!(found[0].arguments["count"], "2");
        assert!(found[0].details.starts_with("2 entries have the login name"), "{}", found[0].details);
        // Put right, they come in.
        let report = company.applied(&self::company()).await;
        assert_eq!(report.users.quarantined, 0);
    }
);

both!(
    /// LDAP-044
    two_live_entries_with_one_employee_number_wait,
    |kind| async move {
        let company = Company::new(kind).await;
        company.applied(&self::company()).await;
        let mut twice = self::company();
        let mut other = person(30, "other", SALES);
        other.lines.retain(|line| !line.starts_with("employeeNumber"));
        twice.push(other.with("employeeNumber", "E10"));
        let report = company.sync(&twice).await;
        assert_eq!(report.findings["duplicate_employee_number"], 2);
        assert_eq!((report.users.created, report.users.quarantined), (0, 2));
        assert_eq!(company.user("wang").await.status, Status::Active);
        // Someone locked out at the source does not stand in the way of the re-hired.
        twice[3] = twice[3].clone().with("employeeType", "left");
        let report = company.applied(&twice).await;
        assert_eq!((report.users.created, report.users.locked_out), (1, 1));
    }
);

both!(
    /// LDAP-074
    managers_in_a_circle_are_kept_and_noted,
    |kind| async move {
        let company = Company::new(kind).await;
        let (a, b) = (format!("cn=p10,{BASE}"), format!("cn=p11,{BASE}"));
        let report = company
            .applied(&[
                person(10, "a", BASE).with("manager", &b),
                person(11, "b", BASE).with("manager", &a),
                person(12, "c", BASE).with("manager", &format!("cn=p12,{BASE}")),
                person(13, "d", BASE).with("manager", &a),
            ])
            .await;
        assert_eq!(report.findings["manager_cycle"], 2);
        assert_eq!(company.user("a").await.manager_id, Some(company.user("b").await.id));
        assert_eq!(company.user("c").await.manager_id, Some(company.user("c").await.id));
    }
);

both!(
    /// LDAP-031, LDAP-050
    who_is_absent_is_disabled_and_comes_back_as_before,
    |kind| async move {
        let company = Company::new(kind).await;
        let all = self::company();
        company.applied(&all).await;
        let li = company.user("li").await;
        let without: Vec<Entry> = all.iter().filter(|entry| !entry.dn.starts_with("cn=p11")).cloned().collect();
        let report = company.applied(&without).await;
        assert_eq!((report.users.absent, report.users.read, report.users.unchanged), (1, 3, 3));
        assert_eq!(report.absent_by_department["north"], 1);
        let gone = company.user("li").await;
        assert_eq!((gone.id, gone.status, gone.status_reason.as_deref()), (li.id, Status::Disabled, Some("absent")));
        assert!(gone.disabled_at.is_some() && gone.version > li.version);
        assert_eq!(company.roles("li").await, ["employee"]);
        assert_eq!(company.groups("li").await, ["inner", "outer"]);
        let again = company.sync(&without).await;
        assert_eq!((again.state, again.users.absent), (RunState::Unchanged, 0));
        let report = company.applied(&all).await;
        assert_eq!((report.users.enabled, report.users.changed, report.users.created), (1, 1, 0));
        let back = company.user("li").await;
        assert_eq!((back.id, back.status, back.status_reason, back.disabled_at), (li.id, Status::Active, None, None));
        let kinds: Vec<ChangeKind> = company
            .broker
            .db
            .read()
            .await
            .unwrap()
            .change_log()
            .list_by_object(li.id.0, 10)
            .await
            .unwrap()
            .iter()
            .map(|row| row.kind)
            .collect();
        assert_eq!(
            kinds,
            [ChangeKind::Enabled, ChangeKind::Disabled, ChangeKind::RoleGranted, ChangeKind::Created]
        );
    }
);

both!(departments_positions_and_groups_go_out_of_use_and_return, |kind| async move {
    let company = Company::new(kind).await;
    let all = self::company();
    company.applied(&all).await;
    let mut less: Vec<Entry> = all
        .iter()
        .filter(|entry| !entry.dn.starts_with("ou=north") && !entry.dn.starts_with("cn=inner"))
        .cloned()
        .collect();
    for entry in &mut less {
        entry.lines.retain(|line| line != "title: clerk");
    }
    let report = company.applied(&less).await;
    assert_eq!((report.departments.absent, report.positions.absent, report.groups.absent), (1, 1, 1));
    assert_eq!(company.department("li").await.as_deref(), Some("sales"));
    assert_eq!(company.groups("li").await, [""; 0]);
    let report = company.applied(&all).await;
    assert_eq!((report.departments.enabled, report.positions.enabled, report.groups.enabled), (1, 1, 1));
    assert_eq!(company.groups("li").await, ["inner", "outer"]);
    assert_eq!(company.sync(&all).await.state, RunState::Unchanged);
});

both!(departments_come_from_a_path_too, |kind| async move {
    let mapping = MAPPING.replace("from = \"ou\"", "from = \"attribute\"\nattribute = \"departmentNumber\"");
    let company = Company::with(kind, &mapping, "").await;
    let report = company
        .applied(&[
            person(1, "a", BASE).with("departmentNumber", "Group/East/Sales"),
            person(2, "b", BASE).with("departmentNumber", "Group / West"),
        ])
        .await;
    assert_eq!(report.departments.created, 4);
    assert_eq!(company.department("a").await.as_deref(), Some("Group/East/Sales"));
    let id = company.user("a").await.department_id.unwrap();
    let above = company.broker.db.read().await.unwrap().departments().codes_above(id).await.unwrap();
    assert_eq!(above, ["Group/East/Sales", "Group/East", "Group"]);
});

both!(
    /// LDAP-009, LDAP-012
    a_read_that_fails_disables_nobody,
    |kind| async move {
        let company = Company::new(kind).await;
        company.applied(&self::company()).await;
        let before = company.dump().await;
        std::fs::remove_file(company.folder.path().join("company.ldif")).unwrap();
        company.broker.clock.advance(chrono::Duration::hours(1));
        let error = company.run().await.unwrap_err();
        assert!(matches!(error, SyncError::Source(_)), "{error}");
        assert_eq!(company.dump().await, before);
        let runs = company.broker.db.read().await.unwrap().runs().list_by_source("hr", 1).await.unwrap();
        assert_eq!(runs[0].state, RunState::Failed);
        assert_eq!(runs[0].report.0["error"], error.to_string());
    }
);

both!(
    /// LDAP-033
    one_run_at_a_time,
    |kind| async move {
        let company = Company::new(kind).await;
        company.write(&self::company());
        let db = company.broker.db.clone();
        let lease = yaopai::jobs::Lease::take(&db, &company.broker.clock, &company.broker.rng, "sync:hr").await.unwrap();
        let error = company.run().await.unwrap_err();
        assert!(matches!(error, SyncError::Busy(_)), "{error}");
        lease.unwrap().release().await.unwrap();
        assert_eq!(company.run().await.unwrap().users.created, 4);
        let error = run(&company.broker, "nobody", "cli", &mut |_| {}).await.unwrap_err().to_string();
        assert_eq!(error, "there is no source `nobody`; configured are: `hr`");
    }
);
