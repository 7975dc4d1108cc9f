//! `[server]`: where the broker listens and what it is called from outside.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;

use ipnet::IpNet;
use serde::Deserialize;
use url::Url;

use super::Lifetime;

/// `[server]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ServerConfig {
    /// Address and port to listen on.
    #[serde(default = "default_listen")]
    pub listen: SocketAddr,
    /// What people and applications call it: scheme, host, port, no path. It is the OIDC issuer.
    pub public_url: Url,
    /// Proxies whose forwarding headers are believed.
    #[serde(default)]
    pub trusted_proxies: Vec<IpNet>,
    /// PEM certificate chain: with it the broker serves HTTPS itself.
    pub tls_cert_file: Option<PathBuf>,
    /// PEM private key of the certificate.
    pub tls_key_file: Option<PathBuf>,
    /// How long a stop waits for requests under way.
    #[serde(default = "default_drain")]
    pub drain: Lifetime,
    /// Name of the company, shown on the sign-in page.
    #[serde(default = "default_organisation")]
    pub organisation: String,
    /// Folder whose templates, style sheet and images replace ours of the same name.
    pub templates: Option<PathBuf>,
    /// Zone in which pages show times.
    #[serde(default = "default_zone")]
    pub time_zone: chrono_tz::Tz,
}

fn default_listen() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], 8080))
}

fn default_drain() -> Lifetime {
    Lifetime::seconds(10)
}

fn default_zone() -> chrono_tz::Tz {
    chrono_tz::Asia::Shanghai
}

fn default_organisation() -> String {
    "Yaopai".to_owned()
}

impl ServerConfig {
    /// The issuer: the public URL without a trailing slash.
    #[must_use]
    pub fn issuer(&self) -> String {
        self.public_url.as_str().trim_end_matches('/').to_owned()
    }

    /// An absolute URL of one of our paths (`path` begins with a slash).
    #[must_use]
    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.issuer())
    }

    /// Whether cookies are to be marked `Secure`.
    #[must_use]
    pub fn is_https(&self) -> bool {
        self.public_url.scheme() == "https"
    }

    /// Whether forwarding headers of this peer are believed.
    #[must_use]
    pub fn trusts(&self, peer: IpAddr) -> bool {
        self.trusted_proxies.iter().any(|net| net.contains(&peer.to_canonical()))
    }

    pub(super) fn check(&self, problems: &mut Vec<String>) {
        let url = &self.public_url;
        if !matches!(url.scheme(), "http" | "https") || url.host().is_none() {
            problems.push(format!("server.public_url `{url}` must begin with https:// or http:// and name a host"));
        }
        if url.path() != "/" || url.query().is_some() || url.fragment().is_some() || !url.username().is_empty() {
            problems.push(format!("server.public_url `{url}` must be scheme, host and port only, without a path"));
        }
        let loopback = match url.host() {
            Some(url::Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
            Some(url::Host::Ipv4(address)) => address.is_loopback(),
            Some(url::Host::Ipv6(address)) => address.is_loopback(),
            None => false,
        };
        if url.scheme() == "http" && !loopback {
            problems.push(format!(
                "server.public_url `{url}` is plain http: people's passwords would be readable; use https (with a \
                 certificate here or at a proxy in front)"
            ));
        }
        if self.tls_cert_file.is_some() != self.tls_key_file.is_some() {
            problems.push("server.tls_cert_file and server.tls_key_file go together: set both or neither".to_owned());
        }
    }
}
