//! Reading the file, laying the environment over it, checking the whole.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::Config;

/// A configuration that cannot be used: names the place and the remedy.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("the configuration `{path}` cannot be read: {cause}; name another with --config FILE or YAOPAI_CONFIG", path = .path.display())]
    Read {
        /// Which file.
        path: PathBuf,
        /// What the system says.
        cause: std::io::Error,
    },
    /// The file is no valid TOML, or holds a key or value that does not belong there.
    #[error("{path}:{message}", path = .path.display())]
    Parse {
        /// Which file.
        path: PathBuf,
        /// Line, column and what is wrong.
        message: String,
    },
    /// Values that do not go together.
    #[error("{path}: {problems}", path = .path.display(), problems = .problems.join("; "))]
    Check {
        /// Which file.
        path: PathBuf,
        /// Each with its key.
        problems: Vec<String>,
    },
}

/// Environment variables that override a key: (variable, section, key).
const OVERRIDES: &[(&str, &str, &str)] = &[
    ("YAOPAI_LISTEN", "server", "listen"),
    ("YAOPAI_PUBLIC_URL", "server", "public_url"),
    ("YAOPAI_DATABASE_URL", "database", "url"),
    ("YAOPAI_MASTER_KEY_FILE", "secrets", "master_key_file"),
    ("YAOPAI_POLICIES", "policies", "folder"),
];

impl Config {
    /// Reads and checks the configuration file at `path`.
    ///
    /// # Errors
    /// [`ConfigError`], which names the place and the remedy.
    pub fn load(path: &Path) -> Result<Self, ConfigError> {
        let text = std::fs::read_to_string(path).map_err(|cause| ConfigError::Read { path: path.to_owned(), cause })?;
        Self::parse(path, &text, &environment())
    }

    /// Checks `text` as if it stood in the file `path`, with overrides `(section, key, value)` laid over it.
    ///
    /// # Errors
    /// [`ConfigError::Parse`] and [`ConfigError::Check`].
    pub fn parse(path: &Path, text: &str, overrides: &[(&str, &str, String)]) -> Result<Self, ConfigError> {
        let parse = |error: toml::de::Error| ConfigError::Parse {
            path: path.to_owned(),
            message: super::one_line(text, &error),
        };
        let mut config: Self = if overrides.is_empty() {
            toml::from_str(text).map_err(parse)?
        } else {
            let table: toml::Table = toml::from_str(text).map_err(parse)?;
            // A fault of the file is shown with its line; what is left is a fault of the environment.
            overlaid(&table, overrides).map_err(|error| match toml::from_str::<Self>(text) {
                Err(in_file) if !is_missing(&in_file) => parse(in_file),
                _ => blamed(path, &table, overrides, &error),
            })?
        };
        config.folder = path.parent().map(Path::to_path_buf).unwrap_or_default();
        config.sources.iter_mut().for_each(super::SourceConfig::settle);
        let mut problems = Vec::new();
        for application in &mut config.applications {
            application.fill(&mut problems);
        }
        problems.extend(config.problems());
        if problems.is_empty() { Ok(config) } else { Err(ConfigError::Check { path: path.to_owned(), problems }) }
    }

    fn problems(&self) -> Vec<String> {
        let mut problems = Vec::new();
        self.server.check(&mut problems);
        self.secrets.check(&mut problems);
        self.oidc.check(&mut problems);
        if let Some(mtls) = &self.mtls {
            mtls.check(!self.server.trusted_proxies.is_empty(), &mut problems);
        }
        unique("source", self.sources.iter().map(|source| source.name.as_str()), &mut problems);
        unique("application", self.applications.iter().map(|app| app.id.as_str()), &mut problems);
        unique("route", self.routes.iter().map(|route| route.name.as_str()), &mut problems);
        for source in &self.sources {
            source.check(&mut problems);
        }
        self.check_joins(&mut problems);
        for application in &self.applications {
            application.check(&self.oidc, &mut problems);
            if self.mtls.is_none() && application.wants_certificates() {
                let id = &application.id;
                problems.push(format!("application `{id}` is to show a certificate: say in [mtls] where"));
            }
        }
        unique("trusted_issuer", self.trusted_issuers.iter().map(|one| one.issuer.as_str()), &mut problems);
        for issuer in &self.trusted_issuers {
            issuer.check(&mut problems);
        }
        if let Some(mail) = &self.mail {
            mail.check(&mut problems);
        }
        unique("report", self.reports.iter().map(|report| report.name.as_str()), &mut problems);
        let sources: Vec<&str> = self.sources.iter().map(|source| source.name.as_str()).collect();
        for report in &self.reports {
            report.check(self.mail.is_some(), &sources, &mut problems);
        }
        self.retention.check(&mut problems);
        self.registration.check(&mut problems);
        self.client_documents.check(&mut problems);
        for route in &self.routes {
            route.check(&mut problems);
        }
        problems
    }
}

/// The file's table with the environment's values laid over it.
fn overlaid(table: &toml::Table, overrides: &[(&str, &str, String)]) -> Result<Config, toml::de::Error> {
    let mut table = table.clone();
    for (section, key, value) in overrides {
        let section = table.entry(*section).or_insert_with(|| toml::Table::new().into());
        if let Some(section) = section.as_table_mut() {
            section.insert((*key).to_owned(), value.clone().into());
        }
    }
    table.try_into()
}

/// A key that the file lacks may come from the environment.
fn is_missing(error: &toml::de::Error) -> bool {
    error.message().starts_with("missing field")
}

/// The fault of a configuration that is sound without the environment: names the variable where one alone breaks it.
fn blamed(
    path: &Path,
    table: &toml::Table,
    overrides: &[(&str, &str, String)],
    error: &toml::de::Error,
) -> ConfigError {
    let mut message = format!(" {}", super::one_line("", error));
    for (at, (section, key, value)) in overrides.iter().enumerate() {
        let without: Vec<_> = overrides.iter().enumerate().filter(|(i, _)| *i != at).map(|(_, o)| o.clone()).collect();
        let variable = OVERRIDES.iter().find(|(_, s, k)| s == section && k == key).map_or("", |(name, ..)| name);
        if overlaid(table, &without).is_ok() || !is_missing(error) && overrides.len() == 1 {
            message = format!(" the environment variable {variable} (`{value}`) is not usable: {}", error.message());
        }
    }
    ConfigError::Parse { path: path.to_owned(), message }
}

fn unique<'a>(what: &str, names: impl Iterator<Item = &'a str>, problems: &mut Vec<String>) {
    let mut seen = BTreeSet::new();
    for name in names {
        if name.is_empty() {
            problems.push(format!("a [[{what}]] has an empty name"));
        } else if !seen.insert(name) {
            problems.push(format!("two [[{what}]] are called `{name}`: rename one"));
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "config/ is the only reader of the environment")]
fn environment() -> Vec<(&'static str, &'static str, String)> {
    OVERRIDES
        .iter()
        .filter_map(|(variable, section, key)| Some((*section, *key, std::env::var(variable).ok()?)))
        .collect()
}
