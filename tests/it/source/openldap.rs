//! A real OpenLDAP server: reading, signing in by bind, TLS, limits, the doctor's questions.

use std::path::Path;

use yaopai::config::{LdapConfig, SourceConfig};
use yaopai::sample;
use yaopai::source::ldap::{PasswordAnswer, check_password};
use yaopai::source::{self, Dn, Level, Snapshot, SourceError};
use yaopai::time::Clock;

use super::{demo, demo_mapping, one, read, source_of};
use crate::harness::slapd::{self, Options, READER_PASSWORD, Slapd};

/// The sample company's mapping over a server instead of the file.
fn over(table: &str) -> SourceConfig {
    source_of(&demo_mapping().replace("[source.ldif]\nfile = \"company.ldif\"\n", table))
}

fn ldap(table: &str) -> LdapConfig {
    over(table).ldap.unwrap()
}

async fn read_over(table: &str) -> Result<Snapshot, SourceError> {
    read(&over(table), Path::new("/")).await
}

/// Everything but the passwords, which a server keeps to itself, in an order of our own; names by their key, as a server
/// may spell them differently (`\2C` for `\,`).
fn comparable(mut snapshot: Snapshot) -> Snapshot {
    (snapshot.content, snapshot.server) = (None, None);
    for entry in snapshot.users.iter_mut().chain(&mut snapshot.departments).chain(&mut snapshot.groups) {
        entry.dn = Dn::parse(&entry.dn).unwrap().key();
        super::edit(entry, |attributes| {
            attributes.remove("userpassword");
            super::name_by_key(attributes);
            for values in attributes.values_mut() {
                values.sort();
            }
        });
    }
    for list in [&mut snapshot.users, &mut snapshot.departments, &mut snapshot.groups] {
        list.sort_by(|one, other| one.external_id.cmp(&other.external_id));
    }
    snapshot
}

/// A server and a file with the same people give the same snapshot, over every kind of connection.
#[tokio::test]
async fn a_server_is_read_like_the_file_it_was_loaded_from() {
    let server = slapd::shared().await;
    let file = comparable(read(&source_of(&demo_mapping()), &demo()).await.unwrap());
    for table in [server.ldaps(), server.starttls(), server.plain()] {
        let mut last = 0;
        let snapshot = source::read(&over(&table), Path::new("/"), &mut |progress| last = progress.entries).await;
        let snapshot = snapshot.unwrap();
        assert_eq!((snapshot.server.is_some(), &file.server), (true, &None), "a file is of no server");
        let snapshot = comparable(snapshot);
        assert_eq!(last, 1_200 + 61 + 8);
        assert_eq!(snapshot.users.len(), file.users.len());
        for (read, wanted) in snapshot.users.iter().zip(&file.users) {
            assert_eq!(read, wanted);
        }
        assert!(snapshot == file, "{table}");
    }
}

/// LDAP-092, LDAP-093
#[tokio::test]
async fn people_sign_in_by_bind_and_only_with_their_password() {
    let server = slapd::shared().await;
    let config = ldap(&server.ldaps());
    let snapshot = read(&source_of(&demo_mapping()), &demo()).await.unwrap();
    let dn = |login: &str| snapshot.users.iter().find(|user| one(user, "uid") == login).unwrap().dn.clone();
    let ask = async |dn: &str, password: &str| check_password(&config, Path::new("/"), dn, password).await;
    for login in sample::LOGINS {
        assert_eq!(ask(&dn(login.login), sample::PASSWORD).await.unwrap(), PasswordAnswer::Right, "{}", login.login);
    }
    let clerk = dn(sample::CLERK.login);
    let without_password = snapshot.users.iter().find(|user| !user.attributes.contains("userpassword")).unwrap();
    for (dn, password) in [
        (clerk.as_str(), "wrong"),
        (&clerk, &sample::PASSWORD.to_lowercase()),
        (&clerk, ""),
        (&clerk, " \t"),
        (&clerk, "\0"),
        (&without_password.dn, sample::PASSWORD),
        ("uid=nobody,dc=example,dc=com", sample::PASSWORD),
    ] {
        assert_eq!(ask(dn, password).await.unwrap(), PasswordAnswer::Wrong, "{dn} {password:?}");
    }
    for dn in ["", "  "] {
        let error = ask(dn, sample::PASSWORD).await.unwrap_err();
        assert!(matches!(error, SourceError::EmptyCredentials { .. }), "{error}");
    }
}

const POLICY: &str = "
dn: cn=policy,dc=example,dc=com
objectClass: device
objectClass: pwdPolicy
cn: policy
pwdAttribute: userPassword
pwdMustChange: TRUE
pwdMaxAge: 86400
pwdLockout: TRUE
pwdMaxFailure: 2
";

fn account(name: &str, more: &str) -> String {
    format!(
        "\ndn: cn={name},dc=example,dc=com\nobjectClass: organizationalRole\nobjectClass: simpleSecurityObject\ncn: {name}\nuserPassword: right\n{more}"
    )
}

/// LDAP-094: what a directory's password policy says beside the result code.
#[tokio::test]
async fn a_password_that_must_be_changed_is_no_plain_success() {
    let now = Clock::System.now().format("%Y%m%d%H%M%SZ");
    let ldif = [
        POLICY.to_owned(),
        account("fresh", &format!("pwdChangedTime: {now}\n")),
        account("reset", &format!("pwdChangedTime: {now}\npwdReset: TRUE\n")),
        account("old", "pwdChangedTime: 20200101000000Z\n"),
        account("locked", &format!("pwdChangedTime: {now}\n")),
    ];
    let server = tokio::task::spawn_blocking(move || {
        let overlay = "overlay ppolicy\nppolicy_default cn=policy,dc=example,dc=com\nppolicy_use_lockout";
        Slapd::start(Options { ldif: &ldif.concat(), database: overlay, people: 20, ..Options::default() })
    });
    let server = server.await.unwrap();
    let config = ldap(&server.ldaps());
    for (name, password, answer) in [
        ("fresh", "right", PasswordAnswer::Right),
        ("reset", "right", PasswordAnswer::MustChange),
        ("reset", "wrong", PasswordAnswer::Wrong),
        ("old", "right", PasswordAnswer::Expired),
        ("locked", "wrong", PasswordAnswer::Wrong),
        ("locked", "wrong", PasswordAnswer::Wrong),
        ("locked", "right", PasswordAnswer::Locked),
    ] {
        let dn = format!("cn={name},dc=example,dc=com");
        let given = check_password(&config, Path::new("/"), &dn, password).await.unwrap();
        assert_eq!(given, answer, "{name} {password}");
    }
}

/// LDAP-095: each sign-in has a connection of its own; none gets another one's answer.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sign_ins_at_once_are_not_mixed_up() {
    let server = slapd::shared().await;
    let config = std::sync::Arc::new(ldap(&server.plain()));
    let snapshot = read(&source_of(&demo_mapping()), &demo()).await.unwrap();
    let mut tasks = tokio::task::JoinSet::new();
    for n in 0..60 {
        let login = sample::LOGINS[n % sample::LOGINS.len()].login;
        let dn = snapshot.users.iter().find(|user| one(user, "uid") == login).unwrap().dn.clone();
        let config = config.clone();
        let (password, answer) = match n % 3 {
            0 => (sample::PASSWORD.to_owned(), PasswordAnswer::Right),
            _ => (format!("wrong {n}"), PasswordAnswer::Wrong),
        };
        tasks.spawn(async move {
            assert_eq!(check_password(&config, Path::new("/"), &dn, &password).await.unwrap(), answer, "{n}");
        });
    }
    tasks.join_all().await;
}

/// A filter that only a server can answer goes to the server as it is written.
#[tokio::test]
async fn filters_that_only_a_server_knows_are_left_to_it() {
    let server = slapd::shared().await;
    let mut config = over(&server.plain());
    config.users.filter = "(&(objectClass=inetOrgPerson)(uid:caseIgnoreMatch:=LI.FANG))".to_owned();
    let snapshot = read(&config, Path::new("/")).await.unwrap();
    assert_eq!(snapshot.users.iter().map(|user| one(user, "uid")).collect::<Vec<_>>(), ["li.fang"]);
    let mut file = source_of(&demo_mapping());
    file.users.filter = config.users.filter;
    let error = read(&file, &demo()).await.unwrap_err();
    assert!(error.to_string().contains("only on a server"), "{error}");
}

/// A filter means the same for a file as for the server.
#[tokio::test]
async fn a_file_is_filtered_as_the_server_filters() {
    let server = slapd::shared().await;
    let manager = "manager=UID=wang.jianguo, ou=销售部,OU=华东分公司,ou=青屿集团,dc=Example,dc=com";
    for filter in [
        "(objectClass=PERSON)",
        "(uid=zh*)",
        "(uid=*.*wei*)",
        "(uid=*2)",
        "(displayName=*伟*)",
        r"(displayName=\e6\9d\8e*)",
        "(&(title=报销专员)(!(employeeType=left)))",
        "(|(employeeType=LEFT)(uid=li.fang)(uid=nobody))",
        "(description=*)",
        "(!(description=*))",
        r"(cn=*\28外籍专家\29)",
        "(mail= Li.Fang@EXAMPLE.com )",
        &format!("({manager})"),
        "(&)",
        "(&(objectClass=inetOrgPerson)(mobile=+86 14000100001))",
    ] {
        let ids = async |mut config: SourceConfig, folder: &Path| {
            config.users.filter = filter.to_owned();
            let snapshot = read(&config, folder).await.unwrap();
            let mut ids: Vec<String> = snapshot.users.into_iter().map(|user| user.external_id).collect();
            ids.sort();
            ids
        };
        let (file, server) =
            (ids(source_of(&demo_mapping()), &demo()).await, ids(over(&server.plain()), &demo()).await);
        assert!(!file.is_empty(), "{filter} finds nobody");
        assert_eq!(file.len(), server.len(), "{filter}");
        assert_eq!(file, server, "{filter}");
    }
}

/// LDAP-096: an unknown CA, a wrong name, an expired certificate end the connection before any bind.
#[tokio::test]
async fn a_server_whose_certificate_cannot_be_trusted_gets_no_password() {
    let server = slapd::shared().await;
    let other =
        tokio::task::spawn_blocking(|| Slapd::start(Options { expired: true, people: 20, ..Options::default() }))
            .await
            .unwrap();
    let swap = |table: String, from: &Slapd, to: &Slapd| {
        table.replace(&from.ca_file().display().to_string(), &to.ca_file().display().to_string())
    };
    for (table, words) in [
        (swap(server.ldaps(), server, &other), "source.ldap.ca_file"),
        (swap(server.starttls(), server, &other), "source.ldap.ca_file"),
        (server.ldaps().replace("localhost", "127.0.0.1"), "another host name"),
        (server.starttls().replace("localhost", "127.0.0.1"), "another host name"),
        (other.ldaps(), "expired"),
        (other.starttls(), "expired"),
        (server.ldaps().replace(&server.tls_port.to_string(), &server.port.to_string()), "speak TLS"),
        (server.ldaps().replace("ca.pem", "missing.pem"), "missing.pem"),
    ] {
        let error = read_over(&table).await.unwrap_err();
        assert!(matches!(error, SourceError::Tls { .. }), "{table}: {error}");
        assert!(error.to_string().contains(words), "{words}: {error}");
        let error = check_password(&ldap(&table), Path::new("/"), "uid=a,dc=x", "secret").await.unwrap_err();
        assert!(matches!(error, SourceError::Tls { .. }), "{error}");
    }
}

/// LDAP-001: the server's own limit cuts the third page.
#[tokio::test]
async fn a_read_that_the_servers_limit_cuts_is_no_snapshot() {
    let limits = "limits dn.exact=\"cn=reader,dc=example,dc=com\" size.prtotal=700";
    let start = move || Slapd::start(Options { database: limits, ..Options::default() });
    let server = tokio::task::spawn_blocking(start).await.unwrap();
    let error = read_over(&format!("{}page_size = 300\n", server.ldaps())).await.unwrap_err();
    assert!(matches!(error, SourceError::Result { code: 4, .. }), "{error}");
    assert!(error.to_string().contains("size limit") && error.code() == "search_cut", "{error}");
}

/// LDAP-009, LDAP-012
#[tokio::test]
async fn a_base_or_an_account_that_is_not_there_is_no_snapshot() {
    let server = slapd::shared().await;
    let gone = over(&server.ldaps());
    let mut config = gone.clone();
    config.users.base_dn = Some("ou=moved,dc=example,dc=com".to_owned());
    let error = read(&config, Path::new("/")).await.unwrap_err();
    assert!(matches!(error, SourceError::Result { code: 32, .. }) && error.to_string().contains("base_dn"), "{error}");
    for (table, words) in [
        (server.ldaps().replace(READER_PASSWORD, "changed"), "bind_password"),
        (server.ldaps().replace("cn=reader", "cn=somebody"), "bind_password"),
    ] {
        let error = read_over(&table).await.unwrap_err();
        assert!(matches!(error, SourceError::Bind { .. }) && error.to_string().contains(words), "{error}");
        assert!(!format!("{error} {error:?}").contains("changed"));
    }
    let error = read_over(&server.ldaps().replace(READER_PASSWORD, " ")).await.unwrap_err();
    assert!(matches!(error, SourceError::EmptyCredentials { .. }), "{error}");
}

/// LDAP-002: the server is stopped; reading and signing in say so, and nothing else.
#[tokio::test]
async fn a_server_that_is_down_is_unreachable_and_nothing_more() {
    let start = || Slapd::start(Options { people: 20, ..Options::default() });
    let server = tokio::task::spawn_blocking(start).await.unwrap();
    let table = server.ldaps();
    assert_eq!(read_over(&table).await.unwrap().users.len(), 20);
    tokio::task::spawn_blocking(move || drop(server)).await.unwrap();
    // The CA file went with the server's folder.
    let table = table.replace("ldaps://", "ldap://").replace("timeout", "allow_plaintext = true\ntimeout");
    let error = read_over(&table).await.unwrap_err();
    assert!(matches!(error, SourceError::Connect { .. }), "{error}");
    let error = check_password(&ldap(&table), Path::new("/"), "uid=a,dc=x", "secret").await.unwrap_err();
    assert!(matches!(error, SourceError::Connect { .. }), "{error}");
}

#[tokio::test]
async fn the_doctor_finds_what_is_wrong_with_a_server() {
    let server = slapd::shared().await;
    let now = Clock::System.now();
    let good = source::check(&over(&server.ldaps()), Path::new("/"), now).await;
    assert!(good.iter().all(|finding| finding.level == Level::Good), "{good:?}");
    let subjects: Vec<&str> = good.iter().map(|finding| finding.subject.as_str()).collect();
    assert_eq!(
        subjects[1..],
        ["server certificate", "bind", "server", "users", "departments", "groups", "changes"],
        "{good:?}"
    );
    let worst = async |config: &SourceConfig, now| {
        source::check(config, Path::new("/"), now).await.into_iter().max_by_key(|finding| finding.level).unwrap()
    };
    let far = now + chrono::Duration::days(365 * 4_000);
    let ended = worst(&over(&server.ldaps()), far).await;
    assert!(ended.level == Level::Failed && ended.text.contains("renew"), "{ended:?}");
    let plain = worst(&over(&server.plain()), now).await;
    assert!(plain.level == Level::Warning && plain.text.contains("clear text"), "{plain:?}");
    let refused = worst(&over(&server.ldaps().replace(READER_PASSWORD, "changed")), now).await;
    assert!(refused.level == Level::Failed && refused.text.contains("invalidCredentials"), "{refused:?}");
    let mut empty = over(&server.ldaps());
    empty.users.filter = "(uid=nobody)".to_owned();
    let empty = worst(&empty, now).await;
    assert!(empty.level == Level::Warning && empty.text.contains("uid=nobody"), "{empty:?}");
    let file = source::check(&source_of(&demo_mapping()), &demo(), now).await;
    assert!(file.iter().all(|finding| finding.level == Level::Good), "{file:?}");
    let missing = worst(&source_of(&demo_mapping().replace("company.ldif", "gone.ldif")), now).await;
    assert!(missing.level == Level::Failed && missing.text.contains("gone.ldif"), "{missing:?}");
}

/// LDAP-076: what the server's own password policy holds against somebody; LDAP-071: a group whose members are the
/// result of a search.
#[tokio::test]
async fn accounts_locked_for_good_and_groups_by_search() {
    let person = |uid: &str, more: &str| {
        format!(
            "\ndn: uid={uid},{company}\nobjectClass: inetOrgPerson\nuid: {uid}\ncn: {uid}\nsn: {uid}\n\
             employeeNumber: X-{uid}\ntitle: temp\n{more}",
            company = sample::COMPANY
        )
    };
    let ldif = [
        POLICY.to_owned(),
        person("gone", "pwdAccountLockedTime: 000001010000Z\n"),
        person("mistyped", "pwdAccountLockedTime: 20260101000000Z\n"),
        person("reset", "pwdReset: TRUE\n"),
        format!(
            "\ndn: cn=temps,{groups}\nobjectClass: groupOfURLs\ncn: temps\nmemberURL: ldap:///{company}??sub?(title=temp)\n",
            groups = sample::GROUPS,
            company = sample::COMPANY
        ),
    ];
    let server = tokio::task::spawn_blocking(move || {
        let overlays = "overlay ppolicy\nppolicy_default cn=policy,dc=example,dc=com\noverlay dynlist\n\
                        dynlist-attrset groupOfURLs memberURL member";
        Slapd::start(Options { ldif: &ldif.concat(), database: overlays, people: 20, ..Options::default() })
    });
    let server = server.await.unwrap();
    let mut config = over(&server.ldaps());
    config.groups.as_mut().unwrap().filter = "(|(objectClass=groupOfNames)(objectClass=groupOfURLs))".to_owned();
    let snapshot = read(&config, Path::new("/")).await.unwrap();
    let state = |uid: &str| {
        let user = snapshot.users.iter().find(|user| one(user, "uid") == uid).unwrap();
        one(user, source::ACCOUNT_STATE).to_owned()
    };
    assert_eq!(
        (state("gone"), state("mistyped"), state("reset")),
        ("disabled".into(), "locked".into(), "password-change".into())
    );
    let temps = snapshot.groups.iter().find(|group| one(group, "cn") == "temps").unwrap();
    assert_eq!(temps.attributes.all("member").len(), 3, "{temps:?}");
}

/// SASL EXTERNAL: the client certificate is the proof (RFC 4422 appendix A); without it the server does not even talk.
#[tokio::test]
async fn a_client_certificate_opens_the_directory() {
    let start = || Slapd::start(Options { wants_certificate: true, people: 20, ..Options::default() });
    let server = tokio::task::spawn_blocking(start).await.unwrap();
    let (certificate, key) = server.client();
    let external = |address: &str| {
        format!(
            "[source.ldap]\n{address}\nca_file = \"{}\"\nbind = \"external\"\nclient_certificate = \"{}\"\n\
             client_key = \"{}\"\nbase_dn = \"{}\"\n",
            server.ca_file().display(),
            certificate.display(),
            key.display(),
            sample::SUFFIX
        )
    };
    let ldaps = external(&format!("url = \"ldaps://localhost:{}\"", server.tls_port));
    let starttls = external(&format!("url = \"ldap://localhost:{}\"\nstarttls = true", server.port));
    for table in [&ldaps, &starttls] {
        assert_eq!(read_over(table).await.unwrap().users.len(), 20);
    }
    let findings = source::check(&over(&ldaps), Path::new("/"), Clock::System.now()).await;
    assert!(findings.iter().any(|finding| finding.text.contains("lets the client certificate in")), "{findings:?}");
    // Without it, and with one whose key is another's.
    assert!(read_over(&server.ldaps()).await.is_err());
    let swapped = ldaps.replace("client.key", "server.key");
    let error = read_over(&swapped).await.unwrap_err();
    assert!(matches!(error, SourceError::Tls { .. }) && error.to_string().contains("client key"), "{error}");
}
