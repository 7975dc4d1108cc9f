//! Following a server: a change comes by itself.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::mpsc;
use yaopai::config::SourceConfig;
use yaopai::source::{self, Changes, DeltaRefusal, SourceError};

use super::super::{demo, demo_mapping, source_of};
use super::{Mirror, begin};
use crate::harness::ds389::Ds389;
use crate::harness::samba::{self, DOMAIN};
use crate::harness::slapd::{Options, Slapd};

type Heard = mpsc::Receiver<Result<Changes, SourceError>>;

/// Follows from now on; gives the bell time to be hung up.
async fn follow(config: SourceConfig) -> Heard {
    let (position, mirror) = begin(&config).await;
    let (sender, receiver) = mpsc::channel(8);
    tokio::spawn(async move { source::follow(&config, Path::new("/"), position, Arc::new(mirror), sender).await });
    tokio::time::sleep(Duration::from_secs(2)).await;
    receiver
}

/// How long it took until a change of this person came.
async fn heard(heard: &mut Heard, id: &str, since: Instant) -> Duration {
    loop {
        let next = tokio::time::timeout(Duration::from_secs(30), heard.recv()).await;
        let Changes::Delta(delta) = next.unwrap().unwrap().unwrap() else { panic!() };
        if delta.users.iter().any(|user| user.dn.to_lowercase().contains(id)) {
            return since.elapsed();
        }
    }
}

fn mail(dn: &str) -> String {
    format!("dn: {dn}\nchangetype: modify\nreplace: mail\nmail: live@example.com\n")
}

#[tokio::test]
async fn openldap_tells_at_once() {
    let options = Options { database: "overlay syncprov\nsyncprov-sessionlog 100\n", people: 3, ..Options::default() };
    let server = tokio::task::spawn_blocking(move || Slapd::start(options)).await.unwrap();
    let config = source_of(&demo_mapping().replace("[source.ldif]\nfile = \"company.ldif\"\n", &server.plain()));
    let (_, mirror) = begin(&config).await;
    let dn = mirror.users.values().next().unwrap().dn.clone();
    let mut listening = follow(config).await;
    let since = Instant::now();
    server.change(&mail(&dn));
    let took = heard(&mut listening, &dn.to_lowercase(), since).await;
    assert!(took < Duration::from_secs(5), "{took:?}");
    drop(server);
    let failed = tokio::time::timeout(Duration::from_secs(90), listening.recv()).await.unwrap().unwrap();
    assert!(failed.is_err(), "{failed:?}");
}

#[tokio::test]
async fn a_389_server_tells_at_once() {
    let server = tokio::task::spawn_blocking(Ds389::start).await.unwrap();
    let config = source_of(&format!("[[source]]\nname = \"s\"\n{}[source.users]\nmail = \"mail\"\n", server.table()));
    let mut listening = follow(config).await;
    let since = Instant::now();
    server.change(&mail("uid=li.na,ou=people,dc=example,dc=com"));
    let took = heard(&mut listening, "uid=li.na", since).await;
    assert!(took < Duration::from_secs(5), "{took:?}");
}

#[tokio::test]
async fn a_domain_controller_tells_soon() {
    let _alone = super::active_directory::ALONE.lock().await;
    let server = samba::shared().await;
    let dn = format!("CN=live,OU=accounts,{DOMAIN}");
    server.change(&format!("dn: {dn}\nobjectClass: user\nsAMAccountName: live\nuserAccountControl: 546\n"));
    let config = source_of(&format!("[[source]]\nname = \"s\"\n{}[source.users]\nmail = \"mail\"\n", server.usual()));
    let mut listening = follow(config).await;
    let since = Instant::now();
    server.change(&mail(&dn));
    let took = heard(&mut listening, "cn=live", since).await;
    eprintln!("Samba told after {took:?}");
    assert!(took < Duration::from_secs(15), "{took:?}");
}

#[tokio::test]
async fn a_file_is_not_followed() {
    let config = source_of(&demo_mapping());
    assert!(source::position(&config, &demo()).await.unwrap().is_none());
    let (sender, mut receiver) = mpsc::channel(1);
    let nothing = serde_json::from_str("{}").unwrap();
    source::follow(&config, &demo(), nothing, Arc::new(Mirror::default()), sender).await;
    let why = DeltaRefusal::NotSupported;
    assert_eq!(receiver.recv().await.unwrap().unwrap(), Changes::FullNeeded { why });
}
