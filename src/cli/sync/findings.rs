//! `yaopai sync findings`, `assign`, `accept`, `reopen`: the work list.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use anyhow::Context as _;
use chrono::NaiveDate;

use crate::broker::Broker;
use crate::cli::print;
use crate::model::{Finding, FindingState};
use crate::sync::{self, FindingsOf, Paint};
use crate::text::{Language, finding_words, say};

/// Arguments of `sync findings`.
#[derive(Debug, clap::Args)]
pub struct ListArgs {
    /// Only of this source.
    #[arg(long)]
    source: Option<String>,
    /// `open`, `accepted` or `resolved`; what is not resolved when missing.
    #[arg(long)]
    state: Option<FindingState>,
    /// Only what this person (login name) sees to.
    #[arg(long)]
    owner: Option<String>,
    /// As JSON.
    #[arg(long)]
    json: bool,
}

/// Which findings are decided about.
#[derive(Debug, clap::Args)]
pub struct EntryArgs {
    /// Name of the `[[source]]`.
    #[arg(long)]
    source: String,
    /// Id of the entry at the source, or its DN.
    #[arg(long)]
    entry: String,
    /// Only the finding of this code, such as `missing_login`.
    #[arg(long)]
    code: Option<String>,
}

/// Arguments of `sync assign`.
#[derive(Debug, clap::Args)]
pub struct AssignArgs {
    #[command(flatten)]
    of: EntryArgs,
    /// Login name of who sees to it; nobody when missing.
    #[arg(long)]
    to: Option<String>,
}

/// Arguments of `sync accept`.
#[derive(Debug, clap::Args)]
pub struct AcceptArgs {
    #[command(flatten)]
    of: EntryArgs,
    /// Why it may stay.
    #[arg(long)]
    reason: String,
    /// Last day, such as 2027-01-31, in the zone of the server.
    #[arg(long)]
    until: NaiveDate,
}

impl EntryArgs {
    fn findings(&self) -> FindingsOf<'_> {
        FindingsOf { source: &self.source, entry: &self.entry, code: self.code.as_deref() }
    }
}

pub(super) async fn list(broker: &Broker, args: &ListArgs, (language, paint): (Language, Paint)) -> anyhow::Result<()> {
    let all = broker.db.read().await?.findings().list(args.source.as_deref(), args.state, (i64::MAX, 0)).await?;
    let shown: Vec<Finding> = all
        .into_iter()
        .filter(|finding| args.state.is_some() || finding.state != FindingState::Resolved)
        .filter(|finding| args.owner.is_none() || finding.owner == args.owner)
        .collect();
    if args.json {
        return print(&format!("{}\n", serde_json::to_string_pretty(&shown)?));
    }
    let mut kinds: BTreeMap<&str, Vec<&Finding>> = BTreeMap::new();
    for finding in &shown {
        kinds.entry(&finding.code).or_default().push(finding);
    }
    let mut text = String::new();
    for (code, findings) in kinds {
        kind(broker, (code, &findings), (language, paint), &mut text);
    }
    if shown.is_empty() {
        text = format!("{}\n", say(language, "work-none", &[]));
    }
    print(&text)
}

/// One kind of findings: what to do about it, once, and every entry.
fn kind(
    broker: &Broker,
    (code, findings): (&str, &[&Finding]),
    (language, paint): (Language, Paint),
    text: &mut String,
) {
    let Some(first) = findings.first() else { return };
    let words = finding_words(code, &first.arguments.0, language);
    let _ = writeln!(text, "{} {}  {}", paint.strong(&words.kind), findings.len(), paint.soft(code));
    let _ = writeln!(text, "  {}", paint.soft(&words.remedy));
    for finding in findings {
        describe(broker, finding, (language, paint), text);
    }
    text.push('\n');
}

fn describe(broker: &Broker, finding: &Finding, (language, paint): (Language, Paint), text: &mut String) {
    let words = finding_words(&finding.code, &finding.arguments.0, language);
    let days = (broker.clock.now() - finding.first_seen).num_days();
    let age = match days {
        0 => say(language, "work-age-today", &[]),
        days => say(language, "work-age", &[("days", days.into())]),
    };
    let state = say(language, &format!("work-state-{}", finding.state), &[]);
    let owner = finding.owner.as_ref().map(|owner| format!(" · {owner}")).unwrap_or_default();
    let entry = if finding.dn.is_empty() { &finding.external_id } else { &finding.dn };
    let _ = writeln!(text, "  - {entry}");
    let _ = writeln!(text, "    {}", words.details);
    let facts = format!("{} · {state} · {age}{owner} · --entry {}", finding.source, finding.external_id);
    let _ = writeln!(text, "    {}", paint.soft(&facts));
    if let (Some(reason), Some(until)) = (&finding.reason, finding.accepted_until) {
        let zone = broker.config.server.time_zone;
        let until = until.with_timezone(&zone).format("%Y-%m-%d").to_string();
        let named = [("reason", reason.as_str().into()), ("until", until.into())];
        let _ = writeln!(text, "    {}", say(language, "work-accepted", &named));
    }
}

pub(super) async fn assign(broker: &Broker, args: &AssignArgs, by: &str, language: Language) -> anyhow::Result<()> {
    let count = sync::assign_findings(broker, args.of.findings(), args.to.as_deref(), by).await?;
    let key = if args.to.is_some() { "work-assigned" } else { "work-unassigned" };
    let named = [("count", count.into()), ("owner", args.to.as_deref().unwrap_or_default().into())];
    print(&format!("{}\n", say(language, key, &named)))
}

pub(super) async fn accept(broker: &Broker, args: &AcceptArgs, by: &str, language: Language) -> anyhow::Result<()> {
    let until = crate::time::end_of_day(args.until, broker.config.server.time_zone);
    let until = until.with_context(|| say(language, "work-no-such-day", &[]))?;
    let count = sync::accept_findings(broker, args.of.findings(), (&args.reason, until), by).await?;
    let named = [("count", count.into()), ("until", args.until.to_string().into())];
    print(&format!("{}\n", say(language, "work-accepted-count", &named)))
}

pub(super) async fn reopen(broker: &Broker, args: &EntryArgs, by: &str, language: Language) -> anyhow::Result<()> {
    let count = sync::reopen_findings(broker, args.findings(), by).await?;
    print(&format!("{}\n", say(language, "work-reopened", &[("count", count.into())])))
}
