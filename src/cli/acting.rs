//! `yaopai user act`: who acts for whom (代理), and from when to when.

use std::fmt::Write as _;
use std::process::ExitCode;

use anyhow::Context as _;
use serde_json::json;

use super::print;
use crate::broker::Broker;
use crate::model::{ActingId, User};
use crate::sync::{DeputyError, DoneBy, LONGEST_DAYS, NewDeputy, end_deputy, name_deputy};
use crate::text::{Language, fold, say};
use crate::time::Date;

/// Who acts for whom.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// Lets somebody act for somebody else.
    Add(AddArgs),
    /// Ends it.
    End(EndArgs),
    /// Lists it, what is past included.
    List(ListArgs),
}

/// Arguments of `user act add`.
#[derive(Debug, clap::Args)]
pub struct AddArgs {
    /// Login name of who is acted for.
    #[arg(long = "for")]
    whom: String,
    /// Login name of who acts.
    #[arg(long)]
    deputy: String,
    /// First day, such as 2026-12-01; from now on when missing.
    #[arg(long)]
    from: Option<Date>,
    /// Last day; until it is ended when missing.
    #[arg(long)]
    to: Option<Date>,
    /// Why.
    #[arg(long)]
    reason: Option<String>,
}

/// Arguments of `user act end`.
#[derive(Debug, clap::Args)]
pub struct EndArgs {
    /// Its id, as `list` shows it.
    id: ActingId,
}

/// Arguments of `user act list`.
#[derive(Debug, clap::Args)]
pub struct ListArgs {
    /// As JSON.
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(broker: &Broker, command: &Command, language: Language) -> anyhow::Result<ExitCode> {
    let text = match command {
        Command::Add(args) => add(broker, args, language).await?,
        Command::End(args) => end(broker, args.id, language).await?,
        Command::List(args) => list(broker, args.json, language).await?,
    };
    print(&text)?;
    Ok(ExitCode::SUCCESS)
}

/// The command line is one operator.
const BY: DoneBy<'static> = DoneBy { actor: "cli", request: ("", "") };

async fn add(broker: &Broker, args: &AddArgs, language: Language) -> anyhow::Result<String> {
    let whom = broker.db.read().await?.users().find_by_login(&fold(&args.whom)).await?;
    let whom = whom.with_context(|| super::nobody(language, &args.whom))?;
    let (from, to, reason) = (args.from, args.to, args.reason.as_deref());
    let wish = NewDeputy { whom: &whom, deputy: &args.deputy, from, to, reason };
    let acting = name_deputy(broker, &wish, BY).await.map_err(|error| refused(error, &args.deputy, language))?;
    let named = [
        ("deputy", args.deputy.as_str().into()),
        ("whom", whom.login.as_str().into()),
        ("id", acting.id.to_string().into()),
    ];
    Ok(format!("{}\n", say(language, "act-added", &named)))
}

async fn end(broker: &Broker, id: ActingId, language: Language) -> anyhow::Result<String> {
    end_deputy(broker, id, None, BY).await.map_err(|error| refused(error, &id.to_string(), language))?;
    Ok(format!("{}\n", say(language, "act-ended", &[("id", id.to_string().into())])))
}

/// What is wrong, in the language of who asked.
fn refused(error: DeputyError, name: &str, language: Language) -> anyhow::Error {
    match error.code() {
        Some(code) => {
            let named = [("name", name.into()), ("days", LONGEST_DAYS.into())];
            anyhow::Error::msg(say(language, &format!("deputy-not-{code}"), &named))
        }
        None => error.into(),
    }
}

async fn list(broker: &Broker, is_json: bool, language: Language) -> anyhow::Result<String> {
    let mut tx = broker.db.read().await?;
    let all = tx.acting().list().await?;
    if is_json {
        return Ok(format!("{:#}\n", json!(all)));
    }
    let mut text = String::new();
    for of in &all {
        let (whom, deputy) = (tx.users().find(of.user_id).await?, tx.users().find(of.deputy_id).await?);
        let gone = say(language, "act-gone", &[]);
        let login = |user: Option<User>| user.map_or_else(|| gone.clone(), |user| user.login);
        let days = days(language, of.starts_on, of.ends_on);
        let state = say(language, if of.in_force { "act-in-force" } else { "act-not-in-force" }, &[]);
        let named = [("deputy", login(deputy).into()), ("whom", login(whom).into())];
        let _ = writeln!(text, "{}  {}  {days}  {state}", of.id, say(language, "act-for", &named));
        if let Some(reason) = &of.reason {
            let _ = writeln!(text, "    {reason}");
        }
    }
    if all.is_empty() {
        let _ = writeln!(text, "{}", say(language, "act-nobody", &[]));
    }
    Ok(text)
}

/// `2026-12-01 to 2026-12-14`, `since 2026-12-01`; empty for no limit.
pub(super) fn days(language: Language, first: Option<Date>, last: Option<Date>) -> String {
    // What was ended before it began has no first day.
    match (first.filter(|first| last.is_none_or(|last| *first <= last)), last) {
        (None, None) => String::new(),
        (Some(first), None) => say(language, "days-from", &[("first", first.to_string().into())]),
        (None, Some(last)) => say(language, "days-to", &[("last", last.to_string().into())]),
        (Some(first), Some(last)) => {
            say(language, "days-between", &[("first", first.to_string().into()), ("last", last.to_string().into())])
        }
    }
}
