//! Secrets of the configuration: never in the file itself when it can be helped, never printed.

use std::fmt;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use zeroize::Zeroizing;

use super::Lifetime;

/// `[secrets]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SecretsConfig {
    /// File of the 32-byte master key, base64; made at first start with mode 0600 when missing. `data/master.key`
    /// where nothing else is said.
    pub master_key_file: Option<PathBuf>,
    /// Environment variable that holds the key instead.
    pub master_key_env: Option<String>,
    /// Program and arguments that print the key instead: asked once, at start, such as a KMS that decrypts it.
    pub master_key_command: Vec<String>,
    /// How long that program may take.
    pub master_key_timeout: Lifetime,
    /// The key before, while the key changes: it opens what it sealed, until `yaopai key rewrap` has sealed that anew.
    pub old_master_key: Option<SecretRef>,
}

impl Default for SecretsConfig {
    fn default() -> Self {
        Self {
            master_key_file: None,
            master_key_env: None,
            master_key_command: Vec::new(),
            master_key_timeout: Lifetime::seconds(20),
            old_master_key: None,
        }
    }
}

/// Where the master key comes from.
#[derive(Clone, Debug)]
pub enum MasterKeySource {
    /// A file, which may have to be made.
    File(PathBuf),
    /// An environment variable: its name, and what it holds.
    Env(String, Zeroizing<String>),
    /// A program and its arguments, and how long it may take.
    Command(Vec<String>, Lifetime),
}

impl SecretsConfig {
    /// Where the master key comes from. `folder` is what a relative path is relative to.
    ///
    /// # Errors
    /// A sentence, when the environment variable is not set.
    pub fn master_key(&self, folder: &Path) -> Result<MasterKeySource, String> {
        if let Some(name) = &self.master_key_env {
            let value = SecretRef::Env(name.clone()).read(folder);
            return Ok(MasterKeySource::Env(
                name.clone(),
                value.map_err(|why| format!("secrets.master_key_env: {why}"))?,
            ));
        }
        if !self.master_key_command.is_empty() {
            return Ok(MasterKeySource::Command(self.master_key_command.clone(), self.master_key_timeout));
        }
        let file = self.master_key_file.clone().unwrap_or_else(|| PathBuf::from("data/master.key"));
        Ok(MasterKeySource::File(folder.join(file)))
    }

    pub(super) fn check(&self, problems: &mut Vec<String>) {
        let given =
            [self.master_key_file.is_some(), self.master_key_env.is_some(), !self.master_key_command.is_empty()];
        if given.iter().filter(|given| **given).count() > 1 {
            problems.push(
                "secrets: master_key_file, master_key_env and master_key_command: give one of them only".to_owned(),
            );
        }
    }
}

/// Where a secret comes from: exactly one of a file, an environment variable, or the value itself.
#[derive(Clone, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SecretRef {
    /// `{ file = "…" }`: the file's first line.
    File(PathBuf),
    /// `{ env = "…" }`: an environment variable.
    Env(String),
    /// `{ value = "…" }`: for tests and demonstrations.
    Value(String),
}

impl fmt::Debug for SecretRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => write!(f, "file {}", path.display()),
            Self::Env(name) => write!(f, "env {name}"),
            Self::Value(_) => f.write_str("value (hidden)"),
        }
    }
}

impl SecretRef {
    /// Reads the secret. `folder` is what relative paths are relative to.
    ///
    /// # Errors
    /// A sentence that names the file or variable, never the secret.
    #[expect(clippy::disallowed_methods, reason = "config/ is the only reader of the environment")]
    pub fn read(&self, folder: &Path) -> Result<Zeroizing<String>, String> {
        let text = match self {
            Self::Value(value) => Zeroizing::new(value.clone()),
            Self::Env(name) => std::env::var(name)
                .map(Zeroizing::new)
                .map_err(|_| format!("the environment variable `{name}` is not set"))?,
            Self::File(path) => {
                let path = folder.join(path);
                std::fs::read_to_string(&path)
                    .map(Zeroizing::new)
                    .map_err(|error| format!("the file `{}` cannot be read: {error}", path.display()))?
            }
        };
        let line = Zeroizing::new(text.lines().next().unwrap_or_default().to_owned());
        if line.is_empty() { Err(format!("the secret ({self:?}) is empty")) } else { Ok(line) }
    }
}
