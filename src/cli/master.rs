//! The master key: from its file, the environment, or a program such as the client of a KMS; and the one before, while it
//! changes.

use std::path::PathBuf;
use std::process::Stdio;

use anyhow::Context as _;
use zeroize::Zeroizing;

use crate::config::{Config, Lifetime, MasterKeySource};
use crate::crypto::MasterKey;
use crate::random::Rng;

/// The key, beside which the one before opens, where the configuration gives it; with the file that was made for it just
/// now, if there was none.
pub(super) async fn load(config: &Config, rng: &Rng) -> anyhow::Result<(MasterKey, Option<PathBuf>)> {
    let (key, made) = load_own(config, rng).await?;
    let Some(old) = &config.secrets.old_master_key else { return Ok((key, made)) };
    let text = old.read(&config.folder).map_err(|why| anyhow::anyhow!("secrets.old_master_key: {why}"))?;
    Ok((key.with_old(&MasterKey::parse("secrets.old_master_key", &text)?), made))
}

async fn load_own(config: &Config, rng: &Rng) -> anyhow::Result<(MasterKey, Option<PathBuf>)> {
    match config.secrets.master_key(&config.folder).map_err(anyhow::Error::msg)? {
        MasterKeySource::File(path) => {
            let was_missing = !path.exists();
            let key = MasterKey::load_or_create(&path, rng)?;
            Ok((key, was_missing.then_some(path)))
        }
        MasterKeySource::Env(name, text) => {
            Ok((MasterKey::parse(&format!("secrets.master_key_env (`{name}`)"), &text)?, None))
        }
        MasterKeySource::Command(command, timeout) => Ok((from_program(&command, timeout).await?, None)),
    }
}

/// Runs the program once. What it prints is the key, so it is never shown; what it says on standard error is.
pub(super) async fn from_program(command: &[String], timeout: Lifetime) -> anyhow::Result<MasterKey> {
    let (program, arguments) = command.split_first().context("secrets.master_key_command: name a program")?;
    let place = format!("secrets.master_key_command (`{program}`)");
    let run = tokio::process::Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .output();
    let output = tokio::time::timeout(timeout.as_std(), run)
        .await
        .map_err(|_| {
            anyhow::anyhow!("{place}: no key within {} s; see secrets.master_key_timeout", timeout.0.num_seconds())
        })?
        .with_context(|| format!("{place}: the program cannot be run"))?;
    let text = Zeroizing::new(String::from_utf8(output.stdout).unwrap_or_default());
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        let said: String = said.lines().next().unwrap_or_default().chars().take(200).collect();
        anyhow::bail!("{place}: ended with {}: {said}", output.status);
    }
    Ok(MasterKey::parse(&place, &text)?)
}
