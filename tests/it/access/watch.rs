//! Policies that change on the disk come into force; what cannot be used is refused and recorded.

use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;
use yaopai::access::watch_policies;
use yaopai::broker::Broker;
use yaopai::policy::{Action, Context, Policies, Principal, Request, Resource};

use crate::both;
use crate::harness::{App, policies};

fn allowed(policies: &Policies) -> bool {
    let request = Request {
        principal: Principal::Operator { login: "recovery".to_owned() },
        action: Action::Administer,
        resource: Resource::Console,
        context: Context::default(),
    };
    policies.decide(&request).allowed
}

/// The reloads recorded so far, as (outcome, details); waits until there are `count`.
async fn recorded(broker: &Broker, count: usize) -> Vec<(String, String)> {
    let begun = Instant::now();
    loop {
        let sql = "SELECT outcome, details FROM audit_log WHERE action = 'policy_load' ORDER BY seq";
        let rows: Vec<(String, String)> = broker.db.read().await.unwrap().all(sql, &[]).await.unwrap();
        if rows.len() >= count {
            return rows;
        }
        assert!(begun.elapsed() < Duration::from_secs(30), "{rows:?}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

both!(
    /// A changed file comes into force; a broken one is refused once, and the last good set stays.
    policies_follow_the_disk,
    |kind| async move {
        let app = App::start(kind).await;
        let folder = app.folder.path().join("policies");
        std::fs::create_dir(&folder).unwrap();
        std::fs::copy(policies().join("schema.cedarschema"), folder.join("schema.cedarschema")).unwrap();
        let good = "@id(\"a\") permit (principal is Operator, action == Action::\"administer\", resource);";
        std::fs::write(folder.join("x.cedar"), good).unwrap();
        let broker = Broker { policies: Policies::load(&folder).unwrap(), ..app.broker.clone() };
        let stop = CancellationToken::new();
        let watching = tokio::spawn(watch_policies(broker.clone(), stop.clone()));

        std::fs::write(folder.join("x.cedar"), "@id(\"a\") permit (").unwrap();
        let rows = recorded(&broker, 1).await;
        assert_eq!(rows[0].0, "failure");
        assert!(rows[0].1.contains("x.cedar:1:"), "{}", rows[0].1);
        assert!(allowed(&broker.policies));

        std::fs::write(folder.join("x.cedar"), good.replace("permit", "forbid")).unwrap();
        let rows = recorded(&broker, 2).await;
        assert_eq!((rows.len(), rows[1].0.as_str()), (2, "success"), "a refused set is recorded once: {rows:?}");
        assert!(!allowed(&broker.policies));
        assert!(rows[1].1.contains(&broker.policies.version()));

        stop.cancel();
        watching.await.unwrap();
    }
);
