//! The guard: held plans, approval, protected logins.

use chrono::Duration;
use yaopai::model::{PlanState, RunState, Status};
use yaopai::sync::{Approval, SyncError, apply, reject, verdict_text};
use yaopai::text::Language;

use super::{BASE, Company, Entry, MAPPING, group, person, unit};
use crate::both;

fn people(count: u32) -> Vec<Entry> {
    (1..=count).map(|id| person(id, &format!("u{id}"), BASE)).collect()
}

both!(
    /// LDAP-019, LDAP-020, LDAP-029, LDAP-030
    a_plan_over_the_limits_is_held_until_it_is_approved,
    |kind| async move {
        let company = Company::with(kind, MAPPING, "floor = 2").await;
        company.applied(&people(10)).await;
        // Two of ten is at the floor.
        company.applied(&people(8)).await;
        let before = company.dump().await;
        let held = company.sync(&people(5)).await;
        assert_eq!(held.state, RunState::Held);
        assert_eq!((held.held[0].code.as_str(), held.held[0].actual, held.held[0].limit), ("disabled_percent", 3, 2));
        assert_eq!(company.dump().await, before);
        let plan = held.plan_id.unwrap();
        let error = company.apply(plan).await.unwrap_err();
        assert!(matches!(error, SyncError::NeedsApproval(_)), "{error}");
        assert_eq!(company.dump().await, before);
        let applied = company.approve(&held).await;
        assert_eq!((applied.state, applied.approved_by.as_deref()), (RunState::Applied, Some("user:boss")));
        assert_eq!(company.user("u6").await.status, Status::Disabled);
        let sql = "SELECT actor FROM audit_log WHERE action = 'plan_decision'";
        let decided: Vec<(String,)> = company.broker.db.read().await.unwrap().all(sql, &[]).await.unwrap();
        assert_eq!(decided, [("user:boss".to_owned(),)]);
    }
);

both!(
    /// LDAP-029
    an_approval_expires,
    |kind| async move {
        let company = Company::with(kind, MAPPING, "floor = 2\napproval_expires = \"2h\"").await;
        company.applied(&people(10)).await;
        let held = company.sync(&people(5)).await;
        company.broker.clock.advance(Duration::hours(2));
        let approval = yaopai::sync::Approval { by: "cli", is_given: true };
        let error = yaopai::sync::apply(&company.broker, held.plan_id.unwrap(), approval).await.unwrap_err();
        assert!(matches!(error, SyncError::PlanExpired(_)), "{error}");
        assert_eq!(company.user("u6").await.status, Status::Active);
    }
);

both!(
    /// LDAP-010
    an_empty_answer_is_held,
    |kind| async move {
        let company = Company::new(kind).await;
        company.applied(&people(3)).await;
        let held = company.sync(&[unit(1, "sales", BASE)]).await;
        assert_eq!(held.state, RunState::Held);
        assert_eq!(held.held[0].code, "empty_snapshot");
        assert_eq!(company.user("u1").await.status, Status::Active);
    }
);

both!(
    /// LDAP-021
    a_day_of_small_runs_is_held_in_the_end,
    |kind| async move {
        let company = Company::with(kind, MAPPING, "floor = 2\nmax_disabled_per_day = 3").await;
        company.applied(&people(10)).await;
        company.applied(&people(8)).await;
        let held = company.sync(&people(6)).await;
        assert_eq!(held.held[0].code, "disabled_per_day");
        company.broker.clock.advance(Duration::hours(25));
        company.applied(&people(6)).await;
    }
);

both!(
    /// LDAP-026
    another_scope_is_held_first,
    |kind| async move {
        let mut company = Company::new(kind).await;
        company.applied(&people(3)).await;
        company.remap(&MAPPING.replace("mail = \"mail\"", "mail = \"{mail|uid}\""), "");
        let held = company.sync(&people(3)).await;
        assert_eq!((held.state, held.held[0].code.as_str()), (RunState::Held, "scope_changed"));
        company.approve(&held).await;
        assert_eq!(company.user("u1").await.mail.as_deref(), Some("u1"));
        assert_eq!(company.sync(&people(3)).await.state, RunState::Unchanged);
    }
);

both!(
    /// LDAP-025
    a_protected_login_is_never_locked_out,
    |kind| async move {
        let company = Company::with(kind, MAPPING, "protected = [\"U1\"]").await;
        company.applied(&people(3)).await;
        let report = company.applied(&[people(3)[2].clone()]).await;
        assert_eq!((report.users.absent, report.findings["protected_login"]), (1, 1));
        assert_eq!(company.user("u1").await.status, Status::Active);
        assert_eq!(company.user("u2").await.status, Status::Disabled);
        let locked = people(1)[0].clone().with("employeeType", "left");
        let report = company.sync(&[locked, people(3)[2].clone()]).await;
        assert_eq!(report.findings["protected_login"], 1);
        company.rules("");
        let report = company.sync(&[people(3)[0].clone(), people(3)[2].clone()]).await;
        assert_eq!(report.findings["protected_role"], 1);
        assert_eq!(company.roles("u1").await, ["employee"]);
        assert_eq!(company.roles("u3").await, [""; 0]);
    }
);

both!(a_newer_plan_takes_the_place_of_an_older, |kind| async move {
    let company = Company::with(kind, MAPPING, "floor = 2").await;
    company.applied(&people(10)).await;
    let held = company.sync(&people(5)).await;
    company.applied(&people(9)).await;
    let mut tx = company.broker.db.read().await.unwrap();
    let plan = tx.plans().find(held.plan_id.unwrap()).await.unwrap().unwrap();
    assert_eq!(plan.state, PlanState::Superseded);
});

both!(
    /// LDAP-019
    the_reason_names_number_limit_and_key,
    |kind| async move {
        let company = Company::with(kind, MAPPING, "floor = 2").await;
        company.applied(&people(10)).await;
        let held = company.sync(&people(5)).await;
        let text = |language| verdict_text(&held.held, language, yaopai::sync::Paint::Plain);
        let en = text(Language::En);
        assert!(en.contains("5 people would be locked out, 2 are allowed"), "{en}");
        assert!(en.contains("(source.guard: max_disabled_percent = 5, floor = 2)"), "{en}");
        let zh = text(Language::Zh);
        assert!(zh.contains("将停用 5 人") && zh.contains("max_disabled_percent = 5"), "{zh}");
    }
);

both!(
    /// LDAP-021
    what_somebody_approved_does_not_count_for_the_window,
    |kind| async move {
        let company = Company::with(kind, MAPPING, "floor = 2\nmax_disabled_per_day = 3").await;
        company.applied(&people(20)).await;
        let held = company.sync(&people(10)).await;
        company.approve(&held).await;
        company.applied(&people(8)).await;
        let held = company.sync(&people(6)).await;
        assert_eq!((held.held[0].code.as_str(), held.held[0].actual), ("disabled_per_day", 4));
    }
);

both!(
    /// LDAP-023, LDAP-064
    a_storm_over_one_attribute_is_held_and_touches_nothing,
    |kind| async move {
        let company = Company::with(kind, MAPPING, "floor = 2").await;
        let with_mail = |domain: Option<&str>| -> Vec<Entry> {
            let mail = |entry: Entry, id: usize| match domain {
                Some(domain) => entry.with("mail", &format!("u{id}@{domain}")),
                None => entry,
            };
            people(10).into_iter().enumerate().map(|(id, entry)| mail(entry, id)).collect()
        };
        company.applied(&with_mail(Some("old.example"))).await;
        let before = company.dump().await;
        let held = company.sync(&with_mail(Some("new.example"))).await;
        let reasons: Vec<_> = held.held.iter().map(|reason| (reason.code.as_str(), reason.actual, reason.limit)).collect();
        assert_eq!(reasons, [("attribute_changed_percent", 10, 3)]);
        assert_eq!(held.held[0].about, "mail");
        let held = company.sync(&with_mail(None)).await;
        assert_eq!(held.held[1].code, "attribute_emptied_percent");
        assert_eq!(company.dump().await, before);
    }
);

both!(
    /// LDAP-025
    protected_groups_and_roles_are_held,
    |kind| async move {
        let guard = "protected_groups = [\"admins\"]\nprotected_roles = [\"root\"]";
        let company = Company::with(kind, MAPPING, guard).await;
        let first = format!("cn=p1,{BASE}");
        let second = format!("cn=p2,{BASE}");
        let with_admins = |members: &[&str]| {
            let mut all = people(3);
            all.push(group(9, "admins", members));
            all
        };
        company.applied(&with_admins(&[&first])).await;
        let held = company.sync(&with_admins(&[&first, &second])).await;
        assert_eq!((held.held[0].code.as_str(), held.held[0].about.as_str()), ("protected_group", "admins"));
        assert_eq!(company.groups("u2").await, [""; 0]);
        company.rules("[[rule]]\nid = \"r\"\nrole = \"root\"\ndescription = \"x\"\neveryone = true\n");
        let held = company.sync(&with_admins(&[&first])).await;
        assert!(held.held.iter().any(|reason| reason.code == "protected_role"), "{:?}", held.held);
    }
);

both!(
    /// LDAP-024
    the_first_run_can_wait_for_somebody,
    |kind| async move {
        let company = Company::with(kind, MAPPING, "first_run = \"hold\"\nmax_people = 4").await;
        let held = company.sync(&people(5)).await;
        let codes: Vec<&str> = held.held.iter().map(|reason| reason.code.as_str()).collect();
        assert_eq!(codes, ["first_run", "people"]);
        company.approve(&held).await;
        assert_eq!(company.user("u5").await.status, Status::Active);
        let again = people(5)[..4].to_vec();
        company.applied(&again).await;
    }
);

both!(
    /// LDAP-029
    a_plan_is_rejected_with_a_reason,
    |kind| async move {
        let company = Company::with(kind, MAPPING, "floor = 2").await;
        company.applied(&people(10)).await;
        let held = company.sync(&people(5)).await;
        let plan = held.plan_id.unwrap();
        let none = reject(&company.broker, plan, "user:boss", "  ").await.unwrap_err();
        assert!(matches!(none, SyncError::NoReason), "{none}");
        let rejected = reject(&company.broker, plan, "user:boss", "the export was cut off").await.unwrap();
        assert_eq!(rejected.state, PlanState::Rejected);
        let error = apply(&company.broker, plan, Approval { by: "user:other", is_given: true }).await.unwrap_err();
        assert!(matches!(error, SyncError::PlanGone { state: PlanState::Rejected, .. }), "{error}");
        let again = reject(&company.broker, plan, "user:boss", "once more").await.unwrap_err();
        assert!(matches!(again, SyncError::PlanGone { .. }), "{again}");
        let mut tx = company.broker.db.read().await.unwrap();
        let stored = tx.plans().find(plan).await.unwrap().unwrap();
        assert_eq!(stored.reason.as_deref(), Some("the export was cut off"));
        assert!(!tx.plans().changes(plan).await.unwrap().is_empty(), "it can still be looked at");
        let sql = "SELECT actor, outcome FROM audit_log WHERE action = 'plan_decision'";
        let decided: Vec<(String, String)> = tx.all(sql, &[]).await.unwrap();
        assert_eq!(decided, [("user:boss".to_owned(), "denied".to_owned())]);
        drop(tx);
        assert_eq!(company.user("u6").await.status, Status::Active);
        assert_eq!(company.sync(&people(5)).await.state, RunState::Held);
    }
);

both!(
    /// LDAP-029
    two_people_have_to_agree_where_that_is_configured,
    |kind| async move {
        let company = Company::with(kind, MAPPING, "floor = 2\nsecond_person = true").await;
        company.applied(&people(10)).await;
        company.write(&people(5));
        let held = yaopai::sync::run(&company.broker, "hr", "schedule", &mut |_| {}).await.unwrap();
        let plan = held.plan_id.unwrap();
        let before = company.dump().await;
        let approve = |by: &'static str| apply(&company.broker, plan, Approval { by, is_given: true });
        let first = approve("user:one").await.unwrap();
        assert_eq!((first.state, first.first_approved_by.as_deref()), (RunState::Held, Some("user:one")));
        let again = approve("user:one").await.unwrap_err();
        assert!(matches!(&again, SyncError::SecondPerson { first, .. } if first == "user:one"), "{again}");
        assert_eq!(company.user("u6").await.status, Status::Active);
        let both = approve("user:two").await.unwrap();
        assert_eq!(both.state, RunState::Applied);
        assert_eq!((both.first_approved_by.as_deref(), both.approved_by.as_deref()), (Some("user:one"), Some("user:two")));
        assert_ne!(company.dump().await, before);
        // Who starts a run by hand agrees with it.
        let held = company.sync(&people(1)).await;
        let own = apply(&company.broker, held.plan_id.unwrap(), Approval { by: "cli", is_given: true }).await.unwrap_err();
        assert!(matches!(own, SyncError::SecondPerson { .. }), "{own}");
        company.approve(&held).await;
    }
);
