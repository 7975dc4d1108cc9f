//! `yaopai app`: applications made at run time. Those declared in the configuration are shown, and changed there.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use serde_json::json;
use url::Url;

use super::app_secret::{RegistrationTokenArgs, RotateArgs, permit, rotate};
use super::app_settings::Given;
use super::app_show::{secrets, show};
use super::{explain, print};
use crate::broker::Broker;
use crate::config::Preset;
use crate::model::{Application, AuthMethod};
use crate::oidc::{RegisterError, add_application, describe_application, remove_application};

/// Applications: systems that people sign in to, and services that call others.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// Makes an application and shows its secret, once.
    Add(Box<AddArgs>),
    /// Says in plain words what is wrong with an application, or with a request that it sends.
    Check(explain::CheckArgs),
    /// Shows what a person's tokens for an application would hold.
    Preview(explain::PreviewArgs),
    /// Lists what is known of widespread systems: `app add --preset NAME`, or `preset = "NAME"` in the configuration.
    Presets(explain::PresetArgs),
    /// Prints a one-time link: an administrator who opens it sees what the application would be told of them.
    TestLogin(explain::TestLoginArgs),
    /// Lists the applications.
    List(OutputArgs),
    /// Shows one application.
    Show(OneArgs),
    /// Gives an application a new secret and shows it, once; the old one ends at once, or after `--overlap`.
    RotateSecret(RotateArgs),
    /// Makes a token with which applications may register themselves, and shows it, once.
    RegistrationToken(RegistrationTokenArgs),
    /// Removes an application with everything issued to it.
    Remove(OneArgs),
}

/// Arguments of `app add`.
#[derive(Debug, clap::Args)]
pub struct AddArgs {
    /// OAuth client id: letters, digits, `-`, `_`, `.`.
    id: String,
    /// TOML file that describes it, with every key that `[[application]]` has in the configuration, but for secrets.
    #[arg(long)]
    file: Option<PathBuf>,
    #[command(flatten)]
    given: Given,
    /// As JSON.
    #[arg(long)]
    json: bool,
}

/// Arguments of `app list`.
#[derive(Debug, clap::Args)]
pub struct OutputArgs {
    /// As JSON.
    #[arg(long)]
    json: bool,
}

/// Arguments of what is about one application.
#[derive(Debug, clap::Args)]
pub struct OneArgs {
    /// Its client id.
    id: String,
    /// As JSON.
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(config: &Path, command: Command) -> anyhow::Result<ExitCode> {
    if let Command::Presets(args) = &command {
        explain::presets(args)?;
        return Ok(ExitCode::SUCCESS);
    }
    let broker = super::broker(config).await?;
    let mut code = ExitCode::SUCCESS;
    match command {
        Command::Add(args) => add(&broker, *args).await?,
        Command::Check(args) => code = explain::check(&broker, args).await?,
        Command::Preview(args) => explain::show_preview(&broker, args).await?,
        Command::TestLogin(args) => explain::test_login(&broker, args).await?,
        // Needs no database, see above.
        Command::Presets(_) => {}
        Command::List(args) => list(&broker.db.read().await?.applications().list().await?, args.json)?,
        Command::Show(args) => {
            let app = broker.db.read().await?.applications().find(&args.id).await?;
            let app = app.ok_or(RegisterError::Unknown(args.id))?;
            print(&if args.json { format!("{}\n", serde_json::to_string_pretty(&app)?) } else { show(&app) })?;
        }
        Command::RotateSecret(args) => rotate(&broker, args).await?,
        Command::RegistrationToken(args) => permit(&broker, args).await?,
        Command::Remove(args) => {
            let grants = remove_application(&broker, &args.id).await?;
            print(&if args.json {
                format!("{}\n", json!({ "client_id": args.id, "revoked_grants": grants }))
            } else {
                format!("application `{}` removed; {grants} live grants revoked\n", args.id)
            })?;
        }
    }
    broker.db.close().await;
    Ok(code)
}

/// Makes an application, with what its preset knows.
async fn add(broker: &Broker, AddArgs { id, file, given, json }: AddArgs) -> anyhow::Result<()> {
    let config = given.describe(&id, file.as_deref())?;
    let preset = config.preset.as_deref().map(Preset::find).transpose().map_err(anyhow::Error::msg)?;
    let url = config.url.as_ref().map(Url::as_str).unwrap_or_default();
    // What the command line names is looked for here, what a file names beside it.
    let folder = file.as_deref().and_then(Path::parent).unwrap_or(Path::new(""));
    let (app, secret) = add_application(broker, describe_application(&config, folder)?).await?;
    made(&app, secret.as_deref(), json)?;
    match preset {
        Some(preset) if !json => print(&explain::setup(broker, &preset, &app, url)),
        _ => Ok(()),
    }
}

fn made(app: &Application, secret: Option<&str>, is_json: bool) -> anyhow::Result<()> {
    if is_json {
        return print(&format!("{}\n", json!({ "client_id": app.id, "client_secret": secret, "application": app })));
    }
    let mut text = show(app);
    match secret {
        Some(secret) => {
            let _ = write!(
                text,
                "client_secret  {secret}\nThe secret is not shown again: put it where the application reads it.\n"
            );
        }
        None if app.auth_method == AuthMethod::None => {
            text.push_str("A public application has no secret; it proves itself by PKCE.\n");
        }
        None => text.push_str("It has no secret: it proves itself by its own key.\n"),
    }
    print(&text)
}

fn list(apps: &[Application], is_json: bool) -> anyhow::Result<()> {
    if is_json {
        return print(&format!("{}\n", serde_json::to_string_pretty(apps)?));
    }
    let mut text = format!("{:<20} {:<20} {:<9} {:<9} NAME\n", "ID", "AUTH METHOD", "ENABLED", "DECLARED");
    for app in apps {
        let yes = |is| if is { "yes" } else { "no" };
        let (id, method) = (&app.id, app.auth_method.as_str());
        let two = if app.old_secret_hash.is_some() { format!("  (secrets: {})", secrets(app)) } else { String::new() };
        let name = &app.name;
        let _ = writeln!(text, "{id:<20} {method:<20} {:<9} {:<9} {name}{two}", yes(app.enabled), yes(app.declared));
    }
    print(&text)
}
