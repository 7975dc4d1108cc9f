//! `yaopai user`: who somebody is here, and why they have what they have.

use std::fmt::Write as _;
use std::path::Path;
use std::process::ExitCode;

use anyhow::Context as _;

use super::print;
use crate::access::{Why, WhyRole, why};
use crate::model::User;
use crate::text::fold;

/// People: who they are here, and why.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// Shows a person: attributes, department, groups, roles, status.
    Show(Args),
    /// Says which entry, rule and run gave a person each role.
    Why(Args),
    /// Who acts for whom (代理): add, end, list.
    #[command(subcommand)]
    Act(super::acting::Command),
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
    };
    let user = broker.db.read().await?.users().find_by_login(&fold(&args.login)).await?;
    let user = user.with_context(|| format!("nobody has the login name `{}`", args.login))?;
    let why = why(&broker, user).await?;
    let text = if args.json { format!("{}\n", serde_json::to_string_pretty(&why)?) } else { text(&why) };
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
