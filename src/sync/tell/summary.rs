//! The summary of runs as plain text, in each language that is wanted.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::broker::Broker;
use crate::config::ReportConfig;
use crate::model::RunState;
use crate::text::{Language, say};

use super::super::paint::Paint;
use super::super::report::RunReport;
use super::super::words::{Telling, report_text, verdict_text};

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
    let of = |report: &RunReport| {
        let state = say(language, &format!("sync-state-{}", report.state), &[]);
        let named = [
            ("source", report.source.as_str().into()),
            ("state", state.into()),
            ("created", report.users.created.into()),
            ("changed", report.users.changed.into()),
            ("gone", report.users.disabled().into()),
        ];
        // Who reads the subject alone knows how much it is about.
        let key = if report.state == RunState::Failed { "mail-failed" } else { "mail-run" };
        say(language, key, &named)
    };
    let states: Vec<String> = runs.iter().map(|(report, _)| of(report)).collect();
    let states = if states.is_empty() { say(language, "mail-nothing", &[]) } else { states.join("; ") };
    let organisation = broker.config.server.organisation.as_str();
    say(language, "mail-subject", &[("organisation", organisation.into()), ("states", states.into())])
}

fn text(broker: &Broker, runs: &[(RunReport, Option<RunReport>)], language: Language) -> String {
    let telling = Telling { language, paint: Paint::Plain, zone: broker.config.server.time_zone };
    let mut text = String::new();
    if runs.is_empty() {
        let _ = writeln!(text, "{}", say(language, "mail-nothing", &[]));
    }
    for (report, last) in runs {
        // What somebody has to decide comes first.
        let waiting = report.plan_id.filter(|_| report.state == RunState::Held);
        let (key, page) = match waiting {
            Some(plan) => ("mail-decide", format!("/console/plans/{plan}")),
            None => ("mail-page", format!("/console/runs/{}", report.run_id)),
        };
        if !report.held.is_empty() {
            text.push_str(&verdict_text(&report.held, language, Paint::Plain));
        }
        let url = broker.config.server.url(&page);
        let _ = writeln!(text, "{}\n", say(language, key, &[("url", url.into())]));
        text.push_str(&report_text(report, last.as_ref(), telling));
        text.push('\n');
    }
    text
}
