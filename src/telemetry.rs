//! Log lines: readable on a terminal, JSON with `YAOPAI_LOG_FORMAT=json`. Levels by `YAOPAI_LOG` (such as `info`).

use std::io::IsTerminal as _;

use tracing_subscriber::EnvFilter;

/// Starts logging to standard error. Called once by `cli/`.
pub fn start(filter: &str, json: bool) {
    let filter = EnvFilter::try_new(filter).unwrap_or_else(|_| EnvFilter::new("info"));
    let colours = std::io::stderr().is_terminal();
    let subscriber = tracing_subscriber::fmt().with_env_filter(filter).with_ansi(colours).with_writer(std::io::stderr);
    let started = if json { subscriber.json().try_init() } else { subscriber.try_init() };
    if started.is_err() {
        tracing::debug!("logging was started already");
    }
}
