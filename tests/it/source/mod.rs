//! Sources: files and servers become sealed snapshots, or say why not.

mod ldif;
mod sample;

use std::path::Path;

use yaopai::config::{Config, SourceConfig};
use yaopai::source::{self, Snapshot, SourceError};

/// The `[[source]]` of a text, checked as at start.
pub fn source(text: &str) -> SourceConfig {
    let text = format!("[server]\npublic_url = \"https://id.example.com\"\n{text}");
    let config = Config::parse(Path::new("yaopai.toml"), &text, &[]).unwrap_or_else(|error| panic!("{error}"));
    config.sources.into_iter().next().unwrap()
}

/// Reads without looking at the progress.
pub async fn read(config: &SourceConfig, folder: &Path) -> Result<Snapshot, SourceError> {
    source::read(config, folder, &mut |_| {}).await
}
