//! Spellings, blanks and empty values: what makes another account, and what does not.

use yaopai::model::{RunState, Status};
use yaopai::source::{Delta, Entry as Read, Values};

use super::delta::position;
use super::{BASE, Company, Entry, FINANCE, MAPPING, SALES, UNLIMITED, person, unit, uuid};
use crate::both;

both!(
    /// LDAP-056, LDAP-059, LDAP-060, LDAP-062: one fold for all names. Two entries with one login name are nobody who could sign
    /// in, and somebody is told; another spelling of a name is the same account.
    spellings_make_no_further_accounts,
    |kind| async move {
        let company = Company::with(kind, MAPPING, UNLIMITED).await;
        let count = async || company.broker.db.read().await.unwrap().users().list_by_source("hr").await.unwrap().len();
        for (one, other) in [("Alice", "ALICE"), ("alice", "Ａｌｉｃｅ"), ("a b", "a   b"), ("e\u{301}ve", "éve"), ("\u{212A}im", "kim")] {
            let report = company.sync(&[person(1, one, BASE), person(2, other, BASE)]).await;
            assert_eq!((report.findings["duplicate_login"], count().await), (2, 0), "{one} {other}: {report:#?}");
            let found = company.broker.db.read().await.unwrap().users().find_by_login(one).await.unwrap();
            assert!(found.is_none(), "{one}: nobody signs in");
        }
        // No locale: a dotless i is another letter, and sharp s is no double s.
        let others = [("iz", "ız"), ("strasse", "straße")];
        let people = others.iter().zip([(1, 2), (3, 4)]).flat_map(|((one, other), (a, b))| [person(a, one, BASE), person(b, other, BASE)]);
        let report = company.applied(&people.collect::<Vec<_>>()).await;
        assert_eq!((report.users.created, report.findings.len()), (4, 0), "{report:#?}");
        let before = company.user("iz").await;
        // The same entry, spelled otherwise.
        let report = company.applied(&[person(1, " IZ  ", BASE), person(2, "ız", BASE), person(3, "Strasse", BASE), person(4, "straße", BASE)]).await;
        assert_eq!((report.users.created, report.users.absent, count().await), (0, 0, 4), "{report:#?}");
        assert_eq!(company.user("iz").await.id, before.id);
    }
);

both!(
    /// LDAP-065: an attribute that is missing, empty, or there without a value. Each means that there is no value: what may be
    /// missing is emptied, and who has no login name is left out and stays.
    three_ways_of_saying_nothing,
    |kind| async move {
        let company = Company::with(kind, MAPPING, UNLIMITED).await;
        let full = person(1, "u1", BASE).with("mail", "a@example.com").with("l", "Beijing");
        company.applied(std::slice::from_ref(&full)).await;
        let mut attributes = std::collections::BTreeMap::new();
        for line in &full.lines {
            let (name, value) = line.split_once(": ").unwrap();
            attributes.insert(name.to_lowercase(), vec![value.to_owned()]);
        }
        let missing: Option<Vec<String>> = None;
        for values in [missing, Some(vec![String::new()]), Some(vec!["  ".to_owned()]), Some(Vec::new())] {
            let told = async |names: &[&str], restore: bool| {
                let mut told = attributes.clone();
                for name in names.iter().filter(|_| !restore) {
                    match &values {
                        Some(values) => drop(told.insert((*name).to_owned(), values.clone())),
                        None => drop(told.remove(*name)),
                    }
                }
                let attributes = Values::of(&told).unwrap();
                let entry = Read { external_id: uuid(1), dn: full.dn.clone(), attributes };
                let mut delta = Delta::new("hr", position(2));
                delta.users.push(entry);
                company.increment(&delta).await
            };
            assert_eq!(told(&["mail", "l"], false).await.users.changed, 1, "{values:?}");
            let user = company.user("u1").await;
            assert_eq!((user.mail, user.attributes.0.get("city")), (None, None), "{values:?}");
            let report = told(&["uid"], false).await;
            assert_eq!((report.users.quarantined, report.findings["missing_login"]), (1, 1), "{values:?}: {report:#?}");
            assert_eq!(company.user("u1").await.status, Status::Active);
            assert_eq!(told(&["mail", "l"], true).await.state, RunState::Applied);
            assert_eq!(company.user("u1").await.mail.as_deref(), Some("a@example.com"));
        }
    }
);

both!(
    /// LDAP-077: a photo is not read where nobody maps it, and is too large a value where somebody does.
    a_photo_is_no_datum,
    |kind| async move {
        let photo = |entry: Entry| {
            use base64::Engine as _;
            let mut entry = entry;
            entry.lines.push(format!("jpegPhoto:: {}", base64::engine::general_purpose::STANDARD.encode(vec![0xFF; (1 << 20) + 1])));
            entry
        };
        let mut company = Company::with(kind, MAPPING, UNLIMITED).await;
        let report = company.applied(&[photo(person(1, "u1", BASE)), person(2, "u2", BASE)]).await;
        assert_eq!((report.users.created, report.findings.len()), (2, 0), "{report:#?}");
        let mapping = MAPPING.replace("city = \"l\"", "city = \"l\", photo = \"jpegPhoto\"");
        company.remap(&mapping, UNLIMITED);
        let report = company.sync(&[photo(person(1, "u1", BASE)), person(2, "u2", BASE)]).await;
        assert_eq!((report.users.quarantined, report.findings["rejected:too_large"]), (1, 1), "{report:#?}");
        assert_eq!(company.user("u1").await.status, Status::Active, "and counts as present");
    }
);

both!(
    /// LDAP-011: the service account may no longer read a part of the directory. The answer is a success with fewer entries; the
    /// guard holds it, and the report says where they are missing.
    lost_rights_are_held_and_say_where,
    |kind| async move {
        let company = Company::new(kind).await;
        let place = |id: u32| if id <= 30 { SALES } else { FINANCE };
        let mut all = vec![unit(900, "sales", BASE), unit(901, "finance", BASE)];
        all.extend((1..=60).map(|id| person(id, &format!("u{id}"), place(id))));
        company.applied(&all).await;
        all.retain(|entry| !(entry.dn.starts_with("cn=p") && entry.dn.ends_with(FINANCE)));
        let before = company.dump().await;
        let report = company.sync(&all).await;
        assert_eq!((report.state, report.users.absent), (RunState::Held, 30), "{report:#?}");
        assert!(report.held.iter().any(|held| held.code.starts_with("disabled")), "{report:#?}");
        assert_eq!(report.absent_by_department, [("finance".to_owned(), 30)].into(), "{report:#?}");
        assert_eq!(company.dump().await, before, "and nobody is locked out");
    }
);
