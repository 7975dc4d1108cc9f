//! Departments in full, rules over all of the organisation, separation of duties.

use yaopai::access::{Everybody, RoleRules, shift};
use yaopai::model::{DepartmentKind, RunState};

use super::{BASE, Company, Entry, FINANCE, MAPPING, SALES, person, unit};
use crate::both;

fn mapping() -> String {
    MAPPING.replace(
        "from = \"ou\"\n",
        r#"from = "ou"
parent = "seeAlso"
head = "manager"
order = "l"
cost_centre = "postalCode"
legal_entity = "o"
kind = { attribute = "businessCategory", company = ["group"], subsidiary = ["Subsidiary"] }
"#,
    ) + "[source.assignments]\nattribute = \"alsoAt\"\nsplit = \";\"\n"
}

fn company() -> Vec<Entry> {
    vec![
        unit(1, "group", BASE).with("businessCategory", "group").with("o", "Group Ltd"),
        unit(2, "east", BASE)
            .with("businessCategory", "subsidiary")
            .with("seeAlso", "GROUP")
            .with("postalCode", "CC-E"),
        unit(3, "sales", BASE).with("seeAlso", &format!("ou=east,{BASE}")).with("manager", "E10").with("l", "7"),
        unit(4, "finance", BASE).with("seeAlso", "group").with("o", "Finance Ltd"),
        person(10, "wang", SALES).with("title", "lead"),
        person(11, "li", FINANCE).with("title", "clerk").with("alsoAt", "sales|lead;nowhere|x"),
        person(12, "chen", SALES).with("title", "clerk"),
    ]
}

both!(departments_are_known_in_full, |kind| async move {
    let company = Company::with(kind, &mapping(), "").await;
    let report = company.applied(&self::company()).await;
    assert_eq!(report.findings.get("bad_assignment"), Some(&1), "{report:#?}");
    let mut tx = company.broker.db.read().await.unwrap();
    let all = tx.departments().list_by_source("hr").await.unwrap();
    let of = |code: &str| all.iter().find(|row| row.code == code).unwrap();
    assert_eq!((of("group").kind, of("east").kind), (DepartmentKind::Company, DepartmentKind::Subsidiary));
    assert_eq!((of("east").parent_id, of("sales").parent_id), (Some(of("group").id), Some(of("east").id)));
    assert_eq!((of("sales").sort_order, of("east").cost_centre.as_deref()), (7, Some("CC-E")));
    assert_eq!(of("finance").legal_entity.as_deref(), Some("Finance Ltd"));
    drop(tx);
    assert_eq!(of("sales").head_id, Some(company.user("wang").await.id));
    assert_eq!(company.run().await.unwrap().state, RunState::Unchanged);
    // Another head is a change of the department alone.
    let mut next = self::company();
    next[2] = unit(3, "sales", BASE).with("seeAlso", "east").with("manager", "chen").with("l", "7");
    let report = company.applied(&next).await;
    assert_eq!((report.departments.changed, report.users.changed), (1, 0));
});

both!(a_circle_of_departments_is_refused, |kind| async move {
    let company = Company::with(kind, &mapping(), "").await;
    company.applied(&self::company()).await;
    let mut circle = self::company();
    circle[0] =
        unit(1, "group", BASE).with("businessCategory", "group").with("o", "Group Ltd").with("seeAlso", "sales");
    circle.push(unit(5, "new", BASE).with("seeAlso", "newer"));
    circle.push(unit(6, "newer", BASE).with("seeAlso", "new"));
    let report = company.sync(&circle).await;
    assert_eq!(report.findings.get("department_cycle"), Some(&3), "{report:#?}");
    assert_eq!((report.departments.quarantined, report.departments.created), (3, 0));
    let mut tx = company.broker.db.read().await.unwrap();
    let all = tx.departments().list_by_source("hr").await.unwrap();
    assert_eq!(all.iter().find(|row| row.code == "group").unwrap().parent_id, None);
    drop(tx);
    // Once it is put right, it is taken in.
    circle.pop();
    circle[0] = self::company()[0].clone();
    circle[7] = unit(5, "new", BASE).with("seeAlso", "group");
    let report = company.applied(&circle).await;
    assert_eq!((report.departments.created, report.findings.get("department_cycle")), (1, None));
});

const RULES: &str = r#"
[[rule]]
id = "leads"
role = "lead"
description = "whoever leads anywhere"
position = "lead"
assignment = "any"
scope = "own"
[[rule]]
id = "group-law"
role = "group"
description = "of the group, by law"
legal_entity = "group ltd"
[[rule]]
id = "east"
role = "east"
description = "by cost centre"
cost_centre = "CC-E"
[[rule]]
id = "payers"
role = "payer"
description = "clerks pay for the east"
attribute = { name = "title", prefix = "cle" }
scope = { department = "east" }
[[rule]]
id = "others"
role = "other"
description = "no clerks"
attribute = { name = "title", not = "clerk" }
"#;

both!(rules_look_at_all_of_the_organisation, |kind| async move {
    let company = Company::with(kind, &mapping(), "").await;
    company.rules(RULES);
    company.applied(&self::company()).await;
    let roles = async |login: &str| {
        let user = company.user(login).await;
        company.broker.db.read().await.unwrap().claims().roles(user.id).await.unwrap()
    };
    // The subsidiary has no legal entity of its own: that of the group is inherited; finance has one.
    assert_eq!(roles("wang").await, ["east", "group", "lead@sales", "other"]);
    assert_eq!(roles("li").await, ["lead@sales", "payer@east"]);
    assert_eq!(roles("chen").await, ["east", "group", "payer@east"]);
    // What would be if: nothing is written.
    let before = company.dump().await;
    let altered = RULES.replace("\"CC-E\"", "\"CC-X\"").replace("prefix = \"cle\"", "value = \"lead\"");
    let altered = RoleRules::parse("roles.toml", &altered).unwrap();
    let mut tx = company.broker.db.read().await.unwrap();
    let everybody = Everybody::load(&mut tx).await.unwrap();
    let shifts = shift(&everybody, &altered.evaluate(&everybody.facts()));
    assert_eq!(shifts.keys().collect::<Vec<_>>(), ["east", "payer"]);
    let lost: Vec<&str> = shifts["east"].lose.iter().map(|held| held.login.as_str()).collect();
    assert_eq!((lost, shifts["east"].departments["sales"].lose), (vec!["chen", "wang"], 2));
    assert_eq!((shifts["payer"].gain[0].login.as_str(), shifts["payer"].gain[0].scope.as_str()), ("wang", "east"));
    drop(tx);
    assert_eq!(company.dump().await, before);
});

both!(an_evaluation_of_some_says_what_one_of_all_says_of_them, |kind| async move {
    let company = Company::with(kind, &mapping(), "").await;
    let rules = format!("{RULES}\n[[rule]]\nid = \"m\"\nrole = \"m\"\ndescription = \"m\"\nmanager = true\n");
    company.rules(&rules);
    let mut entries = self::company();
    entries[6] = entries[6].clone().with("manager", &format!("cn=p10,{SALES}"));
    company.applied(&entries).await;
    let rules = RoleRules::parse("roles.toml", &rules).unwrap();
    let everybody = Everybody::load(&mut company.broker.db.read().await.unwrap()).await.unwrap();
    let all = rules.evaluate(&everybody.facts());
    assert_eq!(all, everybody.grants);
    for user in &everybody.users {
        let some = rules.evaluate_for(&everybody.facts(), &[user.id].into());
        let expected: Vec<_> = all.iter().filter(|grant| grant.user_id == user.id).cloned().collect();
        assert_eq!(some, expected, "{}", user.login);
    }
});

const PAIRS: &str = r#"
[[pair]]
id = "lead-and-pay"
roles = ["lead", "payer"]
severity = "block"
description = "who leads does not pay"
"#;

both!(a_plan_that_makes_a_conflict_of_roles_is_held, |kind| async move {
    let company = Company::with(kind, &mapping(), "").await;
    company.rules(RULES);
    let mut first = self::company();
    first[5] = person(11, "li", FINANCE).with("title", "clerk");
    company.applied(&first).await;
    let pairs = |text: &str| std::fs::write(company.folder.path().join("policies/sod.toml"), text).unwrap();
    pairs(PAIRS);
    let report = company.sync(&self::company()).await;
    assert_eq!(report.state, RunState::Held, "{report:#?}");
    assert_eq!((report.held[0].code.as_str(), report.held[0].about.as_str()), ("separation", "lead-and-pay"));
    assert_eq!(report.findings.get("separation_of_duties"), Some(&1));
    // An exemption, and nothing holds it; a warning, and it is told.
    pairs(&format!(
        "{PAIRS}[[pair.exempt]]\nperson = \"li\"\nuntil = \"2026-11-22\"\napproved_by = \"boss\"\nreason = \"r\"\n"
    ));
    let planned = company.plan(&self::company()).await;
    assert_eq!((planned.state, planned.findings.get("separation_of_duties")), (RunState::Planned, None));
    pairs(&PAIRS.replace("block", "warn"));
    let report = company.applied(&self::company()).await;
    assert_eq!(report.findings.get("separation_of_duties"), Some(&1));
    // What is there already holds no later plan.
    pairs(PAIRS);
    assert_ne!(company.sync(&self::company()).await.state, RunState::Held);
});
