//! `yaopai doctor`: looks at everything a broker needs and says what to do about what is wrong. Changes nothing.
//!
//! How to add a check: a function that gives [`Finding`]s, a line in [`examine`].

mod certificates;
mod database;
mod finding;
mod installation;
mod logouts;
mod ports;
mod sources;

use std::path::Path;
use std::process::ExitCode;

use crate::config::Config;
use crate::time::Clock;

use finding::{Finding, State};

/// Arguments of `doctor`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Prints a JSON document instead of lines.
    #[arg(long)]
    json: bool,
}

/// Exit code 0 when nothing failed; warnings do not count as failures.
#[expect(clippy::print_stdout, reason = "what a person at a terminal reads")]
pub(super) async fn run(config: &Path, args: &Args) -> ExitCode {
    let findings = examine(config).await;
    let is_well = findings.iter().all(|finding| finding.state != State::Failed);
    if args.json {
        println!("{:#}", serde_json::json!({ "ok": is_well, "checks": findings }));
    } else {
        print!("{}", finding::lines(&findings));
    }
    if is_well { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

async fn examine(path: &Path) -> Vec<Finding> {
    let config = match Config::load(path) {
        Ok(config) => config,
        Err(error) => {
            return vec![Finding::failed("configuration", error, "correct the file; nothing else was looked at")];
        }
    };
    let now = Clock::System.now();
    let mut findings = vec![installation::configuration(path, &config)];
    findings.push(installation::master_key(&config).await);
    findings.extend(installation::secrets(&config));
    findings.extend(database::check(&config, &Clock::System).await);
    findings.extend(installation::policies(&config));
    findings.extend(certificates::check(&config, now));
    findings.extend(ports::check(&config).await);
    findings.extend(sources::check(&config, now).await);
    findings
}
