//! Who is who: by the source's stable id, never by name, place or number.

use yaopai::model::Status;

use super::{BASE, Company, FINANCE, SALES, group, person, unit};
use crate::both;

both!(
    /// LDAP-036, LDAP-039, LDAP-073
    a_new_name_place_and_mail_are_the_same_person,
    |kind| async move {
        let company = Company::new(kind).await;
        let units = [unit(1, "sales", BASE), unit(2, "finance", BASE)];
        let mut first = units.to_vec();
        first.push(person(10, "wang", SALES).with("mail", "wang@example.com"));
        first.push(group(20, "staff", &[&format!("cn=p10,{SALES}")]));
        company.applied(&first).await;
        let wang = company.user("wang").await;
        let mut moved = person(10, "wang.fang", FINANCE).with("mail", "fang@example.com");
        moved.dn = format!("cn=renamed,{FINANCE}");
        let mut second = units.to_vec();
        second.push(moved);
        second.push(group(20, "staff", &[&format!("cn=renamed,{FINANCE}")]));
        let report = company.applied(&second).await;
        assert_eq!((report.users.changed, report.users.moved, report.users.created, report.users.absent), (1, 1, 0, 0));
        assert_eq!((report.members.added, report.members.removed), (0, 0));
        let renamed = company.user("wang.fang").await;
        assert_eq!((renamed.id, renamed.mail.as_deref()), (wang.id, Some("fang@example.com")));
        assert_eq!(company.department("wang.fang").await.as_deref(), Some("finance"));
        assert_eq!(company.groups("wang.fang").await, ["staff"]);
        let link = company.broker.db.read().await.unwrap().links().find_by_object(wang.id.0).await.unwrap().unwrap();
        assert_eq!(link.dn, format!("cn=renamed,{FINANCE}"));
    }
);

both!(
    /// LDAP-040, LDAP-041
    names_are_swapped_and_handed_on,
    |kind| async move {
        let company = Company::new(kind).await;
        company.applied(&[person(1, "a", BASE), person(2, "b", BASE), person(3, "c", BASE)]).await;
        let ids = [company.user("a").await.id, company.user("b").await.id, company.user("c").await.id];
        // 1 and 2 swap.
        company.applied(&[person(1, "b", BASE), person(2, "a", BASE), person(3, "c", BASE)]).await;
        assert_eq!([company.user("b").await.id, company.user("a").await.id], ids[..2]);
        // A chain: 2 takes c, 3 takes d, 1 takes a; in every order of arrival.
        company.applied(&[person(2, "c", BASE), person(3, "d", BASE), person(1, "a", BASE)]).await;
        let now = [company.user("a").await.id, company.user("c").await.id, company.user("d").await.id];
        assert_eq!(now, ids);
    }
);

both!(
    /// LDAP-042, LDAP-045
    a_new_entry_of_an_old_name_is_somebody_else,
    |kind| async move {
        let company = Company::new(kind).await;
        company.applied(&[person(1, "wang", BASE).with("mail", "w@example.com"), person(2, "li", BASE)]).await;
        let old = company.user("wang").await;
        let report =
            company.applied(&[person(3, "wang", BASE).with("mail", "w@example.com"), person(2, "li", BASE)]).await;
        assert_eq!((report.users.created, report.users.absent), (1, 1));
        let new = company.user("wang").await;
        assert_ne!(new.id, old.id);
        let mut tx = company.broker.db.read().await.unwrap();
        assert_eq!(tx.users().find(old.id).await.unwrap().unwrap().status, Status::Disabled);
        drop(tx);
        // The old entry returns while its name is taken: it waits, and nobody loses anything.
        let mut back = person(1, "wang", BASE);
        back.dn = format!("cn=p1-again,{BASE}");
        let report = company.sync(&[person(3, "wang", BASE), person(2, "li", BASE), back]).await;
        assert_eq!(report.findings["duplicate_login"], 2);
        assert_eq!(company.user("wang").await.id, new.id);
    }
);

both!(
    /// LDAP-046
    an_account_of_another_source_is_not_taken_over,
    |kind| async move {
        let company = Company::new(kind).await;
        company.applied(&[person(1, "wang", BASE)]).await;
        let mut tx = company.broker.db.write().await.unwrap();
        tx.run("UPDATE users SET source = 'other'", &[]).await.unwrap();
        tx.run("DELETE FROM links", &[]).await.unwrap();
        tx.commit().await.unwrap();
        let wang = company.user("wang").await;
        let report = company.sync(&[person(9, "WANG", BASE), person(2, "li", BASE)]).await;
        assert_eq!((report.users.created, report.users.quarantined), (1, 1));
        assert_eq!(report.findings["login_taken"], 1);
        assert_eq!(company.user("wang").await, wang);
    }
);
