//! A real 389 Directory Server on loopback, made from the template that comes with it, without systemd.

use std::fmt::Write as _;
use std::io::Write as _;
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

/// DN of the account that Yaopai reads with.
pub const READER: &str = "uid=reader,dc=example,dc=com";
/// Everybody's password.
pub const PASSWORD: &str = "Right-pass-1";

const TEMPLATE: &str = "/usr/share/dirsrv/data/template-dse.ldif";
const MANAGER: &str = "cn=Directory Manager";

/// The database of the company, which the template leaves out.
const BACKEND: &str = "
dn: cn=userroot,cn=ldbm database,cn=plugins,cn=config
objectClass: top
objectClass: extensibleObject
objectClass: nsBackendInstance
cn: userroot
nsslapd-suffix: dc=example,dc=com

dn: cn=dc\\3Dexample\\2Cdc\\3Dcom,cn=mapping tree,cn=config
objectClass: top
objectClass: extensibleObject
objectClass: nsMappingTree
cn: dc=example,dc=com
nsslapd-state: backend
nsslapd-backend: userroot
";

/// A running server.
pub struct Ds389 {
    /// Port of `ldap://`.
    pub port: u16,
    _folder: tempfile::TempDir,
}

static SHARED: OnceLock<Ds389> = OnceLock::new();

/// The server that tests share: nobody writes to it.
pub async fn shared() -> &'static Ds389 {
    tokio::task::spawn_blocking(|| SHARED.get_or_init(Ds389::start)).await.unwrap()
}

impl Ds389 {
    /// A server of one's own. Blocking, for some seconds.
    pub fn start() -> Self {
        assert!(Path::new(TEMPLATE).exists(), "389 Directory Server is not installed: run `make setup`");
        let folder = super::leftover::folder("ds389");
        let at = folder.path();
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        configure(at, port);
        let mut command = Command::new("setpriv");
        command.args(["--pdeathsig", "KILL", "/usr/sbin/ns-slapd", "-d", "0", "-D"]).arg(at.join("etc"));
        command.arg("-i").arg(at.join("run/pid")).stdin(Stdio::null()).stdout(Stdio::null());
        command.stderr(std::fs::File::create(at.join("log/stderr")).unwrap());
        // The parent-death signal follows the thread that started the child: this one stays to the end of the process.
        std::thread::spawn(move || command.spawn().unwrap().wait());
        let begun = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            let log = || std::fs::read_to_string(at.join("log/stderr")).unwrap_or_default();
            assert!(begun.elapsed() < Duration::from_mins(1), "389 Directory Server did not start: {}", log());
            std::thread::sleep(Duration::from_millis(50));
        }
        fill(port);
        Self { port, _folder: folder }
    }

    /// Carries out change records (RFC 2849).
    pub fn change(&self, ldif: &str) {
        super::ldap_write::change(&format!("ldap://127.0.0.1:{}", self.port), MANAGER, PASSWORD, None, ldif);
    }

    /// `[source.ldap]` for this server.
    pub fn table(&self) -> String {
        format!(
            "[source.ldap]\nschema = \"389\"\nurl = \"ldap://127.0.0.1:{}\"\nallow_plaintext = true\n\
             bind_dn = \"{READER}\"\nbind_password = {{ value = \"{PASSWORD}\" }}\nbase_dn = \"dc=example,dc=com\"\n",
            self.port
        )
    }
}

fn configure(at: &Path, port: u16) {
    for name in ["etc", "etc/schema", "db", "ldif", "bak", "log", "lock", "run", "inst", "tmp"] {
        std::fs::create_dir(at.join(name)).unwrap();
    }
    for (from, to) in [("/etc/dirsrv/schema/99user.ldif", "schema/99user.ldif")]
        .into_iter()
        .chain(["certmap.conf", "slapd-collations.conf"].map(|name| ("", name)))
    {
        let from = if from.is_empty() { format!("/etc/dirsrv/config/{to}") } else { from.to_owned() };
        std::fs::copy(from, at.join("etc").join(to)).unwrap();
    }
    let hashed = Command::new("pwdhash").args(["-s", "SSHA512", PASSWORD]).output().unwrap();
    let hashed = String::from_utf8(hashed.stdout).unwrap();
    let user = Command::new("id").arg("-un").output().unwrap().stdout;
    let user = String::from_utf8(user).unwrap();
    let folder = |name: &str| at.join(name).display().to_string();
    let mut text = std::fs::read_to_string(TEMPLATE).unwrap();
    for (key, value) in [
        ("schema_dir", folder("etc/schema")),
        ("lock_dir", folder("lock")),
        ("tmp_dir", folder("tmp")),
        ("cert_dir", folder("etc")),
        ("config_dir", folder("etc")),
        ("ldif_dir", folder("ldif")),
        ("bak_dir", folder("bak")),
        ("run_dir", folder("run")),
        ("inst_dir", folder("inst")),
        ("log_dir", folder("log")),
        ("db_dir", folder("db")),
        ("db_home_dir", folder("db")),
        ("db_lib", "bdb".to_owned()),
        ("fqdn", "localhost".to_owned()),
        ("ds_port", port.to_string()),
        ("ds_user", user.trim().to_owned()),
        ("rootdn", MANAGER.to_owned()),
        ("ds_passwd", hashed.trim().to_owned()),
        ("ds_suffix", "dc=example,dc=com".to_owned()),
        ("ldapi", folder("run/ldapi")),
        ("ldapi_enabled", "off".to_owned()),
        ("ldapi_autobind", "off".to_owned()),
    ] {
        text = text.replace(&format!("%{key}%"), &value);
    }
    // Entries are parted by exactly one empty line.
    let mut entries: Vec<String> = text.split("\n\n").map(|entry| entry.trim().to_owned()).collect();
    for entry in &mut entries {
        if entry.starts_with("dn: cn=MemberOf Plugin,") {
            *entry = entry.replace("nsslapd-pluginenabled: off", "nsslapd-pluginenabled: on");
        } else if entry.starts_with("dn: cn=Retro Changelog Plugin,") {
            *entry = entry.replace("nsslapd-pluginenabled: off", "nsslapd-pluginenabled: on");
            entry.push_str("\nnsslapd-attribute: nsuniqueid:targetUniqueId");
        } else if entry.starts_with("dn: cn=Content Synchronization,") {
            *entry = entry.replace("nsslapd-pluginenabled: off", "nsslapd-pluginenabled: on");
        } else if entry == "dn: cn=config" || entry.starts_with("dn: cn=config\n") {
            entry.push_str("\nnsslapd-listenhost: 127.0.0.1");
        }
    }
    entries.retain(|entry| !entry.is_empty());
    std::fs::write(at.join("etc/dse.ldif"), entries.join("\n\n") + "\n" + BACKEND).unwrap();
}

fn fill(port: u16) {
    let mut ldif = format!(
        "dn: dc=example,dc=com\nobjectClass: domain\ndc: example\n\
         aci: (targetattr=\"*\")(version 3.0; acl \"reader\"; allow (read,search,compare) userdn=\"ldap:///{READER}\";)\n\n\
         dn: ou=people,dc=example,dc=com\nobjectClass: organizationalUnit\nou: people\n"
    );
    for (dn, more) in [
        (READER, ""),
        ("uid=wang.fang,ou=people,dc=example,dc=com", "employeeNumber: 1001\n"),
        ("uid=li.na,ou=people,dc=example,dc=com", "manager: uid=wang.fang,ou=people,dc=example,dc=com\n"),
        ("uid=gone,ou=people,dc=example,dc=com", "nsAccountLock: true\n"),
    ] {
        let uid = dn.split(['=', ',']).nth(1).unwrap();
        let _ = write!(
            ldif,
            "\ndn: {dn}\nobjectClass: inetOrgPerson\nobjectClass: nsMemberOf\nuid: {uid}\ncn: {uid}\nsn: {uid}\n\
             userPassword: {PASSWORD}\n{more}"
        );
    }
    for (name, class, attribute, member) in [
        ("buyers", "groupOfNames", "member", "uid=li.na,ou=people,dc=example,dc=com"),
        ("approvers", "groupOfNames", "member", "cn=buyers,dc=example,dc=com"),
        ("old", "groupOfUniqueNames", "uniqueMember", "uid=wang.fang,ou=people,dc=example,dc=com"),
    ] {
        let _ = write!(
            ldif,
            "\ndn: cn={name},dc=example,dc=com\nobjectClass: {class}\nobjectClass: nsMemberOf\ncn: {name}\n{attribute}: {member}\n"
        );
    }
    let mut child = Command::new("ldapadd")
        .args(["-x", "-H", &format!("ldap://127.0.0.1:{port}"), "-D", MANAGER, "-w", PASSWORD])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(ldif.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "ldapadd: {}", String::from_utf8_lossy(&output.stderr));
}
