//! `[outgoing]`: what the broker may call by itself: key sets and logout addresses of applications.

use std::path::PathBuf;

use ipnet::IpNet;
use serde::Deserialize;

/// `[outgoing]`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct OutgoingConfig {
    /// Networks that may be called although they are not public: those of the company's own applications.
    pub allowed_networks: Vec<IpNet>,
    /// PEM file of certification authorities that are trusted besides the system's.
    pub ca_file: Option<PathBuf>,
}
