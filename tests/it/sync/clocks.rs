//! Times of others: our clock decides nothing about what is read, and a directory that stands where it stood before is not
//! believed to have lost anybody.

use chrono::Duration;
use yaopai::model::Status;
use yaopai::sync::{self, Increment};
use yaopai::time::Clock;

use super::several::Several;
use crate::both;
use crate::harness::slapd::{Options, Slapd};

const PEOPLE: &str = "dn: ou=lab,dc=example,dc=com\nobjectClass: organizationalUnit\nou: lab\n";

fn person(uid: &str) -> String {
    format!("\ndn: uid={uid},ou=lab,dc=example,dc=com\nobjectClass: inetOrgPerson\nuid: {uid}\ncn: {uid}\nsn: {uid}\n")
}

async fn start() -> Slapd {
    let ldif: String = ["ann", "bob", "cid"].iter().map(|uid| person(uid)).collect();
    let start = move || {
        let database = "overlay syncprov\nsyncprov-sessionlog 100\n";
        Slapd::start(Options { database, ldif: &format!("\n{PEOPLE}{ldif}"), people: 3, ..Options::default() })
    };
    tokio::task::spawn_blocking(start).await.unwrap()
}

fn source(server: &Slapd, more: &str) -> String {
    format!(
        "[[source]]\nname = \"corp\"\n{}{more}[source.users]\nbase_dn = \"ou=lab,dc=example,dc=com\"\n\
         filter = \"(objectClass=inetOrgPerson)\"\nlogin = \"uid\"\nmail = \"mail\"\n\
         enabled = {{ attribute = \"employeeType\", disabled = [\"left\"] }}\n",
        server.plain()
    )
}

fn mail(uid: &str, value: &str) -> String {
    format!("dn: uid={uid},ou=lab,dc=example,dc=com\nchangetype: modify\nreplace: mail\nmail: {value}\n")
}

both!(
    /// LDAP-087: our clock is a day ahead, or a day behind, and changes so while it runs: whatever changed in the directory comes,
    /// since only its own times are compared. A leaver's time counts from the read then.
    our_clock_decides_nothing,
    |kind| async move {
        let server = start().await;
        for (turn, changes) in ["changes = \"timestamp\"\n", ""].into_iter().enumerate() {
            let mut several = Several::new(kind, &source(&server, changes)).await;
            let now = Clock::System.now();
            several.broker.clock = Clock::fixed(now - Duration::days(1));
            several.run("corp").await;
            for (step, days) in [0_i64, 2].into_iter().enumerate() {
                several.broker.clock.advance(Duration::days(days));
                let address = format!("{turn}{step}@example.com");
                server.modify(&mail("ann", &address));
                let did = sync::increment(&several.broker, "corp", "cli", &mut |_| {}).await.unwrap();
                assert!(matches!(&did, Increment::Ran(reports) if reports.len() == 1), "{changes}: {did:?}");
                assert_eq!(several.user("ann").await.mail, Some(address), "{changes}");
                let again = sync::increment(&several.broker, "corp", "cli", &mut |_| {}).await.unwrap();
                let is_idle = match &again {
                    Increment::Nothing => true,
                    // Stamps of a second are read once more.
                    Increment::Ran(reports) => reports.iter().all(|report| report.changes == 0),
                    Increment::Waits(_) => false,
                };
                assert!(is_idle, "{changes}: {again:?}");
            }
            let leave = mail("bob", "x@example.com").replace("replace: mail\nmail: x@example.com", "replace: employeeType\nemployeeType: left");
            server.modify(&leave);
            let Increment::Ran(reports) = sync::increment(&several.broker, "corp", "cli", &mut |_| {}).await.unwrap() else { panic!() };
            assert_eq!(several.user("bob").await.status, Status::Disabled);
            let times = reports[0].lockout.unwrap();
            assert_eq!((times.people, times.timed, times.max_ms), (1, 0, 0), "{times:?}");
            server.modify(&leave.replace("employeeType: left", "employeeType: staff"));
        }
    }
);

both!(
    /// LDAP-018, LDAP-091: a server that stands before what was read already, be it a replica that lags or one that was restored,
    /// is refused: nobody is gone because of it. With its next change it is believed.
    a_server_that_is_behind_is_refused,
    |kind| async move {
        let server = start().await;
        let several = Several::new(kind, &source(&server, "")).await;
        several.run("corp").await;
        let mut tx = several.broker.db.write().await.unwrap();
        let sql = "SELECT position FROM sync_positions WHERE source = 'corp'";
        let (position,): (yaopai::store::Json<serde_json::Value>,) = tx.one(sql, &[]).await.unwrap();
        // As if a server had been read that had received a change of the year 2100.
        let text = position.0.to_string();
        let hex = |text: &str| text.bytes().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().concat();
        let (before, rest) = text.split_once(&hex("csn=20")).unwrap();
        let ahead: serde_json::Value = serde_json::from_str(&format!("{before}{}{rest}", hex("csn=21"))).unwrap();
        tx.run("UPDATE sync_positions SET position = $1 WHERE source = 'corp'", &[&yaopai::store::Json(&ahead)]).await.unwrap();
        tx.commit().await.unwrap();
        server.modify("dn: uid=cid,ou=lab,dc=example,dc=com\nchangetype: delete\n");
        let error = sync::run(&several.broker, "corp", "cli", &mut |_| {}).await.unwrap_err();
        assert!(error.to_string().contains("has not received changes yet"), "{error}");
        assert_eq!(several.user("cid").await.status, Status::Active);
        // Also where an increment was meant: the server does not know the position, and is not read whole instead.
        assert!(sync::increment(&several.broker, "corp", "cli", &mut |_| {}).await.is_err());
        assert_eq!(several.user("cid").await.status, Status::Active);
    }
);
