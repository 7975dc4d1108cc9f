//! `yaopai sync`: plan, show, apply, reject, run, report, undo. Ends with 0 when it is done, 2 when the guard holds the plan, 1 when
//! it failed.

use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context as _;
use serde_json::Value;

mod args;
mod findings;
mod progress;

use super::print;
use crate::broker::Broker;
use crate::model::{Plan, PlanId, PlanState, RunState};
use crate::store::StoreError;
use crate::sync::{self, Approval, Increment, Paint, RunReport, SyncError, Telling, Waiting};
use crate::text::{Language, fold, say};
pub use args::Command;
use args::{ApplyArgs, Args, RejectArgs, ReportArgs, ShowArgs, UndoArgs};
use progress::Bar;

/// Who does it, as audited.
const ACTOR: &str = "cli";
/// Exit code of a held plan.
const HELD: u8 = 2;
/// How many steps of a kind are named.
const NAMED: usize = 8;
/// How long to wait for another run, or for the lease of one that was killed.
const PATIENCE: u32 = 15;

/// The broker, and the language of who reads.
#[derive(Clone, Copy)]
struct Desk<'a> {
    broker: &'a Broker,
    language: Language,
}

impl Desk<'_> {
    fn telling(self) -> Telling {
        Telling { language: self.language, paint: paint(), zone: self.broker.config.server.time_zone }
    }
}

pub(super) async fn run(config: &Path, command: Command, language: Language) -> anyhow::Result<ExitCode> {
    let broker = super::broker(config).await?;
    let desk = Desk { broker: &broker, language };
    let code = act(desk, &command).await?;
    broker.db.close().await;
    Ok(code)
}

async fn act(desk: Desk<'_>, command: &Command) -> anyhow::Result<ExitCode> {
    let Some(args) = command.args() else { return work_list(desk, command).await };
    let report = match command {
        Command::Plan(args) => patiently(desk, || planned(desk, args)).await?,
        Command::Run(run) if run.incremental => match stepped(desk, args).await? {
            Some(report) => report,
            None => return Ok(ExitCode::SUCCESS),
        },
        Command::Run(_) => patiently(desk, || ran(desk, args)).await?,
        Command::Undo(undo) => patiently(desk, || undone(desk.broker, undo)).await?,
        Command::Apply(args) => apply(desk.broker, args).await?,
        Command::Report(args) => stored(desk, args).await?,
        Command::Show(args) => return show(desk, args).await,
        Command::Reject(args) => return reject(desk, args).await,
        Command::Findings(_) | Command::Assign(_) | Command::Accept(_) | Command::Reopen(_) => {
            return work_list(desk, command).await;
        }
    };
    let is_new_plan = matches!(command, Command::Plan(_)) || report.state == RunState::Held;
    if args.json {
        print(&format!("{}\n", serde_json::to_string_pretty(&report)?))?;
    } else {
        print(&text(desk, args, &report, is_new_plan).await?)?;
    }
    let is_report = matches!(command, Command::Report(_));
    Ok(if report.state == RunState::Held && !is_report { ExitCode::from(HELD) } else { ExitCode::SUCCESS })
}

/// An increment; what it came to in the end. None when nothing was done, which is said.
async fn stepped(desk: Desk<'_>, args: &Args) -> anyhow::Result<Option<RunReport>> {
    let source = ("source", args.source.as_str().into());
    let said = match sync::increment(desk.broker, &args.source, ACTOR, &mut |_| {}).await? {
        Increment::Ran(mut reports) => return Ok(reports.pop()),
        Increment::Nothing => say(desk.language, "sync-step-nothing", &[source]),
        Increment::Waits(Waiting::FirstRun) => say(desk.language, "sync-step-first", &[source]),
        Increment::Waits(Waiting::NotPossible) => say(desk.language, "sync-step-whole", &[source]),
        Increment::Waits(Waiting::Held(plan)) => {
            say(desk.language, "sync-step-held", &[source, ("plan", plan.to_string().into())])
        }
    };
    print(&format!("{said}\n"))?;
    Ok(None)
}

async fn work_list(desk: Desk<'_>, command: &Command) -> anyhow::Result<ExitCode> {
    let (broker, language) = (desk.broker, desk.language);
    match command {
        Command::Findings(args) => findings::list(broker, args, (language, paint())).await?,
        Command::Assign(args) => findings::assign(broker, args, ACTOR, language).await?,
        Command::Accept(args) => findings::accept(broker, args, ACTOR, language).await?,
        Command::Reopen(args) => findings::reopen(broker, args, ACTOR, language).await?,
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

async fn show(desk: Desk<'_>, args: &ShowArgs) -> anyhow::Result<ExitCode> {
    let plan = waiting(desk.broker, &args.all.source, args.plan).await?;
    let mut tx = desk.broker.db.read().await?;
    if let Some(login) = &args.person {
        let user = tx.users().find_by_login(&fold(login)).await?;
        let user = user.with_context(|| super::nobody(desk.language, login))?;
        let steps = sync::steps_of_object(&mut tx, plan.id, user.id.0).await?;
        let text = if args.all.json {
            format!("{}\n", serde_json::to_string_pretty(&steps)?)
        } else if steps.is_empty() {
            format!("{}\n", say(desk.language, "sync-person-untouched", &[("login", login.as_str().into())]))
        } else {
            sync::steps_text(&steps, desk.language, paint())
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
    print(&sync::outline_text(&report, &outline, desk.language, paint()))?;
    if matches!(plan.state, PlanState::Planned | PlanState::Held) {
        print(&sync::ways_on(&report, plan.id, desk.telling()))?;
    }
    Ok(ExitCode::SUCCESS)
}

async fn reject(desk: Desk<'_>, args: &RejectArgs) -> anyhow::Result<ExitCode> {
    let plan = waiting(desk.broker, &args.all.source, Some(args.plan)).await?;
    let plan = sync::reject(desk.broker, plan.id, ACTOR, &args.reason).await?;
    let text = say(desk.language, "sync-rejected", &[("reason", plan.reason.clone().unwrap_or_default().into())]);
    print(&if args.all.json { format!("{}\n", serde_json::to_string_pretty(&plan)?) } else { format!("{text}\n") })?;
    Ok(ExitCode::SUCCESS)
}

/// Tries again while another run holds the source; a person is told once what is waited for.
#[expect(clippy::print_stderr, reason = "what a person at a terminal reads")]
async fn patiently<F: Future<Output = Result<RunReport, SyncError>>>(
    desk: Desk<'_>,
    mut work: impl FnMut() -> F,
) -> Result<RunReport, SyncError> {
    for attempt in 0..PATIENCE {
        match work().await {
            Err(SyncError::Busy(source)) if attempt == 0 => {
                eprintln!("{}", say(desk.language, "sync-waiting", &[("source", source.into())]));
            }
            Err(SyncError::Busy(_)) => {}
            done => return done,
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    work().await
}

async fn planned(desk: Desk<'_>, args: &Args) -> Result<RunReport, SyncError> {
    let mut bar = Bar::new(last_count(desk.broker, &args.source).await?, desk.language);
    let report = sync::plan(desk.broker, &args.source, ACTOR, &mut |progress| bar.tell(progress)).await;
    bar.end();
    report
}

async fn ran(desk: Desk<'_>, args: &Args) -> Result<RunReport, SyncError> {
    let mut bar = Bar::new(last_count(desk.broker, &args.source).await?, desk.language);
    let report = sync::run(desk.broker, &args.source, ACTOR, &mut |progress| bar.tell(progress)).await;
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

async fn stored(desk: Desk<'_>, args: &ReportArgs) -> anyhow::Result<RunReport> {
    let source = &args.all.source;
    let mut tx = desk.broker.db.read().await?;
    let run = match args.run {
        Some(id) => tx.runs().find(id).await?.filter(|run| run.source == *source),
        None => tx.runs().list_by_source(source, 1).await?.pop(),
    };
    let run = run.with_context(|| say(desk.language, "sync-no-run", &[("source", source.as_str().into())]))?;
    let mut report: Value = run.report.0;
    // A run whose process died has its last words from before.
    if let Some(state) = report.get_mut("state") {
        *state = Value::String(run.state.to_string());
    }
    Ok(serde_json::from_value(report)?)
}

async fn text(desk: Desk<'_>, args: &Args, report: &RunReport, is_new_plan: bool) -> anyhow::Result<String> {
    let mut tx = desk.broker.db.read().await?;
    let last = tx.runs().find_before(&args.source, report.started_at).await?;
    let last: Option<RunReport> = last.map(|last| serde_json::from_value(last.report.0)).transpose()?;
    let telling = desk.telling();
    let mut text = sync::report_text(report, last.as_ref(), telling);
    if let Some(plan) = report.plan_id.filter(|_| is_new_plan) {
        let outline = sync::outline(&mut tx, plan, NAMED).await?;
        text.push_str(&sync::outline_text(report, &outline, desk.language, telling.paint));
        text.push_str(&sync::ways_on(report, plan, telling));
    }
    Ok(text)
}
