//! Where a browser goes after signing in: one of our own paths from a list, never anywhere else.

/// A checked return path: begins with one slash, names a path of [`PATHS`] or below one of [`FOLDERS`].
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ReturnTo(String);

/// Paths that may be returned to, exactly.
const PATHS: &[&str] = &[
    "/",
    "/sessions",
    "/consents",
    "/deputies",
    "/device",
    "/requests",
    "/signed-out",
    "/oauth2/authorize",
    "/oauth2/logout",
];
/// Folders whose every path may be returned to.
const FOLDERS: &[&str] = &["/console/", "/gateway/"];
/// Bytes at the most: an authorization request with all its parameters is shorter.
const MAX: usize = 8_192;

impl ReturnTo {
    /// The portal.
    #[must_use]
    pub fn portal() -> Self {
        Self("/".to_owned())
    }

    /// Checks a path with its query, as it came from outside.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (path, query) = text.split_once('?').unwrap_or((text, ""));
        let is_plain = |c: char| c.is_ascii_graphic() && !matches!(c, '\\' | '#' | '"' | '<' | '>');
        let is_segment = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
        let known = PATHS.contains(&path)
            || FOLDERS.iter().any(|folder| {
                path.strip_prefix(folder).is_some_and(|rest| {
                    rest.split('/').all(|segment| !segment.is_empty() && segment.chars().all(is_segment))
                })
            });
        (text.len() <= MAX && known && query.chars().all(is_plain)).then(|| Self(text.to_owned()))
    }

    /// Checks a path that the language switch may return to: the sign-in page itself too.
    #[must_use]
    pub fn parse_page(text: &str) -> Option<Self> {
        let Some(query) = text.strip_prefix("/login?") else { return Self::parse(text) };
        let is_plain = query.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"=&%+-_.*~/?".contains(&byte));
        (text.len() <= MAX && is_plain).then(|| Self(text.to_owned()))
    }

    /// The path with its query.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The value of a query parameter, decoded; the first of its name.
    #[must_use]
    pub fn parameter(&self, name: &str) -> Option<String> {
        let (_, query) = self.0.split_once('?')?;
        url::form_urlencoded::parse(query.as_bytes()).find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::ReturnTo;

    /// WEB-014, GW-034
    #[test]
    fn evil_return_paths_are_refused() {
        for evil in [
            "https://evil.example",
            "http://evil.example/",
            "HTTPS://evil.example",
            "//evil.example",
            "///evil.example",
            "////evil.example",
            "/\\evil.example",
            "\\\\evil.example",
            "\\/evil.example",
            "/\\/evil.example",
            "https:evil.example",
            "https:/evil.example",
            "http://app.corp@evil.example",
            "http://evilcorp.com",
            "//app.corp@evil.example/",
            "javascript:alert(1)",
            "JaVaScRiPt:alert(1)",
            "data:text/html,x",
            "vbscript:x",
            "file:///etc/passwd",
            "",
            " ",
            " /",
            "/ ",
            "/\t/evil.example",
            "\t//evil.example",
            "/\n/evil.example",
            "/\r\nLocation: https://evil.example",
            "/%0d%0aLocation:%20https://evil.example",
            "/%2f%2fevil.example",
            "/%5cevil.example",
            "/.",
            "/..//evil.example",
            "/./evil.example",
            "/oauth2/authorize/../../evil",
            "/oauth2/authorize#@evil.example",
            "/oauth2/authorize?x=\\evil",
            "/oauth2/authorize?x=\r\nSet-Cookie:a=b",
            "/oauth2/authorize;evil",
            "/oauth2/token",
            "/login?return_to=/",
            "/logout",
            "/console/../oauth2/token",
            "/console//evil.example",
            "/console/%2e%2e/token",
            "/console/runs?x=<script>",
            "?x=1",
            "oauth2/authorize",
            "/\u{ff0f}evil.example",
            "/?\u{3002}",
            "@evil.example",
            "evil.example",
            "[::1]",
        ] {
            assert_eq!(ReturnTo::parse(evil), None, "{evil:?}");
        }
    }

    #[test]
    fn our_own_paths_are_returned_to_as_they_are() {
        let authorize = "/oauth2/authorize?client_id=oa&redirect_uri=https%3A%2F%2Foa.example%2Fcb&state=a.b~c";
        for good in ["/", "/sessions", "/console/runs", "/console/runs/0199-ab_c", "/gateway/return?to=x", authorize] {
            assert_eq!(ReturnTo::parse(good).unwrap().as_str(), good);
        }
        let uri = ReturnTo::parse(authorize).unwrap().parameter("redirect_uri");
        assert_eq!(uri.as_deref(), Some("https://oa.example/cb"));
    }
}
