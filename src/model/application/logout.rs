//! `[application.logout]`: how an application, and those who check its tokens, learn that a session ended.

use serde::{Deserialize, Serialize};
use url::Url;

/// `[application.logout]`. One struct is what the configuration says and what is stored. Names are those of dynamic
/// registration (OpenID Connect Back-Channel Logout 1.0 section 2.2, Front-Channel Logout 1.0 section 2) where it has one.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LogoutSettings {
    /// Where a logout token is sent when a session that reached the application ends.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub backchannel_logout_uri: Option<String>,
    /// The application needs `sid` in logout tokens. It is there in any case.
    pub backchannel_logout_session_required: bool,
    /// What the page after signing out loads in a frame.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub frontchannel_logout_uri: Option<String>,
    /// The application needs `iss` and `sid` in that address. They are there in any case.
    pub frontchannel_logout_session_required: bool,
    /// Its access tokens name their place on a status list (Token Status List), for those who check them offline.
    pub status_list: bool,
}

impl LogoutSettings {
    /// What is wrong, each with its key. `redirect_uris` are the application's: a frame may only be loaded from where
    /// the person is sent anyway (Front-Channel Logout 1.0 section 2).
    #[must_use]
    pub fn problems(&self, redirect_uris: &[String]) -> Vec<String> {
        let mut problems = Vec::new();
        for (name, uri) in [
            ("backchannel_logout_uri", &self.backchannel_logout_uri),
            ("frontchannel_logout_uri", &self.frontchannel_logout_uri),
        ] {
            if let Some(Err(why)) = uri.as_deref().map(check) {
                problems.push(format!("logout.{name} {why}"));
            }
        }
        if let Some(uri) = &self.frontchannel_logout_uri {
            let origin = |uri: &str| Url::parse(uri).ok().map(|url| url.origin().ascii_serialization());
            let own = origin(uri);
            if !redirect_uris.iter().any(|redirect| origin(redirect) == own) {
                problems.push(format!(
                    "logout.frontchannel_logout_uri `{uri}`: scheme, host and port must be those of a redirect URI"
                ));
            }
        }
        problems
    }
}

/// https, or http to this machine; no fragment, no user name.
fn check(uri: &str) -> Result<(), String> {
    let url = Url::parse(uri).map_err(|error| format!("`{uri}` is no address: {error}"))?;
    let is_here = match url.host() {
        Some(url::Host::Domain(name)) => name == "localhost",
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    };
    if url.scheme() != "https" && !(url.scheme() == "http" && is_here) {
        return Err(format!("`{uri}` must begin with https://"));
    }
    if url.fragment().is_some() || !url.username().is_empty() || url.password().is_some() {
        return Err(format!("`{uri}` may have neither fragment nor user name"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::LogoutSettings;

    fn problems(back: Option<&str>, front: Option<&str>) -> Vec<String> {
        let settings = LogoutSettings {
            backchannel_logout_uri: back.map(str::to_owned),
            frontchannel_logout_uri: front.map(str::to_owned),
            ..LogoutSettings::default()
        };
        settings.problems(&["https://oa.example/cb".to_owned()])
    }

    #[test]
    fn addresses_are_https_and_frames_the_applications_own() {
        assert!(problems(Some("https://oa.example/logout?x=1"), Some("https://oa.example/bye")).is_empty());
        assert!(problems(Some("http://127.0.0.1:9/logout"), None).is_empty());
        for bad in ["http://oa.example/", "ftp://oa.example/", "x", "https://a@oa.example/", "https://oa.example/#x"] {
            assert_eq!(problems(Some(bad), None).len(), 1, "{bad}");
        }
        for bad in ["https://evil.example/", "https://oa.example:444/", "javascript:alert(1)"] {
            assert!(!problems(None, Some(bad)).is_empty(), "{bad}");
        }
    }
}
