//! Keeping a source up to date: who does it, and what it waits for.

use yaopai::jobs::{Standing, Work, on_one_node};
use yaopai::model::ObjectKind;
use yaopai::sync::{self, Increment, Waiting};

use super::{BASE, Company, person};
use crate::both;

both!(
    /// LDAP-033: standing work goes on on one node; when it stops there, another takes over.
    standing_work_goes_on_elsewhere,
    |kind| async move {
        let company = Company::new(kind).await;
        let broker = &company.broker;
        let (sender, mut receiver) = tokio::sync::mpsc::unbounded_channel();
        let node = |name: &'static str| {
            let sender = sender.clone();
            let stop = tokio_util::sync::CancellationToken::new();
            let work = move |stop: tokio_util::sync::CancellationToken| -> Work {
                let sender = sender.clone();
                Box::pin(async move {
                    sender.send(name).unwrap();
                    stop.cancelled().await;
                })
            };
            let standing = Standing { name: "follow:hr".into(), work: Box::new(work) };
            let (db, clock, rng) = (broker.db.clone(), broker.clock.clone(), broker.rng.clone());
            (stop.clone(), tokio::spawn(on_one_node(db, clock, rng, standing, stop)))
        };
        let (stop, one) = node("one");
        assert_eq!(receiver.recv().await, Some("one"));
        let (stop_other, other) = node("other");
        tokio::time::sleep(std::time::Duration::from_millis(300)).await;
        assert!(receiver.try_recv().is_err(), "two nodes at once");
        stop.cancel();
        one.await.unwrap();
        let next = tokio::time::timeout(std::time::Duration::from_secs(20), receiver.recv()).await.unwrap();
        assert_eq!(next, Some("other"));
        stop_other.cancel();
        other.await.unwrap();
    }
);

both!(
    /// A source that was never read waits for its first run; one that cannot tell what changes says so.
    increments_wait_for_the_first_run,
    |kind| async move {
        let company = Company::new(kind).await;
        let step = async || sync::increment(&company.broker, "hr", "cli", &mut |_| {}).await.unwrap();
        assert_eq!(step().await, Increment::Waits(Waiting::FirstRun));
        company.applied(&[person(1, "u1", BASE)]).await;
        assert_eq!(step().await, Increment::Waits(Waiting::NotPossible));
        let links = company.broker.db.read().await.unwrap().links().list_by_source("hr").await.unwrap();
        let link = links.iter().find(|link| link.kind == ObjectKind::User).unwrap();
        assert_eq!(link.dn_path, "dc=com,dc=example,cn=p1");
    }
);
