//! The real command, ended at every step of a run as a power cut would end it, and started again: the state is that of
//! a run that was never ended, and no event is lost or doubled.

use std::os::unix::process::ExitStatusExt as _;
use std::process::Stdio;
use std::time::{Duration, Instant};

use tempfile::TempDir;
use yaopai::audit::verify;
use yaopai::broker::Broker;
use yaopai::config::{CRASH_AT, CRASH_STEPS, Config};
use yaopai::random::Rng;
use yaopai::sample::Course;
use yaopai::sync;

use super::kill::Installation;
use super::natural::{assert_same, events, state};
use crate::both;
use crate::harness::{Kind, broker};

const SOURCE: &str = "company";
/// Signal of `abort`.
const ABORTED: i32 = 6;

/// Two companies that live through the same: one whose runs are ended, one whose runs are not.
struct Pair {
    course: Course,
    ended: Installation,
    whole: Broker,
    folder: TempDir,
}

impl Pair {
    async fn new(kind: Kind, seed: u64) -> Self {
        let ended = Installation::without_limits(kind).await;
        let folder = tempfile::tempdir().unwrap();
        let text = format!(
            "[server]\npublic_url = \"http://127.0.0.1\"\n[policies]\nfolder = \"{}\"\n{}",
            super::kill::policies_without_separation(folder.path()).display(),
            super::kill::source_without_limits()
        );
        let config = Config::parse(&folder.path().join("yaopai.toml"), &text, &[]).unwrap();
        let whole = broker(Kind::Sqlite, folder.path(), config).await;
        let pair = Self { course: Course::new(120, seed), ended, whole, folder };
        pair.write();
        pair.ended.text(0, &["sync", "run", "--source", SOURCE]);
        pair.run_whole().await;
        pair
    }

    fn write(&self) {
        let ldif = self.course.ldif();
        self.ended.write(&ldif);
        std::fs::write(self.folder.path().join("company.ldif"), ldif).unwrap();
    }

    async fn run_whole(&self) {
        sync::run(&self.whole, SOURCE, "cli", &mut |_| {}).await.unwrap();
    }

    /// After the run that makes up for the one that was ended.
    async fn compare(&self, what: &str) {
        // What an ended run leaves behind is its lease, which runs out after ten seconds: not waited for every time.
        let db = self.ended.open().await;
        let mut tx = db.write().await.unwrap();
        tx.run("DELETE FROM leases", &[]).await.unwrap();
        tx.commit().await.unwrap();
        self.ended.text(0, &["sync", "run", "--source", SOURCE]);
        self.run_whole().await;
        assert_same(&state(&db, SOURCE, false).await, &state(&self.whole.db, SOURCE, false).await, what);
        assert_same(&events(&db, SOURCE).await, &events(&self.whole.db, SOURCE).await, what);
        let chain = verify(&db).await.unwrap();
        assert!(chain.fault.is_none(), "{what}: {chain:?}");
        let mut tx = db.read().await.unwrap();
        let running: (i64,) = tx.one("SELECT COUNT(*) FROM runs WHERE state = 'running'", &[]).await.unwrap();
        let waiting: (i64,) =
            tx.one("SELECT COUNT(*) FROM plans WHERE state IN ('planned', 'held')", &[]).await.unwrap();
        assert_eq!((running.0, waiting.0), (0, 0), "{what}: nothing is left half-done");
        drop(tx);
        db.close().await;
    }
}

both!(
    /// LDAP-032: at every named step; each run has another batch of changes to apply.
    a_run_that_is_ended_at_any_step_is_made_up_for,
    |kind| async move {
        let seed = if kind == Kind::Sqlite { 11 } else { 12 };
        let mut pair = Pair::new(kind, seed).await;
        for step in CRASH_STEPS {
            let _ = pair.course.next_batch(12);
            pair.write();
            let mut command = pair.ended.command(&["sync", "run", "--source", SOURCE]);
            let ended = command.env(CRASH_AT, step).output().unwrap();
            let said = [ended.stdout.as_slice(), ended.stderr.as_slice()].concat();
            let said = String::from_utf8_lossy(&said);
            assert_eq!(ended.status.signal(), Some(ABORTED), "seed {seed}, `{step}` was not reached: {said}");
            pair.compare(&format!("seed {seed}, ended at `{step}`")).await;
        }
    }
);

both!(
    /// LDAP-032: SIGKILL at a moment that nobody chose.
    a_run_that_is_killed_at_any_moment_is_made_up_for,
    |kind| async move {
        let seed = if kind == Kind::Sqlite { 21 } else { 22 };
        let mut pair = Pair::new(kind, seed).await;
        let rng = Rng::seeded(seed);
        let begun = Instant::now();
        pair.ended.text(0, &["sync", "run", "--source", SOURCE]);
        let whole = u64::try_from(begun.elapsed().as_micros()).unwrap();
        for turn in 1..=8 {
            let _ = pair.course.next_batch(40);
            pair.write();
            let mut command = pair.ended.command(&["sync", "run", "--source", SOURCE]);
            let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
            let wait = u64::from_be_bytes(rng.bytes()) % (whole * 3 / 2);
            std::thread::sleep(Duration::from_micros(wait));
            child.kill().unwrap();
            child.wait().unwrap();
            pair.compare(&format!("seed {seed}, turn {turn}, killed after {wait} µs")).await;
        }
    }
);

/// In a release build the crash points are empty constant functions, and the two variables are not even named.
#[test]
fn release_builds_have_no_crash_points() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let text = std::fs::read_to_string(root.join("config/crash.rs")).unwrap();
    assert!(text.contains(
        "#[cfg(not(debug_assertions))]\n#[inline(always)]\npub const fn crash_point(_step: &'static str) {}"
    ));
    // Whatever else stands in the file stands behind the other condition.
    let items = text
        .lines()
        .filter(|line| ["pub ", "fn ", "use ", "const ", "static "].iter().any(|start| line.starts_with(start)));
    let guarded = text.matches("\n#[cfg(debug_assertions)]\n").count();
    assert_eq!(items.count(), guarded + 1);
}
