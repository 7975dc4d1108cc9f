//! Which headers pass the proxy, in both directions.

use axum::http::header::{self, HeaderMap, HeaderName, HeaderValue};

use crate::gateway::{is_ours, is_untrusted};
use crate::http::extract::DPOP;

/// Headers that belong to one connection (RFC 9110 section 7.6.1), and those that only the proxy itself answers.
const HOP_BY_HOP: &[HeaderName] = &[
    header::CONNECTION,
    header::PROXY_AUTHENTICATE,
    header::PROXY_AUTHORIZATION,
    header::TE,
    header::TRAILER,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
    header::EXPECT,
    header::HOST,
];

/// What a client's headers leave for the system behind: nothing about the connection, nothing about identity, neither
/// the token nor our cookies.
pub(super) fn of_request(client: &HeaderMap) -> HeaderMap {
    let named = named_by_connection(client);
    let mut passed = HeaderMap::with_capacity(client.len());
    for (name, value) in client {
        let is_dropped = HOP_BY_HOP.contains(name)
            || name.as_str() == "keep-alive"
            || name.as_str() == "proxy-connection"
            || named.contains(name)
            || *name == header::AUTHORIZATION
            || *name == DPOP
            || is_untrusted(name.as_str());
        if *name == header::COOKIE {
            if let Some(cookies) = foreign_cookies(value) {
                passed.append(name, cookies);
            }
        } else if !is_dropped {
            passed.append(name, value.clone());
        }
    }
    passed
}

/// What the headers of the system behind leave for the client.
pub(super) fn of_response(upstream: &HeaderMap) -> HeaderMap {
    let named = named_by_connection(upstream);
    let mut passed = HeaderMap::with_capacity(upstream.len());
    for (name, value) in upstream {
        let is_our_cookie = *name == header::SET_COOKIE && is_ours(&String::from_utf8_lossy(value.as_bytes()));
        let is_dropped = HOP_BY_HOP.contains(name) || name.as_str() == "keep-alive" || named.contains(name);
        if !is_dropped && !is_our_cookie {
            passed.append(name, value.clone());
        }
    }
    passed.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("private"));
    passed
}

fn named_by_connection(headers: &HeaderMap) -> Vec<HeaderName> {
    let lines = headers.get_all(header::CONNECTION).iter().filter_map(|value| value.to_str().ok());
    let names = lines.flat_map(|line| line.split(',')).filter_map(|name| name.trim().parse::<HeaderName>().ok());
    // What frames the message is not for a client to take away.
    names.filter(|name| *name != header::CONTENT_LENGTH && *name != header::CONTENT_TYPE).collect()
}

/// The cookies that are not ours; none when nothing is left.
fn foreign_cookies(line: &HeaderValue) -> Option<HeaderValue> {
    let line = String::from_utf8_lossy(line.as_bytes());
    let kept: Vec<&str> = line.split(';').map(str::trim).filter(|pair| !pair.is_empty() && !is_ours(pair)).collect();
    if kept.is_empty() { None } else { HeaderValue::from_str(&kept.join("; ")).ok() }
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderMap, HeaderName, HeaderValue};

    use super::{of_request, of_response};

    fn map(lines: &[(&str, &str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            headers.append(name.parse::<HeaderName>().unwrap(), HeaderValue::from_str(value).unwrap());
        }
        headers
    }

    fn names(headers: &HeaderMap) -> Vec<String> {
        headers.keys().map(ToString::to_string).collect()
    }

    /// GW-001, GW-002, GW-028
    #[test]
    fn a_client_passes_neither_identity_nor_credentials() {
        let passed = of_request(&map(&[
            ("x-yaopai-user", "admin"),
            ("x_yaopai_user", "admin"),
            ("x-auth-user", "admin"),
            ("x-forwarded-for", "10.0.0.1"),
            ("authorization", "Bearer x"),
            ("cookie", "a=1; yaopai=secret; __Host-yaopai=secret"),
            ("cookie", "yaopai_lang=en"),
            ("accept", "*/*"),
        ]));
        assert_eq!(names(&passed), ["cookie", "accept"]);
        assert_eq!(passed["cookie"], "a=1");
    }

    /// GW-003
    #[test]
    fn what_connection_names_is_gone_but_not_the_framing() {
        let passed = of_request(&map(&[
            ("connection", "close, X-Trace, Content-Length"),
            ("x-trace", "1"),
            ("content-length", "3"),
            ("te", "trailers"),
            ("upgrade", "h2c"),
            ("expect", "100-continue"),
        ]));
        assert_eq!(names(&passed), ["content-length"]);
    }

    /// GW-026, GW-031
    #[test]
    fn a_system_behind_cannot_set_our_session() {
        let passed = of_response(&map(&[
            ("set-cookie", "yaopai=stolen; Path=/"),
            ("set-cookie", "__Host-yaopai=stolen; Path=/; Secure"),
            ("set-cookie", "own=1"),
            ("connection", "close"),
            ("content-type", "text/plain"),
        ]));
        assert_eq!(names(&passed), ["set-cookie", "content-type", "cache-control"]);
        assert_eq!(passed.get_all("set-cookie").iter().count(), 1);
        assert_eq!(passed["cache-control"], "private");
        assert_eq!(of_response(&map(&[("cache-control", "no-store")]))["cache-control"], "no-store");
    }
}
