//! `[database]`: a SQLite file (the default) or a PostgreSQL server.

use std::path::Path;

use serde::Deserialize;

use super::SecretRef;

/// `[database]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct DatabaseConfig {
    /// `sqlite://FILE` or `postgres://USER@HOST/DATABASE`.
    pub url: String,
    /// Password of the PostgreSQL user, so that the URL need not hold it.
    pub password: Option<SecretRef>,
    /// Connections at the most (readers, on SQLite).
    pub connections: u32,
}

impl Default for DatabaseConfig {
    fn default() -> Self {
        Self { url: "sqlite://data/yaopai.db".to_owned(), password: None, connections: 8 }
    }
}

impl DatabaseConfig {
    /// The URL with SQLite's file made absolute and the password filled in.
    ///
    /// # Errors
    /// A sentence on what is wrong with the password's place or the URL.
    pub fn full_url(&self, folder: &Path) -> Result<String, String> {
        if let Some(file) = self.url.strip_prefix("sqlite://") {
            return Ok(format!("sqlite://{}", folder.join(file).display()));
        }
        let Some(password) = &self.password else { return Ok(self.url.clone()) };
        let password = password.read(folder).map_err(|why| format!("database.password: {why}"))?;
        let mut url = url::Url::parse(&self.url).map_err(|error| format!("database.url: {error}"))?;
        url.set_password(Some(&password)).map_err(|()| "database.url takes no password".to_owned())?;
        Ok(url.into())
    }
}
