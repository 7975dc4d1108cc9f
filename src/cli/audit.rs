//! `yaopai audit`: read the audit log, verify it, export it.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs::File;
use std::io::{BufReader, BufWriter, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;
use serde_json::json;

use super::print;
use crate::audit::{self, Action, Event, ExportedRow, Outcome, Verification};
use crate::broker::Broker;
use crate::model::UserId;
use crate::store::{AuditRow, AuditSearch, StoreError};
use crate::text::fold;
use crate::time::Instant;

/// The audit log: read, verify, export.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// Shows the newest events, newest last.
    List(ListArgs),
    /// Verifies the hash chain; ends with 1 when a row was changed, removed or inserted.
    Verify(VerifyArgs),
    /// Writes the log to standard output, one JSON object a line.
    Export(ExportArgs),
}

/// Arguments of `audit list`.
#[derive(Debug, clap::Args)]
pub struct ListArgs {
    /// Not before: a day (2026-11-22, UTC), an instant (2026-11-22T08:00:00+08:00) or a length of time (2h).
    #[arg(long, value_parser = parse_since)]
    since: Option<Since>,
    /// By or about whom or what: a login name, or `user:ID`, `app:ID`, `route:NAME`, `source:NAME`.
    #[arg(long)]
    subject: Option<String>,
    /// Such as `sign_in`, `gateway_call`, `sync`.
    #[arg(long)]
    action: Option<Action>,
    /// How many.
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(i64).range(1..=10_000))]
    limit: i64,
    /// As JSON.
    #[arg(long)]
    json: bool,
}

/// Arguments of `audit verify`.
#[derive(Debug, clap::Args)]
pub struct VerifyArgs {
    /// An exported file instead of the database.
    #[arg(long)]
    file: Option<PathBuf>,
    /// As JSON.
    #[arg(long)]
    json: bool,
}

/// Arguments of `audit export`.
#[derive(Debug, clap::Args)]
pub struct ExportArgs {
    /// `jsonl`: one JSON object a line, each with its hash and the hash of the row before.
    #[arg(long, default_value = "jsonl", value_parser = ["jsonl"])]
    format: String,
    /// Not before: as for `audit list`.
    #[arg(long, value_parser = parse_since)]
    since: Option<Since>,
}

/// An instant, or so long ago.
#[derive(Clone, Copy, Debug)]
enum Since {
    At(Instant),
    Ago(chrono::Duration),
}

impl Since {
    fn instant(self, now: Instant) -> Instant {
        match self {
            Self::At(at) => at,
            Self::Ago(length) => now - length,
        }
    }
}

fn parse_since(text: &str) -> Result<Since, String> {
    if let Ok(at) = chrono::DateTime::parse_from_rfc3339(text) {
        return Ok(Since::At(at.to_utc()));
    }
    if let Ok(day) = text.parse::<chrono::NaiveDate>() {
        return Ok(Since::At(day.and_time(chrono::NaiveTime::MIN).and_utc()));
    }
    let quoted = serde_json::Value::String(text.to_owned());
    let length = serde_json::from_value::<crate::config::Lifetime>(quoted);
    length.map(|length| Since::Ago(length.0)).map_err(|_| {
        "write a day (2026-11-22), an instant (2026-11-22T08:00:00+08:00) or a length of time (2h)".to_owned()
    })
}

pub(super) async fn run(config: &Path, command: Command) -> anyhow::Result<ExitCode> {
    match command {
        Command::Verify(VerifyArgs { file: Some(file), json }) => {
            let opened = File::open(&file).with_context(|| format!("`{}` cannot be read", file.display()))?;
            let verified = audit::verify_file(BufReader::new(opened)).with_context(|| file.display().to_string())?;
            verdict(&verified, json)
        }
        Command::Verify(VerifyArgs { file: None, json }) => {
            verdict(&audit::verify(&super::broker(config).await?.db).await?, json)
        }
        Command::List(args) => list(&super::broker(config).await?, args).await,
        Command::Export(args) => export(&super::broker(config).await?, &args).await,
    }
}

fn verdict(verified: &Verification, as_json: bool) -> anyhow::Result<ExitCode> {
    if as_json {
        print(&format!("{:#}\n", serde_json::to_value(verified)?))?;
    } else {
        match &verified.fault {
            None => print(&format!("{} rows, all as they were written; hash {}\n", verified.rows, verified.hash))?,
            Some(fault) => print(&format!("{fault}; the {} rows before are as they were written\n", verified.rows))?,
        }
    }
    Ok(if verified.fault.is_none() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

async fn list(broker: &Broker, args: ListArgs) -> anyhow::Result<ExitCode> {
    let about = match args.subject {
        None => String::new(),
        Some(subject) if subject.contains(':') => subject,
        Some(login) => {
            let user = broker.db.read().await?.users().find_by_login(&fold(&login)).await?;
            let user = user.with_context(|| format!("there is nobody with the login name `{login}`; write user:ID"))?;
            format!("user:{}", user.id)
        }
    };
    let since = args.since.map_or(Instant::UNIX_EPOCH, |since| since.instant(broker.clock.now()));
    let action = args.action.map(|action| action.to_string()).unwrap_or_default();
    let search = AuditSearch { since, about, action, limit: args.limit };
    let mut tx = broker.db.read().await?;
    let mut rows = tx.audit().search(&search).await?;
    rows.reverse();
    let logins = logins(&mut tx, &rows).await?;
    drop(tx);
    if args.json {
        print(&format!("{:#}\n", serde_json::to_value(&rows)?))?;
    } else {
        print(&rows.iter().map(|row| line(row, &logins)).collect::<String>())?;
    }
    let about = json!({ "since": search.since, "about": search.about, "action": search.action, "rows": rows.len() });
    broker.audit.record(Event::new(Action::AuditRead, Outcome::Success, "cli", "audit").with(about)).await?;
    Ok(ExitCode::SUCCESS)
}

/// Login names of the people in the rows, so that a person can read them.
async fn logins(tx: &mut crate::store::Tx, rows: &[AuditRow]) -> Result<BTreeMap<UserId, String>, StoreError> {
    let ids = rows.iter().flat_map(|row| [&row.actor, &row.subject]);
    let ids: std::collections::BTreeSet<UserId> =
        ids.filter_map(|text| text.strip_prefix("user:")?.parse().ok()).collect();
    tx.audit().logins(&ids.into_iter().collect::<Vec<_>>()).await.map(|rows| rows.into_iter().collect())
}

fn line(row: &AuditRow, logins: &BTreeMap<UserId, String>) -> String {
    let readable = |text: &str| {
        let id = text.strip_prefix("user:").and_then(|id| id.parse().ok());
        let login = id.and_then(|id: UserId| logins.get(&id));
        login.map_or_else(|| text.to_owned(), |login| format!("user:{login}"))
    };
    let mut line =
        format!("{:>6}  {}  {:<18} {:<8}", row.seq, row.at.format("%Y-%m-%d %H:%M:%S%.3fZ"), row.action, row.outcome);
    for text in [readable(&row.actor), readable(&row.subject), row.address.clone()] {
        if !text.is_empty() {
            let _ = write!(line, "  {text}");
        }
    }
    if row.details != "{}" {
        let _ = write!(line, "  {}", row.details);
    }
    // What comes from outside must not steer the terminal.
    audit::defused(&line) + "\n"
}

async fn export(broker: &Broker, args: &ExportArgs) -> anyhow::Result<ExitCode> {
    let after = match args.since {
        None => 0,
        Some(since) => broker.db.read().await?.audit().last_before(since.instant(broker.clock.now())).await?,
    };
    let mut out = BufWriter::new(std::io::stdout().lock());
    let write = |rows: &[ExportedRow]| -> anyhow::Result<()> {
        for row in rows {
            serde_json::to_writer(&mut out, row)?;
            out.write_all(b"\n")?;
        }
        Ok(())
    };
    let count = audit::export(&broker.db, after, write).await?;
    out.flush()?;
    drop(out);
    let about = json!({ "format": args.format, "after": after, "rows": count });
    broker.audit.record(Event::new(Action::AuditRead, Outcome::Success, "cli", "audit").with(about)).await?;
    Ok(ExitCode::SUCCESS)
}
