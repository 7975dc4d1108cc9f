//! `make bench`: what the broker does a second and what it costs, next to yardsticks of the same machine and moment.
//!
//! The server is the real binary as a child process; its CPU seconds are the kernel's. The load comes from this
//! process over loopback. Nothing here passes or fails: it prints what was measured, and whether the aims are met.
//!
//! `BENCH_SECONDS=5` per scenario; `BENCH_ONLY=calls` or `sync`; `BENCH_DATABASE=postgres://…` for another database
//! than a SQLite file (an empty one: it is filled).

#![expect(clippy::print_stderr, reason = "progress, apart from the result")]
#![expect(clippy::cast_precision_loss, reason = "counts of a benchmark")]

mod calls;
mod client;
mod person;
mod process;
mod report;
mod signing;
mod slapd;
mod stage;
mod sync;

use std::process::ExitCode;
use std::time::Duration;

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
    let (mut lines, mut memory, mut synced) = (Vec::new(), None, None);
    if only.as_deref() != Some("sync") {
        let signatures = signing::es256_per_second()?;
        let stage = stage::Stage::build(database.as_deref().unwrap_or("sqlite://data/yaopai.db")).await?;
        memory = Some(stage.idle_memory);
        lines = calls::all(&stage, Duration::from_secs(seconds)).await?;
        report::calls(&lines, signatures);
    }
    if only.as_deref() != Some("calls") {
        // On PostgreSQL the sync would meet the people of the calls: it always has a SQLite file of its own.
        let done = sync::measure("sqlite://data/yaopai.db")?;
        report::sync(&done);
        synced = Some(done);
    }
    report::aims(&lines, memory, synced.as_ref());
    Ok(())
}
