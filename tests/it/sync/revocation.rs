//! Locked out means signed out, in the same transaction; and schedules.

use chrono::Duration;
use yaopai::access::why;
use yaopai::jobs::{Job, Schedule};
use yaopai::login::{SessionOrigin, current_session, open_session};

use super::{BASE, Company, Entry, group, person};
use crate::both;

both!(
    /// LDAP-031
    who_is_locked_out_is_signed_out,
    |kind| async move {
        let company = Company::new(kind).await;
        let all: Vec<Entry> = vec![person(1, "wang", BASE), person(2, "li", BASE)];
        company.applied(&all).await;
        let broker = &company.broker;
        let mut tokens = Vec::new();
        for login in ["wang", "li"] {
            let id = company.user(login).await.id;
            let origin = SessionOrigin { address: String::new(), user_agent: String::new(), amr: "pwd".into() };
            let mut tx = broker.db.write().await.unwrap();
            tokens.push(open_session(broker, &mut tx, Ok(id), &origin).await.unwrap().1);
            tx.commit().await.unwrap();
        }
        let report = company.applied(&all[1..]).await;
        assert_eq!(report.sessions_ended, 1);
        assert!(current_session(broker, &tokens[0]).await.unwrap().is_none());
        assert!(current_session(broker, &tokens[1]).await.unwrap().is_some());
        // Coming back is not signing in.
        company.applied(&all).await;
        assert!(current_session(broker, &tokens[0]).await.unwrap().is_none());
    }
);

both!(every_role_has_an_entry_a_rule_and_a_run, |kind| async move {
    let company = Company::new(kind).await;
    company.rules("[[rule]]\nid = \"g\"\nrole = \"clerk\"\ndescription = \"by group\"\ngroup = \"staff\"\n");
    let report = company.applied(&[person(1, "wang", BASE), group(2, "staff", &[&format!("cn=p1,{BASE}")])]).await;
    let why = why(&company.broker, company.user("wang").await).await.unwrap();
    assert_eq!(why.link.unwrap().dn, format!("cn=p1,{BASE}"));
    assert_eq!(why.groups, ["staff"]);
    let role = &why.roles[0];
    assert_eq!((role.role.as_str(), role.rule.as_str(), role.description.as_deref()), ("clerk", "g", Some("by group")));
    assert_eq!(role.run_id, Some(report.run_id));
});

both!(
    /// LDAP-033
    a_due_time_is_taken_once,
    |kind| async move {
        let company = Company::new(kind).await;
        let broker = &company.broker;
        let job = Job {
            name: "sync:hr".into(),
            schedule: Schedule::new("0 2 * * *", chrono_tz::Asia::Shanghai).unwrap(),
            work: Box::new(|| Box::pin(async {})),
        };
        // Seen for the first time: it begins with the next night.
        assert!(!job.take_due(&broker.db, broker.clock.now()).await.unwrap());
        broker.clock.advance(Duration::hours(16));
        assert!(!job.take_due(&broker.db, broker.clock.now()).await.unwrap());
        broker.clock.advance(Duration::hours(1));
        let (one, other) = tokio::join!(
            job.take_due(&broker.db, broker.clock.now()),
            job.take_due(&broker.db, broker.clock.now())
        );
        assert_eq!(u8::from(one.unwrap()) + u8::from(other.unwrap()), 1);
        // Three nights missed are made up for once.
        broker.clock.advance(Duration::days(3));
        assert!(job.take_due(&broker.db, broker.clock.now()).await.unwrap());
        assert!(!job.take_due(&broker.db, broker.clock.now()).await.unwrap());
    }
);
