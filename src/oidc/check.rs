//! Looking at an application, and at a request that it sends, and saying in plain words what is wrong.
//!
//! For administrators only (the command line): everything that is registered is named here, which no page does.

use serde::Serialize;
use url::Url;

use super::params::Params;
use super::request::{Request, Way};
use super::{Provider, scopes};
use crate::config::Config;
use crate::model::{
    Application, AuthMethod, ClaimRule, ConsentRule, GrantType, RedirectUri, TemplatePart, nearest, template_parts,
};
use crate::string_enum;

string_enum! {
    /// How bad something is.
    Level {
        /// It does not work so.
        Fault = "fault",
        /// It works, and hurts.
        Warning = "warning",
        /// Worth knowing.
        Note = "note",
    }
}

/// Something that was found.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Advice {
    /// How bad.
    pub level: Level,
    /// A stable code.
    pub code: &'static str,
    /// What it is and what to do, one sentence or two.
    pub text: String,
}

fn advice(level: Level, code: &'static str, text: impl Into<String>) -> Advice {
    Advice { level, code, text: text.into() }
}

/// What is to be said about an application as it is registered.
#[must_use]
pub fn check_application(config: &Config, app: &Application) -> Vec<Advice> {
    let settings = &app.settings;
    let mut found = Vec::new();
    if !app.enabled {
        found.push(advice(Level::Fault, "disabled", "the application is switched off: nobody can sign in to it"));
    }
    let has_codes = settings.grant_types.contains(&GrantType::AuthorizationCode);
    if has_codes && settings.redirect_uris.is_empty() {
        found.push(advice(Level::Fault, "no_redirect_uri", "people sign in to it, and no redirect URI is registered"));
    }
    for why in settings.identity.problems(&settings.redirect_uris) {
        found.push(advice(Level::Fault, "identity", why));
    }
    if has_codes && !settings.scopes.iter().any(|scope| scope == "openid") {
        let text = "it may not ask for the scope openid: it gets no ID token and learns of nobody";
        found.push(advice(Level::Warning, "no_openid", text));
    }
    if !settings.require_pkce && app.auth_method != AuthMethod::None {
        let text = "PKCE is not demanded of it: a code that somebody steals can be used; demand it if it does PKCE";
        found.push(advice(Level::Warning, "no_pkce", text));
    }
    let offline = settings.scopes.iter().any(|scope| scope == "offline_access");
    if offline && !settings.grant_types.contains(&GrantType::RefreshToken) {
        let text = "it may ask for offline_access, but has no refresh_token grant: the scope does nothing";
        found.push(advice(Level::Note, "offline_access", text));
    }
    if has_codes && settings.post_logout_redirect_uris.is_empty() {
        let text = "no address to return to after logout is registered: people who sign out stay on our page";
        found.push(advice(Level::Note, "no_post_logout", text));
    }
    if let (Some(launch), Some(first)) = (&settings.launch_url, settings.redirect_uris.first())
        && host(launch) != host(first)
    {
        let text = format!("launch URL `{launch}` and redirect URI `{first}` are on different hosts: is that meant?");
        found.push(advice(Level::Note, "launch_host", text));
    }
    if settings.identity.consent == ConsentRule::Never && !app.declared {
        let text = "people are not asked whether they agree (consent = \"never\"): right for the company's own \
                    applications, not for those of others";
        found.push(advice(Level::Note, "consent", text));
    }
    found.extend(unknown_attributes(config, app));
    found.sort_by_key(|advice| advice.level);
    found
}

/// Attributes that the mapping names and no source delivers.
fn unknown_attributes(config: &Config, app: &Application) -> Vec<Advice> {
    if config.sources.is_empty() {
        return Vec::new();
    }
    let known = |name: &str| config.sources.iter().any(|source| source.users.attributes.contains_key(name));
    let rules = app.settings.identity.claims.iter();
    let unknown = rules.flat_map(|(claim, rule)| attributes(rule).into_iter().map(move |name| (claim, name)));
    unknown
        .filter(|(_, name)| !known(name))
        .map(|(claim, name)| {
            let text = format!(
                "claim `{claim}` is made of the attribute `{name}`, which no source delivers: add it under \
                 [source.users.attributes]"
            );
            advice(Level::Warning, "unknown_attribute", text)
        })
        .collect()
}

fn attributes(rule: &ClaimRule) -> Vec<&str> {
    let parts = rule.template.as_deref().and_then(|text| template_parts(text).ok()).unwrap_or_default();
    let of_template = parts.into_iter().filter_map(|part| match part {
        TemplatePart::Attribute(name) => Some(name),
        TemplatePart::Text(_) | TemplatePart::Field(_) => None,
    });
    rule.attribute.as_deref().into_iter().chain(of_template).collect()
}

fn host(uri: &str) -> Option<String> {
    Url::parse(uri).ok()?.host_str().map(str::to_owned)
}

/// What is to be said about an authorization request, the whole URL as a browser shows it.
#[must_use]
pub fn check_request(provider: Provider<'_>, app: &Application, endpoint: &str, url: &str) -> Vec<Advice> {
    let mut found = Vec::new();
    let Some((address, query)) = url.trim().split_once('?') else {
        let text = format!("this is no authorization request: it looks like {endpoint}?response_type=code&client_id=…");
        return vec![advice(Level::Fault, "no_query", text)];
    };
    if address != endpoint {
        let text = format!("it goes to `{address}`: the authorization endpoint is `{endpoint}`");
        found.push(advice(Level::Fault, "wrong_endpoint", text));
    }
    let Ok(params) = Params::parse(query.split('#').next().unwrap_or_default()) else {
        found.push(advice(Level::Fault, "encoding", "its parameters are not form-encoded UTF-8: encode every value"));
        return found;
    };
    found.extend(misspelt(&params));
    match params.get("client_id") {
        None => found.push(advice(Level::Fault, "no_client_id", format!("client_id is missing: it is `{}`", app.id))),
        Some(id) if id != app.id => {
            let text = format!("client_id is `{id}`, and this application is `{}`", app.id);
            found.push(advice(Level::Fault, "other_client_id", text));
        }
        Some(_) => {}
    }
    if params.get("request_uri").is_some() {
        found.push(advice(
            Level::Note,
            "pushed",
            "it was pushed: only what stands in the address can be looked at here",
        ));
        return found;
    }
    match redirect_uri(app, &params) {
        Err(fault) => found.push(fault),
        Ok(redirect_uri) => {
            if let Err(fault) = Request::read(provider, app, &params, redirect_uri, Way::default()) {
                let text = format!("it is answered with {}: {}", fault.error, fault.description);
                found.push(advice(Level::Fault, fault.error, text));
            }
        }
    }
    found.extend(scope_notes(app, &params));
    for (name, why) in [
        ("state", "without state the application cannot tell whose answer it is"),
        ("nonce", "without nonce an ID token can be replayed to the application"),
    ] {
        if params.get(name).is_none() {
            found.push(advice(Level::Note, "recommended", format!("{name} is missing: {why}")));
        }
    }
    found
}

/// The redirect URI of a request, or how it differs from the registered ones.
fn redirect_uri<'a>(app: &Application, params: &'a Params) -> Result<&'a str, Advice> {
    let registered = &app.settings.redirect_uris;
    let list = || registered.iter().map(|uri| format!("`{uri}`")).collect::<Vec<_>>().join(", ");
    let fault = |text: String| Err(advice(Level::Fault, "redirect_uri", text));
    if params.is_repeated("redirect_uri") {
        return fault("redirect_uri is given twice".to_owned());
    }
    let Some(sent) = params.get("redirect_uri") else {
        return fault(format!("redirect_uri is missing: registered is {}", list()));
    };
    if registered.iter().any(|own| RedirectUri(own).matches(sent)) {
        return Ok(sent);
    }
    match nearest(sent, registered) {
        Some((miss, own)) => {
            fault(format!("redirect URI differs in {}: sent `{sent}`, registered `{own}`", miss.words()))
        }
        None if registered.is_empty() => fault(format!("redirect URI `{sent}` is not registered, and no other is")),
        None => fault(format!("redirect URI `{sent}` is not registered: registered is {}", list())),
    }
}

/// Scopes that are left out, and those that nobody knows.
fn scope_notes(app: &Application, params: &Params) -> Vec<Advice> {
    let asked = params.get("scope").unwrap_or_default();
    let granted = scopes::granted(app, asked);
    let left_out = asked.split(' ').filter(|scope| !scope.is_empty() && !granted.iter().any(|have| have == scope));
    let left_out: Vec<&str> = left_out.collect();
    if left_out.is_empty() {
        return Vec::new();
    }
    let (left_out, may) = (left_out.join(" "), app.settings.scopes.join(" "));
    vec![advice(Level::Warning, "scope", format!("not granted: {left_out}; this application may have: {may}"))]
}

/// Parameters that nobody knows and that look like one that everybody does.
fn misspelt(params: &Params) -> Vec<Advice> {
    const KNOWN: [&str; 16] = [
        "response_type",
        "client_id",
        "redirect_uri",
        "scope",
        "state",
        "nonce",
        "code_challenge",
        "code_challenge_method",
        "response_mode",
        "prompt",
        "max_age",
        "login_hint",
        "id_token_hint",
        "acr_values",
        "ui_locales",
        "claims",
    ];
    let plain = |name: &str| name.to_ascii_lowercase().replace(['_', '-'], "");
    let alike = |name: &str| {
        let name = plain(name);
        KNOWN.iter().copied().find(|known| {
            let known = plain(known);
            known == name || format!("{known}s") == name || known.replace("uri", "url") == name
        })
    };
    let unknown = params.names().filter(|name| !KNOWN.contains(name));
    unknown
        .filter_map(|name| {
            let text = format!("`{name}` is no parameter of the standard and is ignored: `{}` is", alike(name)?);
            Some(advice(Level::Fault, "misspelt", text))
        })
        .collect()
}
