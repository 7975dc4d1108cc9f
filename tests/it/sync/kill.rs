//! The real command on a real database: exit codes, texts, and `kill -9` at any moment.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::Instant;

use tempfile::TempDir;
use yaopai::sample;
use yaopai::store::Db;

use super::UNLIMITED;
use crate::both;
use crate::harness::{Kind, database_url, policies};

/// A folder with a configuration and the sample company.
pub struct Installation {
    folder: TempDir,
    url: String,
}

/// The source of the sample company with limits that nothing reaches: the tests let more happen than a day brings.
pub fn source_without_limits() -> String {
    format!("{}\n[source.guard]\n{UNLIMITED}", include_str!("../../../deploy/demo/source.toml"))
}

/// The policies without the duties that are to be separated: two of them in one hand hold a plan, whatever the limits.
pub fn policies_without_separation(folder: &Path) -> PathBuf {
    let copy = folder.join("policies");
    std::fs::create_dir(&copy).unwrap();
    for file in std::fs::read_dir(policies()).unwrap().map(Result::unwrap) {
        if file.file_type().unwrap().is_file() && file.file_name() != "sod.toml" {
            std::fs::copy(file.path(), copy.join(file.file_name())).unwrap();
        }
    }
    copy
}

impl Installation {
    async fn new(kind: Kind) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = database_url(kind, folder.path()).await;
        Self::write_config(folder, url, include_str!("../../../deploy/demo/source.toml"), &policies())
    }

    /// The same with limits that nothing reaches.
    pub async fn without_limits(kind: Kind) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = database_url(kind, folder.path()).await;
        let policies = policies_without_separation(folder.path());
        Self::write_config(folder, url, &source_without_limits(), &policies)
    }

    /// On a database of its own, with limits that nothing reaches.
    pub fn at(url: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let policies = policies_without_separation(folder.path());
        Self::write_config(folder, url.to_owned(), &source_without_limits(), &policies)
    }

    /// URL of its database.
    pub fn url(&self) -> String {
        self.url.clone()
    }

    fn write_config(folder: TempDir, url: String, source: &str, policies: &Path) -> Self {
        let text = format!(
            "[server]\npublic_url = \"http://127.0.0.1\"\n[database]\nurl = \"{url}\"\n[policies]\nfolder = \"{}\"\n{}",
            policies.display(),
            source
        );
        std::fs::write(folder.path().join("yaopai.toml"), text).unwrap();
        Self { folder, url }
    }

    pub fn write(&self, ldif: &str) {
        std::fs::write(self.folder.path().join("company.ldif"), ldif).unwrap();
    }

    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_yaopai"));
        command.args(args).current_dir(self.folder.path()).env_clear().stdin(Stdio::null());
        command
    }

    fn run(&self, args: &[&str]) -> Output {
        self.command(args).output().unwrap()
    }

    pub fn text(&self, code: i32, args: &[&str]) -> String {
        let output = self.run(args);
        let text = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert_eq!(output.status.code(), Some(code), "{args:?}: {text}");
        text
    }

    pub async fn open(&self) -> Db {
        Db::open(&self.url, 2).await.unwrap()
    }
}

both!(
    /// LDAP-032
    a_killed_run_leaves_the_old_or_the_new_state,
    |kind| async move {
        const PEOPLE: usize = 1_500;
        // Everybody's address changes at once: that is what the guard is for, and not what this is about.
        let company = Installation::without_limits(kind).await;
        let old = sample::ldif(PEOPLE, 1);
        let new = old.replace("@example.com", "@example.org");
        company.write(&old);
        let begun = Instant::now();
        company.text(0, &["sync", "run", "--source", "company"]);
        let whole = begun.elapsed();
        let mut seen = [0, 0];
        for step in 1..=5u32 {
            // Where the last kill left it, the other file is the one to come.
            let is_new = state(&company).await;
            company.write(if is_new { &old } else { &new });
            let mut child = company
                .command(&["sync", "run", "--source", "company"])
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .spawn()
                .unwrap();
            std::thread::sleep(whole * step / 6);
            child.kill().unwrap();
            child.wait().unwrap();
            seen[usize::from(state(&company).await != is_new)] += 1;
            let db = company.open().await;
            let mut tx = db.write().await.unwrap();
            if step < 5 {
                // The lease of a killed run is free after ten seconds: waited for once, at the end.
                tx.run("DELETE FROM leases", &[]).await.unwrap();
            }
            tx.commit().await.unwrap();
            db.close().await;
        }
        assert!(seen[0] > 0, "every run was over before it was killed");
        company.write(&new);
        company.text(0, &["sync", "run", "--source", "company"]);
        assert!(state(&company).await);
        assert!(company.text(0, &["sync", "run", "--source", "company"]).contains("nothing to do"));
    }
);

/// Whether the new state is there. It is whole in either case: people, change log, audit log and source state agree.
async fn state(company: &Installation) -> bool {
    let db = company.open().await;
    let mut tx = db.read().await.unwrap();
    let sql =
        "SELECT COUNT(*), SUM(CASE WHEN mail LIKE '%@example.org' THEN 1 ELSE 0 END) FROM users WHERE mail IS NOT NULL";
    let (people, new): (i64, i64) = tx.one(sql, &[]).await.unwrap();
    assert!(new == 0 || new == people, "{new} of {people} people are new");
    let sql = "SELECT COUNT(*) FROM change_log WHERE kind = 'changed'";
    let (logged,): (i64,) = tx.one(sql, &[]).await.unwrap();
    let (version,): (i64,) = tx.one("SELECT version FROM source_state", &[]).await.unwrap();
    assert_eq!(logged, (version - 1) * people);
    let sql = "SELECT COUNT(*) FROM plans WHERE state = 'applied'";
    let (applied,): (i64,) = tx.one(sql, &[]).await.unwrap();
    assert_eq!(applied, version);
    let (events,): (i64,) = tx.one("SELECT COUNT(*) FROM audit_log", &[]).await.unwrap();
    let (head,): (i64,) = tx.one("SELECT seq FROM audit_head", &[]).await.unwrap();
    assert_eq!(events, head);
    drop(tx);
    db.close().await;
    new == people
}

both!(the_command_says_what_it_does_and_ends_with_a_code, |kind| async move {
    let company = Installation::new(kind).await;
    company.write(&sample::ldif(120, 1));
    let text = company.text(0, &["sync", "plan", "--source", "company"]);
    let next = text.lines().find_map(|line| line.strip_prefix("next: yaopai ")).unwrap().to_owned();
    assert!(text.contains("joined") && text.contains("guard: nothing to hold"), "{text}");
    assert!(company.text(1, &["user", "show", "li.fang"]).contains("nobody has the login name `li.fang`"));
    let text = company.text(0, &next.split(' ').collect::<Vec<_>>());
    assert!(text.contains(": applied"), "{text}");
    assert!(company.text(0, &["user", "show", "LI.FANG"]).contains("finance-clerk"));
    let why = company.text(0, &["user", "why", "li.fang"]);
    assert!(why.contains("role finance-clerk by rule clerks-by-group"), "{why}");
    let json = company.text(0, &["sync", "report", "--source", "company", "--json"]);
    let report: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!((&report["state"], &report["users"]["created"]), (&"applied".into(), &120.into()));
    // Half of the company gone: held, with the command that approves it.
    company.write(&sample::ldif(40, 2));
    let text = company.text(2, &["sync", "run", "--source", "company", "--lang", "zh-CN"]);
    assert!(text.contains("防护规则：已拦下") && text.contains("--approve"), "{text}");
    assert!(company.text(2, &["sync", "apply", "--source", "company"]).contains("held by the guard"));
    let next = text.lines().find_map(|line| line.strip_prefix("下一步：yaopai ")).unwrap().to_owned();
    let text = company.text(0, &next.split(' ').collect::<Vec<_>>());
    assert!(text.contains("approved by cli"), "{text}");
    assert!(company.text(0, &["sync", "undo", "--source", "company"]).contains("takes back plan"));
    assert!(company.text(1, &["sync", "run", "--source", "other"]).contains("configured are: `company`"));
    assert!(company.text(1, &["sync", "apply", "--source", "company"]).contains("has no plan waiting"));
});
