//! `yaopai app rotate-secret`: a new secret, with the old one accepted for a while where that is wanted; and
//! `yaopai app registration-token`: a token with which applications register themselves.

use serde::Deserialize as _;
use serde::de::value::{Error, StrDeserializer};
use serde_json::json;

use super::print;
use crate::broker::Broker;
use crate::config::Lifetime;
use crate::oidc::{registration_token, rotate_secret};

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

/// Arguments of `app registration-token`.
#[derive(Debug, clap::Args)]
pub struct RegistrationTokenArgs {
    /// How long it may be used, such as `24h`.
    #[arg(long, value_parser = lifetime)]
    ttl: Lifetime,
    /// How many applications may be registered with it.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(i64).range(1..=10_000))]
    uses: i64,
    /// As JSON.
    #[arg(long)]
    json: bool,
}

pub(super) async fn permit(broker: &Broker, args: RegistrationTokenArgs) -> anyhow::Result<()> {
    anyhow::ensure!(
        broker.config.registration.enabled,
        "applications cannot register themselves here: set enabled = true and hosts under [registration]"
    );
    let until = broker.clock.now() + args.ttl.0;
    let token = registration_token(broker, args.ttl.0, args.uses).await?;
    print(&if args.json {
        format!("{}\n", json!({ "initial_access_token": token, "uses": args.uses, "until": until }))
    } else {
        format!(
            "initial_access_token  {token}\nIt is not shown again; good for {} registrations until {until}.\n",
            args.uses
        )
    })
}
