//! Every source: what a read of it would need.

use super::finding::{Finding, State};
use crate::config::Config;
use crate::source::{self, Level};
use crate::time::Instant;

pub(super) async fn check(config: &Config, now: Instant) -> Vec<Finding> {
    let mut findings = Vec::new();
    for source in &config.sources {
        for found in source::check(source, &config.folder, now).await {
            let state = match found.level {
                Level::Good => State::Ok,
                Level::Warning => State::Warning,
                Level::Failed => State::Failed,
            };
            let check = format!("source {}", source.name);
            findings.push(Finding { state, ..Finding::ok(&check, format!("{}: {}", found.subject, found.text)) });
        }
    }
    findings
}
