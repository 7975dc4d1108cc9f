//! Refreshes that go wrong: nothing is concluded from one that does not end as it should.

use std::path::Path;

use yaopai::source::{self, Changes, DeltaRefusal, Gone, Part, SourceError};

use super::super::source_of;
use super::{Mirror, changes};
use crate::harness::scripted_ldap::{Page, ScriptedLdap, Step};

const SYNC: &str = "1.3.6.1.4.1.4203.1.9.1.1";

fn root() -> Page {
    let controls = vec![("supportedControl".to_owned(), vec![SYNC.as_bytes().to_vec()])];
    vec![Step::Entry(vec![], controls), Step::Done(0, "")]
}

fn person(uid: &str, id: u8) -> Step {
    let id = [id; 16];
    let text = uuid::Uuid::from_bytes(id).to_string();
    let attributes = [("objectClass", "inetOrgPerson"), ("uid", uid), ("entryUUID", &text)];
    let attributes = attributes.map(|(name, value)| (name.to_owned(), vec![value.as_bytes().to_vec()])).to_vec();
    Step::Synced(format!("uid={uid},dc=x").into_bytes(), attributes, 1, id)
}

fn id(id: u8) -> String {
    uuid::Uuid::from_bytes([id; 16]).to_string()
}

/// A server that stood somewhere and now answers with this; people 1, 2 and 3 are known.
async fn after(refresh: Page) -> (Result<Changes, SourceError>, ScriptedLdap) {
    let stood = || vec![Step::SyncDone(0, Some("csn=before"), true)];
    let server = ScriptedLdap::start(vec![root(), stood(), stood()]).await;
    let config = source_of(&format!("[[source]]\nname = \"s\"\n{}[source.users]\n", server.table()));
    let position = source::position(&config, Path::new("/")).await.unwrap().unwrap();
    server.add(vec![root(), refresh]);
    let changes = changes(&config, &position, &known()).await;
    (changes, server)
}

fn known() -> Mirror {
    let mut mirror = Mirror::default();
    for known in 1..=3 {
        mirror.users.insert(id(known), source::Entry { external_id: id(known), ..source::Entry::default() });
    }
    mirror
}

/// LDAP-085: cut short in any way, with whatever had been listed by then, nobody is gone.
#[tokio::test]
async fn a_refresh_that_does_not_end_well_is_no_delta() {
    let begun = || vec![person("a", 1), Step::SyncIds(true, vec![[2; 16]]), Step::SyncIds(false, vec![[1; 16]])];
    let garbage = Step::DoneWith("1.3.6.1.4.1.4203.1.9.1.3", vec![0x30, 0x05, 0x01]);
    let plain = || Step::Entry(b"uid=b,dc=x".to_vec(), vec![]);
    for (name, end) in [
        ("closed", vec![Step::Close]),
        ("notice", vec![Step::Notice]),
        ("stalled", vec![Step::Hang]),
        ("busy", vec![Step::SyncDone(51, Some("after"), true)]),
        ("without a control", vec![Step::Done(0, "")]),
        ("with a control of garbage", vec![garbage]),
        ("without a cookie", vec![Step::SyncDone(0, None, true)]),
        ("an entry without a state", vec![plain(), Step::SyncDone(0, Some("after"), true)]),
        (
            "a state of garbage",
            vec![Step::Synced(b"uid=b,dc=x".to_vec(), vec![], 9, [9; 16]), Step::SyncDone(0, Some("after"), true)],
        ),
        ("a reference", vec![Step::Reference("ldap://other/dc=x"), Step::SyncDone(0, Some("after"), true)]),
    ] {
        let (changes, _server) = after([begun(), end].concat()).await;
        assert!(changes.is_err(), "{name}: {changes:?}");
    }
}

/// LDAP-085
#[tokio::test]
async fn who_is_gone_is_listed_or_not_among_those_who_are_there() {
    let gone = |changes: Result<Changes, SourceError>| match changes.unwrap() {
        Changes::Delta(delta) => {
            let mut ids: Vec<String> = delta
                .gone
                .iter()
                .map(|gone| match gone {
                    Gone::Id { part: Some(Part::Users), external_id } => external_id.clone(),
                    other => panic!("{other:?}"),
                })
                .collect();
            ids.sort();
            ids
        }
        full @ Changes::FullNeeded { .. } => panic!("{full:?}"),
    };
    let listed =
        vec![person("a", 1), Step::SyncIds(true, vec![[2; 16], [9; 16]]), Step::SyncDone(0, Some("after"), true)];
    assert_eq!(gone(after(listed).await.0), [id(2)]);
    let present = vec![person("a", 1), Step::SyncIds(false, vec![[3; 16]]), Step::SyncDone(0, Some("after"), false)];
    assert_eq!(gone(after(present).await.0), [id(2)]);
    // Deleted and made anew under the same id: it is there.
    let both = vec![Step::SyncIds(true, vec![[1; 16]]), person("a", 1), Step::SyncDone(0, Some("after"), true)];
    assert!(gone(after(both).await.0).is_empty());
    let nothing = vec![Step::SyncDone(0, None, true)];
    assert!(gone(after(nothing).await.0).is_empty());
}

/// LDAP-084, LDAP-085: `e-syncRefreshRequired` means a full read, not an error and not a delta.
#[tokio::test]
async fn a_server_that_cannot_go_on_says_so() {
    let (changes, _server) = after(vec![person("a", 1), Step::SyncDone(4096, None, false)]).await;
    let Changes::FullNeeded { why } = changes.unwrap() else { panic!() };
    assert!(matches!(&why, DeltaRefusal::Expired { said } if said.contains("e-syncRefreshRequired")), "{why:?}");
    assert!(why.fault().to_string().contains("no longer knows"));
}

/// LDAP-016: a look that did not end is an error, and nobody is absent.
#[tokio::test]
async fn a_look_that_is_cut_finds_nobody_absent() {
    let config =
        |server: &ScriptedLdap| source_of(&format!("[[source]]\nname = \"s\"\n{}[source.users]\n", server.table()));
    let contexts =
        || vec![Step::Entry(vec![], vec![("namingContexts".to_owned(), vec![b"dc=x".to_vec()])]), Step::Done(0, "")];
    let look = async |pages: Vec<Page>| {
        let server = ScriptedLdap::start(pages).await;
        source::look_up(&config(&server), Path::new("/"), &[id(1)], Part::Users).await
    };
    for end in
        [Step::Close, Step::Done(51, ""), Step::Done(50, ""), Step::Reference("ldap://other/ou=a,dc=x"), Step::Hang]
    {
        assert!(look(vec![contexts(), vec![end]]).await.is_err());
    }
    let nobody = look(vec![contexts(), vec![Step::Done(0, "")], vec![Step::Done(0, "")]]).await;
    assert!(nobody.unwrap().is_empty());
}
