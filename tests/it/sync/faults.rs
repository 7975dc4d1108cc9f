//! Everything that a server does wrong in the middle of a run: nobody is locked out, the run says why, and the next
//! good run works. Read by our own reader (OpenLDAP) and through the LDAP library (any other server).

use tempfile::TempDir;
use yaopai::broker::Broker;
use yaopai::config::Config;
use yaopai::model::RunState;
use yaopai::sync::{self, RunReport, SyncError};

use super::natural::{assert_same, state};
use crate::both;
use crate::harness::scripted_ldap::{Asked, Page, ScriptedLdap, Step, person};
use crate::harness::{Kind, broker};

const SOURCE: &str = "s";
/// Where another part of the directory is said to be.
const ELSEWHERE: &str = "ldap://other.example.com/dc=x";

/// A fault: its name, what the server sends after two good pages, and words of the sentence that the run ends with.
struct Fault {
    name: &'static str,
    page: Page,
    words: &'static [&'static str],
}

const fn fault(name: &'static str, page: Page, words: &'static [&'static str]) -> Fault {
    Fault { name, page, words }
}

fn faults() -> Vec<Fault> {
    let c = || person("c", "3", &[]);
    let cut = |code| vec![c(), Step::Done(code, "")];
    let half = vec![0x30, 0x84, 0x00, 0x00, 0x10, 0x00, 0x02, 0x01];
    vec![
        fault("stalls", vec![c(), Step::Hang], &["gave no answer for 1 s", "timeout can be raised"]),
        fault("stalls inside a message", vec![Step::Bytes(half.clone()), Step::Hang], &["gave no answer for 1 s"]),
        fault("truncates", vec![c(), Step::Bytes(half), Step::Close], &["broke off", "`dc=x`"]),
        fault("drops in the middle of a page", vec![c(), Step::Close], &["broke off", "`dc=x`"]),
        fault("drops between pages", vec![Step::Close], &["broke off", "`dc=x`"]),
        fault("says goodbye", vec![c(), Step::Notice], &["broke off", "`dc=x`"]),
        fault("size limit", cut(4), &["(4)", "raise the server's size limit"]),
        fault("time limit", cut(3), &["(3)", "raise the server's time limit"]),
        fault("administrative limit", cut(11), &["(11)", "raise the server's limits"]),
        fault("size limit and a cookie", vec![c(), Step::Done(4, "three")], &["(4)", "size limit"]),
        fault("busy", cut(51), &["(51)", "overloaded"]),
        fault("unavailable", cut(52), &["(52)", "not ready"]),
        fault("unwilling", cut(53), &["(53)", "policy forbids"]),
        fault("operations error", cut(1), &["(1)", "server's log"]),
        fault("other error", cut(80), &["(80)", "server's log"]),
        fault("a referral", vec![c(), Step::Referral(ELSEWHERE)], &["refers to another one", ELSEWHERE]),
        fault("a reference", vec![c(), Step::Reference(ELSEWHERE), Step::Done(0, "")], &["refers to another one"]),
        fault("a cookie that another server gave", vec![Step::Done(2, "")], &["(2)", "did not understand"]),
        fault("no pages any more", vec![Step::Done(12, "")], &["(12)", "in pages"]),
        fault("no base any more", vec![Step::Done(32, "")], &["(32)", "correct base_dn"]),
        fault("no LDAP", vec![Step::Bytes(b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec()), Step::Close], &[]),
    ]
}

/// Two good pages, then `last`.
fn after_two_pages(last: Page) -> Vec<Page> {
    vec![vec![person("a", "1", &[]), Step::Done(0, "one")], vec![person("b", "2", &[]), Step::Done(0, "two")], last]
}

/// A complete read; `mail` tells it from the one before.
fn good(mail: &str) -> Vec<Page> {
    after_two_pages(vec![person("c", "3", &[("mail", mail.as_bytes())]), Step::Done(0, "")])
}

/// What is told of the server: tests of the read itself ask nothing else of it.
const ONLY_READ: &str = "changes = \"none\"\n";

struct Company {
    broker: Broker,
    server: ScriptedLdap,
    turn: u32,
    _folder: TempDir,
}

impl Company {
    async fn new(kind: Kind, schema: &str) -> Self {
        Self::patient(kind, schema, 1).await
    }

    /// Waits so many seconds for an answer.
    async fn patient(kind: Kind, schema: &str, seconds: u32) -> Self {
        let mut company = Self::not_read_yet(kind, schema, seconds, ONLY_READ).await;
        company.server.add(good("0@x"));
        assert_eq!(company.run().await.unwrap().state, RunState::Applied);
        company.good_run("the first").await;
        company
    }

    /// Whose server has no pages yet.
    async fn not_read_yet(kind: Kind, schema: &str, seconds: u32, more: &str) -> Self {
        let server = ScriptedLdap::start(Vec::new()).await;
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("policies")).unwrap();
        std::fs::write(
            folder.path().join("policies/roles.toml"),
            "[[rule]]\nid = \"all\"\nrole = \"employee\"\ndescription = \"everybody\"\neveryone = true\n",
        )
        .unwrap();
        let text = format!(
            "[server]\npublic_url = \"http://127.0.0.1\"\n[policies]\nfolder = \"policies\"\n[[source]]\nname = \"{SOURCE}\"\n\
             {}schema = \"{schema}\"\n{more}[source.users]\nid = \"entryUUID\"\nlogin = \"uid\"\ndisplay_name = \"uid\"\n\
             mail = \"mail\"\nfilter = \"(objectClass=inetOrgPerson)\"\n",
            server.table().replace("\"1s\"", &format!("\"{seconds}s\""))
        );
        let config = Config::parse(&folder.path().join("yaopai.toml"), &text, &[]).unwrap();
        let broker = broker(kind, folder.path(), config).await;
        Self { broker, server, turn: 0, _folder: folder }
    }

    async fn run(&self) -> Result<RunReport, SyncError> {
        // Each run at a time of its own, so that the last one is known.
        self.broker.clock.advance(chrono::Duration::seconds(1));
        sync::run(&self.broker, SOURCE, "cli", &mut |_| {}).await
    }

    async fn state(&self) -> Vec<String> {
        state(&self.broker.db, SOURCE, false).await
    }

    async fn last_run(&self) -> RunReport {
        let run = self.broker.db.read().await.unwrap().runs().list_by_source(SOURCE, 1).await.unwrap().remove(0);
        serde_json::from_value(run.report.0).unwrap()
    }

    /// A read with nothing wrong is applied, and all three are in.
    async fn good_run(&mut self, after: &str) {
        self.turn += 1;
        self.server.clear();
        self.server.answer_forever_with(None);
        self.server.add(good(&format!("{}@x", self.turn)));
        let report = self.run().await.unwrap_or_else(|error| panic!("after {after}: {error}"));
        assert_eq!((report.state, report.users.changed), (RunState::Applied, 1), "after {after}: {report:#?}");
        let people: Vec<String> = self.state().await.into_iter().filter(|line| line.starts_with("user:")).collect();
        assert!(
            people.iter().filter(|line| line.contains("(Active, None)")).count() == 3,
            "after {after}: {people:#?}"
        );
    }

    /// A run in which the server does something wrong.
    async fn bad_run(&self, name: &str, words: &[&str]) {
        let before = self.state().await;
        let version = self.version().await;
        let error = self.run().await.err().unwrap_or_else(|| panic!("{name}: the run went on")).to_string();
        for word in words {
            assert!(error.contains(word), "{name}: `{word}` is not in: {error}");
        }
        assert!(error.contains("nothing was changed"), "{name}: {error}");
        assert_same(&self.state().await, &before, name);
        assert_eq!(self.version().await, version, "{name}");
        let report = self.last_run().await;
        assert_eq!((report.state, report.error.as_deref()), (RunState::Failed, Some(error.as_str())), "{name}");
    }

    async fn version(&self) -> Option<i64> {
        self.broker.db.read().await.unwrap().source_states().find(SOURCE).await.unwrap().map(|state| state.version)
    }
}

async fn every_fault(kind: Kind, schema: &str) {
    let mut company = Company::new(kind, schema).await;
    for Fault { name, page, words } in faults() {
        company.server.add(after_two_pages(page));
        company.bad_run(name, words).await;
        company.good_run(name).await;
    }
    // The same page again and again, each time with a cookie for the next; and empty ones.
    for (name, page) in [
        ("the same page for ever", vec![person("a", "1", &[]), Step::Done(0, "again")]),
        ("empty pages for ever", vec![Step::Done(0, "again")]),
    ] {
        company.server.answer_forever_with(Some(page));
        company.bad_run(name, &["page after page without a new entry"]).await;
        company.good_run(name).await;
    }
    // Who cannot bind reads nothing.
    company.server.answer_binds_with(49);
    company.bad_run("a wrong password", &["password is wrong", "bind_password"]).await;
    company.server.answer_binds_with(0);
    company.good_run("a wrong password").await;
}

both!(
    /// LDAP-001, LDAP-002, LDAP-003, LDAP-004, LDAP-008, LDAP-009, LDAP-012
    a_read_that_goes_wrong_takes_nobody_away_openldap,
    |kind| every_fault(kind, "openldap")
);

both!(
    /// LDAP-001, LDAP-002, LDAP-003, LDAP-004, LDAP-008, LDAP-009, LDAP-012
    a_read_that_goes_wrong_takes_nobody_away_library,
    |kind| every_fault(kind, "generic")
);

both!(
    /// Our own reader takes an answer to something it did not ask for what it is; the library waits for its own.
    an_answer_to_nobody_ends_the_read,
    |kind| async move {
        for (schema, words) in [("openldap", "answers what nobody asked"), ("generic", "gave no answer for 1 s")] {
            let mut company = Company::new(kind, schema).await;
            let stray = Step::Stray(Box::new(person("c", "3", &[])));
            company.server.add(after_two_pages(vec![stray, Step::Stray(Box::new(Step::Done(0, ""))), Step::Hang]));
            company.bad_run("wrong message ids", &[words]).await;
            company.good_run("wrong message ids").await;
        }
    }
);

both!(
    /// LDAP-005, LDAP-101: pages of two servers are never joined; the other one is asked from the first page on.
    pages_of_two_servers_are_never_joined,
    |kind| async move {
        let mut company = Company::new(kind, "openldap").await;
        let other = ScriptedLdap::start(Vec::new()).await;
        let mut config = (*company.broker.config).clone();
        let ldap = config.sources[0].ldap.as_mut().unwrap();
        ldap.url = serde_json::from_value(serde_json::json!([url_text(company.server.port), url_text(other.port)])).unwrap();
        company.broker.config = config.into();
        company.server.add(after_two_pages(vec![Step::Close]));
        other.add(after_two_pages(vec![Step::Done(0, "")]));
        company.bad_run("dropped with another server at hand", &["broke off"]).await;
        assert!(other.asked().is_empty(), "{:?}", other.asked());
        company.good_run("dropped with another server at hand").await;
    }
);

both!(
    /// Before a read the server is asked where it stands. It need not be able to tell; but a refused password is sent once.
    who_cannot_tell_where_it_stands_may_still_be_read,
    |kind| async move {
        for schema in ["openldap", "generic"] {
            let company = Company::not_read_yet(kind, schema, 1, "").await;
            company.server.answer_binds_with(49);
            company.bad_run("a wrong password", &["password is wrong", "bind_password"]).await;
            let binds = company.server.asked().into_iter().filter(|asked| matches!(asked, Asked::Bind(_)));
            assert_eq!(binds.count(), 1, "{schema}");
            company.server.answer_binds_with(0);
            for (turn, wrong) in [Step::Close, Step::Done(53, ""), Step::Hang].into_iter().enumerate() {
                company.server.add(vec![vec![wrong]]);
                company.server.add(good(&format!("{turn}@x")));
                assert_eq!(company.run().await.unwrap().state, RunState::Applied, "{schema} {turn}");
            }
        }
    }
);

fn url_text(port: u16) -> String {
    format!("ldap://127.0.0.1:{port}")
}

both!(
    /// LDAP-014, LDAP-017: an entry that cannot be read counts as present, one that comes twice is one; the run goes on.
    bad_entries_take_nobody_away,
    |kind| async move {
        for schema in ["openldap", "generic"] {
            let mut company = Company::patient(kind, schema, 30).await;
            let before = company.state().await;
            let large = vec![b'x'; 5 << 20];
            let cases: Vec<(&str, Step, Option<&str>)> = vec![
                ("bad UTF-8", person("c", "3", &[("mail", b"\xff\xfe")]), Some("rejected:bad_utf8")),
                ("5 MB", person("c", "3", &[("mail", &large)]), Some("rejected:too_large")),
                ("no id", Step::Entry(b"uid=c,dc=x".to_vec(), vec![("uid".to_owned(), vec![b"c".to_vec()])]), Some("rejected:no_id")),
                ("no login", person("", "3", &[]), Some("missing_login")),
            ];
            for (name, step, code) in cases {
                company.server.add(after_two_pages(vec![step, Step::Done(0, "")]));
                let report = company.run().await.unwrap_or_else(|error| panic!("{name}: {error}"));
                assert!(code.is_none_or(|code| report.findings.keys().any(|found| found.as_str() == code)), "{name}: {report:#?}");
                assert_eq!((report.state, report.users.absent, report.users.quarantined), (RunState::Unchanged, 0, 1), "{name}");
                assert_same(&company.state().await, &before, name);
            }
            let twice = vec![
                vec![person("a", "1", &[]), person("b", "2", &[]), Step::Done(0, "one")],
                vec![person("b", "2", &[]), person("c", "3", &[("mail", b"1@x")]), Step::Done(0, "two")],
                vec![person("c", "3", &[("mail", b"1@x")]), Step::Done(0, "")],
            ];
            company.server.add(twice);
            assert_eq!(company.run().await.unwrap().state, RunState::Unchanged);
            assert_same(&company.state().await, &before, "twice");
            company.good_run("bad entries").await;
        }
    }
);
