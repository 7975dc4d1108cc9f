//! `yaopai user`: who somebody is here, and why they have what they have.

use std::fmt::Write as _;
use std::path::Path;
use std::process::ExitCode;

use anyhow::Context as _;

use super::person::Card;
use super::print;
use crate::access::why;
use crate::broker::Broker;
use crate::sync;
use crate::text::{Language, fold, say};

/// People: who they are here, and why.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// Shows a person: attributes, department, groups, roles, status.
    Show(Args),
    /// Says which entry, rule and run gave a person each role, and which source each field.
    Why(Args),
    /// Says who has a role, by which rule, from which run on.
    WithRole(WithRoleArgs),
    /// Who acts for whom (代理): add, end, list.
    #[command(subcommand)]
    Act(super::acting::Command),
    /// Lets somebody in again whom a sync locked out because the source no longer had them.
    Restore(RestoreArgs),
    /// Deletes people whose grace period is over: what is personal is forgotten.
    DeleteDue(DueArgs),
    /// Makes another source the owner of accounts.
    HandOver(HandOverArgs),
}

/// Arguments of `user restore`.
#[derive(Debug, clap::Args)]
pub struct RestoreArgs {
    /// Login name, or id.
    who: String,
}

/// Arguments of `user delete-due`.
#[derive(Debug, clap::Args)]
pub struct DueArgs {
    /// Which source.
    #[arg(long)]
    source: String,
    /// Even if more are due than `grace.max_deleted`.
    #[arg(long)]
    approve: bool,
}

/// Arguments of `user hand-over`.
#[derive(Debug, clap::Args)]
pub struct HandOverArgs {
    /// The source that owns the accounts; it need not be configured any more.
    #[arg(long)]
    from: String,
    /// The source that is to own those it knows, too.
    #[arg(long)]
    to: String,
}

/// Arguments of `user with-role`.
#[derive(Debug, clap::Args)]
pub struct WithRoleArgs {
    /// The role.
    role: String,
    /// As JSON.
    #[arg(long)]
    json: bool,
}

/// Arguments of `user show` and `user why`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Login name.
    login: String,
    /// As JSON.
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(config: &Path, command: Command, language: Language) -> anyhow::Result<ExitCode> {
    let broker = super::broker(config).await?;
    let (args, text): (&Args, fn(&Card<'_>) -> String) = match &command {
        Command::Show(args) => (args, |card| card.show()),
        Command::Why(args) => (args, |card| card.reasons()),
        Command::WithRole(args) => return with_role(&broker, args, language).await,
        Command::Act(command) => return super::acting::run(&broker, command, language).await,
        Command::Restore(args) => return restore(&broker, args, language).await,
        Command::DeleteDue(args) => return delete_due(&broker, args, language).await,
        Command::HandOver(args) => return hand_over(&broker, args, language).await,
    };
    let user = broker.db.read().await?.users().find_by_login(&fold(&args.login)).await?;
    let user = user.with_context(|| super::nobody(language, &args.login))?;
    let why = why(&broker, user).await?;
    let card = Card { why: &why, language, zone: broker.config.server.time_zone };
    let text = if args.json { format!("{}\n", serde_json::to_string_pretty(&why)?) } else { text(&card) };
    print(&text)?;
    Ok(ExitCode::SUCCESS)
}

/// Who decided, for the record.
const ACTOR: &str = "cli";
/// People that are read at once: as many as anybody has.
const EVERYBODY: i64 = i64::MAX;

/// Ends with 1 when nobody has the role: a misspelt one has nobody.
async fn with_role(broker: &Broker, args: &WithRoleArgs, language: Language) -> anyhow::Result<ExitCode> {
    let holders = broker.db.read().await?.role_grants().holders(&args.role, (EVERYBODY, 0)).await?;
    if args.json {
        print(&format!("{}\n", serde_json::to_string_pretty(&holders)?))?;
        return Ok(if holders.is_empty() { ExitCode::FAILURE } else { ExitCode::SUCCESS });
    }
    let named = [("role", args.role.as_str().into()), ("count", holders.len().into())];
    let mut text = format!("{}\n", say(language, "role-holders", &named));
    let zone = broker.config.server.time_zone;
    for of in &holders {
        let department = format!("{} {}", of.department, of.department_name);
        let _ = writeln!(text, "  {} {}  {}", of.login, of.display_name, department.trim());
        let mut facts = vec![say(language, "person-rule", &[("rule", of.rule.as_str().into())])];
        if !of.scope.is_empty() {
            facts.push(say(language, "why-within", &[("scope", of.scope.as_str().into())]));
        }
        facts.push(super::person::since(language, zone, of.granted_at, of.run_id));
        let _ = writeln!(text, "    {}", facts.join(" · "));
    }
    print(&text)?;
    Ok(if holders.is_empty() { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

async fn restore(broker: &Broker, args: &RestoreArgs, language: Language) -> anyhow::Result<ExitCode> {
    let mut tx = broker.db.read().await?;
    let user = match args.who.parse() {
        Ok(id) => tx.users().find(id).await?,
        Err(_) => tx.users().find_by_login(&fold(&args.who)).await?,
    };
    drop(tx);
    let user = user.with_context(|| super::nobody(language, &args.who))?;
    sync::restore(broker, user.id, ACTOR).await?;
    print(&format!("{}\n", say(language, "user-restored", &[("login", user.login.into())])))?;
    Ok(ExitCode::SUCCESS)
}

/// Ends with 2 when more are due than may be deleted at once.
async fn delete_due(broker: &Broker, args: &DueArgs, language: Language) -> anyhow::Result<ExitCode> {
    let report = sync::delete_due(broker, &args.source, ACTOR, args.approve).await?;
    if let Some(reason) = report.held.first() {
        let command = format!("yaopai user delete-due --source {} --approve", args.source);
        let named = [("actual", reason.actual.into()), ("limit", reason.limit.into()), ("command", command.into())];
        print(&format!("{}\n{}\n", say(language, "user-due-held", &named), say(language, "sync-next", &named)))?;
        return Ok(ExitCode::from(2));
    }
    print(&format!("{}\n", say(language, "user-deleted", &[("count", report.deleted.into())])))?;
    Ok(ExitCode::SUCCESS)
}

async fn hand_over(broker: &Broker, args: &HandOverArgs, language: Language) -> anyhow::Result<ExitCode> {
    let handed = sync::hand_over(broker, &args.from, &args.to, ACTOR).await?;
    let named =
        |count: u64| [("count", count.into()), ("from", args.from.as_str().into()), ("to", args.to.as_str().into())];
    let mut text = format!("{}\n", say(language, "user-handed-over", &named(handed.people)));
    if handed.left > 0 {
        let _ = writeln!(text, "{}", say(language, "user-handed-left", &named(handed.left)));
    }
    print(&text)?;
    Ok(ExitCode::SUCCESS)
}
