//! The bind by Kerberos, with a keytab of the real Samba's: sealed without TLS, unsealed inside of it, and what is said when
//! it does not work.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use yaopai::config::SourceConfig;
use yaopai::source::ldap::{PasswordAnswer, check_password};
use yaopai::source::{self, Level, Snapshot, SourceError};
use yaopai::text::Language;
use yaopai::time::Clock;

use super::incremental::{ALONE, Mirror, begin, delta, way};
use super::{demo_mapping, one, read, source_of};
use crate::harness::opening::Opening;
use crate::harness::samba::{self, DOMAIN, PASSWORD, REALM, SERVICE, Samba};
use crate::harness::slapd::{Options, Slapd};

const MAPPING: &str = "[source.users]\nmanager = \"manager\"\n[source.departments]\nfrom = \"ou\"\n[source.groups]\n";
const PRINCIPAL: &str = "reader@CORP.EXAMPLE.COM";

/// What differs between the sources of these tests.
struct Bind<'a> {
    url: String,
    more: &'a str,
    keytab: PathBuf,
    principal: &'a str,
    service: &'a str,
    krb5_config: PathBuf,
    program: &'a str,
}

impl Bind<'_> {
    fn new(server: &Samba) -> Self {
        Self {
            url: server.ldaps(636),
            more: "",
            keytab: server.keytab(PRINCIPAL),
            principal: PRINCIPAL,
            service: SERVICE,
            krb5_config: server.krb5_config(""),
            program: env!("CARGO_BIN_EXE_yaopai-kerberos"),
        }
    }

    fn config(&self, server: &Samba, mapping: &str) -> SourceConfig {
        source_of(&format!(
            "[[source]]\nname = \"ad\"\n[source.ldap]\nschema = \"active-directory\"\nurl = \"{}\"\nca_file = \"{}\"\n\
             base_dn = \"{DOMAIN}\"\ntimeout = \"20s\"\n{}\n[source.ldap.bind.kerberos]\nkeytab = \"{}\"\nprincipal = \"{}\"\n\
             service = \"{}\"\nkrb5_config = \"{}\"\nprogram = \"{}\"\n{mapping}",
            self.url,
            server.ca_file().display(),
            self.more,
            self.keytab.display(),
            self.principal,
            self.service,
            self.krb5_config.display(),
            self.program,
        ))
    }
}

fn names(snapshot: &Snapshot) -> Vec<String> {
    let parts = [&snapshot.users, &snapshot.departments, &snapshot.groups];
    let mut names: Vec<_> = parts.into_iter().flatten().map(|entry| entry.dn.clone()).collect();
    names.sort();
    names
}

/// LDAP-096: over every kind of connection the same people as with a password; nothing is left in a cache of files.
#[tokio::test]
async fn a_keytab_reads_what_a_password_reads() {
    let _alone = ALONE.lock().await;
    let server = samba::shared().await;
    let with_password = source_of(&format!("[[source]]\nname = \"ad\"\n{}{MAPPING}", server.usual()));
    let expected = names(&read(&with_password, Path::new("/")).await.unwrap());
    let plain = format!("ldap://{}", server.address);
    for (url, more) in [(server.ldaps(636), ""), (plain.clone(), "starttls = true"), (plain, "")] {
        let bind = Bind { url, more, ..Bind::new(server) };
        let snapshot = read(&bind.config(server, MAPPING), Path::new("/")).await.unwrap();
        assert_eq!(names(&snapshot), expected, "{}{}", bind.url, bind.more);
    }
    assert!(!Path::new("/tmp/krb5cc_0").exists());
}

/// The bulk read, which speaks LDAP by itself, goes the same way.
#[tokio::test]
async fn the_bulk_read_is_sealed_too() {
    let _alone = ALONE.lock().await;
    let server = samba::shared().await;
    let mapping = "[source.users]\nid = \"sAMAccountName\"\nlogin = \"sAMAccountName\"\nfilter = \"(objectCategory=person)\"\n\
                   base_dn = \"OU=青屿集团,DC=corp,DC=example,DC=com\"\n";
    for url in [format!("ldap://{}", server.address), server.ldaps(636)] {
        let mut config = Bind { url, more: "page_size = 3", ..Bind::new(server) }.config(server, mapping);
        config.ldap.as_mut().unwrap().schema = yaopai::config::DirectorySchema::OpenLdap;
        let snapshot = read(&config, Path::new("/")).await.unwrap();
        // Only the bulk read makes a fingerprint.
        assert!(snapshot.content.is_some());
        assert!(snapshot.users.iter().any(|user| one(user, "samaccountname") == "wang.fang"));
    }
}

#[tokio::test]
async fn increments_are_read_with_a_keytab() {
    let _alone = ALONE.lock().await;
    let server = samba::shared().await;
    let base = format!("OU=keytab,{DOMAIN}");
    server.change(&format!(
        "dn: {base}\nobjectClass: organizationalUnit\n\ndn: CN=kim,{base}\nobjectClass: user\nsAMAccountName: kim\n"
    ));
    let mapping = format!("[source.users]\nbase_dn = \"{base}\"\nmail = \"mail\"\n");
    let config = Bind { url: format!("ldap://{}", server.address), ..Bind::new(server) }.config(server, &mapping);
    let (position, mut mirror): (_, Mirror) = begin(&config).await;
    assert_eq!(way(&position), "usn");
    server.change(&format!("dn: CN=kim,{base}\nchangetype: modify\nreplace: mail\nmail: kim@corp.example.com\n"));
    let read = delta(&config, &position, &mirror).await;
    assert_eq!(read.users.iter().map(|user| one(user, "mail")).collect::<Vec<_>>(), ["kim@corp.example.com"]);
    mirror.take(read);
    mirror.assert_is(&config).await;
}

/// Tickets are fetched once and used again; when half of their lifetime is over, new ones come from the keytab.
#[tokio::test]
async fn tickets_are_kept_in_memory_and_renewed_from_the_keytab() {
    let server = samba::shared().await;
    let krb5_config = server.krb5_config("");
    let in_folder = |name: &str| krb5_config.with_file_name(name);
    let (clock, trace, program) = (in_folder("clock"), in_folder("trace"), in_folder("yaopai-kerberos"));
    std::fs::write(&clock, "+0\n").unwrap();
    let wrapper = format!(
        "#!/bin/sh\nexec faketime -m -f +0 env -u FAKETIME FAKETIME_TIMESTAMP_FILE={} FAKETIME_NO_CACHE=1 KRB5_TRACE={} {}\n",
        clock.display(),
        trace.display(),
        env!("CARGO_BIN_EXE_yaopai-kerberos")
    );
    std::fs::write(&program, wrapper).unwrap();
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
    let bind = Bind { program: program.to_str().unwrap(), krb5_config: krb5_config.clone(), ..Bind::new(server) };
    let config = bind.config(server, "[source.users]\nfilter = \"(sAMAccountName=wang.fang)\"\n");
    // The domain's tickets live for ten hours.
    for (hours, fetched) in [("+0", 1), ("+0", 1), ("+6h", 2), ("+6h", 2)] {
        std::fs::write(&clock, format!("{hours}\n")).unwrap();
        assert_eq!(read(&config, Path::new("/")).await.unwrap().users.len(), 1);
        let trace = std::fs::read_to_string(&trace).unwrap();
        assert_eq!(trace.matches("Getting initial credentials").count(), fetched, "{hours}");
        assert!(!trace.contains("FILE:/tmp/krb5cc"), "{trace}");
    }
}

/// A real OpenLDAP with cyrus-sasl, in the realm of the domain under its usual name.
async fn openldap(dc: &Samba) -> Slapd {
    dc.change(&format!(
        "dn: CN=openldap,OU=accounts,{DOMAIN}\nobjectClass: user\nsAMAccountName: openldap\nuserAccountControl: 512\n\
         servicePrincipalName: ldap/localhost\nunicodePwd:: {}\n",
        secret(PASSWORD)
    ));
    let krb5_config = dc.krb5_config("rdns = false\ndefault_realm = CORP.EXAMPLE.COM");
    let keytab = dc.keytab("ldap/localhost@CORP.EXAMPLE.COM");
    let start = move || {
        let kerberos = Some((keytab.as_path(), krb5_config.as_path()));
        Slapd::start(Options { kerberos, people: 700, ..Options::default() })
    };
    tokio::task::spawn_blocking(start).await.unwrap()
}

/// LDAP-096: sealed and inside of TLS, by the bulk read and by the library.
#[tokio::test]
async fn an_openldap_is_read_with_a_keytab() {
    let _alone = ALONE.lock().await;
    let dc = samba::shared().await;
    let server = openldap(dc).await;
    let (_, mapping) = demo_mapping().split_once("[source.users]").map(|(a, b)| (a.to_owned(), b.to_owned())).unwrap();
    let config = |table: &str| source_of(&format!("[[source]]\nname = \"hr\"\n{table}[source.users]{mapping}"));
    let expected = read(&config(&server.ldaps()), Path::new("/")).await.unwrap();
    let (keytab, krb5_config) = (dc.keytab(PRINCIPAL), dc.krb5_config(""));
    let table = |url: &str, ca_file: &Path| {
        format!(
            "[source.ldap]\nurl = \"{url}\"\nca_file = \"{}\"\nbase_dn = \"{}\"\n[source.ldap.bind.kerberos]\n\
             keytab = \"{}\"\nprincipal = \"{PRINCIPAL}\"\nkrb5_config = \"{}\"\nprogram = \"{}\"\n",
            ca_file.display(),
            yaopai::sample::SUFFIX,
            keytab.display(),
            krb5_config.display(),
            env!("CARGO_BIN_EXE_yaopai-kerberos"),
        )
    };
    for url in [format!("ldap://localhost:{}", server.port), format!("ldaps://localhost:{}", server.tls_port)] {
        let table = table(&url, &server.ca_file());
        let snapshot = read(&config(&table), Path::new("/")).await.unwrap();
        assert!(snapshot.users.len() > 600);
        assert_eq!((names(&snapshot), &snapshot.content), (names(&expected), &expected.content), "{url}");
        // The library's way to the same server.
        let (position, mut mirror) = begin(&config(&table)).await;
        let changes = delta(&config(&table), &position, &mirror).await;
        mirror.take(changes);
        mirror.assert_is(&config(&table)).await;
    }
    // The server compares certificates: what opens TLS in between is noticed, although its certificate is trusted.
    let opening = Opening::start(&server.ca_file(), server.tls_port).await;
    let both = keytab.with_file_name("both.pem");
    std::fs::write(&both, std::fs::read_to_string(server.ca_file()).unwrap() + &opening.ca).unwrap();
    let opened = table(&format!("ldaps://localhost:{}", opening.port), &both);
    let error = read(&config(&opened), Path::new("/")).await.unwrap_err();
    assert!(matches!(error, SourceError::Kerberos { .. }) && error.to_string().contains("opens TLS"), "{error}");
}

/// A password as Active Directory takes it, in base64.
fn secret(text: &str) -> String {
    let bytes: Vec<u8> = format!("\"{text}\"").encode_utf16().flat_map(u16::to_le_bytes).collect();
    base64::engine::general_purpose::STANDARD.encode(bytes)
}

/// The clock is two hours ahead, and MIT Kerberos is told not to make up for it.
#[tokio::test]
async fn clocks_that_differ_are_named() {
    let server = samba::shared().await;
    let krb5_config = server.krb5_config("kdc_timesync = 0");
    let program = krb5_config.with_file_name("yaopai-kerberos");
    std::fs::write(&program, format!("#!/bin/sh\nexec faketime -f +2h {}\n", env!("CARGO_BIN_EXE_yaopai-kerberos")))
        .unwrap();
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
    let bind = Bind { krb5_config, program: program.to_str().unwrap(), ..Bind::new(server) };
    let (en, zh) = fault(server, &bind).await;
    assert!(en.contains("clocks of this machine and of the KDC") && zh.contains("时钟相差过大"), "{en} / {zh}");
}

async fn fault(server: &Samba, bind: &Bind<'_>) -> (String, String) {
    let error = read(&bind.config(server, MAPPING), Path::new("/")).await.unwrap_err();
    assert!(matches!(error, SourceError::Kerberos { .. } | SourceError::Config { .. }), "{error}");
    (error.fault().words(Language::En), error.fault().words(Language::Zh))
}

/// LDAP-012: what is wrong is said with the remedy, in both languages.
#[tokio::test]
async fn what_kerberos_refuses_is_explained() {
    let server = samba::shared().await;
    let usual = || Bind::new(server);
    let no_kdc = server.krb5_config("").with_file_name("no-kdc.conf");
    std::fs::write(&no_kdc, format!("[libdefaults]\ndns_lookup_kdc = false\n[realms]\n{REALM} = {{\n}}\n")).unwrap();
    let broken = no_kdc.with_file_name("broken.conf");
    std::fs::write(&broken, "[realms\nx = {\n").unwrap();
    let none = no_kdc.with_file_name("none.keytab");
    let (disabled, expired, fresh) =
        ("disabled@CORP.EXAMPLE.COM", "expired@CORP.EXAMPLE.COM", "fresh@CORP.EXAMPLE.COM");
    for (bind, english, chinese) in [
        (
            Bind { principal: "nobody@CORP.EXAMPLE.COM", ..usual() },
            "hold a key of exactly this principal",
            "恰好这个主体",
        ),
        (Bind { keytab: none, ..usual() }, "keytab", "keytab"),
        (
            Bind { service: "ldap/127.0.0.1@CORP.EXAMPLE.COM", ..usual() },
            "knows no service `ldap/127.0.0.1@",
            "没有服务",
        ),
        (
            Bind { principal: disabled, keytab: server.keytab(disabled), ..usual() },
            "disabled, locked or expired",
            "已停用",
        ),
        (
            Bind { principal: expired, keytab: server.keytab(expired), ..usual() },
            "disabled, locked or expired",
            "已到期",
        ),
        (
            Bind { principal: fresh, keytab: server.keytab(fresh), ..usual() },
            "key of `fresh@CORP.EXAMPLE.COM` has expired",
            "已过期",
        ),
        (Bind { krb5_config: no_kdc, ..usual() }, "no KDC", "没有 KDC"),
        (Bind { krb5_config: broken, ..usual() }, "krb5.conf", "krb5.conf"),
        (Bind { program: "/nowhere/yaopai-kerberos", ..usual() }, "--features kerberos", "--features kerberos"),
        (Bind { program: "/bin/true", ..usual() }, "ended before it answered", "在应答前结束"),
    ] {
        let (en, zh) = fault(server, &bind).await;
        assert!(en.contains(english) && zh.contains(chinese), "{english}: {en} / {zh}");
    }
}

/// The account's password was changed after its keytab was made.
#[tokio::test]
async fn an_old_keytab_and_an_unknown_account_are_told_apart() {
    let _alone = ALONE.lock().await;
    let server = samba::shared().await;
    let dn = format!("CN=keyed,OU=accounts,{DOMAIN}");
    server.change(&format!(
        "dn: {dn}\nobjectClass: user\nsAMAccountName: keyed\nuserAccountControl: 512\nunicodePwd:: {}\n",
        secret(PASSWORD)
    ));
    let principal = "keyed@CORP.EXAMPLE.COM";
    let bind = Bind { principal, keytab: server.keytab(principal), ..Bind::new(server) };
    let config = bind.config(server, "[source.users]\nfilter = \"(sAMAccountName=wang.fang)\"\n");
    assert!(read(&config, Path::new("/")).await.is_ok());
    server.change(&format!(
        "dn: {dn}\nchangetype: modify\nreplace: unicodePwd\nunicodePwd:: {}\n",
        secret("Other-pass-2")
    ));
    // Another program: the first one holds a ticket that is still good.
    let later = Bind { krb5_config: server.krb5_config(""), ..bind };
    let (en, zh) = fault(server, &later).await;
    assert!(en.contains("export the keytab anew") && zh.contains("重新导出"), "{en} / {zh}");
    server.change(&format!("dn: {dn}\nchangetype: delete\n"));
    let gone = Bind { krb5_config: server.krb5_config(""), ..later };
    let (en, zh) = fault(server, &gone).await;
    assert!(en.contains("knows no principal `keyed@CORP.EXAMPLE.COM`") && zh.contains("没有主体"), "{en} / {zh}");
}

/// People's passwords still need TLS; the sealed connection is the service account's.
#[tokio::test]
async fn a_sealed_connection_carries_no_passwords_of_people() {
    let server = samba::shared().await;
    let person = format!("CN=王芳,OU=销售部,OU=华东分公司,OU=青屿集团,{DOMAIN}");
    let over_tls = Bind::new(server).config(server, MAPPING).ldap.unwrap();
    let answer = check_password(&over_tls, Path::new("/"), &person, PASSWORD).await.unwrap();
    assert_eq!(answer, PasswordAnswer::Right);
    let sealed = Bind { url: format!("ldap://{}", server.address), ..Bind::new(server) };
    let sealed = sealed.config(server, MAPPING).ldap.unwrap();
    let error = check_password(&sealed, Path::new("/"), &person, PASSWORD).await.unwrap_err();
    assert!(matches!(error, SourceError::Config { .. }) && error.to_string().contains("ldaps://"), "{error}");
}

#[tokio::test]
async fn the_doctor_looks_at_the_keytab() {
    let server = samba::shared().await;
    let now = Clock::System.now();
    let bind = Bind::new(server);
    let check = async |bind: &Bind<'_>| source::check(&bind.config(server, MAPPING), Path::new("/"), now).await;
    let mode = |mode| std::fs::set_permissions(&bind.keytab, std::fs::Permissions::from_mode(mode)).unwrap();
    mode(0o600);
    let good = check(&bind).await;
    assert!(
        good.iter().all(|finding| finding.level == Level::Good || finding.subject == "deleted objects"),
        "{good:?}"
    );
    assert!(good.iter().any(|finding| finding.subject == "bind" && finding.text.contains(PRINCIPAL)), "{good:?}");
    mode(0o644);
    let open = check(&bind).await;
    let found = open.iter().find(|finding| finding.subject == "keytab").unwrap();
    assert!(found.level == Level::Warning && found.text.contains("chmod 600"), "{open:?}");
    let sealed = check(&Bind { url: format!("ldap://{}", server.address), ..bind }).await;
    let found = sealed.iter().find(|finding| finding.subject == "connection").unwrap();
    assert!(found.level == Level::Warning && found.text.contains("sealed by Kerberos"), "{sealed:?}");
}
