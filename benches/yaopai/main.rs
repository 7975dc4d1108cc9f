//! `make bench`: what the broker does a second and what it costs, next to yardsticks of the same machine and moment.
//!
//! The server is the real binary as a child process; its CPU seconds are the kernel's. The load comes from this
//! process over loopback. Nothing here passes or fails: it prints what was measured, and whether the aims are met.
//!
//! `BENCH_SECONDS=5` per scenario; `BENCH_ONLY=calls`, `ours` (calls without the other provider) or `sync`;
//! `BENCH_DATABASE=postgres` for the calls on a PostgreSQL of its own, `postgres://…` for another database than a SQLite
//! file (an empty one: it is filled; for a sync with `BENCH_ONLY=sync` and one size; without it a sync is measured on
//! SQLite and on a PostgreSQL of its own);
//! `BENCH_TOKENS=10000000` for the calls again with so many refresh tokens in the database;
//! `BENCH_PEOPLE=1000,20000,100000` for companies of other sizes, a million from a file.

#![expect(clippy::print_stderr, reason = "progress, apart from the result")]
#![expect(clippy::cast_precision_loss, reason = "counts of a benchmark")]

mod calls;
mod client;
mod crowd;
#[path = "../../tests/it/harness/leftover.rs"]
#[expect(clippy::unwrap_used, reason = "of the tests, where a fault ends all")]
mod leftover;
mod many;
#[path = "../../tests/it/harness/own_postgres.rs"]
#[expect(clippy::unwrap_used, reason = "of the tests, where a fault ends all")]
mod own_postgres;
mod person;
#[expect(dead_code, reason = "the tests use the rest of it")]
#[path = "../../tests/it/harness/postgres.rs"]
#[expect(clippy::unwrap_used, clippy::panic, reason = "of the tests, where a fault ends all")]
mod postgres;
mod process;
mod report;
mod rival;
mod signing;
mod slapd;
mod stage;
mod sync;
mod target;

use std::process::ExitCode;
use std::time::Duration;

use sync::Database;

#[tokio::main]
async fn main() -> ExitCode {
    match run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bench: {error:#}");
            ExitCode::FAILURE
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "a benchmark has no configuration but its environment")]
fn setting(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

async fn run() -> anyhow::Result<()> {
    let seconds = setting("BENCH_SECONDS").map_or(Ok(5), |text| text.parse())?;
    let only = setting("BENCH_ONLY");
    let database = setting("BENCH_DATABASE");
    let (mut lines, mut memory, mut synced, mut crowd) = (Vec::new(), None, Vec::new(), None);
    let own = (database.as_deref() == Some("postgres")).then(own_postgres::OwnPostgres::start);
    let database = own.as_ref().map(own_postgres::OwnPostgres::url).or(database);
    let signatures = signing::per_second()?;
    if only.as_deref() != Some("sync") {
        let mut stage = stage::Stage::build(database.as_deref().unwrap_or("sqlite://data/yaopai.db")).await?;
        memory = Some(stage.idle_memory);
        let time = Duration::from_secs(seconds);
        let mut bench = calls::Bench::of(stage.target().await?, time);
        bench.ours(&stage.gateway).await?;
        bench.provider().await?;
        lines = bench.lines;
        report::calls(&lines, signatures);
        let done = crowd::measure(stage.server()?, &stage.broker, time).await?;
        report::crowd(&done);
        crowd = Some(done);
        if let Some(tokens) = setting("BENCH_TOKENS") {
            report::many(&many::measure(&mut stage, tokens.parse()?, time).await?);
        }
        if only.as_deref() != Some("ours") {
            let rival = rival::Rival::start()?;
            let mut bench = calls::Bench::of(rival.target().await?, time);
            bench.provider().await?;
            report::rival(&lines, &bench.lines);
        }
    }
    if !matches!(only.as_deref(), Some("calls" | "ours")) {
        let sizes = setting("BENCH_PEOPLE").unwrap_or_else(|| "20000".to_owned());
        let sizes: Vec<usize> = sizes.split(',').map(|size| size.trim().parse()).collect::<Result<_, _>>()?;
        // After the calls, or after another size, a database of several connections is no longer empty.
        let is_own = only.as_deref() == Some("sync") && sizes.len() == 1;
        let databases = match database.as_deref().filter(|_| is_own) {
            Some(url) => vec![Database::Named(url)],
            None => vec![Database::Sqlite, Database::Postgres],
        };
        for (people, database) in sizes.iter().flat_map(|people| databases.iter().map(|one| (*people, *one))) {
            let done = sync::measure(people, database)?;
            report::sync(&done);
            synced.push(done);
        }
    }
    let is_postgres = database.is_some_and(|url| url.starts_with("postgres"));
    report::aims(&report::Aims { lines: &lines, signatures, is_postgres, idle_memory: memory, crowd, synced: &synced });
    Ok(())
}
