//! A leaver, from the change in a real directory to the refused session at a real broker: at the default interval, and live.
//! Asserted is the order of events and what is kept of it; how long it took is printed.

use std::time::{Duration, Instant};

use serde_json::Value;
use yaopai::sample;
use yaopai::store::Db;

use crate::cli::done;
use crate::cli::pages::Browser;
use crate::process::Installation;
use crate::samba::{self, ADMIN, ADMIN_PASSWORD, DOMAIN, PASSWORD, READER, Samba};
use crate::slapd::{Options, Slapd};

/// How long a leaver may stay on a busy machine before the test gives up.
const PATIENCE: Duration = Duration::from_mins(1);

/// A person signs in, is disabled in the directory, and is out.
async fn leaves(name: &str, source: &str, (login, password): (&str, &str), disable: impl FnOnce()) {
    let installation = Installation::new();
    installation.configure(&format!("{}\n[[source]]\nname = \"corp\"\n{source}", installation.smallest()));
    done(&installation, &["sync", "run", "--source", "corp"]);
    let broker = installation.start();
    let browser = Browser::new(&format!("http://127.0.0.1:{}", installation.port));
    assert_eq!(browser.sign_in(login, password).await.status, 303, "{name}: {}", broker.log());
    assert_eq!(browser.get("/").await.status, 200);
    // Whoever listens to the directory does so by now.
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert_eq!(browser.get("/").await.status, 200, "{name}: still in before the change");
    let since = Instant::now();
    disable();
    let written = since.elapsed();
    while browser.get("/").await.status == 200 {
        assert!(since.elapsed() < PATIENCE, "{name}: still in:\n{}", broker.log());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let refused = since.elapsed();
    let db = Db::open(&installation.sqlite(), 1).await.unwrap();
    let kept = db.read().await.unwrap().sync_positions().list_lockouts("corp", 5).await.unwrap();
    let [kept] = kept.as_slice() else { panic!("{name}: {kept:?}") };
    let changed_at = kept.changed_at.unwrap_or_else(|| panic!("{name}: {kept:?}"));
    let from = changed_at.min(kept.read_at);
    assert!(kept.read_at <= kept.committed_at, "{name}: {kept:?}");
    assert_eq!(kept.millis, (kept.committed_at - from).num_milliseconds(), "{name}: {kept:?}");
    assert!((0..=60_000).contains(&kept.millis), "{name}: {kept:?}");
    let report: Value =
        serde_json::from_str(&done(&installation, &["sync", "report", "--source", "corp", "--json"])).unwrap();
    assert_ne!(report.get("kind").unwrap(), "full", "{name}: {report:#}");
    let [people, timed, longest] =
        ["people", "timed", "max_ms"].map(|name| report.pointer(&format!("/lockout/{name}")));
    let said = [people, timed, longest].map(|number| number.and_then(Value::as_i64));
    assert_eq!(said, [Some(1), Some(1), Some(kept.millis)], "{name}: {report:#}");
    let text = done(&installation, &["sync", "report", "--source", "corp"]);
    assert!(text.contains("from the change at the source to the lock-out"), "{text}");
    let denied = browser.sign_in(login, password).await.status;
    assert_ne!(denied, 303, "{name}: nobody signs in again");
    let seconds = |time: Duration| format!("{:.2} s", time.as_secs_f64());
    eprintln!(
        "{name}: refused {} after the change was begun, {} after it was made; the record says {} ms since the directory's own time",
        seconds(refused),
        seconds(refused.saturating_sub(written)),
        kept.millis
    );
}

/// `[source.ldap]` and mapping of an OpenLDAP with the sample company.
fn openldap(server: &Slapd, live: bool) -> String {
    format!(
        "live = {live}\n{}[source.users]\nfilter = \"(objectClass=inetOrgPerson)\"\nlogin = \"uid\"\ndisplay_name = \"cn\"\n\
         enabled = {{ attribute = \"employeeType\", disabled = [\"left\"] }}\n",
        server.ldaps()
    )
}

async fn leaves_openldap(live: bool) {
    let options = Options { database: "overlay syncprov\nsyncprov-sessionlog 100\n", people: 40, ..Options::default() };
    let server = tokio::task::spawn_blocking(move || Slapd::start(options)).await.unwrap();
    let login = sample::LOGINS[0].login;
    let file = sample::ldif(40, 1);
    let record = file.split("\n\n").find(|record| record.contains(&format!("\nuid: {login}\n"))).unwrap();
    let record = record.replace("\n ", "");
    let dn = record.lines().find(|line| line.starts_with("dn:")).unwrap();
    let name = format!("OpenLDAP, {}", if live { "live" } else { "every 3 s" });
    let change = format!("{dn}\nchangetype: modify\nreplace: employeeType\nemployeeType: left\n");
    leaves(&name, &openldap(&server, live), (login, sample::PASSWORD), || server.modify(&change)).await;
}

#[tokio::test]
async fn whoever_leaves_an_openldap_is_out() {
    leaves_openldap(false).await;
}

#[tokio::test]
async fn whoever_leaves_a_live_openldap_is_out() {
    leaves_openldap(true).await;
}

/// A domain controller, read by an account that may use `DirSync` or by one that may not; a person of the test's own.
async fn leaves_active_directory(tag: &str, (who, secret): (&str, &str), live: bool) {
    let server: &'static Samba = samba::shared().await;
    let (dn, login) = (format!("CN={tag},OU=leavers-{tag},{DOMAIN}"), format!("leaver.{tag}"));
    let unicode: Vec<u8> = format!("\"{PASSWORD}\"").encode_utf16().flat_map(u16::to_le_bytes).collect();
    let encoded = {
        use base64::Engine as _;
        base64::engine::general_purpose::STANDARD.encode(unicode)
    };
    server.change(&format!(
        "dn: OU=leavers-{tag},{DOMAIN}\nobjectClass: organizationalUnit\n\ndn: {dn}\nobjectClass: user\nsAMAccountName: {login}\n\
         unicodePwd:: {encoded}\nuserAccountControl: 512\n"
    ));
    let table = server.table(&format!("\"{}\"", server.ldaps(636)), who, secret);
    let source = format!("live = {live}\n{table}[source.users]\nbase_dn = \"OU=leavers-{tag},{DOMAIN}\"\n");
    let name = format!("Samba AD as {tag}, {}", if live { "live" } else { "every 3 s" });
    let change = format!("dn: {dn}\nchangetype: modify\nreplace: userAccountControl\nuserAccountControl: 514\n");
    leaves(&name, &source, (&login, PASSWORD), || server.change(&change)).await;
}

#[tokio::test]
async fn whoever_leaves_a_domain_is_out() {
    leaves_active_directory("administrator", (ADMIN, ADMIN_PASSWORD), false).await;
    leaves_active_directory("reader", (READER, PASSWORD), false).await;
}

#[tokio::test]
async fn whoever_leaves_a_live_domain_is_out() {
    leaves_active_directory("live-administrator", (ADMIN, ADMIN_PASSWORD), true).await;
    leaves_active_directory("live-reader", (READER, PASSWORD), true).await;
}
