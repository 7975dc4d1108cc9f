//! `yaopai app rotate-secret`: a new secret, with the old one accepted for a while where that is wanted.

use serde::Deserialize as _;
use serde::de::value::{Error, StrDeserializer};
use serde_json::json;

use super::print;
use crate::broker::Broker;
use crate::config::Lifetime;
use crate::oidc::rotate_secret;

/// Arguments of `app rotate-secret`.
#[derive(Debug, clap::Args)]
pub struct RotateArgs {
    /// Its client id.
    id: String,
    /// How long the old secret is accepted beside the new one, such as `24h`; not at all when missing.
    #[arg(long, value_parser = lifetime)]
    overlap: Option<Lifetime>,
    /// As JSON.
    #[arg(long)]
    json: bool,
}

/// A length of time as the configuration writes it.
pub(super) fn lifetime(text: &str) -> Result<Lifetime, String> {
    Lifetime::deserialize(StrDeserializer::<Error>::new(text)).map_err(|error| error.to_string())
}

pub(super) async fn rotate(broker: &Broker, args: RotateArgs) -> anyhow::Result<()> {
    let (secret, until) = rotate_secret(broker, &args.id, args.overlap.map(|overlap| overlap.0)).await?;
    print(&if args.json {
        format!("{}\n", json!({ "client_id": args.id, "client_secret": secret, "old_secret_until": until }))
    } else {
        let old = match until {
            Some(until) => format!("the old one is accepted until {until}"),
            None => "running brokers refuse the old one within a second".to_owned(),
        };
        format!("client_secret  {secret}\nIt is not shown again; {old}.\n")
    })
}
