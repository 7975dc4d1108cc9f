//! `yaopai app check|preview|presets|test-login`: what is known of an application, in plain words.

use std::fmt::Write as _;
use std::process::ExitCode;

use anyhow::Context as _;
use serde_json::Value;

use super::print;
use crate::broker::Broker;
use crate::config::Preset;
use crate::http::paths;
use crate::model::Application;
use crate::oidc::{
    Advice, Applications, KeyRing, Level, Preview, Provider, RegisterError, StatusLists, check_application,
    check_request, check_sector, offer_test_login, preview,
};
use crate::text::fold;

/// Arguments of `app check`.
#[derive(Debug, clap::Args)]
pub struct CheckArgs {
    /// Its client id.
    id: String,
    /// An authorization request that it sent: the whole URL, as it stood in the browser.
    #[arg(long)]
    request: Option<String>,
    /// As JSON.
    #[arg(long)]
    json: bool,
}

/// Arguments of `app preview`.
#[derive(Debug, clap::Args)]
pub struct PreviewArgs {
    /// Its client id.
    id: String,
    /// Login name of the person.
    #[arg(long)]
    user: String,
    /// Scopes it asks for, separated by blanks; everything it may have when missing.
    #[arg(long)]
    scope: Option<String>,
    /// Its `claims` parameter, JSON.
    #[arg(long)]
    claims: Option<String>,
    /// As JSON.
    #[arg(long)]
    json: bool,
}

/// Arguments of `app presets`.
#[derive(Debug, clap::Args)]
pub struct PresetArgs {
    /// Shows this one with what to enter in the system.
    name: Option<String>,
    /// As JSON.
    #[arg(long)]
    json: bool,
}

/// Arguments of `app test-login`.
#[derive(Debug, clap::Args)]
pub struct TestLoginArgs {
    /// Its client id.
    id: String,
    /// Scopes it asks for, separated by blanks; everything it may have when missing.
    #[arg(long)]
    scope: Option<String>,
}

async fn find(broker: &Broker, id: &str) -> anyhow::Result<Application> {
    let app = broker.db.read().await?.applications().find(id).await?;
    Ok(app.ok_or_else(|| RegisterError::Unknown(id.to_owned()))?)
}

/// Says what is wrong; fails where something does not work.
pub(super) async fn check(broker: &Broker, args: CheckArgs) -> anyhow::Result<ExitCode> {
    let app = find(broker, &args.id).await?;
    let mut found = check_application(&broker.config, &app);
    if let Err(error) = check_sector(broker, &app.settings).await {
        found.push(Advice { level: Level::Fault, code: "sector", text: error.to_string() });
    }
    if let Some(request) = &args.request {
        let (keys, applications) = (KeyRing::open(broker).await?, Applications::default());
        let status = StatusLists::default();
        let provider = Provider { broker, keys: &keys, applications: &applications, status: &status };
        let endpoint = broker.config.server.url(paths::AUTHORIZE);
        found.extend(check_request(provider, &app, &endpoint, request));
    }
    let is_faulty = found.iter().any(|advice| advice.level == Level::Fault);
    if args.json {
        print(&format!("{}\n", serde_json::to_string_pretty(&found)?))?;
    } else {
        print(&said(&app, &found))?;
    }
    Ok(if is_faulty { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

fn said(app: &Application, found: &[Advice]) -> String {
    let mut text = String::new();
    for Advice { level, text: words, .. } in found {
        let _ = writeln!(text, "{:<8} {words}", level.as_str());
    }
    if !found.iter().any(|advice| advice.level == Level::Fault) {
        let _ = writeln!(text, "nothing is wrong with application `{}`", app.id);
    }
    text
}

/// Shows what a person's tokens would hold.
pub(super) async fn show_preview(broker: &Broker, args: PreviewArgs) -> anyhow::Result<()> {
    let app = find(broker, &args.id).await?;
    let user = broker.db.read().await?.users().find_by_login(&fold(&args.user)).await?;
    let user = user.with_context(|| format!("nobody has the login name `{}`", args.user))?;
    let (keys, applications) = (KeyRing::open(broker).await?, Applications::default());
    let status = StatusLists::default();
    let provider = Provider { broker, keys: &keys, applications: &applications, status: &status };
    let shown = preview(provider, &app, &user, None, args.scope.as_deref(), args.claims.as_deref()).await?;
    if args.json {
        return print(&format!("{}\n", serde_json::to_string_pretty(&shown)?));
    }
    print(&previewed(&shown)?)
}

fn previewed(shown: &Preview) -> anyhow::Result<String> {
    let Preview { application, login, scope, .. } = shown;
    let mut text = format!("what {application} would be told of {login}\n");
    let allowed = if shown.allowed { "yes" } else { "no: no tokens would be issued" };
    let _ = writeln!(text, "policy lets them in  {allowed} ({})", shown.policies.join(", "));
    let _ = writeln!(text, "asked to agree       {}", shown.consent);
    let _ = writeln!(text, "scope                {scope}");
    if !shown.not_granted.is_empty() {
        let _ = writeln!(text, "not granted          {}", shown.not_granted.join(" "));
    }
    let none = "none: the scope openid is not granted".to_owned();
    let document = |document: Option<&Value>| document.map_or(Ok(none.clone()), serde_json::to_string_pretty);
    let _ = writeln!(text, "\nID token\n{}", document(shown.id_token.as_ref())?);
    let _ = writeln!(text, "\nuserinfo\n{}", document(shown.userinfo.as_ref())?);
    let _ = writeln!(text, "\naccess token\n{}", document(Some(&shown.access_token))?);
    Ok(text)
}

/// Prints a one-time link.
pub(super) async fn test_login(broker: &Broker, args: TestLoginArgs) -> anyhow::Result<()> {
    let app = find(broker, &args.id).await?;
    let token = offer_test_login(broker, &app, args.scope.as_deref()).await?;
    let link = broker.config.server.url(paths::TEST_LOGIN);
    print(&format!(
        "{link}?token={token}\nOpen it within 15 minutes and sign in as an administrator: it shows, once, what {} would \
         be told of you. Nothing is issued.\n",
        app.name
    ))
}

/// Lists the presets, or shows one. Needs no configuration.
pub(super) fn presets(args: &PresetArgs) -> anyhow::Result<()> {
    if let Some(name) = &args.name {
        let preset = Preset::find(name).map_err(anyhow::Error::msg)?;
        let json = || serde_json::to_string_pretty(&preset).map(|text| text + "\n");
        return print(&if args.json { json()? } else { preset_words(name, &preset) });
    }
    let all = Preset::names().map(|name| Ok((name, Preset::find(name)?))).collect::<Result<Vec<_>, String>>();
    let all = all.map_err(anyhow::Error::msg)?;
    if args.json {
        let all: serde_json::Map<String, Value> = all
            .into_iter()
            .map(|(name, preset)| Ok((name.to_owned(), serde_json::to_value(preset)?)))
            .collect::<Result<_, serde_json::Error>>()?;
        return print(&format!("{}\n", serde_json::to_string_pretty(&all)?));
    }
    let mut text = format!("{:<18} {:<14} SYSTEM\n", "PRESET", "SIGN-IN");
    for (name, preset) in all {
        let state = if preset.confirmed { "documented" } else { "unconfirmed" };
        let _ = writeln!(text, "{name:<18} {state:<14} {}", preset.title);
    }
    print(&text)
}

fn preset_words(name: &str, preset: &Preset) -> String {
    let mut text = format!("{} (preset \"{name}\")\n", preset.title);
    let redirect = if preset.redirect_uris.is_empty() {
        "unknown: to be given".to_owned()
    } else {
        preset.redirect_uris.join(" ")
    };
    let claims: Vec<&str> = preset.identity.claims.keys().map(String::as_str).collect();
    for (name, value) in [
        ("redirect URI", redirect),
        ("scopes", preset.scopes.join(" ")),
        ("claims", claims.join(" ")),
        ("PKCE", if preset.require_pkce { "required" } else { "optional" }.to_owned()),
        ("sources", preset.sources.join("\n               ")),
        ("unconfirmed", preset.unconfirmed.join("\n               ")),
    ] {
        if !value.is_empty() {
            let _ = writeln!(text, "{name:<14} {value}");
        }
    }
    if !preset.setup.is_empty() {
        let _ = write!(text, "\n{}", preset.setup.trim_start());
    }
    text
}

/// What to enter in the system, with everything filled in that is known.
pub(super) fn setup(broker: &Broker, preset: &Preset, app: &Application, url: &str) -> String {
    let server = &broker.config.server;
    let values = [
        ("{issuer}", server.issuer()),
        ("{client_id}", app.id.clone()),
        ("{authorization_endpoint}", server.url(paths::AUTHORIZE)),
        ("{token_endpoint}", server.url(paths::TOKEN)),
        ("{userinfo_endpoint}", server.url(paths::USERINFO)),
    ];
    let filled = |text: &str| {
        let text = if url.is_empty() { text.to_owned() } else { Preset::at(text, url) };
        values.iter().fold(text, |text, (name, value)| text.replace(name, value))
    };
    let mut text = String::new();
    if !preset.setup.is_empty() {
        let _ = write!(text, "\nWhat to enter in {}:\n{}", preset.title, filled(preset.setup.trim_start()));
    }
    for line in &preset.unconfirmed {
        let _ = writeln!(text, "unconfirmed: {line}");
    }
    text
}
