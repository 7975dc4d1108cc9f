//! A run's report in the shape that pages show.

use std::collections::{BTreeMap, BTreeSet};

use minijinja::value::Serde;
use minijinja::{Value, context};
use serde::Serialize;

use crate::http::extract::SignedIn;
use crate::http::paths;
use crate::http::ui::words;
use crate::model::{NewFinding, RunState};
use crate::store::StoreError;
use crate::sync::{Counts, HeldReason, RunReport, by_text, field_text, held_text, kind_lines, lockout_text, seconds};
use crate::text::{Args, Language, finding_words, message};

/// Findings of a kind on the page; the rest is counted.
const FINDINGS: usize = 20;
/// Departments on the page; the rest is counted.
const DEPARTMENTS: usize = 60;

/// Counts of one kind of object.
#[derive(Debug, Serialize)]
struct Kind {
    title: String,
    counts: Counts,
}

/// Findings of one kind, with what to do about them.
#[derive(Debug, Serialize)]
struct FindingKind {
    code: String,
    title: String,
    remedy: String,
    count: u64,
    /// Those that are not shown.
    hidden: u64,
    quarantined: bool,
    entries: Vec<Found>,
}

/// A finding as the page shows it.
#[derive(Debug, Serialize)]
struct Found {
    /// What the entry is called.
    entry: String,
    /// Where it stands.
    place: String,
    details: String,
}

/// Findings by kind, those that leave entries out first.
fn finding_kinds(language: Language, report: &RunReport) -> Vec<FindingKind> {
    let kind = |(code, count): (&String, &u64)| {
        let of_kind = || report.finding_list.iter().filter(|finding| finding.code == *code);
        let first = of_kind().next();
        let arguments = first.map(|finding| finding.arguments.clone()).unwrap_or_default();
        let words = finding_words(code, &arguments, language);
        let entries: Vec<Found> = of_kind().take(FINDINGS).map(|finding| found(language, finding)).collect();
        FindingKind {
            code: code.clone(),
            title: words.kind,
            remedy: words.remedy,
            count: *count,
            hidden: count.saturating_sub(u64::try_from(entries.len()).unwrap_or(0)),
            quarantined: first.is_some_and(|finding| finding.quarantined),
            entries,
        }
    };
    let mut kinds: Vec<FindingKind> = report.findings.iter().map(kind).collect();
    kinds.sort_by_key(|kind| !kind.quarantined);
    kinds
}

fn found(language: Language, finding: &NewFinding) -> Found {
    let (entry, place) = words::entry(if finding.dn.is_empty() { &finding.external_id } else { &finding.dn });
    Found { entry, place, details: finding_words(&finding.code, &finding.arguments, language).details }
}

/// Who or what started or approved something: `cli`, `schedule`, or a person, by name where it is known.
pub(super) async fn who(signed_in: &SignedIn, code: &str) -> Result<String, StoreError> {
    let id = code.strip_prefix("user:").and_then(|id| id.parse().ok());
    let person = match id {
        Some(id) => signed_in.visit.app.broker.db.read().await?.users().find(id).await?,
        None => None,
    };
    let name = person.map(|user| user.display_name);
    Ok(by_text(signed_in.visit.language, code, name.as_deref()))
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
    rows: Vec<Master>,
}

/// A field with the people whose value of it is a source's, in the order of the columns.
#[derive(Debug, Serialize)]
struct Master {
    field: String,
    counts: Vec<u64>,
}

/// None where nobody is known to several sources.
fn masters(report: &RunReport, language: Language) -> Option<Masters<'_>> {
    let sources: BTreeSet<&str> =
        report.masters.values().flat_map(|counts| counts.keys().map(String::as_str)).collect();
    let row = |counts: &BTreeMap<String, u64>| {
        sources.iter().map(|source| counts.get(*source).copied().unwrap_or(0)).collect::<Vec<u64>>()
    };
    let rows = report
        .masters
        .iter()
        .map(|(field, counts)| Master { field: field_text(field, language), counts: row(counts) })
        .collect();
    (!report.masters.is_empty()).then_some(Masters { sources, rows })
}

/// The values that the report's part of a page names.
pub(super) fn values(signed_in: &SignedIn, report: &RunReport, last: Option<&RunReport>) -> Value {
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
    let mut traffic = report.traffic();
    let hidden = traffic.len().saturating_sub(DEPARTMENTS);
    traffic.truncate(DEPARTMENTS);
    context! {
        source => report.source.clone(),
        state => report.state.as_str(),
        tone => state_tone(report.state),
        kind => report.kind.as_str(),
        started => words::moment(language, zone, report.started_at),
        duration => seconds(language, report.duration_ms),
        kind_lines => kind_lines(report, language),
        lockout => report.lockout.map(|times| lockout_text(&times, language)),
        error => report.error_in(language),
        users => Value::from(Serde(report.users)),
        kinds => Value::from(Serde(kinds)),
        last => Value::from(Serde(last.map(|last| (words::moment(language, zone, last.started_at), last.users)))),
        adds_up => [report.users, report.departments, report.positions, report.groups].iter().all(Counts::adds_up),
        members => Value::from(Serde(report.members)),
        roles => Value::from(Serde(&report.roles)),
        traffic => Value::from(Serde(traffic)),
        traffic_hidden => hidden,
        gone_from => Value::from(Serde(report.gone_from())),
        masters => Value::from(Serde(masters(report, language))),
        moved_out => report.moved_out,
        rehired => report.rehired,
        deleted => report.deleted,
        reasons => reasons(language, &report.held),
        findings => Value::from(Serde(finding_kinds(language, report))),
        findings_total => total,
        findings_url => paths::FINDINGS,
        sessions_ended => report.sessions_ended,
        grants_ended => report.grants_ended,
    }
}
