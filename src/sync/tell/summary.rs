//! The summary of runs as plain text, in each language that is wanted.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::broker::Broker;
use crate::config::ReportConfig;
use crate::model::RunState;
use crate::text::{Args, Language, message};

use super::super::paint::Paint;
use super::super::report::RunReport;
use super::super::words::{report_text, verdict_text, versus_text};

/// Subject, and language → text.
pub(super) fn write(
    broker: &Broker,
    wish: &ReportConfig,
    runs: &[(RunReport, Option<RunReport>)],
) -> (String, BTreeMap<&'static str, String>) {
    let texts = wish.languages.iter().map(|language| (language.as_str(), text(broker, runs, *language)));
    let first = wish.languages.first().copied().unwrap_or(Language::En);
    (subject(broker, runs, first), texts.collect())
}

fn subject(broker: &Broker, runs: &[(RunReport, Option<RunReport>)], language: Language) -> String {
    let states: Vec<String> = runs
        .iter()
        .map(|(report, _)| {
            let state = message(language, &format!("sync-state-{}", report.state), &Args::new());
            format!("{}: {state}", report.source)
        })
        .collect();
    let mut args = Args::new();
    args.set("organisation", broker.config.server.organisation.clone());
    args.set(
        "states",
        if states.is_empty() { message(language, "mail-nothing", &Args::new()) } else { states.join(", ") },
    );
    message(language, "mail-subject", &args)
}

fn text(broker: &Broker, runs: &[(RunReport, Option<RunReport>)], language: Language) -> String {
    let mut text = String::new();
    if runs.is_empty() {
        let _ = writeln!(text, "{}", message(language, "mail-nothing", &Args::new()));
    }
    for (report, last) in runs {
        text.push_str(&report_text(report, language));
        if let Some(last) = last {
            text.push_str(&versus_text(last, broker.config.server.time_zone, language));
        }
        if !report.held.is_empty() {
            text.push_str(&verdict_text(&report.held, language, Paint::Plain));
        }
        let page = match report.plan_id.filter(|_| report.state == RunState::Held) {
            Some(plan) => broker.config.server.url(&format!("/console/plans/{plan}")),
            None => broker.config.server.url(&format!("/console/runs/{}", report.run_id)),
        };
        let mut args = Args::new();
        args.set("url", page);
        let _ = writeln!(text, "  {}\n", message(language, "mail-page", &args));
    }
    text
}
