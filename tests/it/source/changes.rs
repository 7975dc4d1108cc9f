//! Change batches of the sample company: a real slapd that takes their records and a file of the state after them hold
//! the same.

use std::collections::BTreeMap;

use yaopai::sample::Course;
use yaopai::source::{Dn, Snapshot};

use super::{demo_mapping, read, source_of};
use crate::harness::slapd::{Options, Slapd};

/// Part and id → everything the mapping sees of an entry; values in one order.
fn content(snapshot: &Snapshot) -> BTreeMap<(u8, String), String> {
    let parts = [(0, &snapshot.users), (1, &snapshot.departments), (2, &snapshot.groups)];
    assert!(snapshot.rejected.is_empty() && snapshot.warnings.is_empty());
    let mut all = BTreeMap::new();
    for (part, entries) in parts {
        for entry in entries {
            let mut attributes = entry.attributes.to_map();
            // A directory that can be bound to is not asked for it.
            attributes.remove("userpassword");
            for (name, values) in &mut attributes {
                if ["member", "manager"].contains(&name.as_str()) {
                    for value in values.iter_mut() {
                        *value = Dn::parse(value).unwrap().key();
                    }
                }
                values.sort();
            }
            let dn = Dn::parse(&entry.dn).unwrap().key();
            all.insert((part, entry.external_id.clone()), format!("{dn} {attributes:?}"));
        }
    }
    all
}

/// Six batches, one after the other; many kinds of change meet in the large ones.
#[tokio::test]
async fn a_server_that_takes_the_records_and_a_file_hold_the_same() {
    let mut course = Course::new(1_200, 1);
    let slapd = tokio::task::spawn_blocking(|| Slapd::start(Options::default())).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let from_file = source_of(&demo_mapping());
    let ldap = demo_mapping().replace("[source.ldif]\nfile = \"company.ldif\"\n", &slapd.plain());
    let from_server = source_of(&ldap.replace("password = \"userPassword\"\n", ""));
    let mut kinds = BTreeMap::new();
    for batch in 1..=6 {
        let records = course.next_batch(if batch < 3 { 20 } else { 400 });
        for line in records.lines().filter(|line| line.starts_with("changetype: ") || line.starts_with("newsuperior")) {
            *kinds.entry(line.split(':').next_back().unwrap().trim().to_owned()).or_insert(0) += 1;
        }
        slapd.modify(&records);
        std::fs::write(folder.path().join("company.ldif"), course.ldif()).unwrap();
        let file = content(&read(&from_file, folder.path()).await.unwrap());
        let server = content(&read(&from_server, folder.path()).await.unwrap());
        assert!(file.len() > 1_000);
        for (id, entry) in &file {
            assert_eq!(Some(entry), server.get(id), "batch {batch}, {id:?}");
        }
        assert_eq!(file.len(), server.len(), "batch {batch}");
    }
    assert!(["add", "modify", "modrdn", "delete"].iter().all(|kind| kinds.contains_key(*kind)), "{kinds:?}");
}

/// The same seed gives the same batches; each company is one that its own source file can be read from.
#[test]
fn batches_can_be_repeated() {
    let (mut one, mut two) = (Course::new(300, 7), Course::new(300, 7));
    assert_eq!(one.ldif(), yaopai::sample::ldif(300, 7));
    let mut batches = Vec::new();
    for _ in 0..3 {
        batches.push(one.next_batch(50));
        assert_eq!(batches.last(), Some(&two.next_batch(50)));
        assert_eq!(one.ldif(), two.ldif());
    }
    batches.dedup();
    assert_eq!(batches.len(), 3);
    assert!(one.people() > 200);
}
