//! A run's report in the shape that pages show.

use std::collections::{BTreeMap, BTreeSet};

use minijinja::value::Serde;
use minijinja::{Value, context};
use serde::Serialize;

use crate::http::extract::SignedIn;
use crate::http::ui::words;
use crate::model::{NewFinding, RunState};
use crate::store::StoreError;
use crate::sync::{Counts, HeldReason, RunReport, held_text, lockout_text, manner_text};
use crate::text::{Args, FindingWords, Language, finding_words, message};

/// Findings on the page; the rest is counted.
const FINDINGS: usize = 100;

/// Counts of one kind of object.
#[derive(Debug, Serialize)]
struct Kind {
    title: String,
    counts: Counts,
}

/// A finding as the page shows it.
#[derive(Debug, Serialize)]
struct Found<'a> {
    code: &'a str,
    /// DN, or the id where there is none.
    entry: &'a str,
    words: FindingWords,
    quarantined: bool,
}

fn found(language: Language, finding: &NewFinding) -> Found<'_> {
    Found {
        code: &finding.code,
        entry: if finding.dn.is_empty() { &finding.external_id } else { &finding.dn },
        words: finding_words(&finding.code, &finding.arguments, language),
        quarantined: finding.quarantined,
    }
}

/// Who or what started or approved something: `cli`, `schedule`, or a person, by name where it is known.
pub(super) fn started_by(language: Language, code: &str, name: Option<&str>) -> String {
    let args = Args::new();
    match (code, name) {
        (_, Some(name)) => name.to_owned(),
        ("cli", None) => message(language, "by-cli", &args),
        ("schedule", None) => message(language, "by-schedule", &args),
        _ => message(language, "by-administrator", &args),
    }
}

/// The same, with the person's name looked up.
pub(super) async fn who(signed_in: &SignedIn, code: &str) -> Result<String, StoreError> {
    let id = code.strip_prefix("user:").and_then(|id| id.parse().ok());
    let person = match id {
        Some(id) => signed_in.visit.app.broker.db.read().await?.users().find(id).await?,
        None => None,
    };
    let name = person.map(|user| user.display_name);
    Ok(started_by(signed_in.visit.language, code, name.as_deref()))
}

/// How a state looks.
pub(super) fn state_tone(state: RunState) -> &'static str {
    match state {
        RunState::Applied => "good",
        RunState::Held | RunState::Planned => "warn",
        RunState::Failed => "bad",
        RunState::Running | RunState::Unchanged => "plain",
    }
}

/// What the guard says, a line a reason.
pub(super) fn reasons(language: Language, held: &[HeldReason]) -> Vec<String> {
    held.iter().map(|reason| held_text(reason, language)).collect()
}

/// Who is master of which field: a row a field, a column a source.
#[derive(Debug, Serialize)]
struct Masters<'a> {
    sources: BTreeSet<&'a str>,
    rows: Vec<Master<'a>>,
}

/// A field with the people whose value of it is a source's, in the order of the columns.
#[derive(Debug, Serialize)]
struct Master<'a> {
    field: &'a str,
    counts: Vec<u64>,
}

/// None where nobody is known to several sources.
fn masters(report: &RunReport) -> Option<Masters<'_>> {
    let sources: BTreeSet<&str> =
        report.masters.values().flat_map(|counts| counts.keys().map(String::as_str)).collect();
    let row = |counts: &BTreeMap<String, u64>| {
        sources.iter().map(|source| counts.get(*source).copied().unwrap_or(0)).collect::<Vec<u64>>()
    };
    let rows = report.masters.iter().map(|(field, counts)| Master { field, counts: row(counts) }).collect();
    (!report.masters.is_empty()).then_some(Masters { sources, rows })
}

/// The values that the report's part of a page names.
pub(super) fn values(signed_in: &SignedIn, report: &RunReport) -> Value {
    let (language, zone) = (signed_in.visit.language, signed_in.visit.app.broker.config.server.time_zone);
    let kinds: Vec<Kind> = [
        ("user", report.users),
        ("department", report.departments),
        ("position", report.positions),
        ("group", report.groups),
    ]
    .into_iter()
    .filter(|(_, counts)| *counts != Counts::default())
    .map(|(kind, counts)| Kind { title: message(language, &format!("sync-row-{kind}"), &Args::new()), counts })
    .collect();
    let total: u64 = report.findings.values().sum();
    let findings: Vec<_> = report.finding_list.iter().take(FINDINGS).map(|finding| found(language, finding)).collect();
    let hidden = total.saturating_sub(u64::try_from(findings.len()).unwrap_or(0));
    context! {
        source => report.source.clone(),
        state => report.state.as_str(),
        tone => state_tone(report.state),
        started => words::moment(language, zone, report.started_at),
        seconds => format!("{}.{}", report.duration_ms / 1_000, report.duration_ms % 1_000 / 100),
        error => report.error_in(language),
        users => Value::from(Serde(report.users)),
        kinds => Value::from(Serde(kinds)),
        adds_up => [report.users, report.departments, report.positions, report.groups].iter().all(Counts::adds_up),
        members => Value::from(Serde(report.members)),
        roles => Value::from(Serde(&report.roles)),
        gone_from => Value::from(Serde(report.gone_from())),
        masters => Value::from(Serde(masters(report))),
        manner => manner_text(report, language),
        lockout => lockout_text(report, language),
        moved_out => report.moved_out,
        rehired => report.rehired,
        deleted => report.deleted,
        reasons => reasons(language, &report.held),
        findings => Value::from(Serde(findings)),
        findings_total => total,
        findings_hidden => hidden,
        sessions_ended => report.sessions_ended,
        grants_ended => report.grants_ended,
    }
}
