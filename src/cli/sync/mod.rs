//! `yaopai sync`: plan, show, apply, reject, run, report, undo. Ends with 0 when it is done, 2 when the guard holds the plan, 1 when
//! it failed.

use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context as _;
use serde_json::Value;

mod findings;
mod progress;

use super::print;
use crate::broker::Broker;
use crate::model::{Plan, PlanId, PlanState, RunId, RunState};
use crate::store::StoreError;
use crate::sync::{self, Approval, Increment, Paint, RunReport, SyncError, Waiting};
use crate::text::{Args as Words, Language, fold, message};
use progress::Bar;

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
    /// Takes back the last applied run, or another, while nothing later touched the same.
    Undo(UndoArgs),
    /// Shows a stored plan: everything of it, or what it does to one person.
    Show(ShowArgs),
    /// Rejects a plan that waits: it can no longer be applied.
    Reject(RejectArgs),
    /// Lists what could not be read, mapped or settled: the work list.
    Findings(findings::ListArgs),
    /// Gives findings of an entry to somebody.
    Assign(findings::AssignArgs),
    /// Accepts findings of an entry until a day, for a reason.
    Accept(findings::AcceptArgs),
    /// Takes accepted findings of an entry up again.
    Reopen(findings::EntryArgs),
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

/// Arguments of `sync undo`.
#[derive(Debug, clap::Args)]
pub struct UndoArgs {
    #[command(flatten)]
    all: Args,
    /// Id of the run to take back; the last one when missing.
    #[arg(long)]
    run: Option<RunId>,
    /// Leaves out what was changed by something else since. Needs --run.
    #[arg(long, requires = "run")]
    except_conflicts: bool,
}

/// Arguments of `sync show`.
#[derive(Debug, clap::Args)]
pub struct ShowArgs {
    #[command(flatten)]
    all: Args,
    /// Id of the plan; the newest one waiting when missing.
    #[arg(long)]
    plan: Option<PlanId>,
    /// Login name: only what the plan does to this person.
    #[arg(long)]
    person: Option<String>,
    /// How many steps of each kind are shown.
    #[arg(long, default_value_t = 1_000)]
    most: usize,
}

/// Arguments of `sync reject`.
#[derive(Debug, clap::Args)]
pub struct RejectArgs {
    #[command(flatten)]
    all: Args,
    /// Id of the plan.
    #[arg(long)]
    plan: PlanId,
    /// Why, for those who look at the plan and for the audit log.
    #[arg(long)]
    reason: String,
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

impl Command {
    /// Arguments that most have; the work list has its own.
    fn args(&self) -> Option<&Args> {
        Some(match self {
            Self::Findings(_) | Self::Assign(_) | Self::Accept(_) | Self::Reopen(_) => return None,
            Self::Plan(args) => args,
            Self::Run(RunArgs { all, .. })
            | Self::Undo(UndoArgs { all, .. })
            | Self::Show(ShowArgs { all, .. })
            | Self::Reject(RejectArgs { all, .. })
            | Self::Apply(ApplyArgs { all, .. })
            | Self::Report(ReportArgs { all, .. }) => all,
        })
    }
}

pub(super) async fn run(config: &Path, command: Command) -> anyhow::Result<ExitCode> {
    let broker = super::broker(config).await?;
    let language = command.args().map_or(Language::En, |args| args.lang);
    let code = act(&broker, &command).await.map_err(|error| in_language(error, language))?;
    broker.db.close().await;
    Ok(code)
}

/// A failure in the language that was asked for.
fn in_language(error: anyhow::Error, language: Language) -> anyhow::Error {
    match (language, error.downcast_ref::<SyncError>()) {
        (Language::Zh, Some(known)) => anyhow::Error::msg(known.fault().words(language)),
        _ => error,
    }
}

async fn act(broker: &Broker, command: &Command) -> anyhow::Result<ExitCode> {
    let Some(args) = command.args() else { return work_list(broker, command).await };
    let report = match command {
        Command::Plan(args) => patiently(|| planned(broker, args)).await?,
        Command::Run(run) if run.incremental => match stepped(broker, args).await? {
            Some(report) => report,
            None => return Ok(ExitCode::SUCCESS),
        },
        Command::Run(_) => patiently(|| ran(broker, args)).await?,
        Command::Undo(undo) => patiently(|| undone(broker, undo)).await?,
        Command::Apply(args) => apply(broker, args).await?,
        Command::Report(args) => stored(broker, args).await?,
        Command::Show(args) => return show(broker, args).await,
        Command::Reject(args) => return reject(broker, args).await,
        Command::Findings(_) | Command::Assign(_) | Command::Accept(_) | Command::Reopen(_) => {
            return work_list(broker, command).await;
        }
    };
    let is_new_plan = matches!(command, Command::Plan(_)) || report.state == RunState::Held;
    if args.json {
        print(&format!("{}\n", serde_json::to_string_pretty(&report)?))?;
    } else {
        print(&text(broker, args, &report, is_new_plan).await?)?;
    }
    let is_report = matches!(command, Command::Report(_));
    Ok(if report.state == RunState::Held && !is_report { ExitCode::from(HELD) } else { ExitCode::SUCCESS })
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
    print(&format!("{said}\n"))?;
    Ok(None)
}

async fn work_list(broker: &Broker, command: &Command) -> anyhow::Result<ExitCode> {
    match command {
        Command::Findings(args) => findings::list(broker, args, paint()).await?,
        Command::Assign(args) => findings::assign(broker, args, ACTOR).await?,
        Command::Accept(args) => findings::accept(broker, args, ACTOR).await?,
        Command::Reopen(args) => findings::reopen(broker, args, ACTOR).await?,
        _ => {}
    }
    Ok(ExitCode::SUCCESS)
}

/// Colours where standard output is a terminal that takes them; `NO_COLOR` is honoured.
fn paint() -> Paint {
    if console::colors_enabled() { Paint::Colours } else { Paint::Plain }
}

async fn undone(broker: &Broker, args: &UndoArgs) -> Result<RunReport, SyncError> {
    match args.run {
        Some(run) => sync::undo_run(broker, &args.all.source, run, args.except_conflicts, ACTOR).await,
        None => sync::undo(broker, &args.all.source, ACTOR).await,
    }
}

async fn show(broker: &Broker, args: &ShowArgs) -> anyhow::Result<ExitCode> {
    let plan = waiting(broker, &args.all.source, args.plan).await?;
    let mut tx = broker.db.read().await?;
    if let Some(login) = &args.person {
        let user = tx.users().find_by_login(&fold(login)).await?;
        let user = user.with_context(|| format!("nobody has the login name `{login}`"))?;
        let steps = sync::steps_of_object(&mut tx, plan.id, user.id.0).await?;
        let text = if args.all.json {
            format!("{}\n", serde_json::to_string_pretty(&steps)?)
        } else {
            sync::steps_text(&steps, args.all.lang, paint())
        };
        print(&text)?;
        return Ok(ExitCode::SUCCESS);
    }
    let outline = sync::outline(&mut tx, plan.id, args.most).await?;
    drop(tx);
    let report: RunReport = serde_json::from_value(plan.summary.0.clone())?;
    if args.all.json {
        let document = serde_json::json!({ "report": report, "groups": outline });
        print(&format!("{}\n", serde_json::to_string_pretty(&document)?))?;
        return Ok(ExitCode::SUCCESS);
    }
    print(&sync::outline_text(&report, &outline, args.all.lang, paint()))?;
    if matches!(plan.state, PlanState::Planned | PlanState::Held) {
        print(&verdict(&args.all, &report, plan.id))?;
    }
    Ok(ExitCode::SUCCESS)
}

async fn reject(broker: &Broker, args: &RejectArgs) -> anyhow::Result<ExitCode> {
    let plan = waiting(broker, &args.all.source, Some(args.plan)).await?;
    let plan = sync::reject(broker, plan.id, ACTOR, &args.reason).await?;
    let mut words = Words::new();
    words.set("reason", plan.reason.clone().unwrap_or_default());
    let text = message(args.all.lang, "sync-rejected", &words);
    print(&if args.all.json { format!("{}\n", serde_json::to_string_pretty(&plan)?) } else { format!("{text}\n") })?;
    Ok(ExitCode::SUCCESS)
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
    let mut bar = Bar::new(last_count(broker, &args.source).await?, args.lang);
    let report = sync::plan(broker, &args.source, ACTOR, &mut |progress| bar.tell(progress)).await;
    bar.end();
    report
}

async fn ran(broker: &Broker, args: &Args) -> Result<RunReport, SyncError> {
    let mut bar = Bar::new(last_count(broker, &args.source).await?, args.lang);
    let report = sync::run(broker, &args.source, ACTOR, &mut |progress| bar.tell(progress)).await;
    bar.end();
    report
}

/// Entries that the source returned the last time: what the remaining time is reckoned by.
async fn last_count(broker: &Broker, source: &str) -> Result<u64, StoreError> {
    let runs = broker.db.read().await?.runs().list_by_source(source, 5).await?;
    let reports = runs.into_iter().filter_map(|run| serde_json::from_value::<RunReport>(run.report.0).ok());
    let counts = reports.map(|report| report.users.read + report.departments.read + report.groups.read);
    Ok(counts.max().unwrap_or(0))
}

async fn apply(broker: &Broker, args: &ApplyArgs) -> anyhow::Result<RunReport> {
    let plan = waiting(broker, &args.all.source, args.plan).await?;
    let approval = Approval { by: ACTOR, is_given: args.approve };
    if plan.state == PlanState::Held && !args.approve {
        // Shown again, with the command that approves it.
        return Ok(serde_json::from_value(plan.summary.0)?);
    }
    Ok(sync::apply(broker, plan.id, approval).await?)
}

/// The plan that is meant; it must belong to the source that is named.
async fn waiting(broker: &Broker, source: &str, plan: Option<PlanId>) -> Result<Plan, SyncError> {
    let mut tx = broker.db.read().await?;
    Ok(match plan {
        Some(plan) => tx
            .plans()
            .find(plan)
            .await?
            .filter(|found| found.source == *source)
            .ok_or_else(|| SyncError::NoSuchPlan { source_name: source.to_owned(), plan })?,
        None => tx
            .plans()
            .find_waiting(source, broker.clock.now())
            .await?
            .ok_or_else(|| SyncError::NothingWaiting(source.to_owned()))?,
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
    if let Some(last) = broker.db.read().await?.runs().find_before(&args.source, report.started_at).await? {
        let last: RunReport = serde_json::from_value(last.report.0)?;
        text.push_str(&sync::versus_text(&last, broker.config.server.time_zone, args.lang));
    }
    if let Some(plan) = report.plan_id.filter(|_| is_new_plan) {
        let outline = sync::outline(&mut broker.db.read().await?, plan, NAMED).await?;
        text.push_str(&sync::outline_text(report, &outline, args.lang, paint()));
        text.push_str(&verdict(args, report, plan));
    }
    Ok(text)
}

/// What the guard says, and the exact commands to go on.
fn verdict(args: &Args, report: &RunReport, plan: PlanId) -> String {
    let mut text = sync::verdict_text(&report.held, args.lang, paint());
    let approve = if report.held.is_empty() { "" } else { " --approve" };
    let command = format!("yaopai sync apply --source {} --plan {plan}{approve}", args.source);
    text.push_str(&sync::next_text(&command, args.lang));
    if !report.held.is_empty() {
        let command = format!("yaopai sync reject --source {} --plan {plan} --reason \"…\"", args.source);
        let mut words = Words::new();
        words.set("command", command);
        text.push_str(&message(args.lang, "sync-or-reject", &words));
        text.push('\n');
    }
    text
}
