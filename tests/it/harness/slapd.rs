//! A real OpenLDAP server on loopback, with the sample company in it and certificates of a CA of its own.
//!
//! One shared server for the whole test run ([`shared`]), or one of one's own ([`Slapd::start`]), which ends when it is
//! dropped. Like PostgreSQL's, the process is the child of a thread and dies with it, however the tests end.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{OnceLock, mpsc};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rcgen::{BasicConstraints, CertificateParams, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose};
use yaopai::sample;

/// DN of the account that Yaopai reads with: 500 entries a search, as many pages as it likes.
pub const READER: &str = "cn=reader,dc=example,dc=com";
/// Its password.
pub const READER_PASSWORD: &str = "reader-Zj4k";

/// Password of `cn=admin`, for [`Slapd::modify`].
const ADMIN_PASSWORD: &str = "admin-Vq8w";
/// DN of the account that tests write with.
const ADMIN: &str = "cn=admin,dc=example,dc=com";

/// A running server.
pub struct Slapd {
    /// Port of `ldap://` (with StartTLS).
    pub port: u16,
    /// Port of `ldaps://`.
    pub tls_port: u16,
    folder: tempfile::TempDir,
    stop: Option<mpsc::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

/// What makes a server different from the shared one.
#[derive(Clone, Copy, Default)]
pub struct Options<'a> {
    /// Further lines of the database's configuration, such as limits.
    pub database: &'a str,
    /// Further LDIF records.
    pub ldif: &'a str,
    /// The server's certificate ran out years ago.
    pub expired: bool,
    /// The server wants a client certificate; that of [`Slapd::client`] makes its owner [`READER`].
    pub wants_certificate: bool,
    /// People in the company; 1,200 when 0.
    pub people: usize,
    /// The server's own keytab and `krb5.conf`: it takes GSSAPI, and `reader` of the test domain is [`READER`].
    pub kerberos: Option<(&'a Path, &'a Path)>,
    /// A second database on the same server: its suffix, and LDIF records for it.
    pub second: Option<(&'a str, &'a str)>,
}

static SHARED: OnceLock<Slapd> = OnceLock::new();

/// The server that tests share: nobody writes to it.
pub async fn shared() -> &'static Slapd {
    let start = || SHARED.get_or_init(|| Slapd::start(Options::default()));
    tokio::task::spawn_blocking(start).await.unwrap()
}

impl Slapd {
    /// A server of one's own. Blocking, for some tenths of a second.
    pub fn start(options: Options<'_>) -> Self {
        let folder = super::leftover::folder("slapd");
        certificates(folder.path(), options.expired);
        let conf = configure(folder.path(), options);
        let people = if options.people == 0 { 1_200 } else { options.people };
        let reader = format!(
            "\ndn: {READER}\nobjectClass: organizationalRole\nobjectClass: simpleSecurityObject\ncn: reader\nuserPassword: {READER_PASSWORD}\n"
        );
        let ldif = folder.path().join("company.ldif");
        std::fs::write(&ldif, format!("{}{reader}{}", sample::ldif(people, 1), options.ldif)).unwrap();
        let added =
            Command::new(binary("slapadd")).arg("-q").arg("-f").arg(&conf).arg("-l").arg(&ldif).output().unwrap();
        assert!(added.status.success(), "slapadd: {}", String::from_utf8_lossy(&added.stderr));
        if let Some((suffix, records)) = options.second {
            std::fs::write(&ldif, records).unwrap();
            let mut command = Command::new(binary("slapadd"));
            command.args(["-q", "-b", suffix, "-f"]).arg(&conf).arg("-l").arg(&ldif);
            let added = command.output().unwrap();
            assert!(added.status.success(), "slapadd: {}", String::from_utf8_lossy(&added.stderr));
        }
        let free = || TcpListener::bind("127.0.0.1:0").unwrap();
        let (plain, tls) = (free(), free());
        let (port, tls_port) = (plain.local_addr().unwrap().port(), tls.local_addr().unwrap().port());
        drop((plain, tls));
        let (stop, thread) = run(&conf, port, tls_port, folder.path(), options.kerberos);
        let begun = Instant::now();
        while std::net::TcpStream::connect(("127.0.0.1", tls_port)).is_err() {
            let log = || std::fs::read_to_string(folder.path().join("log")).unwrap_or_default();
            assert!(begun.elapsed() < Duration::from_secs(30), "slapd did not start: {}", log());
            std::thread::sleep(Duration::from_millis(20));
        }
        Self { port, tls_port, folder, stop: Some(stop), thread: Some(thread) }
    }

    /// PEM file of the CA that signed the server's certificate.
    pub fn ca_file(&self) -> PathBuf {
        self.folder.path().join("ca.pem")
    }

    /// Applies LDIF change records; entries that are added may say their entryUUID. Blocking.
    pub fn modify(&self, records: &str) {
        self.modify_as(&format!("cn=admin,{}", sample::SUFFIX), records);
    }

    /// The same as the administrator of a database.
    pub fn modify_as(&self, admin: &str, records: &str) {
        let file = self.folder.path().join("changes.ldif");
        std::fs::write(&file, records).unwrap();
        let mut command = Command::new("ldapmodify");
        command.args(["-x", "-H", &format!("ldap://127.0.0.1:{}", self.port), "-e", "relax", "-w", ADMIN_PASSWORD]);
        command.args(["-D", admin, "-f"]).arg(&file);
        let done = command.output().unwrap_or_else(|error| panic!("ldapmodify: {error}: run `make setup`"));
        assert!(done.status.success(), "ldapmodify: {}", String::from_utf8_lossy(&done.stderr));
    }

    /// PEM files of a client certificate and its key.
    pub fn client(&self) -> (PathBuf, PathBuf) {
        (self.folder.path().join("client.pem"), self.folder.path().join("client.key"))
    }

    /// `[source.ldap]` for `ldaps://`.
    pub fn ldaps(&self) -> String {
        self.table(&format!(
            "url = \"ldaps://localhost:{}\"\nca_file = \"{}\"",
            self.tls_port,
            self.ca_file().display()
        ))
    }

    /// `[source.ldap]` for StartTLS.
    pub fn starttls(&self) -> String {
        self.table(&format!(
            "url = \"ldap://localhost:{}\"\nstarttls = true\nca_file = \"{}\"",
            self.port,
            self.ca_file().display()
        ))
    }

    /// `[source.ldap]` without TLS.
    pub fn plain(&self) -> String {
        self.table(&format!("url = \"ldap://127.0.0.1:{}\"\nallow_plaintext = true", self.port))
    }

    /// Carries out change records (RFC 2849).
    pub fn change(&self, ldif: &str) {
        super::ldap_write::change(&format!("ldap://127.0.0.1:{}", self.port), ADMIN, ADMIN_PASSWORD, None, ldif);
    }

    #[expect(clippy::unused_self, reason = "reads as a table of this server")]
    fn table(&self, address: &str) -> String {
        format!(
            "[source.ldap]\n{address}\nbind_dn = \"{READER}\"\nbind_password = {{ value = \"{READER_PASSWORD}\" }}\nbase_dn = \"{}\"\ntimeout = \"20s\"\n",
            sample::SUFFIX
        )
    }
}

impl Drop for Slapd {
    fn drop(&mut self) {
        self.stop.take();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn run(
    conf: &Path,
    port: u16,
    tls_port: u16,
    folder: &Path,
    kerberos: Option<(&Path, &Path)>,
) -> (mpsc::Sender<()>, JoinHandle<()>) {
    let (stop, stopped) = mpsc::channel::<()>();
    let urls = format!("ldap://127.0.0.1:{port} ldaps://127.0.0.1:{tls_port}");
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", "KILL"]).arg(binary("slapd")).args(["-d", "0", "-h", &urls, "-f"]).arg(conf);
    if let Some((keytab, krb5_config)) = kerberos {
        command.env("KRB5_KTNAME", keytab).env("KRB5_CONFIG", krb5_config);
    }
    let log = std::fs::File::create(folder.join("log")).unwrap();
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
    // The parent-death signal follows the thread that started the child: it stays until the server is not needed.
    let thread = std::thread::spawn(move || {
        let mut child = command.spawn().unwrap();
        let _ = stopped.recv();
        let _ = child.kill();
        let _ = child.wait();
    });
    (stop, thread)
}

fn configure(folder: &Path, options: Options<'_>) -> PathBuf {
    std::fs::create_dir(folder.join("db")).unwrap();
    let f = folder.display();
    let text = format!(
        "include /etc/ldap/schema/core.schema\ninclude /etc/ldap/schema/cosine.schema\n\
         include /etc/ldap/schema/inetorgperson.schema\ninclude /etc/ldap/schema/dyngroup.schema\n\
         modulepath /usr/lib/ldap\nmoduleload back_mdb\nmoduleload argon2\nmoduleload ppolicy\nmoduleload dynlist\nmoduleload syncprov\nmoduleload memberof\n\
         authz-regexp \"^cn=reader$\" \"{READER}\"\nauthz-regexp \"^uid=reader(,cn=[^,]*)?,cn=gssapi,cn=auth$\" \"{READER}\"\n\
         {sasl}TLSCACertificateFile {f}/ca.pem\nTLSCertificateFile {f}/server.pem\n\
         TLSCertificateKeyFile {f}/server.key\nTLSVerifyClient {verify}\ndatabase mdb\nmaxsize 268435456\n\
         suffix \"{suffix}\"\nrootdn \"cn=admin,{suffix}\"\nrootpw {ADMIN_PASSWORD}\ndirectory {f}/db\nindex objectClass,uid,entryUUID eq\n\
         access to attrs=userPassword by anonymous auth by * none\n\
         access to * by dn.exact=\"{READER}\" read by anonymous auth by * none\n{}\n\
         limits dn.exact=\"{READER}\" size.soft=500 size.hard=500 size.prtotal=unlimited\n",
        options.database,
        suffix = sample::SUFFIX,
        // With Kerberos the server compares what the client takes for its certificate.
        sasl = options
            .kerberos
            .map_or("", |_| "sasl-host localhost\nsasl-realm CORP.EXAMPLE.COM\nsasl-cbinding tls-endpoint\n"),
        verify = if options.wants_certificate { "demand" } else { "never" },
    );
    let second = options.second.map(|(suffix, _)| {
        std::fs::create_dir(folder.join("second")).unwrap();
        format!(
            "database mdb\nmaxsize 268435456\nsuffix \"{suffix}\"\nrootdn \"cn=admin,{suffix}\"\nrootpw {ADMIN_PASSWORD}\ndirectory {f}/second\nindex objectClass,uid,entryUUID eq\n\
             access to * by dn.exact=\"{READER}\" read by anonymous auth by * none\n"
        )
    });
    let conf = folder.join("slapd.conf");
    std::fs::write(&conf, text + &second.unwrap_or_default()).unwrap();
    conf
}

/// A CA and a server certificate for `localhost` (not for the address, so that a wrong name can be tried).
fn certificates(folder: &Path, expired: bool) {
    let mut ca = CertificateParams::new(Vec::new()).unwrap();
    ca.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    ca.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    ca.distinguished_name.push(rcgen::DnType::CommonName, "Yaopai test CA");
    let ca_key = KeyPair::generate().unwrap();
    let ca_pem = ca.self_signed(&ca_key).unwrap().pem();
    let mut server = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    server.is_ca = IsCa::ExplicitNoCa;
    server.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    server.distinguished_name.push(rcgen::DnType::CommonName, "localhost");
    if expired {
        server.not_before = rcgen::date_time_ymd(2019, 1, 1);
        server.not_after = rcgen::date_time_ymd(2020, 1, 1);
    }
    let key = KeyPair::generate().unwrap();
    let ca = Issuer::new(ca, ca_key);
    let signed = server.signed_by(&key, &ca).unwrap();
    let mut client = CertificateParams::new(Vec::new()).unwrap();
    client.is_ca = IsCa::ExplicitNoCa;
    client.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    client.distinguished_name = rcgen::DistinguishedName::new();
    client.distinguished_name.push(rcgen::DnType::CommonName, "reader");
    let client_key = KeyPair::generate().unwrap();
    std::fs::write(folder.join("client.pem"), client.signed_by(&client_key, &ca).unwrap().pem()).unwrap();
    std::fs::write(folder.join("client.key"), client_key.serialize_pem()).unwrap();
    std::fs::write(folder.join("ca.pem"), ca_pem).unwrap();
    std::fs::write(folder.join("server.pem"), signed.pem()).unwrap();
    std::fs::write(folder.join("server.key"), key.serialize_pem()).unwrap();
}

fn binary(name: &str) -> PathBuf {
    let path = Path::new("/usr/sbin").join(name);
    assert!(path.exists(), "OpenLDAP's `{name}` is not installed: run `make setup`");
    path
}
