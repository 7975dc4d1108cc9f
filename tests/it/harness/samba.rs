//! A real Active Directory domain controller (Samba) on loopback, with a small domain in it.
//!
//! The domain is made once and kept in `target/`; each run of the tests works on a copy, on an address of its own in
//! `127.53.0.0/16`, and ends with the test process. Samba listens on the standard ports (389, 636, 3268, 3269, 88), which
//! takes the rights of root.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use rcgen::{BasicConstraints, CertificateParams, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair};

use super::samba_domain;

/// Its root.
pub const DOMAIN: &str = "DC=corp,DC=example,DC=com";
/// Its Kerberos realm.
pub const REALM: &str = "CORP.EXAMPLE.COM";
/// What its LDAP server is called in there.
pub const SERVICE: &str = "ldap/dc1.corp.example.com@CORP.EXAMPLE.COM";
/// The account that Yaopai reads with: an ordinary one.
pub const READER: &str = "reader@corp.example.com";
/// The password of everybody in the domain.
pub const PASSWORD: &str = "Right-pass-1";
/// The built-in administrator, with [`ADMIN_PASSWORD`].
pub const ADMIN: &str = "CN=Administrator,CN=Users,DC=corp,DC=example,DC=com";
/// Their password.
pub const ADMIN_PASSWORD: &str = "Adm1n-Zj4k-pass";

/// A running domain controller.
pub struct Samba {
    /// Where it listens, on the standard ports.
    pub address: String,
    folder: tempfile::TempDir,
}

static SHARED: OnceLock<Samba> = OnceLock::new();

/// The domain controller that tests share. Who changes something changes only what is theirs.
pub async fn shared() -> &'static Samba {
    tokio::task::spawn_blocking(|| SHARED.get_or_init(Samba::start)).await.unwrap()
}

impl Samba {
    fn start() -> Self {
        let domain = provisioned();
        let folder = super::leftover::folder("samba");
        copy(&domain, folder.path());
        let id = std::process::id();
        let address = format!("127.53.{}.{}", id >> 8 & 0xff, (id & 0xff).clamp(1, 254));
        certificates(folder.path(), &address);
        let conf = folder.path().join("smb.conf");
        std::fs::write(&conf, configuration(folder.path(), &address)).unwrap();
        let log = File::create(folder.path().join("log")).unwrap();
        let mut command = Command::new("setpriv");
        command.args(["--pdeathsig", "KILL"]).arg(program("samba")).args([
            "-i",
            "--debug-stdout",
            "-M",
            "single",
            "-s",
        ]);
        command.arg(&conf).stdin(Stdio::null()).stdout(log.try_clone().unwrap()).stderr(log);
        // The parent-death signal follows the thread that started the child: this one stays to the end of the process.
        std::thread::spawn(move || command.spawn().unwrap().wait());
        let begun = Instant::now();
        while std::net::TcpStream::connect((address.as_str(), 3269)).is_err() {
            let log = || std::fs::read_to_string(folder.path().join("log")).unwrap_or_default();
            assert!(begun.elapsed() < Duration::from_mins(1), "Samba did not start: {}", log());
            std::thread::sleep(Duration::from_millis(50));
        }
        Self { address, folder }
    }

    /// PEM file of the CA that signed the server's certificate.
    pub fn ca_file(&self) -> PathBuf {
        self.folder.path().join("tls/ca.pem")
    }

    /// `ldaps://` with this port.
    pub fn ldaps(&self, port: u16) -> String {
        format!("ldaps://{}:{port}", self.address)
    }

    /// `[source.ldap]` for this domain: `url` as it stands in TOML, and who reads.
    pub fn table(&self, url: &str, who: &str, password: &str) -> String {
        format!(
            "[source.ldap]\nschema = \"active-directory\"\nurl = {url}\nca_file = \"{}\"\nbind_dn = \"{who}\"\n\
             bind_password = {{ value = \"{password}\" }}\nbase_dn = \"{DOMAIN}\"\ntimeout = \"20s\"\n",
            self.ca_file().display()
        )
    }

    fn new_folder(&self) -> PathBuf {
        tempfile::tempdir_in(self.folder.path()).unwrap().keep()
    }

    /// A file with the keys that this account has now.
    pub fn keytab(&self, principal: &str) -> PathBuf {
        let file = self.new_folder().join("keytab");
        let conf = self.folder.path().join("smb.conf");
        let mut command = Command::new(program("samba-tool"));
        command.args(["domain", "exportkeytab", &format!("--principal={principal}"), "-s"]).arg(conf).arg(&file);
        run(&mut command);
        file
    }

    /// A `krb5.conf` that knows this realm and asks no DNS; `more` stands among its defaults.
    pub fn krb5_config(&self, more: &str) -> PathBuf {
        let file = self.new_folder().join("krb5.conf");
        let text = format!(
            "[libdefaults]\ndns_lookup_kdc = false\n{more}\n[realms]\n{REALM} = {{\nkdc = {}\n}}\n",
            self.address
        );
        std::fs::write(&file, text).unwrap();
        file
    }

    /// Carries out change records (RFC 2849) as the administrator.
    pub fn change(&self, ldif: &str) {
        super::ldap_write::change(&self.ldaps(636), ADMIN, ADMIN_PASSWORD, Some(&self.ca_file()), ldif);
    }

    /// The last part of an object's SID.
    pub fn rid(&self, dn: &str) -> u32 {
        use base64::Engine as _;
        let url = self.ldaps(636);
        let mut command = Command::new("ldapsearch");
        command.args(["-LLL", "-o", "ldif-wrap=no", "-x", "-H", &url, "-D", ADMIN, "-w", ADMIN_PASSWORD]);
        command.args(["-s", "base", "-b", dn, "objectSid"]).env("LDAPTLS_CACERT", self.ca_file());
        let text = String::from_utf8(command.output().unwrap().stdout).unwrap();
        let sid = text.lines().find_map(|line| line.strip_prefix("objectSid:: ")).unwrap();
        let sid = base64::engine::general_purpose::STANDARD.decode(sid).unwrap();
        u32::from_le_bytes(*sid.last_chunk().unwrap())
    }

    /// The usual `[source.ldap]`: over LDAPS, as the reader.
    pub fn usual(&self) -> String {
        self.table(&format!("\"{}\"", self.ldaps(636)), READER, PASSWORD)
    }
}

/// The folder of the domain, made when it is not there yet or when what belongs in it has changed.
fn provisioned() -> PathBuf {
    let is_root = Command::new("id").arg("-u").output().is_ok_and(|output| output.stdout == b"0\n");
    assert!(
        is_root,
        "the Active Directory tests need root: Samba listens on ports below 1024; run them as root (`sudo -E make test`)"
    );
    let target = Path::new(env!("CARGO_MANIFEST_DIR")).join("target");
    std::fs::create_dir_all(&target).unwrap();
    let (ldif, changes) = (samba_domain::ldif(), samba_domain::CHANGES);
    let filling = format!("{ldif}\n{changes}");
    let folder = target.join("samba-domain");
    let stamp = folder.join("filled-with.ldif");
    // Two runs at once: the second waits and finds what the first has made.
    let lock = File::create(target.join("samba-domain.lock")).unwrap();
    lock.lock().unwrap();
    if std::fs::read_to_string(&stamp).is_ok_and(|text| text == filling) {
        return folder;
    }
    let _ = std::fs::remove_dir_all(&folder);
    let options = [
        "domain",
        "provision",
        "--realm=CORP.EXAMPLE.COM",
        "--domain=CORP",
        "--server-role=dc",
        "--use-rfc2307",
        "--dns-backend=NONE",
        "--host-name=dc1",
        "--host-ip=127.53.0.1",
        "--option=interfaces=127.53.0.1/8",
        "--option=bind interfaces only=yes",
    ];
    run(Command::new(program("samba-tool"))
        .args(options)
        .arg(format!("--adminpass={ADMIN_PASSWORD}"))
        .arg(format!("--targetdir={}", folder.display())));
    let file = folder.join("company.ldif");
    for (tool, text) in [("ldbadd", ldif.as_str()), ("ldbmodify", changes)] {
        std::fs::write(&file, text).unwrap();
        run(Command::new(program(tool)).arg("-H").arg(folder.join("private/sam.ldb")).arg(&file));
    }
    std::fs::write(stamp, filling).unwrap();
    folder
}

fn configuration(folder: &Path, address: &str) -> String {
    let f = folder.display();
    format!(
        "[global]\nnetbios name = DC1\nrealm = CORP.EXAMPLE.COM\nworkgroup = CORP\n\
         server role = active directory domain controller\nserver services = ldap, kdc\n\
         interfaces = {address}/8\nbind interfaces only = yes\nprivate dir = {f}/private\nstate directory = {f}/state\n\
         cache directory = {f}/cache\nlock directory = {f}\npid directory = {f}\nbinddns dir = {f}/bind-dns\n\
         ncalrpc dir = {f}/ncalrpc\nlog file = {f}/log.%m\nidmap_ldb:use rfc2307 = yes\ntls enabled = yes\n\
         ldap server require strong auth = allow_sasl_over_tls\ntls keyfile = {f}/tls/server.key\ntls certfile = {f}/tls/server.pem\ntls cafile = {f}/tls/ca.pem\n\
         [sysvol]\npath = {f}/state/sysvol\n[netlogon]\npath = {f}/state/sysvol\n"
    )
}

/// A CA, and a server certificate for the address.
fn certificates(folder: &Path, address: &str) {
    use std::os::unix::fs::PermissionsExt as _;
    let tls = folder.join("tls");
    std::fs::create_dir_all(&tls).unwrap();
    let mut ca = CertificateParams::new(Vec::new()).unwrap();
    ca.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    ca.distinguished_name.push(rcgen::DnType::CommonName, "Yaopai test domain CA");
    let ca_key = KeyPair::generate().unwrap();
    std::fs::write(tls.join("ca.pem"), ca.self_signed(&ca_key).unwrap().pem()).unwrap();
    let mut server = CertificateParams::new(vec![address.to_owned()]).unwrap();
    server.is_ca = IsCa::ExplicitNoCa;
    server.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    let key = KeyPair::generate().unwrap();
    let signed = server.signed_by(&key, &Issuer::new(ca, ca_key)).unwrap();
    std::fs::write(tls.join("server.pem"), signed.pem()).unwrap();
    std::fs::write(tls.join("server.key"), key.serialize_pem()).unwrap();
    // Samba refuses a key that others may read.
    std::fs::set_permissions(tls.join("server.key"), std::fs::Permissions::from_mode(0o600)).unwrap();
}

fn copy(from: &Path, to: &Path) {
    run(Command::new("cp").arg("-a").arg(format!("{}/.", from.display())).arg(to));
}

fn run(command: &mut Command) {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
}

/// Where a program is: those of servers are not in everybody's path.
fn program(name: &str) -> PathBuf {
    let found = ["/usr/sbin", "/usr/bin"].iter().map(|folder| Path::new(folder).join(name)).find(|path| path.exists());
    found.unwrap_or_else(|| panic!("`{name}` is not installed: run `make setup`"))
}
