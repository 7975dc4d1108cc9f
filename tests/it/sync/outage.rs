//! The database is what fails in the middle of a run: PostgreSQL is restarted, a SQLite file is locked by somebody else
//! or the disk is full. The run ends with a sentence, nothing is half-written, the next run works. And two processes
//! that want the same.

use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use sqlx::{Connection as _, Executor as _};
use tempfile::TempDir;
use yaopai::broker::Broker;
use yaopai::config::{Config, PAUSE_AT};
use yaopai::model::{Run, RunState};
use yaopai::sample::Course;
use yaopai::store::Db;
use yaopai::sync::{self, SyncError};

use super::kill::{Installation, policies_without_separation, source_without_limits};
use super::natural::{assert_same, events, state};
use crate::harness::own_postgres::OwnPostgres;
use crate::harness::{Kind, broker};

const SOURCE: &str = "company";

async fn everything(db: &Db) -> Vec<String> {
    [state(db, SOURCE, false).await, events(db, SOURCE).await].concat()
}

async fn runs(db: &Db) -> Vec<Run> {
    db.read().await.unwrap().runs().list_by_source(SOURCE, 1_000).await.unwrap()
}

/// A run that waits at `step` for so many seconds; returns when it is there.
fn paused_at(company: &Installation, step: &str, seconds: u64) -> Child {
    let mut command = company.command(&["sync", "run", "--source", SOURCE]);
    let mut child = command
        .env(PAUSE_AT, format!("{step}:{seconds}"))
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    let reached = lines.by_ref().map_while(Result::ok).find(|line| line.contains("paused at"));
    assert_eq!(reached.as_deref(), Some(format!("paused at {step}").as_str()));
    // What else it says is read by a thread, so that it never waits for a reader.
    let (mut rest, rests) = (lines, std::sync::mpsc::channel::<String>());
    let sender = rests.0;
    std::thread::spawn(move || rest.by_ref().map_while(Result::ok).try_for_each(|line| sender.send(line)));
    SAID.lock().unwrap().push((child.id(), rests.1));
    child
}

static SAID: std::sync::Mutex<Vec<(u32, std::sync::mpsc::Receiver<String>)>> = std::sync::Mutex::new(Vec::new());

/// Waits for the end of a run; its exit code, and what it said.
fn ended(mut child: Child) -> (Option<i32>, String) {
    let mut text = String::new();
    child.stdout.take().unwrap().read_to_string(&mut text).unwrap();
    let status = child.wait().unwrap();
    let mut said = SAID.lock().unwrap();
    let at = said.iter().position(|(id, _)| *id == child.id()).unwrap();
    let (_, lines) = said.remove(at);
    (status.code(), text + &lines.iter().collect::<Vec<_>>().join("\n"))
}

/// A real PostgreSQL, shut down as by a power cut and started again in the middle of a run.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_is_restarted_in_the_middle_of_a_run_fails_it_cleanly() {
    let mut postgres = tokio::task::spawn_blocking(OwnPostgres::start).await.unwrap();
    let company = Installation::at(&postgres.url());
    let mut course = Course::new(120, 31);
    company.write(&course.ldif());
    company.text(0, &["sync", "run", "--source", SOURCE]);
    let whole = Installation::without_limits(Kind::Sqlite).await;
    whole.write(&course.ldif());
    whole.text(0, &["sync", "run", "--source", SOURCE]);
    for (step, is_back) in [("plan-changes", true), ("users", true), ("audited", true), ("users", false)] {
        let _ = course.next_batch(15);
        company.write(&course.ldif());
        whole.write(&course.ldif());
        let db = company.open().await;
        let before = everything(&db).await;
        db.close().await;
        let run = paused_at(&company, step, if is_back { 6 } else { 2 });
        postgres.stop_immediately();
        if is_back {
            postgres.start_again();
        }
        let (code, said) = ended(run);
        assert!(code == Some(1) && said.contains("database"), "{step}: {code:?} {said}");
        if !is_back {
            postgres.start_again();
        }
        let db = company.open().await;
        assert_same(&everything(&db).await, &before, step);
        let begun = Instant::now();
        company.text(0, &["sync", "run", "--source", SOURCE]);
        assert!(begun.elapsed() < Duration::from_secs(40), "{step}");
        whole.text(0, &["sync", "run", "--source", SOURCE]);
        let other = whole.open().await;
        assert_same(&everything(&db).await, &everything(&other).await, step);
        assert!(runs(&db).await.iter().all(|run| run.state != RunState::Running), "{step}");
        db.close().await;
        other.close().await;
    }
}

/// LDAP-033: two processes at the same moment, each on its own: one runs, the other waits for its turn.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_processes_that_start_at_the_same_moment_run_one_after_the_other() {
    let company = Installation::without_limits(Kind::Postgres).await;
    let mut course = Course::new(120, 41);
    company.write(&course.ldif());
    company.text(0, &["sync", "run", "--source", SOURCE]);
    let db = company.open().await;
    for _ in 0..3 {
        let _ = course.next_batch(20);
        company.write(&course.ldif());
        let known = runs(&db).await.len();
        let start = || {
            let mut command = company.command(&["sync", "run", "--source", SOURCE]);
            command.env(PAUSE_AT, "read:1").stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
        };
        let mut both = [start(), start()];
        assert!(both.iter_mut().all(|child| child.wait().unwrap().success()));
        let mut new = runs(&db).await;
        new.truncate(new.len() - known);
        let (later, first) = (&new[0], &new[1]);
        assert_eq!((new.len(), first.state, later.state), (2, RunState::Applied, RunState::Unchanged), "{new:#?}");
        assert!(first.ended_at.unwrap() <= later.started_at, "they were under way at the same time: {new:#?}");
    }
    db.close().await;
}

/// A broker on a SQLite file of its own with the sample company.
async fn sqlite(seed: u64) -> (Broker, Course, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let text = format!(
        "[server]\npublic_url = \"http://127.0.0.1\"\n[policies]\nfolder = \"{}\"\n{}",
        policies_without_separation(folder.path()).display(),
        source_without_limits()
    );
    let config = Config::parse(&folder.path().join("yaopai.toml"), &text, &[]).unwrap();
    let broker = broker(Kind::Sqlite, folder.path(), config).await;
    let course = Course::new(200, seed);
    std::fs::write(folder.path().join("company.ldif"), course.ldif()).unwrap();
    run(&broker).await.unwrap();
    (broker, course, folder)
}

async fn run(broker: &Broker) -> Result<sync::RunReport, SyncError> {
    sync::run(broker, SOURCE, "cli", &mut |_| {}).await
}

/// Everything behind a failure, as the command prints it.
fn whole_text(error: &SyncError) -> String {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(next) = cause {
        text = format!("{text}: {next}");
        cause = next.source();
    }
    text
}

/// The disk is full at many places of the run: as many pages more as it takes until the run gets through.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_fails_the_run_cleanly() {
    let (broker, mut course, folder) = sqlite(51).await;
    let _ = course.next_batch(150);
    std::fs::write(folder.path().join("company.ldif"), course.ldif()).unwrap();
    let before = everything(&broker.db).await;
    let pages = async |limit: i64| {
        let mut tx = broker.db.write().await.unwrap();
        let (used,): (i64,) = tx.one("SELECT page_count FROM pragma_page_count", &[]).await.unwrap();
        tx.commit().await.unwrap();
        let Db::Sqlite { writer, .. } = &broker.db else { panic!("SQLite") };
        let sql = format!("PRAGMA max_page_count = {}", if limit < 0 { 1_000_000 } else { used + limit });
        writer.execute(sqlx::AssertSqlSafe(sql)).await.unwrap();
    };
    let mut failed = 0;
    for more in [0, 1, 2, 4, 8, 16, 24, 32, 48, 64, 96, 128, 1_000] {
        pages(more).await;
        let done = run(&broker).await;
        pages(-1).await;
        let mut tx = broker.db.write().await.unwrap();
        tx.run("DELETE FROM leases", &[]).await.unwrap();
        tx.commit().await.unwrap();
        match done {
            Ok(report) => assert_eq!(report.state, RunState::Applied),
            Err(error) => {
                failed += 1;
                let text = whole_text(&error);
                assert!(text.contains("disk is full"), "{more} pages: {text}");
                assert_same(&everything(&broker.db).await, &before, &format!("{more} pages"));
                continue;
            }
        }
        break;
    }
    assert!(failed >= 3, "the disk was full {failed} times");
    let (whole, _, other_folder) = sqlite(51).await;
    std::fs::copy(folder.path().join("company.ldif"), other_folder.path().join("company.ldif")).unwrap();
    run(&whole).await.unwrap();
    assert_same(&everything(&broker.db).await, &everything(&whole.db).await, "after the disk was full");
}

/// Somebody else holds the write lock of the file for longer than anybody waits.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_locked_file_fails_the_run_cleanly() {
    let company = Installation::without_limits(Kind::Sqlite).await;
    let mut course = Course::new(120, 61);
    company.write(&course.ldif());
    company.text(0, &["sync", "run", "--source", SOURCE]);
    let _ = course.next_batch(20);
    company.write(&course.ldif());
    let db = company.open().await;
    let before = everything(&db).await;
    db.close().await;
    let run = paused_at(&company, "planned", 1);
    let mut other = sqlx::SqliteConnection::connect(&company.url()).await.unwrap();
    other.execute("BEGIN IMMEDIATE").await.unwrap();
    let (code, said) = ended(run);
    assert!(code == Some(1) && said.contains("database is locked"), "{code:?} {said}");
    other.execute("ROLLBACK").await.unwrap();
    other.close().await.unwrap();
    let db = company.open().await;
    assert_same(&everything(&db).await, &before, "locked");
    company.text(0, &["sync", "run", "--source", SOURCE]);
    assert!(everything(&db).await != before);
    db.close().await;
}
