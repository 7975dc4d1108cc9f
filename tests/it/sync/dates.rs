//! What begins and ends by its date: people, concurrent assignments, those who act for others.

use chrono::Duration;
use yaopai::model::{Acting, ActingId, RunState, Status};
use yaopai::sync;

use super::{BASE, Company, Entry, FINANCE, MAPPING, SALES, person, unit};
use crate::both;

const RULES: &str = r#"
[[rule]]
id = "all"
role = "employee"
description = "everybody"
everyone = true
[[rule]]
id = "finance"
role = "clerk"
description = "finance and below, whatever the assignment"
department = "finance"
assignment = "any"
scope = "own"
[[rule]]
id = "heads"
role = "approver"
description = "heads approve at home, and whoever acts for them"
head = true
scope = "headed"
deputies = true
[[rule]]
id = "bosses"
role = "manager"
description = "somebody reports to them"
manager = true
"#;

/// The mapping of the tests with all that is about the organisation.
fn mapping() -> String {
    MAPPING.replace("title = \"title\"\n", "title = \"title\"\nstarts_on = \"hired\"\nends_on = \"left\"\n").replace(
        "from = \"ou\"\n",
        "from = \"ou\"\nhead = \"manager\"\ncost_centre = \"postalCode\"\nlegal_entity = \"o\"\n",
    ) + "[source.assignments]\nattribute = \"alsoAt\"\n"
}

fn company() -> Vec<Entry> {
    vec![
        unit(1, "sales", BASE).with("manager", &format!("cn=p10,{SALES}")),
        unit(2, "finance", BASE).with("manager", "li").with("postalCode", "CC-2"),
        unit(3, "ledger", FINANCE),
        person(10, "wang", SALES).with("alsoAt", "ledger|auditor|2026-11-25|2026-11-30"),
        person(11, "li", FINANCE).with("left", "2026-11-27"),
        person(12, "chen", SALES).with("hired", "20261125").with("manager", &format!("cn=p10,{SALES}")),
    ]
}

async fn at_midnight(company: &Company, day: &str) {
    // Midnight in Shanghai is 16:00 of the day before in UTC.
    let midnight: chrono::DateTime<chrono::Utc> = format!("{day}T00:00:00+08:00").parse().unwrap();
    let now = company.broker.clock.now();
    assert!(midnight > now, "{day} is past");
    company.broker.clock.advance(midnight - now - Duration::seconds(1));
    assert_eq!(sync::keep_dates(&company.broker, "hr").await.unwrap(), None, "a second before {day}");
    company.broker.clock.advance(Duration::seconds(1));
}

async fn scoped(company: &Company, login: &str) -> Vec<String> {
    let user = company.user(login).await;
    company.broker.db.read().await.unwrap().claims().roles(user.id).await.unwrap()
}

both!(dates_come_into_effect_at_midnight_without_a_sync, |kind| async move {
    let company = Company::with(kind, &mapping(), "").await;
    company.rules(RULES);
    let report = company.applied(&self::company()).await;
    assert!(report.findings.is_empty(), "{report:#?}");
    assert_eq!(scoped(&company, "wang").await, ["approver@sales", "employee"]);
    assert_eq!(scoped(&company, "li").await, ["approver@finance", "clerk@finance", "employee"]);
    let chen = company.user("chen").await;
    assert_eq!((chen.status, chen.status_reason.as_deref()), (Status::Disabled, Some("not_started")));
    // Nothing is due before.
    assert_eq!(company.run().await.unwrap().state, RunState::Unchanged);

    at_midnight(&company, "2026-11-25").await;
    let report = sync::keep_dates(&company.broker, "hr").await.unwrap().unwrap();
    assert_eq!((report.state, report.users.changed, report.users.enabled), (RunState::Applied, 2, 1));
    assert_eq!(sync::keep_dates(&company.broker, "hr").await.unwrap(), None);
    assert_eq!(company.user("chen").await.status, Status::Active);
    assert_eq!(scoped(&company, "chen").await, ["employee"]);
    // In the ledger besides, and with somebody who reports to them.
    assert_eq!(scoped(&company, "wang").await, ["approver@sales", "clerk@ledger", "employee", "manager"]);
    let principal = {
        let wang = company.user("wang").await;
        yaopai::access::principal(&mut company.broker.db.read().await.unwrap(), &wang).await.unwrap()
    };
    let yaopai::policy::Principal::User { departments, standing, .. } = principal else { panic!() };
    assert_eq!(departments.into_iter().collect::<Vec<_>>(), ["finance", "ledger", "sales"]);
    assert_eq!(standing.posts.into_iter().collect::<Vec<_>>(), ["auditor"]);

    at_midnight(&company, "2026-11-28").await;
    let report = company.run().await.unwrap();
    assert_eq!(report.state, RunState::Unchanged, "what has come by its date is no change of the source");
    let li = company.user("li").await;
    assert_eq!((li.status, li.status_reason.as_deref()), (Status::Disabled, Some("ended")));

    at_midnight(&company, "2026-12-01").await;
    let report = sync::keep_dates(&company.broker, "hr").await.unwrap().unwrap();
    assert_eq!((report.users.changed, report.roles["clerk"].revoked), (1, 1));
    assert_eq!(scoped(&company, "wang").await, ["approver@sales", "employee", "manager"]);
    // The source says the same as ever: nothing comes back.
    assert_eq!(company.run().await.unwrap().state, RunState::Unchanged);
    assert_eq!(company.user("li").await.status, Status::Disabled);
    // A longer contract lets in again.
    let mut longer = self::company();
    longer[4] = person(11, "li", FINANCE).with("left", "2027-11-27");
    assert_eq!(company.applied(&longer).await.users.enabled, 1);
    assert_eq!(company.user("li").await.status, Status::Active);
});

both!(who_acts_for_a_head_has_what_the_head_has, |kind| async move {
    let company = Company::with(kind, &mapping(), "").await;
    company.rules(RULES);
    company.applied(&self::company()).await;
    at_midnight(&company, "2026-11-25").await;
    sync::keep_dates(&company.broker, "hr").await.unwrap().unwrap();
    let (wang, chen) = (company.user("wang").await, company.user("chen").await);
    let now = company.broker.clock.now();
    let acting = Acting {
        id: ActingId::new(&company.broker.rng, now),
        user_id: wang.id,
        deputy_id: chen.id,
        starts_on: "2026-11-26".parse().ok(),
        ends_on: "2026-11-26".parse().ok(),
        in_force: false,
        reason: Some("on leave".to_owned()),
        set_by: "cli".to_owned(),
        created_at: now,
    };
    let mut tx = company.broker.db.write().await.unwrap();
    tx.acting().insert(&[acting]).await.unwrap();
    tx.commit().await.unwrap();
    at_midnight(&company, "2026-11-26").await;
    sync::keep_dates(&company.broker, "hr").await.unwrap().unwrap();
    assert_eq!(scoped(&company, "chen").await, ["approver@sales", "employee"]);
    let chen = company.user("chen").await;
    let principal = yaopai::access::principal(&mut company.broker.db.read().await.unwrap(), &chen).await.unwrap();
    let yaopai::policy::Principal::User { standing, .. } = &principal else { panic!() };
    assert_eq!(standing.acts_for.iter().collect::<Vec<_>>(), ["wang"]);
    assert!(principal.has_role("approver", &["sales".to_owned()]) && !principal.has_role("approver", &[]));
    at_midnight(&company, "2026-11-27").await;
    sync::keep_dates(&company.broker, "hr").await.unwrap().unwrap();
    assert_eq!(scoped(&company, "chen").await, ["employee"]);
});

both!(new_rules_are_not_let_in_by_a_date, |kind| async move {
    let company = Company::with(kind, &mapping(), "").await;
    company.rules(RULES);
    company.applied(&self::company()).await;
    company.rules(&RULES.replace("role = \"employee\"", "role = \"everything\""));
    at_midnight(&company, "2026-11-25").await;
    sync::keep_dates(&company.broker, "hr").await.unwrap().unwrap();
    // Those of whom a date has come get what the rules say now, the others wait for a plan.
    assert_eq!(scoped(&company, "chen").await, ["everything"]);
    assert_eq!(scoped(&company, "li").await, ["approver@finance", "clerk@finance", "employee"]);
    let planned = company.plan(&self::company()).await;
    assert_eq!((planned.roles["everything"].granted, planned.roles["employee"].revoked), (1, 1));
});

both!(
    /// LDAP-091
    undo_takes_dates_and_assignments_back,
    |kind| async move {
        let company = Company::with(kind, &mapping(), "").await;
        company.rules(RULES);
        company.applied(&self::company()).await;
        let mut changed = self::company();
        changed[3] = person(10, "wang", SALES).with("alsoAt", "finance|auditor");
        changed[4] = person(11, "li", FINANCE);
        company.applied(&changed).await;
        let wang = company.user("wang").await;
        assert_eq!(scoped(&company, "wang").await, ["approver@sales", "clerk@finance", "employee"]);
        sync::undo(&company.broker, "hr", "cli").await.unwrap();
        assert_eq!(scoped(&company, "wang").await, ["approver@sales", "employee"]);
        let mut tx = company.broker.db.read().await.unwrap();
        let all = tx.assignments().list_by_users(&[wang.id]).await.unwrap();
        assert_eq!(all[&wang.id][0].ends_on, "2026-11-30".parse().ok());
        assert!(!all[&wang.id][0].in_force);
        drop(tx);
        assert_eq!(company.user("li").await.ends_on, "2026-11-27".parse().ok());
    }
);
