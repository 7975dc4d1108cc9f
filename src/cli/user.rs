//! `yaopai user`: who somebody is here, and why they have what they have.

use std::fmt::Write as _;
use std::path::Path;
use std::process::ExitCode;

use anyhow::Context as _;

use super::print;
use crate::access::{Why, WhyRole, why};
use crate::broker::Broker;
use crate::model::User;
use crate::sync;
use crate::text::fold;

/// People: who they are here, and why.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// Shows a person: attributes, department, groups, roles, status.
    Show(Args),
    /// Says which entry, rule and run gave a person each role, and which source each field.
    Why(Args),
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

/// Arguments of `user show` and `user why`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Login name.
    login: String,
    /// As JSON.
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(config: &Path, command: Command) -> anyhow::Result<ExitCode> {
    let broker = super::broker(config).await?;
    let (args, text): (&Args, fn(&Why) -> String) = match &command {
        Command::Show(args) => (args, show),
        Command::Why(args) => (args, reasons),
        Command::Act(command) => return super::acting::run(&broker, command).await,
        Command::Restore(args) => return restore(&broker, args).await,
        Command::DeleteDue(args) => return delete_due(&broker, args).await,
        Command::HandOver(args) => return hand_over(&broker, args).await,
    };
    let user = broker.db.read().await?.users().find_by_login(&fold(&args.login)).await?;
    let user = user.with_context(|| format!("nobody has the login name `{}`", args.login))?;
    let why = why(&broker, user).await?;
    let text = if args.json { format!("{}\n", serde_json::to_string_pretty(&why)?) } else { text(&why) };
    print(&text)?;
    Ok(ExitCode::SUCCESS)
}

/// Who decided, for the record.
const ACTOR: &str = "cli";

async fn restore(broker: &Broker, args: &RestoreArgs) -> anyhow::Result<ExitCode> {
    let mut tx = broker.db.read().await?;
    let user = match args.who.parse() {
        Ok(id) => tx.users().find(id).await?,
        Err(_) => tx.users().find_by_login(&fold(&args.who)).await?,
    };
    drop(tx);
    let user = user.with_context(|| format!("nobody has the login name or id `{}`", args.who))?;
    sync::restore(broker, user.id, ACTOR).await?;
    print(&format!("{} may sign in again; the next run computes groups and roles anew\n", user.login))?;
    Ok(ExitCode::SUCCESS)
}

/// Ends with 2 when more are due than may be deleted at once.
async fn delete_due(broker: &Broker, args: &DueArgs) -> anyhow::Result<ExitCode> {
    let report = sync::delete_due(broker, &args.source, ACTOR, args.approve).await?;
    if let Some(reason) = report.held.first() {
        let (actual, limit, source) = (reason.actual, reason.limit, &args.source);
        print(&format!(
            "{actual} people are due, {limit} may be deleted at once: nobody was deleted\n\
             next: yaopai user delete-due --source {source} --approve\n"
        ))?;
        return Ok(ExitCode::from(2));
    }
    print(&format!("{} people deleted\n", report.deleted))?;
    Ok(ExitCode::SUCCESS)
}

async fn hand_over(broker: &Broker, args: &HandOverArgs) -> anyhow::Result<ExitCode> {
    let handed = sync::hand_over(broker, &args.from, &args.to, ACTOR).await?;
    let (from, to) = (&args.from, &args.to);
    let mut text = format!("{} accounts of `{from}` belong to `{to}` now; its next run compares them\n", handed.people);
    if handed.left > 0 {
        let left = handed.left;
        let _ = writeln!(
            text,
            "{left} active accounts stay with `{from}`: `{to}` does not know them; run it with [source.join] first"
        );
    }
    print(&text)?;
    Ok(ExitCode::SUCCESS)
}

fn show(why: &Why) -> String {
    let user = &why.user;
    let mut text = format!("{} {}\n", user.login, user.display_name);
    let status = match &user.status_reason {
        Some(reason) => format!("{} ({reason})", user.status),
        None => user.status.to_string(),
    };
    let lines = [
        ("id", Some(user.id.to_string())),
        ("status", Some(status)),
        ("since", user.disabled_at.map(|at| at.to_rfc3339())),
        ("employee number", user.employee_number.clone()),
        ("mail", user.mail.clone()),
        ("mobile", user.mobile.clone()),
        ("title", user.title.clone()),
        ("employed", employment(user)),
        ("departments", Some(why.departments.join(" < ")).filter(|text| !text.is_empty())),
        ("groups", Some(why.groups.join(", ")).filter(|text| !text.is_empty())),
        ("roles", Some(roles(why)).filter(|text| !text.is_empty())),
        ("source", Some(user.source.clone())),
        ("entry", why.link.as_ref().map(|link| link.dn.clone()).filter(|dn| !dn.is_empty())),
    ];
    for (name, value) in lines {
        if let Some(value) = value {
            let _ = writeln!(text, "  {name:<16} {value}");
        }
    }
    for line in &why.organisation {
        let _ = writeln!(text, "  {:<16} {}", line.what, line.value);
    }
    for (name, values) in &user.attributes.0 {
        let _ = writeln!(text, "  {name:<16} {}", values.join(", "));
    }
    text
}

/// `from 2026-12-01 to 2027-11-30`.
fn employment(user: &User) -> Option<String> {
    match (user.starts_on, user.ends_on) {
        (None, None) => None,
        (Some(first), None) => Some(format!("from {first}")),
        (None, Some(last)) => Some(format!("to {last}")),
        (Some(first), Some(last)) => Some(format!("from {first} to {last}")),
    }
}

/// Role names with what they hold for, each once.
fn roles(why: &Why) -> String {
    let mut names: Vec<String> = why.roles.iter().map(WhyRole::shown).collect();
    names.dedup();
    names.join(", ")
}

fn reasons(why: &Why) -> String {
    let user = &why.user;
    let mut text = format!("{} {}: {}", user.login, user.display_name, user.status);
    if let Some(reason) = &user.status_reason {
        let _ = write!(text, " ({reason})");
    }
    text.push('\n');
    match &why.link {
        Some(link) => {
            let _ = writeln!(text, "  entry {} of source {}, run {}", link.external_id, link.source, link.run_id);
            if !link.dn.is_empty() {
                let _ = writeln!(text, "    {}", link.dn);
            }
        }
        None => text.push_str("  no entry of any source\n"),
    }
    for link in why.entries.iter().filter(|link| why.link.as_ref() != Some(link)) {
        let _ =
            writeln!(text, "  entry {} of source {} adds to it, run {}", link.external_id, link.source, link.run_id);
    }
    for (field, source) in &why.masters {
        let _ = writeln!(text, "  {field:<24} from {source}");
    }
    for role in &why.roles {
        let within = if role.scope.is_empty() { String::new() } else { format!(" for {} and below", role.scope) };
        let _ = writeln!(text, "  role {}{within} by rule {}", role.role, role.rule);
        if !role.acting_for.is_empty() {
            let _ = writeln!(text, "    as acting for {}", role.acting_for.join(", "));
        }
        let description = role.description.as_deref().unwrap_or("this rule is no longer in roles.toml");
        let _ = writeln!(text, "    {description}");
        if let Some(run) = role.run_id {
            let _ = writeln!(text, "    granted {} by run {run}", role.granted_at.to_rfc3339());
        }
    }
    if why.roles.is_empty() {
        text.push_str("  no role: no rule applies\n");
    }
    text
}
