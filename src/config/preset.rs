//! Presets: what is known of widespread systems that sign people in with OpenID Connect, so that nobody has to look it
//! up again.
//!
//! A preset is a file under `presets/`: a redirect URI with `{url}` in it, scopes, claims, and what to enter in the
//! system itself. It names its sources, and says what nobody has confirmed. How to add one: a file, a line in
//! [`PRESETS`]. Only facts from the maker's documentation, only systems that speak OpenID Connect or OAuth 2.0.

use serde::{Deserialize, Serialize};
use url::Url;

use super::ApplicationConfig;
use crate::model::{AuthMethod, IdentitySettings};

macro_rules! presets {
    ($($name:literal),* $(,)?) => {
        /// Every preset: (name, text).
        const PRESETS: &[(&str, &str)] = &[$(($name, include_str!(concat!("presets/", $name, ".toml")))),*];
    };
}

presets! {
    "argocd",
    "gitlab",
    "grafana",
    "hesi",
    "jenkins",
    "kingdee-cosmic",
    "landray-ekp",
    "sap-ias",
    "seeyon",
    "weaver-ecology9",
    "yonyou-bip",
}

/// What is known of a system.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Preset {
    /// What the system is called.
    pub title: String,
    /// Whether its maker documents that it signs people in this way.
    pub confirmed: bool,
    /// Where that is written.
    pub sources: Vec<String>,
    /// What nobody has confirmed, and what to ask the maker.
    #[serde(default)]
    pub unconfirmed: Vec<String>,
    /// Redirect URIs, with `{url}` for the system's address; they have to be given where none is known.
    #[serde(default)]
    pub redirect_uris: Vec<String>,
    /// Where to return to after logout, with `{url}`.
    #[serde(default)]
    pub post_logout_redirect_uris: Vec<String>,
    /// Where the portal sends people, with `{url}`.
    pub launch_url: Option<String>,
    /// How it proves itself.
    pub auth_method: Option<AuthMethod>,
    /// Whether it does PKCE.
    #[serde(default = "yes")]
    pub require_pkce: bool,
    /// Scopes it asks for.
    pub scopes: Vec<String>,
    /// What it is told.
    #[serde(default)]
    pub identity: IdentitySettings,
    /// What to enter in the system, with `{issuer}`, `{client_id}`, `{url}`, and endpoints such as `{token_endpoint}`.
    #[serde(default)]
    pub setup: String,
}

fn yes() -> bool {
    true
}

impl Preset {
    /// Names, sorted.
    pub fn names() -> impl Iterator<Item = &'static str> {
        PRESETS.iter().map(|(name, _)| *name)
    }

    /// The preset of this name.
    ///
    /// # Errors
    /// Which there are.
    pub fn find(name: &str) -> Result<Self, String> {
        let (_, text) = PRESETS.iter().find(|(known, _)| *known == name).ok_or_else(|| {
            format!("there is no preset `{name}`: there are {}", Self::names().collect::<Vec<_>>().join(", "))
        })?;
        toml::from_str(text).map_err(|error| format!("preset `{name}`: {}", error.message()))
    }

    /// A pattern with the system's address in it.
    #[must_use]
    pub fn at(pattern: &str, url: &str) -> String {
        pattern.replace("{url}", url.trim_end_matches('/'))
    }

    /// Whether the system's address is needed.
    #[must_use]
    pub fn needs_url(&self) -> bool {
        let patterns = self.redirect_uris.iter().chain(&self.post_logout_redirect_uris).chain(&self.launch_url);
        patterns.into_iter().any(|pattern| pattern.contains("{url}"))
    }
}

impl ApplicationConfig {
    /// Completes what the file says with what the preset knows; what the file says goes before.
    pub(super) fn fill(&mut self, problems: &mut Vec<String>) {
        let Some(name) = &self.preset else {
            if self.url.is_some() {
                problems
                    .push(format!("application `{}`: url goes with a preset, such as preset = \"grafana\"", self.id));
            }
            return;
        };
        match Preset::find(name).and_then(|preset| self.complete(preset)) {
            Ok(()) => {}
            Err(why) => problems.push(format!("application `{}`: {why}", self.id)),
        }
    }

    fn complete(&mut self, preset: Preset) -> Result<(), String> {
        let url = self.url.as_ref().map(Url::as_str).unwrap_or_default().to_owned();
        let is_missing = self.redirect_uris.is_empty();
        if url.is_empty() && is_missing && preset.needs_url() {
            return Err(format!("the preset needs the address of {}: give it as url, such as https://…", preset.title));
        }
        if is_missing && preset.redirect_uris.is_empty() {
            let title = &preset.title;
            return Err(format!(
                "nobody knows the redirect URI of {title}: ask its maker, and give it as redirect URI"
            ));
        }
        let at = |patterns: &[String]| patterns.iter().map(|pattern| Preset::at(pattern, &url)).collect::<Vec<_>>();
        if is_missing {
            self.redirect_uris = at(&preset.redirect_uris);
        }
        if self.post_logout_redirect_uris.is_empty() && !url.is_empty() {
            self.post_logout_redirect_uris = at(&preset.post_logout_redirect_uris);
        }
        if self.launch_url.is_none() && !url.is_empty() {
            self.launch_url = preset.launch_url.as_deref().map(|pattern| Preset::at(pattern, &url));
        }
        self.name.get_or_insert(preset.title);
        self.auth_method = self.auth_method.or(preset.auth_method);
        self.require_pkce = self.require_pkce.or(Some(preset.require_pkce));
        self.scopes.get_or_insert(preset.scopes);
        for (claim, rule) in preset.identity.claims {
            self.identity.claims.entry(claim).or_insert(rule);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::Preset;
    use crate::config::Config;

    #[test]
    fn every_preset_reads_names_its_sources_and_makes_a_sound_application() {
        assert!(Preset::names().is_sorted());
        for name in Preset::names() {
            let preset = Preset::find(name).unwrap();
            assert!(!preset.sources.is_empty() && !preset.title.is_empty(), "{name}");
            assert!(preset.confirmed || !preset.unconfirmed.is_empty(), "{name}: what is not confirmed?");
            let redirect =
                if preset.redirect_uris.is_empty() { "redirect_uris = [\"https://x.example/cb\"]" } else { "" };
            let text = format!(
                "[server]\npublic_url = \"https://id.example\"\n[[application]]\nid = \"x\"\npreset = \"{name}\"\n\
                 url = \"https://x.example/\"\n{redirect}\nsecret = {{ value = \"0123456789abcdef\" }}\n"
            );
            let config =
                Config::parse(Path::new("y.toml"), &text, &[]).unwrap_or_else(|error| panic!("{name}: {error}"));
            let app = &config.applications[0];
            assert!(app.redirect_uris.iter().all(|uri| uri.starts_with("https://x.example/")), "{name}");
            assert!(app.scopes.as_ref().unwrap().contains(&"openid".to_owned()), "{name}");
            for brace in ["{url}", "{issuer}", "{client_id}"] {
                assert!(!app.redirect_uris.concat().contains(brace), "{name}");
            }
        }
    }

    #[test]
    fn what_the_file_says_goes_before_the_preset() {
        let read = |lines: &str| {
            let text = format!(
                "[server]\npublic_url = \"https://id.example\"\n[[application]]\nid = \"g\"\n\
                 secret = {{ value = \"0123456789abcdef\" }}\n{lines}"
            );
            Config::parse(Path::new("y.toml"), &text, &[]).map_err(|error| error.to_string())
        };
        let own = "preset = \"grafana\"\nurl = \"https://g.example/sub/\"\nname = \"Boards\"\nrequire_pkce = false\n\
                   [application.identity.claims]\ngroups = \"groups\"\n";
        let app = read(own).unwrap().applications.remove(0);
        assert_eq!(app.redirect_uris, ["https://g.example/sub/login/generic_oauth"]);
        assert_eq!((app.name.as_deref(), app.require_pkce), (Some("Boards"), Some(false)));
        assert_eq!(app.identity.claims["groups"].from, Some(crate::model::PersonField::Groups));
        for (lines, part) in [
            ("preset = \"grafna\"", "there is no preset `grafna`"),
            ("preset = \"grafana\"", "needs the address of Grafana"),
            ("preset = \"seeyon\"\nurl = \"https://s.example\"", "nobody knows the redirect URI"),
            ("url = \"https://s.example\"\nredirect_uris = [\"https://s.example/cb\"]", "goes with a preset"),
        ] {
            let error = read(lines).unwrap_err();
            assert!(error.contains(part), "{lines}: {error}");
        }
    }
}
