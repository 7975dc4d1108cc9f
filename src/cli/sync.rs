//! `yaopai sync`: plan, apply, run, report, undo. Ends with 0 when it is done, 2 when the guard holds the plan, 1 when
//! it failed.

use std::io::IsTerminal as _;
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context as _;
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::Value;

use super::print;
use crate::broker::Broker;
use crate::model::{Plan, PlanId, PlanState, RunId, RunState};
use crate::sync::{self, Approval, Increment, Progress, RunReport, SyncError, Waiting};
use crate::text::Language;

/// Who does it, as audited.
const ACTOR: &str = "cli";
/// Exit code of a held plan.
const HELD: u8 = 2;
/// How many steps of a kind are named.
const NAMED: usize = 8;
/// How long to wait for another run, or for the lease of one that was killed.
const PATIENCE: u32 = 15;

/// Sources: plan, apply, run, report, undo.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// Reads the source and shows what would change; applies nothing.
    Plan(Args),
    /// Applies the plan that was shown.
    Apply(ApplyArgs),
    /// Reads the source and applies what differs, unless the guard holds it.
    Run(RunArgs),
    /// Shows the report of the last run, or of another.
    Report(ReportArgs),
    /// Takes back the last applied plan.
    Undo(Args),
}

/// Arguments of every subcommand.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Name of the `[[source]]`.
    #[arg(long)]
    source: String,
    /// The report as JSON.
    #[arg(long)]
    json: bool,
    /// Language of the text: `en` or `zh-CN`.
    #[arg(long, default_value = "en")]
    lang: Language,
}

/// Arguments of `sync run`.
#[derive(Debug, clap::Args)]
pub struct RunArgs {
    #[command(flatten)]
    all: Args,
    /// Reads only what changed since the last run; a full run follows by itself where that is not enough.
    #[arg(long)]
    incremental: bool,
}

/// Arguments of `sync apply`.
#[derive(Debug, clap::Args)]
pub struct ApplyArgs {
    #[command(flatten)]
    all: Args,
    /// Id of the plan; the newest one waiting when missing.
    #[arg(long)]
    plan: Option<PlanId>,
    /// Approves a plan that the guard holds. Needs --plan: an approval is for one plan.
    #[arg(long, requires = "plan")]
    approve: bool,
}

/// Arguments of `sync report`.
#[derive(Debug, clap::Args)]
pub struct ReportArgs {
    #[command(flatten)]
    all: Args,
    /// Id of the run; the last one when missing.
    #[arg(long)]
    run: Option<RunId>,
}

pub(super) async fn run(config: &Path, command: Command) -> anyhow::Result<ExitCode> {
    let broker = super::broker(config).await?;
    let (args, report) = match &command {
        Command::Plan(args) => (args, patiently(|| planned(&broker, args)).await?),
        Command::Run(args) if args.incremental => match stepped(&broker, &args.all).await? {
            Some(report) => (&args.all, report),
            None => return Ok(ExitCode::SUCCESS),
        },
        Command::Run(args) => (&args.all, patiently(|| ran(&broker, &args.all)).await?),
        Command::Undo(args) => (args, patiently(|| sync::undo(&broker, &args.source, ACTOR)).await?),
        Command::Apply(args) => (&args.all, apply(&broker, args).await?),
        Command::Report(args) => (&args.all, stored(&broker, args).await?),
    };
    let is_new_plan = matches!(command, Command::Plan(_)) || report.state == RunState::Held;
    if args.json {
        print(&format!("{}\n", serde_json::to_string_pretty(&report)?))?;
    } else {
        print(&text(&broker, args, &report, is_new_plan).await?)?;
    }
    broker.db.close().await;
    let is_report = matches!(command, Command::Report(_));
    Ok(if report.state == RunState::Held && !is_report { ExitCode::from(HELD) } else { ExitCode::SUCCESS })
}

/// Tries again while another run holds the source.
async fn patiently<F: Future<Output = Result<RunReport, SyncError>>>(
    mut work: impl FnMut() -> F,
) -> Result<RunReport, SyncError> {
    for _ in 0..PATIENCE {
        match work().await {
            Err(SyncError::Busy(source)) => tracing::info!(%source, "waiting for another run to end"),
            done => return done,
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    work().await
}

async fn planned(broker: &Broker, args: &Args) -> Result<RunReport, SyncError> {
    let bar = bar();
    let report = sync::plan(broker, &args.source, ACTOR, &mut |progress| tell(&bar, progress)).await;
    bar.finish_and_clear();
    report
}

/// An increment; what it came to in the end. None when nothing was done, which is said.
async fn stepped(broker: &Broker, args: &Args) -> anyhow::Result<Option<RunReport>> {
    let said = match sync::increment(broker, &args.source, ACTOR, &mut |_| {}).await? {
        Increment::Ran(mut reports) => return Ok(reports.pop()),
        Increment::Nothing => "nothing changed at the source".to_owned(),
        Increment::Waits(Waiting::FirstRun) => {
            format!("the source was never read; begin with `yaopai sync run --source {}`", args.source)
        }
        Increment::Waits(Waiting::NotPossible) => "the source cannot tell what changed; it is read whole".to_owned(),
        Increment::Waits(Waiting::Held(plan)) => {
            format!("nothing is read past plan {plan}, which the guard holds; approve or reject it first")
        }
    };
    broker.db.close().await;
    print(&format!("{said}\n"))?;
    Ok(None)
}

async fn ran(broker: &Broker, args: &Args) -> Result<RunReport, SyncError> {
    let bar = bar();
    let report = sync::run(broker, &args.source, ACTOR, &mut |progress| tell(&bar, progress)).await;
    bar.finish_and_clear();
    report
}

async fn apply(broker: &Broker, args: &ApplyArgs) -> anyhow::Result<RunReport> {
    let plan = waiting(broker, args).await?;
    let approval = Approval { by: ACTOR, is_given: args.approve };
    if plan.state == PlanState::Held && !args.approve {
        // Shown again, with the command that approves it.
        return Ok(serde_json::from_value(plan.summary.0)?);
    }
    Ok(sync::apply(broker, plan.id, approval).await?)
}

/// The plan that is meant; it must belong to the source that is named.
async fn waiting(broker: &Broker, args: &ApplyArgs) -> anyhow::Result<Plan> {
    let source = &args.all.source;
    let mut tx = broker.db.read().await?;
    Ok(match args.plan {
        Some(plan) => tx
            .plans()
            .find(plan)
            .await?
            .filter(|found| found.source == *source)
            .ok_or_else(|| SyncError::NoSuchPlan { source_name: source.clone(), plan })?,
        None => tx
            .plans()
            .find_waiting(source, broker.clock.now())
            .await?
            .ok_or_else(|| SyncError::NothingWaiting(source.clone()))?,
    })
}

async fn stored(broker: &Broker, args: &ReportArgs) -> anyhow::Result<RunReport> {
    let source = &args.all.source;
    let mut tx = broker.db.read().await?;
    let run = match args.run {
        Some(id) => tx.runs().find(id).await?.filter(|run| run.source == *source),
        None => tx.runs().list_by_source(source, 1).await?.pop(),
    };
    let run = run.with_context(|| format!("source `{source}` has no such run; `yaopai sync run --source {source}`"))?;
    let mut report: Value = run.report.0;
    // A run whose process died has its last words from before.
    if let Some(state) = report.get_mut("state") {
        *state = Value::String(run.state.to_string());
    }
    Ok(serde_json::from_value(report)?)
}

async fn text(broker: &Broker, args: &Args, report: &RunReport, is_new_plan: bool) -> anyhow::Result<String> {
    let mut text = sync::report_text(report, args.lang);
    if let Some(plan) = report.plan_id.filter(|_| is_new_plan) {
        let outline = sync::outline(&mut broker.db.read().await?, plan, NAMED).await?;
        text.push_str(&sync::outline_text(report, &outline, args.lang));
        text.push_str(&sync::verdict_text(&report.held, args.lang));
        let approve = if report.held.is_empty() { "" } else { " --approve" };
        let command = format!("yaopai sync apply --source {} --plan {plan}{approve}", args.source);
        text.push_str(&sync::next_text(&command, args.lang));
    }
    Ok(text)
}

/// A progress bar on a terminal, nothing elsewhere.
fn bar() -> ProgressBar {
    if !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::new_spinner();
    if let Ok(style) = ProgressStyle::with_template("{spinner} {msg} ({elapsed})") {
        bar.set_style(style);
    }
    bar.enable_steady_tick(Duration::from_millis(100));
    bar
}

fn tell(bar: &ProgressBar, progress: Progress) {
    bar.set_message(match progress {
        Progress::Reading(entries) => format!("reading: {entries} entries"),
        Progress::Comparing(people) => format!("comparing: {people} people"),
        Progress::Applying(steps) => format!("applying: {steps} steps"),
    });
}
