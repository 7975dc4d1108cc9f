//! Configuration: one TOML file, one file here a section; the only reader of the environment.
//!
//! A misspelt key, a missing file or a value out of range is one [`ConfigError`] that names the file, the place in it
//! and the remedy. Relative paths are relative to the configuration file's folder. How to add a section: a struct here
//! with `#[serde(deny_unknown_fields)]`, a field in [`Config`], a `check` that pushes what is wrong.

mod application;
mod client_documents;
mod crash;
mod csv;
mod database;
mod directory;
mod fault;
mod guard;
mod join;
mod kerberos;
mod load;
mod mtls;
mod oidc;
mod organisation;
mod outgoing;
mod preset;
mod registration;
mod report;
mod retention;
mod route;
mod secret;
mod server;
mod session;
mod source;
mod template;
mod terminal;
mod trusted_issuer;
mod usual;

use std::path::PathBuf;

use serde::Deserialize;

pub use application::ApplicationConfig;
pub use client_documents::ClientDocumentsConfig;
pub use crash::crash_point;
#[cfg(debug_assertions)]
pub use crash::{CRASH_AT, CRASH_STEPS, PAUSE_AT};
pub use csv::{Complete, CsvConfig};
pub use database::DatabaseConfig;
pub use directory::{BindMethod, ChangesBy, DirectorySchema, LdapConfig, LdifConfig, Servers};
pub use fault::one_line;
pub use guard::{FirstRun, GuardConfig};
pub use join::{GraceConfig, JoinConfig, OnOwned, OutOfScope, PrecedenceConfig, Rehire};
pub use kerberos::KerberosConfig;
pub use load::ConfigError;
pub use mtls::MtlsConfig;
pub use oidc::{KeysConfig, OidcConfig};
pub use organisation::{AssignmentField, AssignmentMapping, HeadRule, KindRule};
pub use outgoing::OutgoingConfig;
pub use preset::Preset;
pub use registration::{RegistrationConfig, SoftwareIssuer, is_host_of};
pub use report::{MailConfig, MailTls, ReportConfig, ReportOn};
pub use retention::RetentionConfig;
pub use route::{GatewayConfig, RouteConfig};
pub use secret::{MasterKeySource, SecretRef, SecretsConfig};
pub use server::ServerConfig;
pub use session::{LoginConfig, SessionConfig};
pub use source::{DepartmentMapping, EnabledRule, GroupMapping, Interval, PositionMapping, SourceConfig, UserMapping};
pub use template::Template;
pub use terminal::terminal_language;
pub use trusted_issuer::{SubjectKind, TrustedIssuer};

pub use crate::model::Lifetime;

/// The whole configuration, checked.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// `[server]`: where the broker listens and what it is called from outside.
    pub server: ServerConfig,
    /// `[database]`.
    #[serde(default)]
    pub database: DatabaseConfig,
    /// `[secrets]`: the master key.
    #[serde(default)]
    pub secrets: SecretsConfig,
    /// `[session]`: lifetimes of a sign-in.
    #[serde(default)]
    pub session: SessionConfig,
    /// `[login]`: throttling and limits of the sign-in page.
    #[serde(default)]
    pub login: LoginConfig,
    /// `[oidc]`: the OpenID provider.
    #[serde(default)]
    pub oidc: OidcConfig,
    /// `[mtls]`: where applications are asked for a certificate.
    pub mtls: Option<MtlsConfig>,
    /// `[outgoing]`: what the broker may call by itself.
    #[serde(default)]
    pub outgoing: OutgoingConfig,
    /// `[registration]`: applications that register themselves.
    #[serde(default)]
    pub registration: RegistrationConfig,
    /// `[client_documents]`: applications that are known by the address of a document.
    #[serde(default)]
    pub client_documents: ClientDocumentsConfig,
    /// `[policies]`: the folder of Cedar policies and role rules.
    #[serde(default)]
    pub policies: PoliciesConfig,
    /// `[mail]`: the server that sends reports.
    pub mail: Option<MailConfig>,
    /// `[[report]]`: who is told what came of a sync.
    #[serde(default, rename = "report")]
    pub reports: Vec<ReportConfig>,
    /// `[retention]`: how long runs, plans and findings are kept.
    #[serde(default)]
    pub retention: RetentionConfig,
    /// `[gateway]`: the built-in reverse proxy.
    #[serde(default)]
    pub gateway: GatewayConfig,
    /// `[[source]]`: where people come from.
    #[serde(default, rename = "source")]
    pub sources: Vec<SourceConfig>,
    /// `[precedence]`: who is master of which field, where several sources know a person.
    #[serde(default)]
    pub precedence: PrecedenceConfig,
    /// `[[application]]`: applications declared here; read-only at run time.
    #[serde(default, rename = "application")]
    pub applications: Vec<ApplicationConfig>,
    /// `[[trusted_issuer]]`: whose signed assertions are taken as grants.
    #[serde(default, rename = "trusted_issuer")]
    pub trusted_issuers: Vec<TrustedIssuer>,
    /// `[[route]]`: integration APIs behind the gateway.
    #[serde(default, rename = "route")]
    pub routes: Vec<RouteConfig>,
    /// Folder of the configuration file: what relative paths are relative to.
    #[serde(skip)]
    pub folder: PathBuf,
}

/// `[policies]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PoliciesConfig {
    /// Folder with `schema.cedarschema`, `*.cedar`, `roles.toml`.
    pub folder: PathBuf,
}

impl Default for PoliciesConfig {
    fn default() -> Self {
        Self { folder: PathBuf::from("policies") }
    }
}

impl Config {
    /// `path` as given, or below the configuration file's folder when it is relative.
    #[must_use]
    pub fn resolve(&self, path: &std::path::Path) -> PathBuf {
        self.folder.join(path)
    }

    /// `aud` of access tokens, where neither the application nor the route says another.
    #[must_use]
    pub fn default_audience(&self) -> String {
        self.oidc.audience.clone().unwrap_or_else(|| self.server.url("/api"))
    }

    /// The source of that name.
    #[must_use]
    pub fn source(&self, name: &str) -> Option<&SourceConfig> {
        self.sources.iter().find(|source| source.name == name)
    }
}
