//! A real Active Directory domain controller (Samba): reading, signing in by bind, what it says when it refuses.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::{Duration, Instant};

use yaopai::config::{LdapConfig, SourceConfig};
use yaopai::source::ldap::{PasswordAnswer, check_password};
use yaopai::source::{self, ACCOUNT_STATE, Entry, Level, Snapshot, SourceError};
use yaopai::time::Clock;

use super::{one, read, source_of};
use crate::harness::samba::{self, ADMIN, ADMIN_PASSWORD, DOMAIN, PASSWORD, READER, Samba};
use crate::harness::samba_domain::PARTNERS;
use crate::harness::scripted_ldap::{Page, ScriptedLdap, Step};

const MAPPING: &str = "
[source.users]
employee_number = \"employeeNumber\"
mail = \"mail\"
manager = \"manager\"
[source.departments]
from = \"ou\"
[source.groups]
";

fn over(table: &str) -> SourceConfig {
    source_of(&format!("[[source]]\nname = \"ad\"\n{table}{MAPPING}"))
}

fn ldap(table: &str) -> LdapConfig {
    over(table).ldap.unwrap()
}

async fn read_over(table: &str) -> Result<Snapshot, SourceError> {
    read(&over(table), Path::new("/")).await
}

fn named<'a>(entries: &'a [Entry], login: &str) -> &'a Entry {
    let found = entries.iter().find(|entry| one(entry, "samaccountname") == login);
    found.unwrap_or_else(|| panic!("{login} was not read"))
}

fn states<'a>(snapshot: &'a Snapshot, login: &str) -> Vec<&'a str> {
    super::all(named(&snapshot.users, login), ACCOUNT_STATE)
}

/// LDAP-036, LDAP-037, LDAP-076: over every kind of connection the same people, with ids and states as text.
#[tokio::test]
async fn a_domain_is_read_with_nothing_but_its_address_and_an_account() {
    let server = samba::shared().await;
    let starttls =
        format!("{}starttls = true\n", server.table(&format!("\"ldap://{}\"", server.address), READER, PASSWORD));
    let mut seen: Option<BTreeSet<String>> = None;
    for table in [server.usual(), starttls] {
        let snapshot = read_over(&table).await.unwrap();
        let logins: BTreeSet<&str> = snapshot.users.iter().map(|user| one(user, "samaccountname")).collect();
        for login in ["reader", "wang.fang", "li.na", "smith", "disabled", "expired", "later", "fresh"] {
            assert!(logins.contains(login), "{login}: {logins:?}");
        }
        for built_in in ["Administrator", "Guest", "krbtgt"] {
            assert!(!logins.contains(built_in), "{built_in}");
        }
        for user in snapshot.users.iter().chain(&snapshot.groups).chain(&snapshot.departments) {
            let id = uuid::Uuid::parse_str(&user.external_id).unwrap();
            assert_eq!(id.to_string(), user.external_id);
        }
        assert_eq!(states(&snapshot, "disabled"), ["disabled"]);
        assert_eq!(states(&snapshot, "expired"), ["expired"]);
        assert_eq!(states(&snapshot, "fresh"), ["password-change"]);
        for fine in ["wang.fang", "later", "reader"] {
            assert_eq!(states(&snapshot, fine), [""; 0], "{fine}");
        }
        let units: BTreeSet<&str> = snapshot.departments.iter().map(|unit| one(unit, "ou")).collect();
        assert!(units.is_superset(&["青屿集团", "华东分公司", "销售部"].into()), "{units:?}");
        assert_eq!(one(named(&snapshot.users, "li.na"), "manager"), named(&snapshot.users, "wang.fang").dn);
        let ids: BTreeSet<String> = ["wang.fang", "li.na", "smith"]
            .iter()
            .map(|login| named(&snapshot.users, login).external_id.clone())
            .collect();
        assert_eq!(seen.get_or_insert_with(|| ids.clone()), &ids);
    }
}

/// LDAP-037: the text is what Windows shows for the bytes on the wire.
#[tokio::test]
async fn the_id_of_a_person_finds_them_in_the_directory() {
    let server = samba::shared().await;
    let snapshot = read_over(&server.usual()).await.unwrap();
    let person = named(&snapshot.users, "li.na");
    let bytes = uuid::Uuid::parse_str(&person.external_id).unwrap().to_bytes_le();
    let mut config = over(&server.usual());
    config.users.filter = format!("(objectGUID={})", bytes.map(|byte| format!("\\{byte:02x}")).concat());
    let found = read(&config, Path::new("/")).await.unwrap();
    assert_eq!(found.users.iter().map(|user| one(user, "samaccountname")).collect::<Vec<_>>(), ["li.na"]);
}

/// LDAP-070: who has a group as their primary group is a member, although the group does not list them.
#[tokio::test]
async fn the_primary_group_counts() {
    let server = samba::shared().await;
    let snapshot = read_over(&server.usual()).await.unwrap();
    let members = |group: &str| {
        named(&snapshot.groups, group).attributes.all("member").map(str::to_owned).collect::<BTreeSet<String>>()
    };
    let everybody: BTreeSet<String> = snapshot.users.iter().map(|user| user.dn.clone()).collect();
    assert_eq!(members("Domain Users"), everybody);
    assert_eq!(members("buyers"), [named(&snapshot.users, "li.na").dn.clone()].into());
    // Nested: the group itself is the member.
    assert!(members("approvers").contains(&named(&snapshot.groups, "buyers").dn));
    assert_eq!(members("partners").len(), PARTNERS);
}

/// LDAP-008: the root of a domain refers to the configuration, where nobody lives; another reader cannot know that.
#[tokio::test]
async fn references_to_where_nobody_lives_leave_a_read_complete() {
    let server = samba::shared().await;
    assert!(read_over(&server.usual()).await.is_ok());
    let mut config = over(
        &server
            .usual()
            .replace("active-directory", "generic")
            .replace("base_dn", "left_out = [\"DC=child,DC=corp,DC=example,DC=com\"]\nbase_dn"),
    );
    config.users.id = Some("cn".to_owned());
    config.users.filter = "(objectClass=user)".to_owned();
    config.groups = None;
    config.departments = None;
    let error = read(&config, Path::new("/")).await.unwrap_err();
    assert!(matches!(&error, SourceError::Referral { to, .. } if to.contains("CN=Configuration")), "{error}");
    config.ldap.as_mut().unwrap().left_out = vec![format!("CN=Configuration,{DOMAIN}")];
    assert!(read(&config, Path::new("/")).await.is_ok());
}

/// LDAP-094, LDAP-097
#[tokio::test]
async fn people_of_the_domain_sign_in_by_bind_and_a_refusal_is_understood() {
    let server = samba::shared().await;
    let config = ldap(&server.usual());
    let snapshot = read_over(&server.usual()).await.unwrap();
    let ask = async |dn: &str, password: &str| check_password(&config, Path::new("/"), dn, password).await.unwrap();
    for (login, password, answer) in [
        ("wang.fang", PASSWORD, PasswordAnswer::Right),
        ("wang.fang", "wrong", PasswordAnswer::Wrong),
        ("wang.fang", "", PasswordAnswer::Wrong),
        ("smith", PASSWORD, PasswordAnswer::Right),
        ("later", PASSWORD, PasswordAnswer::Right),
        ("disabled", PASSWORD, PasswordAnswer::Disabled),
        ("expired", PASSWORD, PasswordAnswer::AccountExpired),
        ("fresh", PASSWORD, PasswordAnswer::MustChange),
        ("fresh", "wrong", PasswordAnswer::Wrong),
    ] {
        assert_eq!(ask(&named(&snapshot.users, login).dn, password).await, answer, "{login} {password}");
    }
    assert_eq!(ask(&format!("CN=nobody,{DOMAIN}"), PASSWORD).await, PasswordAnswer::Wrong);
}

/// LDAP-096: a domain controller takes no password in clear text, and the sentence says what to do.
#[tokio::test]
async fn a_bind_that_is_refused_says_why() {
    let server = samba::shared().await;
    let plain = server.table(&format!("\"ldap://{}\"", server.address), READER, PASSWORD) + "allow_plaintext = true\n";
    for (table, words) in [
        (plain, "use ldaps://"),
        (server.table(&format!("\"{}\"", server.ldaps(636)), READER, "wrong"), "data 52e"),
        (server.table(&format!("\"{}\"", server.ldaps(636)), "disabled@corp.example.com", PASSWORD), "is disabled"),
        (server.table(&format!("\"{}\"", server.ldaps(636)), "expired@corp.example.com", PASSWORD), "expiry date"),
        (
            server.table(&format!("\"{}\"", server.ldaps(636)), "fresh@corp.example.com", PASSWORD),
            "before the first use",
        ),
    ] {
        let error = read_over(&table).await.unwrap_err();
        assert!(matches!(error, SourceError::Bind { .. }) && error.to_string().contains(words), "{words}: {error}");
        assert!(!error.to_string().contains(PASSWORD));
    }
}

/// LDAP-101: a server that is gone costs one attempt and then rests; a refused password is not tried everywhere.
#[tokio::test]
async fn the_next_domain_controller_takes_over() {
    let server = samba::shared().await;
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let gone = format!("ldaps://127.0.0.1:{}", silent.local_addr().unwrap().port());
    let both = |who: &str, password: &str| {
        server.table(&format!("[\"{gone}\", \"{}\"]", server.ldaps(636)), who, password) + "connect_timeout = \"1s\"\n"
    };
    let begun = Instant::now();
    let snapshot = read_over(&both(READER, PASSWORD)).await.unwrap();
    assert!(begun.elapsed() >= Duration::from_millis(900), "the first one was not tried first");
    let begun = Instant::now();
    let dn = &named(&snapshot.users, "wang.fang").dn;
    let config = ldap(&both(READER, PASSWORD));
    assert_eq!(check_password(&config, Path::new("/"), dn, PASSWORD).await.unwrap(), PasswordAnswer::Right);
    assert!(begun.elapsed() < Duration::from_millis(900), "the one that is gone was waited for again");
    let error = read_over(&both(READER, "wrong")).await.unwrap_err();
    assert!(matches!(error, SourceError::Bind { .. }), "{error}");
    let none = server.table(&format!("[\"{gone}\", \"ldaps://127.0.0.1:9\"]"), READER, PASSWORD);
    let error = read_over(&(none + "connect_timeout = \"1s\"\n")).await.unwrap_err();
    assert!(matches!(&error, SourceError::NoServer(each) if each.len() == 2), "{error}");
}

/// A server that hangs in the middle of a read is not replaced by another one: pages of two are never joined (LDAP-005).
#[tokio::test]
async fn a_read_stays_with_its_server() {
    let first = ScriptedLdap::start(vec![
        vec![crate::harness::scripted_ldap::person("a", "1", &[]), Step::Done(0, "one")],
        vec![Step::Close],
    ])
    .await;
    let second = ScriptedLdap::start(vec![vec![Step::Done(0, "")]]).await;
    let table = first.table().replace(
        &format!("\"ldap://127.0.0.1:{}\"", first.port),
        &format!("[\"ldap://127.0.0.1:{}\", \"ldap://127.0.0.1:{}\"]", first.port, second.port),
    );
    let config = source_of(&format!("[[source]]\nname = \"s\"\n{table}[source.users]\n"));
    let error = read(&config, Path::new("/")).await.unwrap_err();
    assert!(matches!(error, SourceError::Broken { .. }), "{error}");
    assert!(second.asked().is_empty());
}

/// The global catalogue serves a mapping that it holds, and no other: what it lacks would look as if it were gone.
#[tokio::test]
async fn a_global_catalogue_is_read_only_for_what_it_holds() {
    let server = samba::shared().await;
    let table = server.table(&format!("\"{}\"", server.ldaps(3269)), READER, PASSWORD);
    let error = read_over(&table).await.unwrap_err();
    assert!(matches!(error, SourceError::Config { .. }) && error.to_string().contains("employeenumber"), "{error}");
    let mut config = over(&table);
    config.users.employee_number = None;
    config.users.manager = None;
    config.groups = None;
    let snapshot = read(&config, Path::new("/")).await;
    assert_eq!(one(named(&snapshot.unwrap().users, "wang.fang"), "mail"), "wang.fang@corp.example.com");
}

#[tokio::test]
async fn the_doctor_looks_at_every_domain_controller() {
    let server = samba::shared().await;
    let now = Clock::System.now();
    let check = async |table: String| source::check(&over(&table), Path::new("/"), now).await;
    let as_admin = server.table(&format!("\"{}\"", server.ldaps(636)), ADMIN, ADMIN_PASSWORD);
    let good = check(as_admin.clone()).await;
    assert!(good.iter().all(|finding| finding.level == Level::Good), "{good:?}");
    let said = |subject: &str, words: &str, findings: &[source::Finding]| {
        findings.iter().any(|finding| finding.subject == subject && finding.text.contains(words))
    };
    assert!(said("server", "Active Directory by Samba Team", &good) && said("server", "DirSync", &good), "{good:?}");
    let one_gone = format!("[\"{}\", \"ldaps://127.0.0.1:9\"]", server.ldaps(636));
    let half = check(server.table(&one_gone, ADMIN, ADMIN_PASSWORD)).await;
    let worst = half.iter().max_by_key(|finding| finding.level).unwrap();
    assert!(worst.level == Level::Warning && worst.text.contains("127.0.0.1:9"), "{half:?}");
    let wrong_kind = check(as_admin.replace("schema = \"active-directory\"\n", "")).await;
    assert!(said("schema", "active-directory", &wrong_kind), "{wrong_kind:?}");
}

/// LDAP-081: said at set-up, not found out when somebody leaves.
#[tokio::test]
async fn an_account_that_may_not_see_deleted_entries_is_told_so() {
    let root = || vec![Step::Entry(vec![], vec![]), Step::Done(0, "")];
    let server = ScriptedLdap::start(vec![root(), root(), vec![Step::Done(32, "")], vec![Step::Done(0, "")]]).await;
    let table = server.table().replace("[source.ldap]\n", "[source.ldap]\nschema = \"active-directory\"\n");
    let config = source_of(&format!("[[source]]\nname = \"s\"\n{table}[source.users]\n"));
    let findings = source::check(&config, Path::new("/"), Clock::System.now()).await;
    let found = findings.iter().find(|finding| finding.subject == "deleted objects").unwrap();
    assert!(found.level == Level::Warning && found.text.contains("dsacls"), "{findings:?}");
}

/// A scripted domain controller that cuts the members of a group.
async fn ranged(pages: Vec<Page>) -> Result<Snapshot, SourceError> {
    let server = ScriptedLdap::start(pages).await;
    let table = server.table().replace("[source.ldap]\n", "[source.ldap]\nschema = \"active-directory\"\n");
    read(&source_of(&format!("[[source]]\nname = \"s\"\n{table}[source.users]\n[source.groups]\n")), Path::new("/"))
        .await
}

fn group(attributes: &[(&str, Vec<Vec<u8>>)]) -> Step {
    let id = uuid::Uuid::from_u128(7).to_bytes_le().to_vec();
    let mut all = vec![("objectGUID".to_owned(), vec![id]), ("sAMAccountName".to_owned(), vec![b"big".to_vec()])];
    all.extend(attributes.iter().map(|(name, values)| ((*name).to_owned(), values.clone())));
    Step::Entry(b"CN=big,DC=x".to_vec(), all)
}

fn names(range: std::ops::Range<usize>) -> Vec<Vec<u8>> {
    range.map(|n| format!("CN=p{n},DC=x").into_bytes()).collect()
}

fn stamp(usn: &str) -> (&'static str, Vec<Vec<u8>>) {
    ("uSNChanged", vec![usn.as_bytes().to_vec()])
}

/// The root DSE, no people, and the group as a search finds it: an empty list beside the first range.
fn before() -> Vec<Page> {
    let done = || Step::Done(0, "");
    let first = group(&[("member", vec![]), ("member;range=0-1499", names(0..1500))]);
    vec![vec![Step::Entry(vec![], vec![]), done()], vec![done()], vec![first, done()]]
}

fn window(range: &'static str, members: std::ops::Range<usize>, usn: &str) -> Page {
    vec![group(&[(range, names(members)), stamp(usn)]), Step::Done(0, "")]
}

/// LDAP-067, LDAP-068
#[tokio::test]
async fn a_group_of_thousands_is_read_range_by_range() {
    let ranges = vec![
        window("member;range=0-1499", 0..1500, "1"),
        window("member;range=1500-2999", 1500..3000, "1"),
        window("member;range=3000-*", 3000..3500, "1"),
    ];
    let snapshot = ranged([before(), ranges].concat()).await.unwrap();
    let members = super::all(&snapshot.groups[0], "member");
    assert_eq!(members.len(), 3_500);
    assert_eq!(members.iter().collect::<BTreeSet<_>>().len(), 3_500);
}

/// LDAP-069: the group changed in between, so that the ranges were read anew.
#[tokio::test]
async fn a_group_that_changes_while_it_is_read_is_read_again() {
    let ranges = vec![
        window("member;range=0-1499", 0..1500, "1"),
        window("member;range=1500-*", 1500..1600, "2"),
        window("member;range=0-1499", 0..1500, "2"),
        window("member;range=1500-*", 1500..1601, "2"),
    ];
    let snapshot = ranged([before(), ranges].concat()).await.unwrap();
    assert_eq!(snapshot.groups[0].attributes.all("member").len(), 1_601);
    // It never stands still: the group is known to be there, and nobody is taken out of it.
    let restless: Vec<Page> = (0..20)
        .flat_map(|n| {
            let (one, other) = (n.to_string(), format!("{n}b"));
            [window("member;range=0-1499", 0..1500, &one), window("member;range=1500-*", 1500..1600, &other)]
        })
        .collect();
    let snapshot = ranged([before(), restless].concat()).await.unwrap();
    assert_eq!((snapshot.groups.len(), snapshot.rejected.len()), (0, 1));
    assert_eq!(snapshot.rejected[0].code.as_str(), "rejected:partial_values");
}

/// LDAP-068: a later range fails, or has a gap.
#[tokio::test]
async fn a_group_of_which_a_range_is_missing_counts_as_present_and_loses_nobody() {
    let first = || window("member;range=0-1499", 0..1500, "1");
    for later in [
        vec![vec![Step::Done(51, "")]],
        vec![vec![Step::Done(0, "")]],
        vec![window("member;range=1501-*", 1501..1600, "1"); 6],
        vec![window("member;range=1500-1700", 1500..1600, "1"); 6],
    ] {
        let ranges: Vec<Page> = later.into_iter().flat_map(|page| [first(), page]).collect();
        let snapshot = ranged([before(), ranges].concat()).await.unwrap();
        assert_eq!((snapshot.groups.len(), snapshot.rejected.len()), (0, 1));
        assert_eq!(snapshot.rejected[0].external_id.as_deref(), Some("00000000-0000-0000-0000-000000000007"));
    }
    let error = ranged([before(), vec![first(), vec![Step::Close]]].concat()).await.unwrap_err();
    assert!(matches!(error, SourceError::Broken { .. }), "{error}");
}

/// LDAP-058
#[tokio::test]
async fn conflicts_and_deleted_entries_are_not_people() {
    let id = |n| ("objectGUID".to_owned(), vec![uuid::Uuid::from_u128(n).to_bytes_le().to_vec()]);
    let person = |dn: &str, n| {
        Step::Entry(
            dn.as_bytes().to_vec(),
            vec![id(n), ("sAMAccountName".to_owned(), vec![n.to_string().into_bytes()])],
        )
    };
    let people = vec![
        person("CN=a,DC=x", 1),
        person(r"CN=a\0ACNF:3f2504e0-4f89-11d3-9a0c-0305e82c3301,DC=x", 2),
        person(r"CN=b\0ADEL:3f2504e0-4f89-11d3-9a0c-0305e82c3302,CN=Deleted Objects,DC=x", 3),
        Step::Done(0, ""),
    ];
    let pages = vec![vec![Step::Entry(vec![], vec![]), Step::Done(0, "")], people, vec![Step::Done(0, "")]];
    let snapshot = ranged(pages).await.unwrap();
    assert_eq!(snapshot.users.len(), 1);
    assert!(snapshot.rejected.iter().all(|rejected| rejected.code.as_str() == "rejected:conflict_entry"));
    assert_eq!(snapshot.rejected.len(), 2);
}

/// The server's certificate is for its address; the name in the configuration must be in it (LDAP-096).
#[tokio::test]
async fn a_domain_controller_under_another_name_gets_no_password() {
    let server = samba::shared().await;
    let config = |server: &Samba| {
        server.usual().replace(&server.ca_file().display().to_string(), "/etc/ssl/certs/ca-certificates.crt")
    };
    let error = read_over(&config(server)).await.unwrap_err();
    assert!(matches!(error, SourceError::Tls { .. }), "{error}");
}
