//! Identity headers: what the system behind the gateway is told of the caller, and what a client may never send.
//!
//! Values are percent-encoded UTF-8 (RFC 3986: all but letters, digits, `-._~@`), lists are joined by commas, so that no
//! name can end a header or forge another entry.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::Caller;
use crate::policy::Principal;

/// Every identity header, in the order of [`Caller::identity`].
pub const IDENTITY_HEADERS: [&str; 7] = [
    "x-yaopai-user",
    "x-yaopai-login",
    "x-yaopai-name",
    "x-yaopai-employee-number",
    "x-yaopai-departments",
    "x-yaopai-roles",
    "x-yaopai-client",
];

/// What is encoded.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b'@');

/// Beginnings of names that only a gateway may send.
const PREFIXES: &[&str] =
    &["x-yaopai-", "x-auth-", "x-remote-", "remote-", "x-forwarded-", "x-original-", "x-ssl-", "ssl-"];
/// Names that only a gateway may send.
const NAMES: &[&str] = &[
    "client-cert",
    "client-cert-chain",
    "x-client-cert",
    "forwarded",
    "x-real-ip",
    "x-client-ip",
    "true-client-ip",
    "x-cluster-client-ip",
    "x-host",
    "x-user",
    "x-username",
    "x-email",
    "x-groups",
    "x-roles",
    "x-rewrite-url",
    "x-url-scheme",
    "x-http-method",
    "x-http-method-override",
    "x-method-override",
    "proxy",
    "via",
];

/// Whether a header of a client must not reach the system behind: it says who somebody is, where a request came from,
/// or that another path or method is meant; or systems could read its name as one that does (`X_Yaopai_User`: CGI,
/// WSGI and others make `-` of every character that is neither letter nor digit).
#[must_use]
pub fn is_untrusted(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        || PREFIXES.iter().any(|prefix| name.starts_with(prefix))
        || NAMES.contains(&name.as_str())
}

/// Whether a cookie is one of ours, which no system behind may see or set.
#[must_use]
pub fn is_ours(cookie: &str) -> bool {
    let name = cookie.trim().trim_start_matches("__Host-").trim_start_matches("__Secure-");
    name.to_ascii_lowercase().starts_with("yaopai")
}

impl Caller {
    /// The identity headers: every name of [`IDENTITY_HEADERS`], with an empty value where there is nothing to say.
    #[must_use]
    pub fn identity(&self) -> [(&'static str, String); 7] {
        let (departments, roles) = match &self.principal {
            Principal::User { departments, roles, .. } => (list(departments), list(roles)),
            Principal::Application { .. } | Principal::Operator { .. } => Default::default(),
        };
        let of_user = |value: fn(&crate::model::User) -> Option<&str>| {
            self.user().and_then(value).map(encode).unwrap_or_default()
        };
        let values = [
            self.user().map(|user| user.id.to_string()).unwrap_or_default(),
            of_user(|user| Some(&user.login)),
            of_user(|user| Some(&user.display_name)),
            of_user(|user| user.employee_number.as_deref()),
            departments,
            roles,
            self.token.as_ref().map(|token| encode(&token.client_id)).unwrap_or_default(),
        ];
        let mut names = IDENTITY_HEADERS.into_iter();
        values.map(|value| (names.next().unwrap_or_default(), value))
    }
}

fn encode(text: &str) -> String {
    utf8_percent_encode(text, ENCODED).to_string()
}

fn list<'a>(values: impl IntoIterator<Item = &'a String>) -> String {
    values.into_iter().map(|value| encode(value)).collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    use super::{encode, is_ours, is_untrusted, list};

    /// GW-001, GW-002
    #[test]
    fn every_spelling_of_an_identity_header_is_known() {
        for name in [
            "X-Yaopai-User",
            "x-yaopai-user",
            "X_Yaopai_User",
            "X-Yaopai_User",
            "X.Yaopai.User",
            "X-Yaopai-Anything",
            "X-Auth-User",
            "x_auth_user",
            "X-Forwarded-User",
            "X-Forwarded-Uri",
            "Remote-User",
            "REMOTE_USER",
            "X-Remote-User",
            "Forwarded",
            "X-Original-URL",
            "X-Rewrite-URL",
            "X-HTTP-Method-Override",
            "X-Real-IP",
            "content_length",
            "Proxy",
        ] {
            assert!(is_untrusted(name), "{name}");
        }
        for name in ["Accept", "Content-Type", "X-Request-Id", "If-None-Match", "X-Api-Version", "Range"] {
            assert!(!is_untrusted(name), "{name}");
        }
    }

    /// GW-010
    #[test]
    fn values_cannot_leave_their_header() {
        assert_eq!(encode("王 芳"), "%E7%8E%8B%20%E8%8A%B3");
        assert_eq!(encode("a\r\nX-Admin: 1"), "a%0D%0AX-Admin%3A%201");
        assert_eq!(list(["a,b".to_owned(), "c".to_owned()].iter()), "a%2Cb,c");
        assert_eq!(encode("wang.fang@corp_1~-"), "wang.fang@corp_1~-");
    }

    /// GW-028
    #[test]
    fn our_cookies_are_known() {
        for cookie in ["yaopai", "__Host-yaopai", "yaopai_lang", " __Host-yaopai_browser", "Yaopai"] {
            assert!(is_ours(cookie), "{cookie}");
        }
        assert!(!is_ours("session") && !is_ours("my_yaopai"));
    }
}
