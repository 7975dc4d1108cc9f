//! `yaopai key`: the signing keys of tokens.

use std::fmt::Write as _;
use std::path::Path;
use std::process::ExitCode;

use serde_json::json;

use super::print;
use crate::broker::Broker;
use crate::model::Algorithm;
use crate::oidc::{list_keys, rotate};
use crate::time::Instant;

/// Signing keys: which sign, which wait, which are retired.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// Lists the keys.
    List(ListArgs),
    /// Lets the waiting key sign, retires the one that did, makes a new waiting one. Running brokers see it within
    /// seconds.
    Rotate(RotateArgs),
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
    /// `ES256`, `RS256` or `EdDSA`; the configured one when missing.
    #[arg(long)]
    algorithm: Option<Algorithm>,
    /// Although the waiting key has not been published long enough: clients that keep the old key set refuse tokens
    /// until they read the new one.
    #[arg(long)]
    now: bool,
}

pub(super) async fn run(config: &Path, command: Command) -> anyhow::Result<ExitCode> {
    let broker = super::broker(config).await?;
    match command {
        Command::List(args) => list(&broker, args.json).await?,
        Command::Rotate(args) => {
            let algorithm = args.algorithm.unwrap_or(broker.config.oidc.algorithm);
            rotate(&broker, algorithm, args.now).await?;
            list(&broker, false).await?;
        }
    }
    broker.db.close().await;
    Ok(ExitCode::SUCCESS)
}

async fn list(broker: &Broker, is_json: bool) -> anyhow::Result<()> {
    let rows = list_keys(broker).await?;
    if is_json {
        let keys: Vec<_> = rows
            .iter()
            .map(|row| {
                json!({
                    "kid": row.kid, "algorithm": row.algorithm, "state": row.state, "created_at": row.created_at,
                    "activated_at": row.activated_at, "retired_at": row.retired_at, "public_jwk": *row.public_jwk,
                })
            })
            .collect();
        return print(&format!("{}\n", serde_json::to_string_pretty(&keys)?));
    }
    let mut text =
        format!("{:<9} {:<8} {:<44} {:<21} {:<21} RETIRED\n", "ALGORITHM", "STATE", "KID", "MADE", "ACTIVE SINCE");
    let day = |at: Option<Instant>| at.map_or("-".to_owned(), |at| at.format("%Y-%m-%d %H:%M:%SZ").to_string());
    for row in rows {
        let (algorithm, state) = (row.algorithm.as_str(), row.state.as_str());
        let (made, active) = (day(Some(row.created_at)), day(row.activated_at));
        let _ =
            writeln!(text, "{algorithm:<9} {state:<8} {:<44} {made:<21} {active:<21} {}", row.kid, day(row.retired_at));
    }
    print(&text)
}
