//! `yaopai app`: applications made at run time. Those declared in the configuration are shown, and changed there.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;
use serde_json::json;

use super::app_secret::{RegistrationTokenArgs, RotateArgs, permit, rotate};
use super::{explain, print};
use crate::broker::Broker;
use crate::config::{ApplicationConfig, Preset};
use crate::model::{Algorithm, Application, ApplicationSettings, AuthMethod, GrantType, ProofSettings};
use crate::oidc::{NewApplication, PERSONAL, RegisterError, add_application, describe_application, remove_application};

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
    #[arg(long, conflicts_with_all = [
        "preset", "url", "name", "description", "launch_url", "auth_method", "redirect_uri", "post_logout_redirect_uri",
        "grant", "scope", "audience", "algorithm", "jwks_uri", "certificate_dns", "without_pkce",
    ])]
    file: Option<PathBuf>,
    /// What is known of the system, see `app presets`.
    #[arg(long)]
    preset: Option<String>,
    /// Address of the system, for the preset.
    #[arg(long)]
    url: Option<String>,
    /// Name as shown to people; the id when missing.
    #[arg(long)]
    name: Option<String>,
    /// One line for the portal.
    #[arg(long)]
    description: Option<String>,
    /// Where the portal sends people.
    #[arg(long)]
    launch_url: Option<String>,
    /// How it proves itself: `client_secret_basic`, `client_secret_post`, `client_secret_jwt`, `private_key_jwt`, `tls_client_auth`, `self_signed_tls_client_auth`, or `none` for browser and native apps.
    #[arg(long, default_value = "client_secret_basic")]
    auth_method: AuthMethod,
    /// Exact redirect URI; may be given several times.
    #[arg(long)]
    redirect_uri: Vec<String>,
    /// Exact URI to return to after logout; may be given several times.
    #[arg(long)]
    post_logout_redirect_uri: Vec<String>,
    /// Grant; may be given several times; `authorization_code` and `refresh_token` when missing.
    #[arg(long)]
    grant: Vec<GrantType>,
    /// Scope it may ask for; may be given several times; every standard scope when missing.
    #[arg(long)]
    scope: Vec<String>,
    /// `aud` of its access tokens; may be given several times.
    #[arg(long)]
    audience: Vec<String>,
    /// Signature algorithm of its tokens.
    #[arg(long)]
    algorithm: Option<Algorithm>,
    /// Where its public keys are fetched from: for `private_key_jwt` and `self_signed_tls_client_auth`.
    #[arg(long)]
    jwks_uri: Option<url::Url>,
    /// A name of its certificate: for `tls_client_auth`.
    #[arg(long)]
    certificate_dns: Option<String>,
    /// Does not demand PKCE of it: only for old clients that keep a secret.
    #[arg(long)]
    without_pkce: bool,
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
async fn add(broker: &Broker, args: AddArgs) -> anyhow::Result<()> {
    let (is_json, url) = (args.json, args.url.clone().unwrap_or_default());
    if let Some(file) = &args.file {
        let (app, secret) = add_application(broker, described(&args.id, file)?).await?;
        return made(&app, secret.as_deref(), is_json);
    }
    let preset = args.preset.as_deref().map(Preset::find).transpose().map_err(anyhow::Error::msg)?;
    let mut new = new(args);
    if let Some(preset) = &preset {
        complete(&mut new, preset, &url)?;
    }
    let (app, secret) = add_application(broker, new).await?;
    made(&app, secret.as_deref(), is_json)?;
    match preset {
        Some(preset) if !is_json => print(&explain::setup(broker, &preset, &app, &url)),
        _ => Ok(()),
    }
}

/// An application as its file describes it.
fn described(id: &str, file: &Path) -> anyhow::Result<NewApplication> {
    let place = || format!("--file `{}`", file.display());
    let text = std::fs::read_to_string(file).with_context(place)?;
    let config = ApplicationConfig::describe(id, &text).map_err(anyhow::Error::msg).with_context(place)?;
    Ok(describe_application(&config, file.parent().unwrap_or(Path::new("")))?)
}

/// Fills in what the command line leaves open.
fn complete(new: &mut NewApplication, preset: &Preset, url: &str) -> anyhow::Result<()> {
    let settings = &mut new.settings;
    let is_missing = settings.redirect_uris.is_empty();
    anyhow::ensure!(
        !url.is_empty() || !is_missing || preset.redirect_uris.is_empty(),
        "the preset needs the address of {}: --url https://…",
        preset.title
    );
    anyhow::ensure!(
        !is_missing || !preset.redirect_uris.is_empty(),
        "nobody knows the redirect URI of {}: ask its maker, and give it with --redirect-uri",
        preset.title
    );
    let at = |patterns: &[String]| patterns.iter().map(|pattern| Preset::at(pattern, url)).collect();
    if is_missing {
        settings.redirect_uris = at(&preset.redirect_uris);
    }
    if !url.is_empty() {
        if settings.post_logout_redirect_uris.is_empty() {
            settings.post_logout_redirect_uris = at(&preset.post_logout_redirect_uris);
        }
        let launch = preset.launch_url.as_deref().map(|pattern| Preset::at(pattern, url));
        settings.launch_url = settings.launch_url.take().or(launch);
    }
    settings.require_pkce &= preset.require_pkce;
    if settings.scopes.is_empty() {
        settings.scopes.clone_from(&preset.scopes);
    }
    settings.identity.claims.clone_from(&preset.identity.claims);
    if new.name == new.id {
        new.name.clone_from(&preset.title);
    }
    if new.auth_method == AuthMethod::ClientSecretBasic {
        new.auth_method = preset.auth_method.unwrap_or(new.auth_method);
    }
    Ok(())
}

fn new(args: AddArgs) -> NewApplication {
    let grants = || vec![GrantType::AuthorizationCode, GrantType::RefreshToken];
    NewApplication {
        name: args.name.unwrap_or_else(|| args.id.clone()),
        id: args.id,
        auth_method: args.auth_method,
        settings: ApplicationSettings {
            redirect_uris: args.redirect_uri,
            post_logout_redirect_uris: args.post_logout_redirect_uri,
            grant_types: if args.grant.is_empty() { grants() } else { args.grant },
            scopes: if args.scope.is_empty() && args.preset.is_none() {
                PERSONAL.map(str::to_owned).to_vec()
            } else {
                args.scope
            },
            launch_url: args.launch_url,
            description: args.description,
            require_pkce: !args.without_pkce,
            audience: args.audience,
            signing_algorithm: args.algorithm.map(|algorithm| algorithm.as_str().to_owned()),
            proof: ProofSettings {
                jwks_uri: args.jwks_uri,
                tls_client_auth_san_dns: args.certificate_dns,
                ..ProofSettings::default()
            },
            ..ApplicationSettings::default()
        },
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

fn show(app: &Application) -> String {
    let settings = &app.settings;
    let grants: Vec<&str> = settings.grant_types.iter().map(|grant| grant.as_str()).collect();
    let origin = if app.declared { "declared in the configuration" } else { "made with `yaopai app add`" };
    let mut text = String::new();
    let or_none = |value: &Option<String>| value.clone().unwrap_or_else(|| "-".to_owned());
    for (name, value) in [
        ("client_id", app.id.clone()),
        ("name", app.name.clone()),
        ("description", or_none(&settings.description)),
        ("launch_url", or_none(&settings.launch_url)),
        ("origin", origin.to_owned()),
        ("enabled", app.enabled.to_string()),
        ("auth_method", app.auth_method.to_string()),
        ("secrets", secrets(app)),
        ("grants", grants.join(" ")),
        ("scopes", settings.scopes.join(" ")),
        ("redirect_uris", settings.redirect_uris.join(" ")),
        ("after_logout", settings.post_logout_redirect_uris.join(" ")),
        ("audience", if settings.audience.is_empty() { "-".to_owned() } else { settings.audience.join(" ") }),
        ("algorithm", or_none(&settings.signing_algorithm)),
        ("pkce", if settings.require_pkce { "required" } else { "optional" }.to_owned()),
    ] {
        let _ = writeln!(text, "{name:<14} {value}");
    }
    text
}

/// Which secrets are accepted, and since or until when.
fn secrets(app: &Application) -> String {
    let Some(since) = app.secret_since else { return "-".to_owned() };
    let old = match (&app.old_secret_hash, app.old_secret_until) {
        (None, _) => String::new(),
        (Some(_), Some(until)) => format!("; the one before until {until}"),
        (Some(_), None) => "; the one before for as long as it is declared".to_owned(),
    };
    format!("one since {since}{old}")
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
