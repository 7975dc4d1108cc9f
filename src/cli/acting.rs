//! `yaopai user act`: who acts for whom (代理), and from when to when.

use std::fmt::Write as _;
use std::process::ExitCode;

use anyhow::Context as _;
use serde_json::json;

use super::print;
use crate::audit::{self, Action, Event, Outcome};
use crate::broker::Broker;
use crate::model::{Acting, ActingId, User};
use crate::sync::keep_dates;
use crate::text::fold;
use crate::time::{Date, date_in};

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

pub(super) async fn run(broker: &Broker, command: &Command) -> anyhow::Result<ExitCode> {
    match command {
        Command::Add(args) => add(broker, args).await?,
        Command::End(args) => end(broker, args.id).await?,
        Command::List(args) => print(&list(broker, args.json).await?)?,
    }
    Ok(ExitCode::SUCCESS)
}

async fn add(broker: &Broker, args: &AddArgs) -> anyhow::Result<()> {
    let (whom, deputy) = (find(broker, &args.whom).await?, find(broker, &args.deputy).await?);
    anyhow::ensure!(whom.id != deputy.id, "nobody acts for themselves: name two people");
    anyhow::ensure!(
        args.from.zip(args.to).is_none_or(|(from, to)| from <= to),
        "the last day is before the first: turn --from and --to around"
    );
    let now = broker.clock.now();
    let acting = Acting {
        id: ActingId::new(&broker.rng, now),
        user_id: whom.id,
        deputy_id: deputy.id,
        starts_on: args.from,
        ends_on: args.to,
        in_force: false,
        reason: args.reason.clone(),
        set_by: "cli".to_owned(),
        created_at: now,
    };
    let mut tx = broker.db.write().await?;
    tx.acting().insert(std::slice::from_ref(&acting)).await?;
    let details = json!({ "acting": acting.id, "deputy": deputy.id, "from": acting.starts_on, "to": acting.ends_on,
                          "reason": acting.reason });
    let event = Event::new(Action::Acting, Outcome::Success, "cli", format!("user:{}", whom.id)).with(details);
    audit::append(&mut tx, now, &[event]).await?;
    tx.commit().await?;
    keep_dates(broker, &whom.source).await.context("it is stored and takes effect within a minute")?;
    print(&format!("{} acts for {}: {}\n", deputy.login, whom.login, acting.id))
}

async fn end(broker: &Broker, id: ActingId) -> anyhow::Result<()> {
    let mut tx = broker.db.write().await?;
    let acting = tx.acting().find(id).await?;
    let acting = acting.with_context(|| format!("there is no `{id}`: see `yaopai user act list`"))?;
    let whom = tx.users().find(acting.user_id).await?.context("the person is gone")?;
    let now = broker.clock.now();
    let zone = broker.config.source(&whom.source).map_or(chrono_tz::UTC, |source| source.time_zone);
    let yesterday = date_in(now, zone).pred_opt().context("no day before today")?;
    tx.acting().end(id, yesterday).await?;
    let event = Event::new(Action::Acting, Outcome::Success, "cli", format!("user:{}", whom.id))
        .with(json!({ "acting": id, "ended": yesterday }));
    audit::append(&mut tx, now, &[event]).await?;
    tx.commit().await?;
    keep_dates(broker, &whom.source).await.context("it is stored and takes effect within a minute")?;
    print(&format!("{id} has ended\n"))
}

async fn list(broker: &Broker, is_json: bool) -> anyhow::Result<String> {
    let mut tx = broker.db.read().await?;
    let all = tx.acting().list().await?;
    if is_json {
        return Ok(format!("{:#}\n", json!(all)));
    }
    let mut text = String::new();
    for of in &all {
        let (whom, deputy) = (tx.users().find(of.user_id).await?, tx.users().find(of.deputy_id).await?);
        let login = |user: Option<User>| user.map_or_else(|| "(gone)".to_owned(), |user| user.login);
        let day = |date: Option<Date>, none: &str| date.map_or_else(|| none.to_owned(), |date| date.to_string());
        let state = if of.in_force { "in force" } else { "not in force" };
        let (from, to) = (day(of.starts_on, "the beginning"), day(of.ends_on, "further notice"));
        let (whom, deputy) = (login(whom), login(deputy));
        let _ = writeln!(text, "{}  {deputy} for {whom}  {from} to {to}  {state}", of.id);
        if let Some(reason) = &of.reason {
            let _ = writeln!(text, "    {reason}");
        }
    }
    if all.is_empty() {
        text.push_str("nobody acts for anybody\n");
    }
    Ok(text)
}

async fn find(broker: &Broker, login: &str) -> anyhow::Result<User> {
    let user = broker.db.read().await?.users().find_by_login(&fold(login)).await?;
    user.with_context(|| format!("nobody has the login name `{login}`"))
}
