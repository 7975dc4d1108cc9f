//! `[client_documents]`: whether the address of a document may be a client id (OAuth Client ID Metadata Document), and
//! whose.

use serde::Deserialize;

use super::RegistrationConfig;
use crate::model::GrantType;

/// `[client_documents]`. Off unless the configuration says otherwise.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ClientDocumentsConfig {
    /// Whether applications that nobody registered may come with the address of a document about them.
    pub enabled: bool,
    /// Hosts of such addresses: a name, or `*.` and a domain for every name below it.
    pub hosts: Vec<String>,
    /// Scopes that such an application may ask for.
    pub scopes: Vec<String>,
    /// Its redirect URIs may be on the person's own machine. Whatever runs there can then pretend to be it.
    pub loopback: bool,
    /// Applications that are kept at the most; those that nobody uses are forgotten after 30 days.
    pub at_most: u32,
}

impl Default for ClientDocumentsConfig {
    fn default() -> Self {
        Self {
            enabled: false,
            hosts: Vec::new(),
            scopes: ["openid", "profile", "email", "offline_access"].map(str::to_owned).to_vec(),
            loopback: false,
            at_most: 1_000,
        }
    }
}

impl ClientDocumentsConfig {
    /// What an application may be whose document is at `host`: everything of it is on that host, or on the person's own
    /// machine where that is switched on.
    #[must_use]
    pub fn bounds(&self, host: &str) -> RegistrationConfig {
        let here: &[&str] = if self.loopback { &["localhost", "127.0.0.1", "[::1]"] } else { &[] };
        RegistrationConfig {
            enabled: true,
            hosts: std::iter::once(host).chain(here.iter().copied()).map(str::to_owned).collect(),
            grant_types: vec![GrantType::AuthorizationCode, GrantType::RefreshToken],
            scopes: self.scopes.clone(),
            software_issuers: Vec::new(),
        }
    }

    pub(super) fn check(&self, problems: &mut Vec<String>) {
        super::registration::check_hosts("client_documents", self.enabled, &self.hosts, problems);
        if self.at_most == 0 {
            problems.push("client_documents.at_most must be 1 or more".to_owned());
        }
    }
}
