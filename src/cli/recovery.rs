//! `yaopai recovery new`: another one-time password for the recovery administrator.

use std::path::Path;
use std::process::ExitCode;

use clap::Subcommand;

use crate::crypto::Hasher;
use crate::login::{RECOVERY_LOGIN, ensure_recovery, renew_recovery};
use crate::text::{Language, say};

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Makes another one-time password; the one before stops working.
    New,
}

#[expect(clippy::print_stdout, reason = "the password is for the person at the terminal, and nowhere else")]
pub(super) async fn run(config: &Path, command: Command, language: Language) -> anyhow::Result<ExitCode> {
    let Command::New = command;
    let broker = super::broker(config).await?;
    let password = renew_recovery(&broker, &Hasher::new(1)).await?;
    println!("{}", told(language, &broker.config.server.url(crate::http::paths::LOGIN), &password));
    broker.db.close().await;
    Ok(ExitCode::SUCCESS)
}

/// At first start: makes the recovery administrator and prints its password once.
#[expect(clippy::print_stdout, reason = "the password is for the person at the terminal, and nowhere else")]
pub(super) async fn introduce(app: &crate::http::App, language: Language) -> anyhow::Result<()> {
    if let Some(password) = ensure_recovery(&app.broker, &app.hasher).await? {
        println!("{}", told(language, &app.broker.config.server.url(crate::http::paths::LOGIN), &password));
    }
    Ok(())
}

fn told(language: Language, url: &str, password: &str) -> String {
    say(
        language,
        "recovery-told",
        &[("url", url.into()), ("login", RECOVERY_LOGIN.into()), ("password", password.into())],
    )
}
