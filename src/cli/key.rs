//! `yaopai key`: the signing keys of tokens.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context as _;
use serde_json::json;
use zeroize::Zeroizing;

use super::print;
use crate::broker::Broker;
use crate::crypto::key_file;
use crate::model::Algorithm;
use crate::oidc::{KeyError, KeyTimes, NewKey, export_key, import_key, key_times, revoke_key, rewrap, rotate};
use crate::time::Instant;

/// Signing keys: which sign, which wait, which are retired.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// Lists the keys, with the times of each: when published, when it signs, when it is retired, when dropped. Coming
    /// times are marked with `~`.
    List(ListArgs),
    /// Lets the waiting key sign, retires the one that did, makes a new waiting one. Running brokers see it within
    /// seconds.
    Rotate(RotateArgs),
    /// Takes a key that is believed stolen out of use, with everything that it signed: running brokers refuse that within
    /// seconds, other services when they read the key set again.
    Revoke(RevokeArgs),
    /// Takes over a private key from another provider, under the id its clients know. It signs from the next rotation
    /// on; with --retired it never does, and is only published for tokens signed elsewhere.
    Import(ImportArgs),
    /// Seals everything in the database under the master key of the configuration that is still sealed under the one in
    /// `secrets.old_master_key`, at once or not at all. Afterwards the old key is needed for nothing.
    Rewrap(RewrapArgs),
    /// Writes a private key to a file, sealed with a passphrase. Who has it can make tokens that everybody believes.
    Export(ExportArgs),
}

/// Arguments of `key import`.
#[derive(Debug, clap::Args)]
pub struct ImportArgs {
    /// What it signs with: `ES256`, `ES384`, `RS256`, `PS256` or `EdDSA`.
    #[arg(long)]
    algorithm: Algorithm,
    /// PEM (PKCS#8, PKCS#1, SEC 1) or a private JWK.
    file: PathBuf,
    /// The id that clients know it by; that of the JWK, or the key's thumbprint, when missing.
    #[arg(long)]
    kid: Option<String>,
    /// File whose first line is the passphrase of a sealed PEM file.
    #[arg(long)]
    passphrase_file: Option<PathBuf>,
    /// Publishes it without ever signing with it.
    #[arg(long)]
    retired: bool,
}

/// Arguments of `key revoke`.
#[derive(Debug, clap::Args)]
pub struct RevokeArgs {
    /// Which key, as `key list` shows it.
    kid: String,
}

/// Arguments of `key rewrap`.
#[derive(Debug, clap::Args)]
pub struct RewrapArgs {
    /// Only counts; ends with 1 when something is still sealed under the old key.
    #[arg(long)]
    check: bool,
    /// As JSON.
    #[arg(long)]
    json: bool,
}

/// Arguments of `key export`.
#[derive(Debug, clap::Args)]
pub struct ExportArgs {
    /// Which key, as `key list` shows it.
    kid: String,
    /// Where to: a new file that only its owner can read.
    #[arg(long)]
    out: PathBuf,
    /// File whose first line is the passphrase to seal it with, 12 characters or more.
    #[arg(long, required_unless_present = "clear", conflicts_with = "clear")]
    passphrase_file: Option<PathBuf>,
    /// Without a passphrase: whoever reads the file has the key.
    #[arg(long)]
    clear: bool,
}

/// Arguments of `key list`.
#[derive(Debug, clap::Args)]
pub struct ListArgs {
    /// As JSON.
    #[arg(long)]
    json: bool,
}

/// Arguments of `key rotate`.
#[derive(Debug, clap::Args)]
pub struct RotateArgs {
    /// `ES256`, `ES384`, `RS256`, `PS256` or `EdDSA`; the configured one when missing.
    #[arg(long)]
    algorithm: Option<Algorithm>,
    /// Although the waiting key has not been published long enough: clients that keep the old key set refuse tokens
    /// until they read the new one.
    #[arg(long)]
    now: bool,
}

pub(super) async fn run(config: &Path, command: Command) -> anyhow::Result<ExitCode> {
    let broker = super::broker(config).await?;
    let mut code = ExitCode::SUCCESS;
    match command {
        Command::Rewrap(args) => code = reseal(&broker, &args).await?,
        Command::List(args) => list(&broker, args.json).await?,
        Command::Rotate(args) => {
            let algorithm = args.algorithm.unwrap_or(broker.config.oidc.algorithm);
            rotate_when_seen(&broker, algorithm, args.now).await?;
            list(&broker, false).await?;
        }
        Command::Revoke(args) => {
            revoke_key(&broker, &args.kid).await?;
            list(&broker, false).await?;
        }
        Command::Import(args) => import(&broker, args).await?,
        Command::Export(args) => export(&broker, &args).await?,
    }
    broker.audit.flush().await?;
    broker.db.close().await;
    Ok(code)
}

async fn reseal(broker: &Broker, args: &RewrapArgs) -> anyhow::Result<ExitCode> {
    let found = rewrap(&broker.db, &broker.clock, &broker.rng, &broker.master, args.check).await?;
    let (old, all) = (found.old, found.all);
    let text = match (old, args.check) {
        (0, _) => format!("{all} values are sealed under the master key; secrets.old_master_key is not needed\n"),
        (_, true) => format!("{old} of {all} values are sealed under the old key: run `yaopai key rewrap`\n"),
        (_, false) => format!(
            "{old} of {all} values were sealed anew; when every node has the new key, take secrets.old_master_key away\n"
        ),
    };
    print(&if args.json { format!("{}\n", json!({ "old": old, "all": all, "check": args.check })) } else { text })?;
    Ok(if args.check && old > 0 { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// `--now` waits the few seconds until every node has read a next key that was made a moment ago.
async fn rotate_when_seen(broker: &Broker, algorithm: Algorithm, is_now: bool) -> Result<(), KeyError> {
    match rotate(broker, algorithm, is_now).await {
        Err(KeyError::TooSoon { from, .. }) if is_now => {
            let wait = (from - broker.clock.now()).to_std().unwrap_or_default() + Duration::from_millis(50);
            tracing::info!(seconds = wait.as_secs(), "waiting until every node has read the next key");
            tokio::time::sleep(wait).await;
            rotate(broker, algorithm, true).await
        }
        other => other,
    }
}

async fn import(broker: &Broker, args: ImportArgs) -> anyhow::Result<()> {
    let place = args.file.display();
    let text = std::fs::read_to_string(&args.file).map(Zeroizing::new);
    let text = text.with_context(|| format!("`{place}` cannot be read"))?;
    let passphrase = args.passphrase_file.as_deref().map(passphrase).transpose()?;
    let (key, own) = key_file::read(args.algorithm, &text, passphrase.as_deref().map(String::as_str))
        .with_context(|| format!("`{place}`"))?;
    let kid = import_key(broker, NewKey { key, kid: args.kid.or(own), is_retired: args.retired }).await?;
    let next = if args.retired {
        "published for tokens signed elsewhere; it signs nothing here".to_owned()
    } else {
        format!("published; it signs from the next rotation on: `yaopai key rotate --algorithm {}`", args.algorithm)
    };
    print(&format!("{kid}: {next}\nremove `{place}` when it is no longer needed\n"))
}

async fn export(broker: &Broker, args: &ExportArgs) -> anyhow::Result<()> {
    let passphrase = args.passphrase_file.as_deref().map(passphrase).transpose()?;
    if passphrase.as_ref().is_some_and(|passphrase| passphrase.chars().count() < 12) {
        anyhow::bail!("the passphrase has fewer than 12 characters: use a random one (openssl rand -base64 24)");
    }
    // The file first: a key is not opened, and nothing recorded, for a file that cannot be written.
    let mut out = new_file(&args.out).with_context(|| format!("`{}` cannot be made", args.out.display()))?;
    let key = export_key(broker, &args.kid, passphrase.is_some()).await;
    let written = match key {
        Ok(key) => key_file::write(&broker.rng, &key, passphrase.as_deref().map(String::as_str))
            .map_err(anyhow::Error::new)
            .and_then(|pem| Ok(std::io::Write::write_all(&mut out, pem.as_bytes()).and_then(|()| out.sync_all())?)),
        Err(error) => Err(error.into()),
    };
    if written.is_err() {
        std::fs::remove_file(&args.out)?;
    }
    written
}

fn new_file(path: &Path) -> std::io::Result<std::fs::File> {
    use std::os::unix::fs::OpenOptionsExt as _;
    std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)
}

fn passphrase(file: &Path) -> anyhow::Result<Zeroizing<String>> {
    let read = crate::config::SecretRef::File(file.to_owned()).read(Path::new(""));
    read.map_err(|why| anyhow::anyhow!("--passphrase-file: {why}"))
}

async fn list(broker: &Broker, is_json: bool) -> anyhow::Result<()> {
    let keys = key_times(broker).await?;
    if is_json {
        let keys: Vec<_> = keys
            .iter()
            .map(|KeyTimes { row, signs_at, retires_at, drops_at }| {
                json!({
                    "kid": row.kid, "algorithm": row.algorithm, "state": row.state, "created_at": row.created_at,
                    "activated_at": row.activated_at, "retired_at": row.retired_at, "public_jwk": *row.public_jwk,
                    "published_at": row.created_at, "signs_at": signs_at, "retires_at": retires_at,
                    "drops_at": drops_at,
                })
            })
            .collect();
        return print(&format!("{}\n", serde_json::to_string_pretty(&keys)?));
    }
    let mut text = format!(
        "{:<9} {:<8} {:<44} {:<18} {:<18} {:<18} DROPPED\n",
        "ALGORITHM", "STATE", "KID", "PUBLISHED", "SIGNS SINCE", "RETIRED"
    );
    let now = broker.clock.now();
    let day = |at: Option<Instant>| {
        at.map_or("-".to_owned(), |at| {
            let coming = if at > now { "~" } else { "" };
            format!("{coming}{}", at.format("%Y-%m-%d %H:%MZ"))
        })
    };
    for KeyTimes { row, signs_at, retires_at, drops_at } in keys {
        let (algorithm, state, made) = (row.algorithm.as_str(), row.state.as_str(), day(Some(row.created_at)));
        let (signs, retired, dropped) = (day(signs_at), day(retires_at), day(drops_at));
        let _ =
            writeln!(text, "{algorithm:<9} {state:<8} {:<44} {made:<18} {signs:<18} {retired:<18} {dropped}", row.kid);
    }
    print(&text)
}
