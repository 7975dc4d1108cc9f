//! Role rules: evaluated with every plan, over the planned future.

use yaopai::model::RunState;

use super::{BASE, Company, Entry, FINANCE, SALES, group, person, unit};
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
description = "finance and below"
department = "finance"
[[rule]]
id = "boss"
role = "approver"
description = "managers"
position = "manager"
[[rule]]
id = "approvers"
role = "approver"
description = "by group"
group = "approvers"
"#;

fn company() -> Vec<Entry> {
    vec![
        unit(1, "sales", BASE),
        unit(2, "finance", BASE),
        unit(3, "ledger", FINANCE),
        person(10, "wang", SALES).with("title", "manager"),
        person(11, "li", &format!("ou=ledger,{FINANCE}")),
        person(12, "chen", SALES),
        group(20, "approvers", &[&format!("cn=inner,ou=groups,{BASE}")]),
        group(21, "inner", &[&format!("cn=p10,{SALES}")]),
    ]
}

both!(
    /// LDAP-088
    roles_follow_department_position_and_nested_group,
    |kind| async move {
        let company = Company::new(kind).await;
        company.rules(RULES);
        company.applied(&self::company()).await;
        assert_eq!(company.roles("wang").await, ["approver", "employee"]);
        assert_eq!(company.roles("li").await, ["clerk", "employee"]);
        assert_eq!(company.roles("chen").await, ["employee"]);
        let chen = company.user("chen").await;
        // Only the membership of a nested group changes.
        let mut joined = self::company();
        joined[7].lines.push(format!("member: cn=p12,{SALES}"));
        let report = company.applied(&joined).await;
        assert_eq!((report.users.changed, report.members.added, report.roles["approver"].granted), (0, 1, 1));
        assert_eq!(company.roles("chen").await, ["approver", "employee"]);
        assert!(company.user("chen").await.version > chen.version);
        // Moved to finance, out of the group.
        let mut moved = self::company();
        moved[5].dn = format!("cn=p12,{FINANCE}");
        let report = company.applied(&moved).await;
        assert_eq!((report.users.moved, report.members.removed), (1, 1));
        assert_eq!((report.roles["approver"].revoked, report.roles["clerk"].granted), (1, 1));
        assert_eq!(company.roles("chen").await, ["clerk", "employee"]);
    }
);

both!(a_change_of_rules_alone_shows_up_in_the_next_plan, |kind| async move {
    let company = Company::new(kind).await;
    company.rules(RULES);
    company.applied(&self::company()).await;
    company
        .rules(&RULES.replace("position = \"manager\"", "attribute = { name = \"employee_number\", value = \"e12\" }"));
    let planned = company.plan(&self::company()).await;
    assert_eq!((planned.users.unchanged, planned.changes), (3, 2));
    assert_eq!((planned.roles["approver"].granted, planned.roles["approver"].revoked), (1, 1));
    assert_eq!(company.roles("chen").await, ["employee"]);
    company.apply(planned.plan_id.unwrap()).await.unwrap();
    assert_eq!(company.roles("chen").await, ["approver", "employee"]);
    // The group still gives it.
    assert_eq!(company.roles("wang").await, ["approver", "employee"]);
    assert_eq!(company.sync(&self::company()).await.state, RunState::Unchanged);
});

both!(rules_that_do_not_parse_stop_the_run_and_name_the_place, |kind| async move {
    let company = Company::new(kind).await;
    company.applied(&self::company()).await;
    company.rules("[[rule]]\nid = \"x\"\nrole = \"y\"\n");
    let error = company.run().await.unwrap_err().to_string();
    assert!(error.contains("roles.toml") && error.contains("description"), "{error}");
    assert_eq!(company.roles("wang").await, ["employee"]);
});
