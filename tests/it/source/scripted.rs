//! What goes wrong in the middle of a read: no snapshot, and a sentence that says why. An entry not returned is
//! unknown, not gone.

use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use yaopai::source::ldap::{PasswordAnswer, check_password};
use yaopai::source::{Snapshot, SourceError};

use super::{read, source_of};
use crate::harness::scripted_ldap::{Asked, Page, ScriptedLdap, Step, person};

const USERS: &str = "[source.users]\nmail = \"mail\"\nmanager = \"manager\"\n";

async fn read_from(server: &ScriptedLdap) -> Result<Snapshot, SourceError> {
    let config = source_of(&format!("[[source]]\nname = \"s\"\n{}{USERS}", server.table()));
    read(&config, Path::new("/")).await
}

async fn read_pages(pages: Vec<Page>) -> Result<Snapshot, SourceError> {
    read_from(&ScriptedLdap::start(pages).await).await
}

/// Two good pages, then `last`.
fn after_two_pages(last: Page) -> Vec<Page> {
    vec![vec![person("a", "1", &[]), Step::Done(0, "one")], vec![person("b", "2", &[]), Step::Done(0, "two")], last]
}

fn ids(snapshot: &Snapshot) -> Vec<&str> {
    snapshot.users.iter().map(|user| user.external_id.as_str()).collect()
}

/// LDAP-001, LDAP-003
#[tokio::test]
async fn a_page_that_does_not_end_with_success_ends_the_read() {
    for code in [1, 2, 3, 4, 8, 11, 50, 51, 52, 53, 80, 99] {
        let pages = after_two_pages(vec![person("c", "3", &[]), Step::Done(code, "")]);
        let error = read_pages(pages).await.unwrap_err();
        let is_it = matches!(error, SourceError::Result { code: given, .. } if given == u32::from(code));
        assert!(is_it && error.to_string().contains(&format!("({code})")), "{error}");
    }
}

/// LDAP-001: a cookie beside an error is not followed.
#[tokio::test]
async fn a_page_with_an_error_and_a_cookie_is_not_continued() {
    let server = ScriptedLdap::start(after_two_pages(vec![Step::Done(4, "three")])).await;
    assert!(read_from(&server).await.is_err());
    assert_eq!(server.asked().iter().filter(|asked| matches!(asked, Asked::Search(_))).count(), 3);
}

/// LDAP-002
#[tokio::test]
async fn a_connection_that_ends_in_the_middle_ends_the_read() {
    let half = vec![0x30, 0x84, 0x00, 0x00, 0x10, 0x00, 0x02, 0x01];
    for last in [vec![Step::Close], vec![Step::Notice], vec![Step::Bytes(half), Step::Close]] {
        let last = [vec![person("c", "3", &[])], last].concat();
        let error = read_pages(after_two_pages(last)).await.unwrap_err();
        assert!(matches!(error, SourceError::Broken { .. }), "{error}");
    }
}

/// LDAP-004: given up after the timeout, the connection freed.
#[tokio::test]
async fn a_server_that_hangs_is_given_up() {
    let server = ScriptedLdap::start(after_two_pages(vec![person("c", "3", &[]), Step::Hang])).await;
    let begun = Instant::now();
    let error = read_from(&server).await.unwrap_err();
    assert!(matches!(error, SourceError::Timeout { seconds: 1, .. }), "{error}");
    assert!(begun.elapsed() < Duration::from_secs(5));
    gone(&server).await;
}

/// LDAP-004: whoever starts a read can end it.
#[tokio::test]
async fn a_read_that_is_dropped_frees_the_connection() {
    let server = ScriptedLdap::start(vec![vec![Step::Hang]]).await;
    let read = tokio::time::timeout(Duration::from_millis(300), read_from(&server)).await;
    assert!(read.is_err() && server.asked().contains(&Asked::Search(Some(Vec::new()))));
    gone(&server).await;
}

async fn gone(server: &ScriptedLdap) {
    let begun = Instant::now();
    while !server.asked().contains(&Asked::Gone) {
        assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", server.asked());
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// LDAP-005
#[tokio::test]
async fn cookies_stay_on_their_connection() {
    let server = ScriptedLdap::start(after_two_pages(vec![Step::Close])).await;
    assert!(read_from(&server).await.is_err());
    server.add(after_two_pages(vec![person("c", "3", &[]), Step::Done(0, "")]));
    assert_eq!(ids(&read_from(&server).await.unwrap()), ["1", "2", "3"]);
    let cookies = |cookie: &str| Asked::Search(Some(cookie.as_bytes().to_vec()));
    let one_read =
        [Asked::Connection, Asked::Bind("cn=reader,dc=x".to_owned()), cookies(""), cookies("one"), cookies("two")];
    let asked: Vec<Asked> = server.asked().into_iter().filter(|asked| *asked != Asked::Gone).collect();
    assert_eq!(asked, [one_read.clone(), one_read].concat());
}

/// LDAP-006, LDAP-007: without pages only where the answer is complete.
#[tokio::test]
async fn a_server_without_pages_is_believed_only_when_it_ends_with_success() {
    let refused = vec![Step::Done(12, "")];
    let server = ScriptedLdap::start(vec![refused.clone(), vec![person("a", "1", &[]), Step::Done(0, "")]]).await;
    assert_eq!(ids(&read_from(&server).await.unwrap()), ["1"]);
    assert!(server.asked().contains(&Asked::Search(None)));
    // The first thousand and result 4 are not the whole.
    let error = read_pages(vec![refused.clone(), vec![person("a", "1", &[]), Step::Done(4, "")]]).await.unwrap_err();
    assert!(matches!(error, SourceError::Result { code: 4, .. }), "{error}");
    let error = read_pages(after_two_pages(refused)).await.unwrap_err();
    assert!(matches!(error, SourceError::Result { code: 12, .. }), "{error}");
}

/// LDAP-008
#[tokio::test]
async fn a_part_on_another_server_makes_the_read_incomplete() {
    let elsewhere = "ldap://other.example.com/dc=x";
    for last in [vec![Step::Reference(elsewhere), Step::Done(0, "")], vec![Step::Referral(elsewhere)]] {
        let server = ScriptedLdap::start(after_two_pages(last)).await;
        let error = read_from(&server).await.unwrap_err();
        assert!(matches!(&error, SourceError::Referral { to, .. } if to == elsewhere), "{error}");
        // The credentials went to the one server that is configured.
        assert_eq!(server.asked().iter().filter(|asked| matches!(asked, Asked::Bind(_))).count(), 1);
    }
}

/// LDAP-009
#[tokio::test]
async fn a_base_that_is_gone_fails_the_read() {
    let error = read_pages(vec![vec![Step::Done(32, "")]]).await.unwrap_err();
    assert!(matches!(error, SourceError::Result { code: 32, .. }) && error.to_string().contains("base_dn"), "{error}");
}

/// LDAP-012, LDAP-094
#[tokio::test]
async fn a_bind_that_is_no_success_fails_the_read() {
    for code in [8, 10, 14, 34, 48, 49, 51, 53] {
        let server = ScriptedLdap::start(vec![vec![person("a", "1", &[]), Step::Done(0, "")]]).await;
        server.answer_binds_with(code);
        let error = read_from(&server).await.unwrap_err();
        assert!(matches!(error, SourceError::Bind { .. }), "{error}");
        assert!(!server.asked().iter().any(|asked| matches!(asked, Asked::Search(_))));
    }
}

/// LDAP-010: success with nobody is a complete read of an empty base; the guard judges it.
#[tokio::test]
async fn an_empty_answer_is_read_as_what_it_is() {
    let snapshot = read_pages(vec![vec![Step::Done(0, "")]]).await.unwrap();
    assert!(snapshot.users.is_empty() && snapshot.rejected.is_empty());
}

/// LDAP-014: the later answer of an entry that changed in between wins.
#[tokio::test]
async fn an_entry_that_comes_twice_is_one() {
    let pages = vec![
        vec![person("a", "1", &[]), person("b", "2", &[("mail", b"old@x")]), Step::Done(0, "more")],
        vec![
            person("renamed", "2", &[("mail", b"new@x")]),
            person("c", "3", &[("mail", b"\xff")]),
            Step::Done(0, "more"),
        ],
        vec![person("c", "3", &[]), Step::Done(0, "")],
    ];
    let snapshot = read_pages(pages).await.unwrap();
    assert_eq!(ids(&snapshot), ["1", "2", "3"]);
    assert_eq!((snapshot.users[1].dn.as_str(), super::one(&snapshot.users[1], "mail")), ("uid=renamed,dc=x", "new@x"));
    assert!(snapshot.rejected.is_empty());
}

/// LDAP-017, LDAP-067
#[tokio::test]
async fn a_bad_entry_is_rejected_and_counted() {
    let large = vec![b'x'; 5 << 20];
    let page = vec![
        person("good", "1", &[("mail;lang-zh", b"late@x"), ("mail", b"first@x"), ("jpegPhoto;binary", b"\xff\xd8")]),
        person("utf8", "2", &[("mail", b"\xff\xfe")]),
        person("large", "3", &[("mail", &large)]),
        Step::Entry(b"uid=noid,dc=x".to_vec(), vec![("uid".to_owned(), vec![b"noid".to_vec()])]),
        Step::Entry(b"uid=\xff,dc=x".to_vec(), vec![("entryUUID".to_owned(), vec![b"5".to_vec()])]),
        person("cut", "6", &[("manager;range=0-1499", b"uid=good,dc=x")]),
        person("whole", "7", &[("manager;range=0-*", b"uid=good,dc=x")]),
        Step::Done(0, ""),
    ];
    let snapshot = read_pages(vec![page]).await.unwrap();
    assert_eq!(ids(&snapshot), ["1", "7"]);
    assert_eq!(super::all(&snapshot.users[0], "mail"), ["first@x", "late@x"]);
    let rejected: Vec<_> = snapshot.rejected.iter().map(|r| (r.external_id.as_deref(), r.code.as_str())).collect();
    let expected = [
        (Some("2"), "rejected:bad_utf8"),
        (Some("3"), "rejected:too_large"),
        (None, "rejected:no_id"),
        (Some("5"), "rejected:bad_dn"),
        (Some("6"), "rejected:partial_values"),
    ];
    assert_eq!(rejected, expected);
}

/// LDAP-057
#[tokio::test]
async fn answers_from_outside_of_the_base_are_ignored_and_reported() {
    let stranger = |dn: &str| Step::Entry(dn.as_bytes().to_vec(), vec![("entryUUID".to_owned(), vec![b"9".to_vec()])]);
    let page = vec![
        person("a", "1", &[]),
        stranger("uid=x,dc=other"),
        stranger(r"uid=x\,dc=x"),
        Step::Entry(b"UID=b , DC=X".to_vec(), vec![("entryUUID".to_owned(), vec![b"2".to_vec()])]),
        Step::Done(0, ""),
    ];
    let snapshot = read_pages(vec![page]).await.unwrap();
    assert_eq!(ids(&snapshot), ["1", "2"]);
    assert_eq!(
        snapshot.warnings,
        ["2 answers from outside of the base were ignored, the first being `uid=x,dc=other`"]
    );
}

/// What makes the LDAP library panic is a failed read like any other.
#[tokio::test]
async fn answers_that_are_no_ldap_fail_the_read() {
    let unknown_operation = vec![0x30, 0x05, 0x02, 0x01, 0x02, 0x7e, 0x00];
    let result_without_code = vec![0x30, 0x05, 0x02, 0x01, 0x02, 0x65, 0x00];
    let no_entry = vec![0x30, 0x05, 0x02, 0x01, 0x02, 0x64, 0x00];
    for bytes in [unknown_operation, result_without_code, no_entry, b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec()] {
        let server = ScriptedLdap::start(vec![vec![Step::Bytes(bytes.clone()), Step::Close]]).await;
        let error = read_from(&server).await.unwrap_err();
        let is_it = matches!(error, SourceError::Malformed { .. } | SourceError::Stopped | SourceError::Broken { .. });
        assert!(is_it, "{bytes:?}: {error}");
    }
}

/// LDAP-096: StartTLS refused, or answered with something that is no TLS: no bind, no clear text.
#[tokio::test]
async fn without_starttls_nothing_secret_is_sent() {
    for code in [0, 1, 2, 52] {
        let server = ScriptedLdap::start(Vec::new()).await;
        server.answer_extended_with(code);
        let table = server.table().replace("allow_plaintext", "starttls");
        let config = source_of(&format!("[[source]]\nname = \"s\"\n{table}{USERS}"));
        let error = read(&config, Path::new("/")).await.unwrap_err();
        assert!(matches!(error, SourceError::Tls { .. } | SourceError::Timeout { .. }), "{error}");
        let signed_in = check_password(config.ldap.as_ref().unwrap(), Path::new("/"), "uid=a,dc=x", "pw").await;
        assert!(signed_in.is_err());
        assert!(!server.asked().iter().any(|asked| matches!(asked, Asked::Bind(_))), "{:?}", server.asked());
    }
}

/// LDAP-092, LDAP-093: refused before anything is sent.
#[tokio::test]
async fn empty_credentials_never_reach_a_server() {
    let server = ScriptedLdap::start(Vec::new()).await;
    let config = source_of(&format!("[[source]]\nname = \"s\"\n{}{USERS}", server.table())).ldap.unwrap();
    for password in ["", " ", "\t\u{3000}", "\0secret", "\0"] {
        let answer = check_password(&config, Path::new("/"), "uid=a,dc=x", password).await.unwrap();
        assert_eq!(answer, PasswordAnswer::Wrong, "{password:?}");
    }
    for dn in ["", " ", "\0uid=a"] {
        let error = check_password(&config, Path::new("/"), dn, "secret").await.unwrap_err();
        assert!(matches!(error, SourceError::EmptyCredentials { .. }), "{error}");
    }
    assert_eq!(server.asked(), []);
}

/// LDAP-094, LDAP-103
#[tokio::test]
async fn a_directory_that_gives_no_verdict_is_no_sign_in_and_tells_no_secret() {
    for code in [1, 2, 8, 10, 14, 51, 52, 80] {
        let server = ScriptedLdap::start(Vec::new()).await;
        server.answer_binds_with(code);
        let config = source_of(&format!("[[source]]\nname = \"s\"\n{}{USERS}", server.table())).ldap.unwrap();
        let error = check_password(&config, Path::new("/"), "uid=a,dc=x", "person-K9").await.unwrap_err();
        let said = format!("{error} {error:?} {config:?}");
        assert!(!said.contains("person-K9") && !said.contains("hush-Q7"), "{said}");
    }
}

/// LDAP-103: not in any log line either, down to the last level and on protocol errors.
#[tokio::test]
async fn no_log_line_holds_a_password() {
    let lines = Lines::default();
    let writer = lines.clone();
    let subscriber =
        tracing_subscriber::fmt().with_max_level(tracing::Level::TRACE).with_writer(move || writer.clone());
    let guard = tracing::subscriber::set_default(subscriber.finish());
    for (code, pages) in [(0, vec![vec![Step::Done(12, "")]]), (49, vec![]), (0, vec![vec![Step::Close]]), (80, vec![])]
    {
        let server = ScriptedLdap::start(pages).await;
        server.answer_binds_with(code);
        let table = server.table();
        let config = source_of(&format!("[[source]]\nname = \"s\"\n{table}{USERS}"));
        let read = read(&config, Path::new("/")).await;
        let signed_in = check_password(config.ldap.as_ref().unwrap(), Path::new("/"), "uid=a,dc=x", "person-K9").await;
        tracing::warn!(?read, ?signed_in, ?config, "what an operator might log");
    }
    drop(guard);
    let text = String::from_utf8_lossy(&lines.0.lock().unwrap()).into_owned();
    assert!(text.contains("pages") && text.contains("might log"), "{text}");
    assert!(!text.contains("hush-Q7") && !text.contains("person-K9"), "{text}");
}

/// Log lines, kept.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl std::io::Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
