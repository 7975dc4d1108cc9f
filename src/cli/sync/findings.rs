//! `yaopai sync findings`, `assign`, `accept`, `reopen`: the work list.

use std::fmt::Write as _;

use anyhow::Context as _;
use chrono::NaiveDate;

use crate::broker::Broker;
use crate::cli::print;
use crate::model::{Finding, FindingState};
use crate::sync::{self, FindingsOf, Paint};
use crate::text::{Args as Words, Language, finding_words, message};

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
    /// Language of the text: `en` or `zh-CN`.
    #[arg(long, default_value = "en")]
    lang: Language,
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

pub(super) async fn list(broker: &Broker, args: &ListArgs, paint: Paint) -> anyhow::Result<()> {
    let all = broker.db.read().await?.findings().list(args.source.as_deref(), args.state, (i64::MAX, 0)).await?;
    let shown: Vec<Finding> = all
        .into_iter()
        .filter(|finding| args.state.is_some() || finding.state != FindingState::Resolved)
        .filter(|finding| args.owner.is_none() || finding.owner == args.owner)
        .collect();
    if args.json {
        return print(&format!("{}\n", serde_json::to_string_pretty(&shown)?));
    }
    let mut text = String::new();
    for finding in &shown {
        describe(broker, finding, args.lang, paint, &mut text);
    }
    if shown.is_empty() {
        text = format!("{}\n", message(args.lang, "work-none", &Words::new()));
    }
    print(&text)
}

fn describe(broker: &Broker, finding: &Finding, language: Language, paint: Paint, text: &mut String) {
    let words = finding_words(&finding.code, &finding.arguments.0, language);
    let days = (broker.clock.now() - finding.first_seen).num_days();
    let mut args = Words::new();
    args.set("days", days);
    let age = message(language, "work-age", &args);
    let state = message(language, &format!("work-state-{}", finding.state), &Words::new());
    let owner = finding.owner.as_ref().map(|owner| format!(" · {owner}")).unwrap_or_default();
    let head = paint.strong(&format!("{} ({})", words.kind, finding.code));
    let _ = writeln!(text, "{head}  {}", paint.soft(&format!("{} · {state} · {age}{owner}", finding.source)));
    let _ = writeln!(text, "  {}  {}", finding.external_id, paint.soft(&finding.dn));
    let _ = writeln!(text, "  {} {}", words.details, words.remedy);
    if let (Some(reason), Some(until)) = (&finding.reason, finding.accepted_until) {
        let zone = broker.config.server.time_zone;
        let mut args = Words::new();
        args.set("reason", reason.clone());
        args.set("until", until.with_timezone(&zone).format("%Y-%m-%d").to_string());
        let _ = writeln!(text, "  {}", message(language, "work-accepted", &args));
    }
}

pub(super) async fn assign(broker: &Broker, args: &AssignArgs, by: &str) -> anyhow::Result<()> {
    let count = sync::assign_findings(broker, args.of.findings(), args.to.as_deref(), by).await?;
    print(&format!("assigned: {count}\n"))
}

pub(super) async fn accept(broker: &Broker, args: &AcceptArgs, by: &str) -> anyhow::Result<()> {
    let until = crate::time::end_of_day(args.until, broker.config.server.time_zone).context("--until: no such day")?;
    let count = sync::accept_findings(broker, args.of.findings(), (&args.reason, until), by).await?;
    print(&format!("accepted: {count}\n"))
}

pub(super) async fn reopen(broker: &Broker, args: &EntryArgs, by: &str) -> anyhow::Result<()> {
    let count = sync::reopen_findings(broker, args.findings(), by).await?;
    print(&format!("open again: {count}\n"))
}
