//! The command line: one file a subcommand. How to add one: a file with an `Args` and a `run`, a line in [`Command`].

mod acting;
mod app;
mod app_flags;
mod app_secret;
mod app_settings;
mod app_show;
mod audit;
mod demo_company;
mod doctor;
mod explain;
mod key;
mod master;
mod person;
mod policy;
mod recovery;
mod separation;
mod serve;
mod sync;
mod user;
mod what_if;

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context as _;
use clap::{Parser, Subcommand};

use crate::access::RoleRules;
use crate::audit::Recorder;
use crate::broker::Broker;
use crate::config::{Config, terminal_language};
use crate::net::Outgoing;
use crate::oidc::adopt_master;
use crate::policy::Policies;
use crate::random::Rng;
use crate::store::{Db, Reads, StoreError};
use crate::sync::{FindingError, SyncError};
use crate::text::{Language, say};
use crate::time::Clock;

/// Identity broker: sign in once, one truth about people, every integration call judged.
#[derive(Debug, Parser)]
#[command(name = "yaopai", version)]
struct Cli {
    /// Configuration file.
    #[arg(long, short, global = true, env = "YAOPAI_CONFIG", default_value = "yaopai.toml")]
    config: PathBuf,
    /// What is logged, such as `info` or `yaopai=debug`.
    #[arg(long, global = true, env = "YAOPAI_LOG", default_value = "info,sqlx=warn")]
    log: String,
    /// `text` or `json` log lines.
    #[arg(long, global = true, env = "YAOPAI_LOG_FORMAT", default_value = "text", value_parser = ["text", "json"])]
    log_format: String,
    /// Language of what is written: `en` or `zh-CN`; that of the terminal (`LC_ALL`, `LC_MESSAGES`, `LANG`) when missing.
    #[arg(long, global = true, env = "YAOPAI_LANGUAGE")]
    lang: Option<Language>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Writes an invented company, for demonstrations and tests.
    DemoCompany(demo_company::Args),
    /// Looks at everything the broker needs and says what to do about what is wrong.
    Doctor(doctor::Args),
    /// The recovery administrator, who gets in when no directory answers.
    #[command(subcommand)]
    Recovery(recovery::Command),
    /// Starts the broker.
    Serve(serve::Args),
    /// Sources: plan, apply, run, report, undo.
    #[command(subcommand)]
    Sync(sync::Command),
    /// People: who they are here, and why.
    #[command(subcommand)]
    User(user::Command),
    /// Applications: systems that people sign in to, and services that call others.
    #[command(subcommand)]
    App(app::Command),
    /// Signing keys: list them, rotate them.
    #[command(subcommand)]
    Key(key::Command),
    /// Policies: check them, explain a decision.
    #[command(subcommand)]
    Policy(policy::Command),
    /// The audit log: read, verify, export.
    #[command(subcommand)]
    Audit(audit::Command),
}

/// Parses the command line, runs the subcommand, prints what went wrong in one line.
#[must_use]
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    crate::telemetry::start(&cli.log, cli.log_format == "json");
    if rustls::crypto::aws_lc_rs::default_provider().install_default().is_err() {
        tracing::debug!("the TLS provider was installed already");
    }
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return failed(&error.into()),
    };
    let language = cli.lang.unwrap_or_else(terminal_language);
    match runtime.block_on(run(cli, language)) {
        Ok(code) => code,
        Err(error) => failed(&in_language(error, language)),
    }
}

/// A failure in the language of who reads, where it is known in words.
fn in_language(error: anyhow::Error, language: Language) -> anyhow::Error {
    if let Some(known) = error.downcast_ref::<SyncError>().filter(|_| language == Language::Zh) {
        return anyhow::Error::msg(known.fault().words(language));
    }
    let key = match error.downcast_ref::<FindingError>().filter(|_| language == Language::Zh) {
        Some(FindingError::None { .. }) => "error-no-finding",
        Some(FindingError::UnknownOwner(_)) => "error-unknown-owner",
        Some(FindingError::NoReason | FindingError::Past) => "error-no-acceptance",
        Some(FindingError::Store(_)) | None => return error,
    };
    anyhow::Error::msg(format!("{}{}", say(language, key, &[]), say(language, &format!("next-{key}"), &[])))
}

async fn run(cli: Cli, language: Language) -> anyhow::Result<ExitCode> {
    match cli.command {
        Command::DemoCompany(args) => demo_company::run(&args),
        Command::Doctor(args) => Ok(doctor::run(&cli.config, &args).await),
        Command::Recovery(command) => recovery::run(&cli.config, command, language).await,
        Command::Serve(args) => serve::run(&cli.config, args, language).await,
        Command::Sync(command) => Box::pin(sync::run(&cli.config, command, language)).await,
        Command::User(command) => Box::pin(user::run(&cli.config, command, language)).await,
        Command::App(command) => app::run(&cli.config, command).await,
        Command::Key(command) => key::run(&cli.config, command).await,
        Command::Policy(command) => policy::run(&cli.config, command, language).await,
        Command::Audit(command) => audit::run(&cli.config, command).await,
    }
}

/// Nobody is called so.
fn nobody(language: Language, login: &str) -> String {
    say(language, "cli-nobody", &[("login", login.into())])
}

#[expect(clippy::print_stderr, reason = "what a person at a terminal reads")]
fn failed(error: &anyhow::Error) -> ExitCode {
    eprintln!("yaopai: {}", one_line(error));
    ExitCode::FAILURE
}

/// The error and its causes in one line; a cause that an error above has told already is not told again.
fn one_line(error: &anyhow::Error) -> String {
    let mut told = String::new();
    for cause in error.chain() {
        // Drivers and parsers like to draw; a start script wants one line.
        let cause = cause.to_string();
        let cause = cause.lines().map(str::trim).filter(|line| !line.is_empty()).collect::<Vec<_>>().join("; ");
        if !told.contains(&cause) {
            let between = if told.is_empty() { "" } else { ": " };
            told = told + between + &cause;
        }
    }
    told
}

/// Everything a subcommand needs: configuration, secrets, the migrated database.
async fn broker(config: &std::path::Path) -> anyhow::Result<Broker> {
    let config = Config::load(config)?;
    let rng = Rng::system();
    let (master, made) = master::load(&config, &rng).await?;
    let url = config.database.full_url(&config.folder).map_err(anyhow::Error::msg)?;
    if let Some(file) = url.strip_prefix("sqlite://")
        && let Some(folder) = std::path::Path::new(file).parent()
    {
        std::fs::create_dir_all(folder).with_context(|| format!("the folder `{}` cannot be made", folder.display()))?;
    }
    let db = Db::open(&url, config.database.connections).await.map_err(|error| match error {
        // Names the place and the remedy itself.
        StoreError::Url(_) => anyhow::Error::new(error).context("database.url"),
        _ => anyhow::Error::new(error)
            .context("database.url: the database cannot be opened; is it running and may this user connect?"),
    })?;
    db.migrate().await.context("database.url")?;
    if let Some(file) = made {
        refuse_lost_key(&db, &file).await?;
    }
    let master = adopt_master(&db, &Clock::System, &rng, master).await?;
    let folder = config.resolve(&config.policies.folder);
    let policies = Policies::load(&folder)?;
    // Read anew by each sync; a fault is better known now than at two in the morning.
    RoleRules::load(&folder)?;
    let audit = Recorder::new(db.clone(), Clock::System);
    let (config, master) = (Arc::new(config), Arc::new(master));
    let net = Outgoing::new(config.clone());
    let reads = Reads::new(&db);
    Ok(Broker { config, db, reads, clock: Clock::System, rng, master, audit, net, policies })
}

/// A new master key beside a database that was sealed with another would make secrets that nobody can use: it is taken
/// away again, and the operator is told what to restore.
async fn refuse_lost_key(db: &Db, key_file: &std::path::Path) -> anyhow::Result<()> {
    if db.read().await?.signing_keys().list().await?.is_empty() {
        return Ok(());
    }
    let file = key_file.display();
    std::fs::remove_file(key_file).with_context(|| format!("the new master key `{file}` cannot be removed"))?;
    anyhow::bail!(
        "secrets.master_key_file: `{file}` is missing, but the database holds keys that were sealed with it: restore the \
         file from the backup, or begin with another database"
    )
}

/// Writes a result to standard output. Who reads only the beginning (`| head`) makes no error.
fn print(text: &str) -> anyhow::Result<()> {
    match std::io::Write::write_all(&mut std::io::stdout().lock(), text.as_bytes()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::one_line;

    #[test]
    fn a_fault_is_one_line_and_told_once() {
        let error =
            anyhow::anyhow!("no route\n  to host").context("the server: no route; to host").context("nothing read");
        assert_eq!(one_line(&error), "nothing read: the server: no route; to host");
        assert_eq!(one_line(&anyhow::anyhow!("inner").context("outer")), "outer: inner");
    }
}
