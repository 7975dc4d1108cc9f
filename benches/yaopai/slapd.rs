//! A real OpenLDAP with a generated company, and the bare dump of it that a sync is compared with.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail, ensure};
use tempfile::TempDir;

use super::process::{Used, timed};
use super::stage::free_port;

/// Password of the administrator of the throw-away server.
const PASSWORD: &str = "bench-directory";

/// A running server; ended when dropped.
#[derive(Debug)]
pub struct Slapd {
    child: Child,
    folder: TempDir,
    port: u16,
    base: String,
}

impl Slapd {
    /// A server that holds the entries of `ldif`.
    pub fn start(ldif: &Path) -> anyhow::Result<Self> {
        let folder = tempfile::Builder::new().prefix("yaopai-slapd-").tempdir()?;
        let text = std::fs::read_to_string(ldif)?;
        let base = text.lines().find_map(|line| line.strip_prefix("dn: ")).context("no entry in the LDIF")?.to_owned();
        let conf = folder.path().join("slapd.conf");
        std::fs::create_dir(folder.path().join("db"))?;
        std::fs::write(&conf, configuration(folder.path(), &base)?)?;
        let loaded = Command::new("slapadd").args(["-q", "-w"]).arg("-f").arg(&conf).arg("-l").arg(ldif).output();
        let loaded = loaded.context("slapadd is missing: run `make setup`")?;
        ensure!(loaded.status.success(), "slapadd: {}", String::from_utf8_lossy(&loaded.stderr));
        let port = free_port()?;
        let child = Command::new(program("slapd")?)
            .arg("-f")
            .arg(&conf)
            .args(["-h", &format!("ldap://127.0.0.1:{port}"), "-d", "0"])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        let mut slapd = Self { child, folder, port, base };
        let begun = Instant::now();
        while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
            if slapd.child.try_wait()?.is_some() || begun.elapsed() > Duration::from_secs(20) {
                bail!("slapd did not start");
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        Ok(slapd)
    }

    /// The time of a bare dump of everything, by the paged results control, to `/dev/null`.
    pub fn dump(&self) -> anyhow::Result<Used> {
        // Into a file that throws away, as `> /dev/null` does: our own pipe would slow it down.
        let mut command = Command::new("sh");
        let search = self.search();
        command.args(["-c", "exec \"$@\" > /dev/null", "sh"]).arg(search.get_program()).args(search.get_args());
        Ok(timed(&mut command)?.1)
    }

    /// How many entries the dump holds.
    pub fn entries(&self) -> anyhow::Result<usize> {
        let (output, _) = timed(&mut self.search())?;
        Ok(output.lines().filter(|line| line.starts_with("dn:")).count())
    }

    /// Gives so many people another mobile number, one of its own each `round`.
    pub fn change(&self, people: usize, round: usize) -> anyhow::Result<()> {
        let names = self.people()?;
        let every = (names.len() / people.max(1)).max(1);
        let mut ldif = String::new();
        for (n, name) in names.iter().step_by(every).take(people).enumerate() {
            writeln!(ldif, "dn:{name}\nchangetype: modify\nreplace: mobile\nmobile: +86 14{round:05}{n:04}\n")?;
        }
        self.modify(&ldif)
    }

    /// Applies change records.
    pub fn modify(&self, records: &str) -> anyhow::Result<()> {
        let url = format!("ldap://127.0.0.1:{}", self.port);
        let file = self.folder.path().join("changes.ldif");
        std::fs::write(&file, records)?;
        let mut modify = Command::new("ldapmodify");
        modify.args(["-x", "-H", &url, "-D", &self.admin(), "-w", PASSWORD, "-e", "relax", "-f"]).arg(&file);
        timed(&mut modify)?;
        Ok(())
    }

    /// Founds a group of the first `members` people.
    pub fn found_group(&self, name: &str, members: usize) -> anyhow::Result<()> {
        let mut ldif = format!("dn: cn={name},ou=groups,{}\nchangetype: add\nobjectClass: groupOfNames\n", self.base);
        writeln!(ldif, "cn: {name}")?;
        self.people()?.iter().take(members).try_for_each(|person| writeln!(ldif, "member:{person}"))?;
        self.modify(&ldif)
    }

    /// Takes the person after the first `members` in.
    pub fn join_group(&self, name: &str, members: usize) -> anyhow::Result<()> {
        let people = self.people()?;
        let person = people.get(members).context("nobody is left")?;
        let dn = format!("cn={name},ou=groups,{}", self.base);
        self.modify(&format!("dn: {dn}\nchangetype: modify\nadd: member\nmember:{person}\n"))
    }

    /// DNs of all people, as LDIF has them behind the attribute's name and the first colon.
    fn people(&self) -> anyhow::Result<Vec<String>> {
        let url = format!("ldap://127.0.0.1:{}", self.port);
        let mut find = Command::new("ldapsearch");
        find.args(["-x", "-LLL", "-o", "ldif-wrap=no", "-H", &url, "-D", &self.admin(), "-w", PASSWORD]);
        find.args(["-b", &self.base, "-E", "pr=500/noprompt", "(objectClass=inetOrgPerson)", "1.1"]);
        let (found, _) = timed(&mut find)?;
        Ok(found.lines().filter_map(|line| line.strip_prefix("dn:")).map(str::to_owned).collect())
    }

    fn search(&self) -> Command {
        let mut command = Command::new("ldapsearch");
        command.args(["-x", "-LLL", "-H", &format!("ldap://127.0.0.1:{}", self.port), "-D", &self.admin()]);
        command.args(["-w", PASSWORD, "-b", &self.base, "-E", "pr=500/noprompt", "(objectClass=*)", "*", "entryUUID"]);
        command
    }

    fn admin(&self) -> String {
        format!("cn=admin,{}", self.base)
    }

    /// `[source.ldap]` of this server.
    pub fn source(&self) -> anyhow::Result<toml::Table> {
        let (port, base, admin) = (self.port, &self.base, self.admin());
        let text = format!(
            "url = 'ldap://127.0.0.1:{port}'\nallow_plaintext = true\nbind_dn = '{admin}'\n\
             bind_password = {{ value = '{PASSWORD}' }}\nbase_dn = '{base}'\npage_size = 500\n"
        );
        text.parse().context("[source.ldap]")
    }
}

impl Drop for Slapd {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn configuration(folder: &Path, base: &str) -> anyhow::Result<String> {
    let mut text = String::new();
    for schema in ["core", "cosine", "inetorgperson"] {
        writeln!(text, "include /etc/ldap/schema/{schema}.schema")?;
    }
    let folder = folder.display();
    writeln!(
        text,
        "modulepath /usr/lib/ldap\nmoduleload back_mdb\nmoduleload syncprov\npidfile {folder}/pid\ndatabase mdb"
    )?;
    writeln!(text, "suffix \"{base}\"\nrootdn \"cn=admin,{base}\"\nrootpw {PASSWORD}\ndirectory {folder}/db")?;
    writeln!(text, "maxsize 1073741824\nindex objectClass,entryUUID,entryCSN eq\noverlay syncprov")?;
    // Groups of thousands: without it each new member is compared with all others.
    let text = text.replacen("database mdb", "sortvals member\ndatabase mdb", 1);
    Ok(text)
}

fn program(name: &str) -> anyhow::Result<PathBuf> {
    let places = ["/usr/sbin", "/usr/local/sbin", "/usr/libexec", "/usr/lib/openldap"];
    let found = places.iter().map(|place| Path::new(place).join(name)).find(|path| path.exists());
    found.with_context(|| format!("{name} is missing: run `make setup`"))
}
