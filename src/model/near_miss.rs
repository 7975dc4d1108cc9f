//! Near misses: how a redirect URI that was sent differs from a registered one, in a word.
//!
//! The comparison itself stays exact ([`super::RedirectUri`]); this only explains a refusal.

use url::Url;

use crate::string_enum;

string_enum! {
    /// The one thing in which two addresses differ.
    NearMiss {
        /// One ends with a slash, the other does not.
        TrailingSlash = "trailing_slash",
        /// `http` and `https`.
        Scheme = "scheme",
        /// Capital and small letters.
        Case = "case",
        /// The port.
        Port = "port",
        /// What stands behind the question mark.
        Query = "query",
        /// What stands behind the number sign: it may not be there at all.
        Fragment = "fragment",
        /// The same characters, encoded and not encoded.
        Encoding = "encoding",
        /// The path.
        Path = "path",
        /// The host.
        Host = "host",
    }
}

/// How `sent` differs from `registered`; none where they have nothing in common, or nothing apart.
#[must_use]
pub fn near_miss(sent: &str, registered: &str) -> Option<NearMiss> {
    if sent == registered {
        return None;
    }
    if sent.strip_suffix('/') == Some(registered) || registered.strip_suffix('/') == Some(sent) {
        return Some(NearMiss::TrailingSlash);
    }
    if sent.split_once('#').is_some_and(|(before, _)| before == registered) {
        return Some(NearMiss::Fragment);
    }
    if sent.eq_ignore_ascii_case(registered) {
        return Some(NearMiss::Case);
    }
    let (a, b) = (Url::parse(sent).ok()?, Url::parse(registered).ok()?);
    let same = |part: fn(&Url) -> String| part(&a) == part(&b);
    let scheme = same(|url| url.scheme().to_owned());
    let host = same(|url| url.host_str().unwrap_or_default().to_owned());
    let port = a.port() == b.port();
    let path = a.path() == b.path();
    let query = a.query() == b.query();
    let decoded = |url: &Url| percent_encoding::percent_decode_str(url.path()).decode_utf8_lossy().into_owned();
    let userinfo = a.username().is_empty() && a.password().is_none();
    match (scheme, host, port, path, query) {
        _ if !userinfo => None,
        (false, true, _, true, true) if a.scheme().starts_with("http") && b.scheme().starts_with("http") => {
            Some(NearMiss::Scheme)
        }
        (true, true, false, true, true) => Some(NearMiss::Port),
        (true, true, true, true, false) => Some(NearMiss::Query),
        (true, true, true, true, true) => Some(NearMiss::Encoding),
        (true, true, true, false, true) if decoded(&a) == decoded(&b) => Some(NearMiss::Encoding),
        (true, true, true, false, true) => Some(NearMiss::Path),
        (true, false, true, true, true) => Some(NearMiss::Host),
        _ => None,
    }
}

/// The nearest of several registered addresses, with the difference; slight differences come first.
#[must_use]
pub fn nearest<'a>(sent: &str, registered: &'a [String]) -> Option<(NearMiss, &'a str)> {
    let misses = registered.iter().filter_map(|own| Some((near_miss(sent, own)?, own.as_str())));
    misses.min_by_key(|(miss, _)| *miss)
}

impl NearMiss {
    /// Whether it may be told to whoever sent the address. They know everything of it but this one thing, so nothing is
    /// learned that they could not have seen by opening the application; which other hosts or paths are registered is
    /// not told to anybody.
    #[must_use]
    pub fn is_harmless(self) -> bool {
        !matches!(self, Self::Host | Self::Path | Self::Query)
    }

    /// The difference in words for an administrator.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::TrailingSlash => "the trailing slash",
            Self::Scheme => "http and https",
            Self::Case => "capital and small letters",
            Self::Port => "the port",
            Self::Query => "the query (what stands behind ?)",
            Self::Fragment => "the fragment (what stands behind #), which a redirect URI may not have",
            Self::Encoding => "the percent-encoding",
            Self::Path => "the path",
            Self::Host => "the host",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{NearMiss, near_miss, nearest};

    /// OAUTH-001
    #[test]
    fn one_difference_is_named_and_two_are_not() {
        let registered = "https://rp.example/cb";
        for (sent, miss) in [
            ("https://rp.example/cb/", Some(NearMiss::TrailingSlash)),
            ("http://rp.example/cb", Some(NearMiss::Scheme)),
            ("https://rp.example/CB", Some(NearMiss::Case)),
            ("https://rp.example:8443/cb", Some(NearMiss::Port)),
            ("https://rp.example:443/cb", Some(NearMiss::Encoding)),
            ("https://rp.example/cb?a=b", Some(NearMiss::Query)),
            ("https://rp.example/cb#x", Some(NearMiss::Fragment)),
            ("https://rp.example/%63b", Some(NearMiss::Encoding)),
            ("https://rp.example/callback", Some(NearMiss::Path)),
            ("https://www.rp.example/cb", Some(NearMiss::Host)),
            ("https://rp.example@evil.example/cb", None),
            ("https://user@rp.example/cb", None),
            ("https://evil.example/x", None),
            ("javascript:alert(1)", None),
            ("", None),
            (registered, None),
        ] {
            assert_eq!(near_miss(sent, registered), miss, "{sent}");
        }
        let several = ["https://other.example/cb".to_owned(), registered.to_owned()];
        assert_eq!(nearest("https://rp.example/cb/", &several), Some((NearMiss::TrailingSlash, registered)));
    }
}
