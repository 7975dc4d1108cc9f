//! Redirect URIs: what may be registered, and which requested one equals a registered one.
//!
//! RFC 9700 section 2.1: compared as strings, byte by byte. The one exception is RFC 8252 section 7.3: a registered
//! loopback address matches with any port. Nothing is decoded or normalised, so that no two spellings are equal.

use url::{Host, Url};

/// A registered redirect URI.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RedirectUri<'a>(pub &'a str);

/// The loopback addresses whose port may differ (RFC 8252 section 7.3); `localhost` is a name, not an address.
const LOOPBACK: [&str; 2] = ["http://127.0.0.1", "http://[::1]"];

impl RedirectUri<'_> {
    /// Whether the `requested` URI is this one.
    #[must_use]
    pub fn matches(self, requested: &str) -> bool {
        self.0 == requested
            || LOOPBACK.iter().any(|host| {
                let (Some(registered), Some(requested)) = (self.0.strip_prefix(host), requested.strip_prefix(host))
                else {
                    return false;
                };
                matches!((path(registered), path(requested)), (Some(a), Some(b)) if a == b)
            })
    }

    /// The origin that a browser would send from this URI; none for private-use schemes.
    #[must_use]
    pub fn origin(self) -> Option<String> {
        let url = Url::parse(self.0).ok()?;
        matches!(url.scheme(), "http" | "https").then(|| url.origin().ascii_serialization())
    }
}

/// What follows host and port, where the port is absent or one to five digits.
fn path(rest: &str) -> Option<&str> {
    let Some(rest) = rest.strip_prefix(':') else {
        return (rest.is_empty() || rest.starts_with(['/', '?'])).then_some(rest);
    };
    let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let (port, path) = rest.split_at_checked(digits)?;
    (port.parse::<u16>().is_ok() && (path.is_empty() || path.starts_with(['/', '?']))).then_some(path)
}

/// Whether `uri` may be registered; `is_public` allows the private-use schemes of native apps (RFC 8252 section 7.1).
///
/// # Errors
/// A sentence that says what is wrong and what to write instead.
pub fn check_redirect_uri(uri: &str, is_public: bool) -> Result<(), String> {
    let refuse = |why: &str| Err(format!("`{uri}` {why}"));
    if uri.contains('*') {
        return refuse("holds a wildcard: register each URI in full, they are compared exactly");
    }
    if uri.contains('#') {
        return refuse("holds a fragment (#…): register it without");
    }
    if !uri.bytes().all(|byte| byte.is_ascii_graphic()) || uri.contains(['\\', '"', '<', '>', '^', '`', '{', '|', '}'])
    {
        return refuse("holds characters that no URI has: percent-encode them");
    }
    let Ok(url) = Url::parse(uri) else {
        return refuse("is no absolute URI: write it like https://app.example/callback");
    };
    if !url.username().is_empty() || url.password().is_some() {
        return refuse("holds a user name: register it without");
    }
    let lower = uri.to_ascii_lowercase();
    if uri.split(['?']).next().is_some_and(|path| path.split('/').any(|part| part == ".." || part == "."))
        || lower.contains("%2e")
    {
        return refuse("holds `.` or `..` segments: register the path that is meant");
    }
    match url.scheme() {
        "https" | "http" => check_web(uri, &url),
        scheme if is_public && scheme.contains('.') => Ok(()),
        scheme if scheme.contains('.') => {
            refuse("has a private-use scheme, which only a native app (auth_method = \"none\") may register")
        }
        _ => refuse(
            "must begin with https://, or with a reverse-domain scheme such as com.example.app:/ for a native app",
        ),
    }
}

fn check_web(uri: &str, url: &Url) -> Result<(), String> {
    let refuse = |why: &str| Err(format!("`{uri}` {why}"));
    let loopback = match url.host() {
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => return refuse("names no host"),
    };
    if url.scheme() == "http" && !loopback {
        return refuse("is plain http: codes would be readable on the way; use https (http is for loopback only)");
    }
    Ok(())
}

/// Whether the portal may send people to an address.
///
/// # Errors
/// What is wrong and what to write instead.
pub fn check_launch_url(url: &str) -> Result<(), String> {
    match Url::parse(url) {
        Ok(parsed) if matches!(parsed.scheme(), "https" | "http") => Ok(()),
        _ => Err(format!("`{url}` is no web address: write it like https://app.example/")),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{RedirectUri, check_redirect_uri};

    /// OAUTH-001
    #[test]
    fn only_the_same_string_matches() {
        let registered = RedirectUri("https://rp.example/cb");
        assert!(registered.matches("https://rp.example/cb"));
        for other in [
            "https://rp.example/cb/",
            "https://rp.example/CB",
            "https://rp.example/cb?a=b",
            "https://rp.example:443/cb",
            "https://rp.example/%63b",
            "https://rp.example%2Fcb",
            "https://rp.example/x/../cb",
            "https://rp.example@evil/cb",
            "https://rp.example\\cb",
            "https://rp.example/cb#f",
            "https://a.rp.example/cb",
            "https://example/cb",
            "http://rp.example/cb",
            "",
        ] {
            assert!(!registered.matches(other), "{other}");
        }
    }

    proptest! {
        /// OAUTH-001
        #[test]
        fn a_changed_uri_never_matches(at in 0_usize..24, text in "\\PC{1,3}", cut in 0_usize..3) {
            let registered = "https://rp.example/cb?a=1";
            let head: String = registered.chars().take(at).collect();
            let tail: String = registered.chars().skip(at + cut).collect();
            let changed = format!("{head}{text}{tail}");
            prop_assert_eq!(RedirectUri(registered).matches(&changed), changed == registered);
        }

        /// OAUTH-003
        #[test]
        fn only_the_port_of_a_loopback_address_may_differ(text in "\\PC{0,12}") {
            let requested = format!("http://127.0.0.1{text}/cb");
            let port = text.strip_prefix(':').and_then(|port| port.parse::<u16>().ok());
            let is_port = port.is_some_and(|_| text.bytes().skip(1).all(|byte| byte.is_ascii_digit()));
            prop_assert_eq!(RedirectUri("http://127.0.0.1/cb").matches(&requested), text.is_empty() || is_port);
        }

        #[test]
        fn whatever_is_registered_matches_itself_and_is_a_url(text in "(https|http|com\\.a)://?\\PC{0,30}") {
            if check_redirect_uri(&text, true).is_ok() {
                prop_assert!(RedirectUri(&text).matches(&text));
                prop_assert!(url::Url::parse(&text).is_ok_and(|url| url.fragment().is_none()));
            }
        }
    }

    /// OAUTH-003
    #[test]
    fn a_loopback_address_matches_with_any_port() {
        for host in ["http://127.0.0.1", "http://[::1]"] {
            let registered = format!("{host}/cb");
            let registered = RedirectUri(&registered);
            assert!(registered.matches(&format!("{host}:49152/cb")));
            assert!(registered.matches(&format!("{host}/cb")));
            for rest in [":1/other", ":/cb", ":99999/cb", ":1@evil/cb", ".evil/cb", ":1:2/cb", ":1/cb?x=y", ":1evil/cb"]
            {
                assert!(!registered.matches(&format!("{host}{rest}")), "{rest}");
            }
        }
        assert!(!RedirectUri("http://localhost/cb").matches("http://localhost:1/cb"));
        assert!(!RedirectUri("https://127.0.0.1/cb").matches("https://127.0.0.1:1/cb"));
    }

    /// OAUTH-002, OAUTH-004, OAUTH-005, OAUTH-006
    #[test]
    fn what_may_be_registered() {
        for good in
            ["https://rp.example/cb", "https://rp.example/cb?tenant=1", "http://127.0.0.1/cb", "http://localhost:8080/"]
        {
            assert_eq!(check_redirect_uri(good, false), Ok(()), "{good}");
        }
        assert_eq!(check_redirect_uri("com.example.app:/cb", true), Ok(()));
        assert!(check_redirect_uri("com.example.app:/cb", false).is_err());
        for bad in [
            "https://*.rp.example/cb",
            "https://rp.example/.*",
            "https://rp.example/cb#f",
            "http://rp.example/cb",
            "https://user@rp.example/cb",
            "https://rp.example/x/../cb",
            "https://rp.example/%2e%2e/cb",
            "https://rp.example\\cb",
            "https://rp.example/ cb",
            "javascript:alert(1)",
            "data:text/html,x",
            "file:///etc/passwd",
            "myapp:/cb",
            "/cb",
            "",
        ] {
            assert!(check_redirect_uri(bad, true).is_err(), "{bad}");
        }
    }
}
