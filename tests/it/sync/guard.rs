//! The guard: held plans, approval, protected logins.

use chrono::Duration;
use yaopai::model::{PlanState, RunState, Status};
use yaopai::sync::SyncError;

use super::{BASE, Company, Entry, MAPPING, person, unit};
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
