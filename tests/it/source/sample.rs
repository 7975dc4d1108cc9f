//! The sample company: repeatable, and read as it was invented.

use std::collections::{BTreeMap, BTreeSet};

use yaopai::sample;
use yaopai::source::{Dn, Entry};

use super::{demo, demo_mapping, one, read, source_of};

#[test]
fn the_generator_writes_the_committed_company_byte_for_byte() {
    let committed = std::fs::read_to_string(demo().join("company.ldif")).unwrap();
    let remedy = "write it anew: yaopai demo-company --people 1200 --seed 1 --output deploy/demo/company.ldif";
    assert!(committed == sample::ldif(1_200, 1), "{remedy}");
    assert_ne!(sample::ldif(100, 1), sample::ldif(100, 2));
}

/// LDAP-061, LDAP-063
#[tokio::test]
async fn the_committed_mapping_reads_the_whole_company() {
    let config = source_of(&demo_mapping());
    let mut seen = 0;
    let snapshot = yaopai::source::read(&config, &demo(), &mut |progress| seen = progress.entries).await.unwrap();
    assert_eq!((snapshot.source.as_str(), snapshot.users.len(), snapshot.departments.len()), ("company", 1_200, 61));
    assert_eq!((snapshot.groups.len(), snapshot.rejected.len(), snapshot.warnings.len()), (8, 0, 0));
    // The suffix and the node of the groups are entries too.
    assert_eq!(seen, 1_200 + 61 + 8 + 2);
    let logins: BTreeSet<&str> = snapshot.users.iter().map(|user| one(user, "uid")).collect();
    let ids: BTreeSet<&str> = snapshot.users.iter().map(|user| user.external_id.as_str()).collect();
    assert_eq!((logins.len(), ids.len()), (1_200, 1_200));
    for hard in ["𠮷野", "阿依古丽·买买提", "李<script>alert('工号')</script>", "=SUM(A1) 赵"] {
        assert!(snapshot.users.iter().any(|user| one(user, "displayname") == hard), "{hard}");
    }
    for login in sample::LOGINS {
        let user = snapshot.users.iter().find(|user| one(user, "uid") == login.login).unwrap();
        assert!(one(user, "userpassword").starts_with("{ARGON2}$argon2id$v=19$m=19456,t=2,p=1$"));
        assert_eq!(one(user, "title"), login.title);
    }
    assert_eq!(snapshot.users.iter().filter(|user| user.attributes.contains("userpassword")).count(), 5);
}

#[tokio::test]
async fn every_name_in_the_company_leads_somewhere() {
    let config = source_of(&demo_mapping());
    let snapshot = read(&config, &demo()).await.unwrap();
    let key = |text: &str| Dn::parse(text).unwrap().key();
    let by_dn =
        |entries: &[Entry]| entries.iter().map(|entry| (key(&entry.dn), entry.clone())).collect::<BTreeMap<_, _>>();
    let (users, units, groups) = (by_dn(&snapshot.users), by_dn(&snapshot.departments), by_dn(&snapshot.groups));
    for user in &snapshot.users {
        let above = Dn::parse(&user.dn).unwrap().parent().unwrap().key();
        assert!(units.contains_key(&above), "{}", user.dn);
        // Everybody but one reports to somebody, and the chain ends.
        let mut at = user.clone();
        for _ in 0..10 {
            let manager = one(&at, "manager");
            if manager.is_empty() {
                break;
            }
            at = users[&key(manager)].clone();
        }
        assert_eq!(one(&at, "title"), "总经理");
    }
    for unit in &snapshot.departments {
        let above = Dn::parse(&unit.dn).unwrap().parent().unwrap().key();
        assert!(unit.dn == sample::COMPANY || units.contains_key(&above), "{}", unit.dn);
    }
    let members = |name: &str| {
        let group = snapshot.groups.iter().find(|group| one(group, "cn") == name).unwrap();
        group.attributes.all("member").map(key).collect::<Vec<_>>()
    };
    for group in &snapshot.groups {
        assert!(
            group
                .attributes
                .all("member")
                .all(|member| users.contains_key(&key(member)) || groups.contains_key(&key(member)))
        );
    }
    let nested = key(&format!("cn=department-managers,{}", sample::GROUPS));
    assert!(members("expense-approvers").contains(&nested));
    let approver = snapshot.users.iter().find(|user| one(user, "uid") == sample::APPROVER.login).unwrap();
    assert!(members("department-managers").contains(&key(&approver.dn)));
}
