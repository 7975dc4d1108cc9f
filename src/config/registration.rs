//! `[registration]`: whether applications may register themselves (RFC 7591), and as what.

use serde::Deserialize;
use url::Url;

use crate::model::GrantType;

/// `[registration]`. Off unless the configuration says otherwise.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RegistrationConfig {
    /// Whether holders of an initial access token may register applications.
    pub enabled: bool,
    /// Hosts that every address of an application must name: a name, or `*.` and a domain for every name below it.
    pub hosts: Vec<String>,
    /// Grants that may be registered.
    pub grant_types: Vec<GrantType>,
    /// Scopes that may be registered.
    pub scopes: Vec<String>,
    /// Whose software statements are believed.
    #[serde(rename = "software_issuer")]
    pub software_issuers: Vec<SoftwareIssuer>,
}

/// One `[[registration.software_issuer]]`.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SoftwareIssuer {
    /// `iss`, to the letter.
    pub issuer: String,
    /// Its public keys, as JWK set.
    pub jwks: Option<serde_json::Value>,
    /// Where its public keys are.
    pub jwks_uri: Option<Url>,
}

impl Default for RegistrationConfig {
    fn default() -> Self {
        Self {
            enabled: false,
            hosts: Vec::new(),
            grant_types: vec![GrantType::AuthorizationCode, GrantType::RefreshToken],
            scopes: ["openid", "profile", "email", "offline_access"].map(str::to_owned).to_vec(),
            software_issuers: Vec::new(),
        }
    }
}

impl RegistrationConfig {
    /// Whether `url` names a host that applications may have.
    #[must_use]
    pub fn takes(&self, url: &Url) -> bool {
        is_host_of(&self.hosts, url)
    }

    pub(super) fn check(&self, problems: &mut Vec<String>) {
        check_hosts("registration", self.enabled, &self.hosts, problems);
        for issuer in &self.software_issuers {
            if issuer.jwks.is_some() == issuer.jwks_uri.is_some() {
                let name = &issuer.issuer;
                problems.push(format!("registration.software_issuer `{name}`: set either jwks or jwks_uri"));
            }
        }
    }
}

/// Whether `url` is on one of `hosts`: names, or `*.` and a domain for every name below it.
#[must_use]
pub fn is_host_of(hosts: &[String], url: &Url) -> bool {
    let Some(host) = url.host_str().map(str::to_ascii_lowercase) else { return false };
    hosts.iter().any(|allowed| match allowed.strip_prefix("*.") {
        Some(domain) => host.strip_suffix(domain).is_some_and(|rest| rest.len() > 1 && rest.ends_with('.')),
        None => host == *allowed,
    })
}

/// What is wrong with the hosts of a section.
pub(super) fn check_hosts(section: &str, enabled: bool, hosts: &[String], problems: &mut Vec<String>) {
    if enabled && hosts.is_empty() {
        problems.push(format!("{section}.hosts is empty, so nothing could be registered: name the hosts"));
    }
    for host in hosts {
        let name = host.strip_prefix("*.").unwrap_or(host);
        let is_name = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-.".contains(c);
        if name.is_empty() || !name.chars().all(is_name) || (host != name && !name.contains('.')) {
            problems.push(format!("{section}.hosts: `{host}` is no host: write app.example or *.apps.example"));
        }
    }
}

#[cfg(test)]
mod tests {
    use url::Url;

    use super::RegistrationConfig;

    /// OAUTH-147
    #[test]
    fn only_named_hosts_are_taken() {
        let config = RegistrationConfig {
            hosts: vec!["app.example".to_owned(), "*.apps.example".to_owned()],
            ..RegistrationConfig::default()
        };
        let takes = |url: &str| config.takes(&Url::parse(url).unwrap());
        for good in ["https://app.example/cb", "https://APP.example:8443/", "https://a.b.apps.example/"] {
            assert!(takes(good), "{good}");
        }
        for bad in [
            "https://apps.example/",
            "https://evilapps.example/",
            "https://app.example.evil.example/",
            "https://evil.example/?app.example",
            "com.example.app:/cb",
            "https://.apps.example/",
        ] {
            assert!(Url::parse(bad).map_or(true, |url| !config.takes(&url)), "{bad}");
        }
    }
}
