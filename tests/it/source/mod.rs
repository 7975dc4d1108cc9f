//! Sources: files and servers become sealed snapshots, or say why not.

mod active_directory;
mod changes;
mod csv;
mod ds389;
mod faults;
mod incremental;
#[cfg(feature = "kerberos")]
mod kerberos;
mod ldif;
mod openldap;
mod openldap_more;
mod sample;
mod scripted;

use std::path::{Path, PathBuf};

use yaopai::config::{Config, SourceConfig};
use yaopai::source::{self, Entry, Snapshot, SourceError};

/// The `[[source]]` of a text, checked as at start.
pub fn source_of(text: &str) -> SourceConfig {
    let text = format!("[server]\npublic_url = \"https://id.example.com\"\n{text}");
    let config = Config::parse(Path::new("yaopai.toml"), &text, &[]).unwrap_or_else(|error| panic!("{error}"));
    config.sources.into_iter().next().unwrap()
}

/// Reads without looking at the progress.
pub async fn read(config: &SourceConfig, folder: &Path) -> Result<Snapshot, SourceError> {
    source::read(config, folder, &mut |_| {}).await
}

/// The folder of the sample company.
pub fn demo() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy/demo")
}

/// The committed mapping of the sample company.
pub fn demo_mapping() -> String {
    std::fs::read_to_string(demo().join("source.toml")).unwrap()
}

/// The first value of an attribute.
pub fn one<'a>(entry: &'a Entry, name: &str) -> &'a str {
    entry.attributes.all(name).next().unwrap_or_default()
}

/// All values of an attribute.
pub fn all<'a>(entry: &'a Entry, name: &str) -> Vec<&'a str> {
    entry.attributes.all(name).collect()
}

/// Attributes as a map, to be changed.
pub type Map = std::collections::BTreeMap<String, Vec<String>>;

/// Names by their key: servers spell them differently.
pub fn name_by_key(attributes: &mut Map) {
    for name in ["member", "manager"] {
        for value in attributes.get_mut(name).into_iter().flatten() {
            *value = source::Dn::parse(value).unwrap().key();
        }
    }
}

/// Changes an entry's attributes.
pub fn edit(entry: &mut Entry, change: impl FnOnce(&mut Map)) {
    let mut map = entry.attributes.to_map();
    change(&mut map);
    entry.attributes = source::Values::of(&map).unwrap();
}
