//! The path of a call in its one form.
//!
//! Systems behind a gateway differ in what they make of `%2f`, `//`, `/../`, `;x` or `\`: what one of them could read
//! as another path is refused, so that the judged path is the served path whoever serves it (RFC 3986 sections 6.2.2
//! and 7.3).

use std::fmt::{self, Write as _};

/// Bytes of a path with its query at the most.
const MAX: usize = 8_192;

/// A path in normal form: absolute, without empty, `.` or `..` segments; unreserved characters are not encoded,
/// everything else is, in capitals. The query is carried along and never looked at by rules.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CallPath {
    path: String,
    query: Option<String>,
}

/// A path that could mean two things, or that is none.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum PathError {
    /// Longer than any path that is meant.
    #[error("the path with its query is longer than 8192 bytes")]
    TooLong,
    /// Does not begin with a slash, or holds what no path may hold.
    #[error("the path is not written as RFC 3986 says")]
    Malformed,
    /// `//`, `/./`, `/../`, encoded or not.
    #[error("the path holds an empty, `.` or `..` segment")]
    Segment,
    /// An encoded slash, backslash, percent sign, delimiter or control character; a `;` or a `\`.
    #[error("the path holds a character that systems read differently")]
    Ambiguous,
    /// `_method` in the query: the method would not be the one judged.
    #[error("the query overrides the method")]
    MethodOverride,
}

impl CallPath {
    /// Brings the target of a request (path and query, as sent) into normal form.
    ///
    /// # Errors
    /// [`PathError`]: the call is to be refused, whoever makes it.
    pub fn parse(target: &str) -> Result<Self, PathError> {
        if target.len() > MAX {
            return Err(PathError::TooLong);
        }
        let (path, query) = match target.split_once('?') {
            Some((path, query)) => (path, Some(query)),
            None => (target, None),
        };
        let rest = path.strip_prefix('/').ok_or(PathError::Malformed)?;
        let mut normal = String::with_capacity(path.len());
        let mut segments = rest.split('/').peekable();
        while let Some(segment) = segments.next() {
            let segment = normalise(segment)?;
            let is_last = segments.peek().is_none();
            if matches!(segment.as_str(), "." | "..") || (segment.is_empty() && !is_last) {
                return Err(PathError::Segment);
            }
            normal.push('/');
            normal.push_str(&segment);
        }
        Ok(Self { path: normal, query: query.map(check_query).transpose()?.map(str::to_owned) })
    }

    /// The path without the query: what rules see.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Whether the path is `prefix` or below it, by whole segments.
    #[must_use]
    pub fn is_below(&self, prefix: &str) -> bool {
        below(&self.path, prefix)
    }

    /// Like [`CallPath::is_below`], for a system that does not tell capitals from small letters.
    #[must_use]
    pub fn is_below_ignoring_case(&self, prefix: &str) -> bool {
        below(&self.path.to_lowercase(), &prefix.to_lowercase())
    }
}

/// Path and query as the system behind the gateway gets them.
impl fmt::Display for CallPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.path)?;
        match &self.query {
            Some(query) => write!(f, "?{query}"),
            None => Ok(()),
        }
    }
}

fn below(path: &str, prefix: &str) -> bool {
    let prefix = prefix.trim_end_matches('/');
    path.strip_prefix(prefix).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// One segment in normal form.
fn normalise(segment: &str) -> Result<String, PathError> {
    let mut normal = String::with_capacity(segment.len());
    let mut decoded = Vec::with_capacity(segment.len());
    let mut bytes = segment.bytes();
    while let Some(byte) = bytes.next() {
        let is_encoded = byte == b'%';
        let byte = if is_encoded { hex(bytes.next())? * 16 + hex(bytes.next())? } else { byte };
        decoded.push(byte);
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => normal.push(char::from(byte)),
            b'/' | b'\\' | b';' | b'%' | b'?' | b'#' | 0..=0x1f | 0x7f => return Err(PathError::Ambiguous),
            // Sub-delimiters, `:` and `@` mean the same in both spellings in no standard: each stays as it came.
            b'!' | b'$' | b'&' | b'\'' | b'(' | b')' | b'*' | b'+' | b',' | b'=' | b':' | b'@' if !is_encoded => {
                normal.push(char::from(byte));
            }
            _ if is_encoded => drop(write!(normal, "%{byte:02X}")),
            _ => return Err(PathError::Malformed),
        }
    }
    // Bytes that are no UTF-8 (overlong forms of `/` and `.` among them) are read differently everywhere.
    match std::str::from_utf8(&decoded) {
        Ok(text) if !text.chars().any(char::is_control) => Ok(normal),
        _ => Err(PathError::Ambiguous),
    }
}

fn hex(byte: Option<u8>) -> Result<u8, PathError> {
    match byte {
        Some(digit @ b'0'..=b'9') => Ok(digit - b'0'),
        Some(digit @ b'a'..=b'f') => Ok(digit - b'a' + 10),
        Some(digit @ b'A'..=b'F') => Ok(digit - b'A' + 10),
        _ => Err(PathError::Malformed),
    }
}

fn check_query(query: &str) -> Result<&str, PathError> {
    if !query.bytes().all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'#' | b'\\' | b'"' | b'<' | b'>')) {
        return Err(PathError::Malformed);
    }
    let overrides = url::form_urlencoded::parse(query.as_bytes()).any(|(name, _)| name.eq_ignore_ascii_case("_method"));
    if overrides { Err(PathError::MethodOverride) } else { Ok(query) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{CallPath, PathError};

    fn normal(target: &str) -> String {
        CallPath::parse(target).unwrap().to_string()
    }

    #[test]
    fn one_form_for_every_spelling() {
        assert_eq!(normal("/%61dmin"), "/admin");
        assert_eq!(normal("/a%2etxt"), "/a.txt");
        assert_eq!(normal("/%e5%bc%a0/%E4%B8%89"), "/%E5%BC%A0/%E4%B8%89");
        assert_eq!(normal("/a%20b/c+d:e@f"), "/a%20b/c+d:e@f");
        assert_eq!(normal("/admin/"), "/admin/");
        assert_eq!(normal("/"), "/");
        assert_eq!(normal("/x?y=/admin&z=%2f//../"), "/x?y=/admin&z=%2f//../");
    }

    /// GW-011
    #[test]
    fn what_could_mean_two_things_is_refused() {
        use PathError::{Ambiguous, Malformed, MethodOverride, Segment};
        for (target, error) in [
            ("/admin%2f..", Ambiguous),
            ("/admin%2F", Ambiguous),
            ("//admin", Segment),
            ("/./admin", Segment),
            ("/x/../admin", Segment),
            ("/%2e%2e/admin", Segment),
            ("/.%2e/admin", Segment),
            ("/%2e/admin", Segment),
            ("/x/..", Segment),
            ("/x/.", Segment),
            ("/x//", Segment),
            ("/admin;a=b", Ambiguous),
            ("/admin%3ba=b", Ambiguous),
            ("/admin%00", Ambiguous),
            ("/admin%0d%0aX:y", Ambiguous),
            ("/admin%252f", Ambiguous),
            ("/admin%5c", Ambiguous),
            ("/admin%3fx", Ambiguous),
            ("/admin%23x", Ambiguous),
            ("/admin%c0%af", Ambiguous),
            ("/%c0%ae%c0%ae/admin", Ambiguous),
            ("/admin%c2%85", Ambiguous),
            ("/\\admin", Ambiguous),
            ("\\admin", Malformed),
            ("/admin#", Ambiguous),
            ("/admin#/public", Ambiguous),
            ("http://h/admin", Malformed),
            ("*", Malformed),
            ("", Malformed),
            ("/admin%", Malformed),
            ("/admin%2", Malformed),
            ("/admin%zz", Malformed),
            ("/ad min", Malformed),
            ("/admin\"", Malformed),
            ("/adm\u{131}n", Malformed),
            ("/x?a b", Malformed),
            ("/x?a#b", Malformed),
            ("/x?_method=DELETE", MethodOverride),
            ("/x?a=1&%5Fmethod=DELETE", MethodOverride),
        ] {
            assert_eq!(CallPath::parse(target), Err(error), "{target}");
        }
        assert_eq!(CallPath::parse(&format!("/{}", "a".repeat(8_192))), Err(PathError::TooLong));
    }

    #[test]
    fn prefixes_are_whole_segments() {
        let path = CallPath::parse("/expense/reports/7?x=/admin").unwrap();
        assert!(path.is_below("/expense") && path.is_below("/") && path.is_below("/expense/reports/"));
        assert!(!path.is_below("/expen") && !path.is_below("/expense/reports/77") && !path.is_below("/admin"));
        assert!(!path.is_below("/Expense") && path.is_below_ignoring_case("/Expense"));
    }

    proptest! {
        /// GW-012
        #[test]
        fn the_normal_form_is_stable_and_plain(target in "/[a-zA-Z0-9%./;\\\\?#=~ -]{0,40}") {
            if let Ok(path) = CallPath::parse(&target) {
                let again = CallPath::parse(&path.to_string()).unwrap();
                prop_assert_eq!(&again, &path);
                prop_assert!(!path.path().contains("//") && !path.path().contains("/../") && !path.path().contains(';'));
                prop_assert!(path.path().starts_with('/'));
            }
        }
    }
}
