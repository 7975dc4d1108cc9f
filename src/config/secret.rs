//! Secrets of the configuration: never in the file itself when it can be helped, never printed.

use std::fmt;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use zeroize::Zeroizing;

/// `[secrets]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SecretsConfig {
    /// File of the 32-byte master key, base64; made at first start with mode 0600 when missing.
    pub master_key_file: PathBuf,
}

impl Default for SecretsConfig {
    fn default() -> Self {
        Self { master_key_file: PathBuf::from("data/master.key") }
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
