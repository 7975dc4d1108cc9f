//! Arguments of `yaopai sync`.

use crate::model::{PlanId, RunId};

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
    Findings(super::findings::ListArgs),
    /// Gives findings of an entry to somebody.
    Assign(super::findings::AssignArgs),
    /// Accepts findings of an entry until a day, for a reason.
    Accept(super::findings::AcceptArgs),
    /// Takes accepted findings of an entry up again.
    Reopen(super::findings::EntryArgs),
}

/// Arguments of every subcommand.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Name of the `[[source]]`.
    #[arg(long)]
    pub source: String,
    /// The report as JSON.
    #[arg(long)]
    pub json: bool,
}

/// Arguments of `sync run`.
#[derive(Debug, clap::Args)]
pub struct RunArgs {
    #[command(flatten)]
    pub all: Args,
    /// Reads only what changed since the last run; a full run follows by itself where that is not enough.
    #[arg(long)]
    pub incremental: bool,
}

/// Arguments of `sync apply`.
#[derive(Debug, clap::Args)]
pub struct ApplyArgs {
    #[command(flatten)]
    pub all: Args,
    /// Id of the plan; the newest one waiting when missing.
    #[arg(long)]
    pub plan: Option<PlanId>,
    /// Approves a plan that the guard holds. Needs --plan: an approval is for one plan.
    #[arg(long, requires = "plan")]
    pub approve: bool,
}

/// Arguments of `sync undo`.
#[derive(Debug, clap::Args)]
pub struct UndoArgs {
    #[command(flatten)]
    pub all: Args,
    /// Id of the run to take back; the last one when missing.
    #[arg(long)]
    pub run: Option<RunId>,
    /// Leaves out what was changed by something else since. Needs --run.
    #[arg(long, requires = "run")]
    pub except_conflicts: bool,
}

/// Arguments of `sync show`.
#[derive(Debug, clap::Args)]
pub struct ShowArgs {
    #[command(flatten)]
    pub all: Args,
    /// Id of the plan; the newest one waiting when missing.
    #[arg(long)]
    pub plan: Option<PlanId>,
    /// Login name: only what the plan does to this person.
    #[arg(long)]
    pub person: Option<String>,
    /// How many steps of each kind are shown.
    #[arg(long, default_value_t = 1_000)]
    pub most: usize,
}

/// Arguments of `sync reject`.
#[derive(Debug, clap::Args)]
pub struct RejectArgs {
    #[command(flatten)]
    pub all: Args,
    /// Id of the plan.
    #[arg(long)]
    pub plan: PlanId,
    /// Why, for those who look at the plan and for the audit log.
    #[arg(long)]
    pub reason: String,
}

/// Arguments of `sync report`.
#[derive(Debug, clap::Args)]
pub struct ReportArgs {
    #[command(flatten)]
    pub all: Args,
    /// Id of the run; the last one when missing.
    #[arg(long)]
    pub run: Option<RunId>,
}

impl Command {
    /// Arguments that most have; the work list has its own.
    pub fn args(&self) -> Option<&Args> {
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
