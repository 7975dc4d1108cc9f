//! `[gateway]` and `[[route]]`: integration APIs behind the gateway.

use std::net::SocketAddr;

use serde::Deserialize;
use url::Url;

use crate::model::Acr;

/// `[gateway]`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct GatewayConfig {
    /// Address and port of the built-in reverse proxy; without it only forward-auth works.
    pub listen: Option<SocketAddr>,
}

/// One `[[route]]`. A request belongs to the route with the longest matching path.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RouteConfig {
    /// Name: the Cedar resource `Route::"…"`.
    pub name: String,
    /// Host it answers to; any host when missing.
    pub host: Option<String>,
    /// Path prefix, whole segments: `/expense` covers `/expense` and `/expense/…`, not `/expenses`.
    pub path: String,
    /// Methods; every other is refused.
    pub methods: Vec<String>,
    /// Where the built-in proxy sends the call.
    pub upstream: Option<Url>,
    /// Scopes of which an access token must hold one; no demand when empty.
    #[serde(default)]
    pub scopes: Vec<String>,
    /// Roles of which a person must hold one; no demand when empty.
    #[serde(default)]
    pub roles: Vec<String>,
    /// Code of the department whose system this is: a role that holds for it counts here, and policies see it as
    /// `context.department`.
    pub department: Option<String>,
    /// Whether a browser session may call, besides access tokens.
    #[serde(default)]
    pub sessions: bool,
    /// How strongly the person must have proved who they are; no demand when missing.
    pub acr: Option<Acr>,
    /// How long ago that may have been; no demand when missing.
    pub max_age: Option<super::Lifetime>,
    /// `aud` that an access token must carry; the configured default when missing.
    pub audience: Option<String>,
}

impl RouteConfig {
    pub(super) fn check(&self, problems: &mut Vec<String>) {
        let name = &self.name;
        if !self.path.starts_with('/') || self.path.contains(['?', '#', '%', '\\']) || self.path.contains("//") {
            problems.push(format!("route `{name}`: path `{}` must be a plain path such as /expense", self.path));
        }
        let is_plain = |segment: &str| !matches!(segment, "." | "..") && !segment.contains(';');
        if !self.path.split('/').all(is_plain) {
            problems
                .push(format!("route `{name}`: path `{}` holds what no call may hold: write it plainly", self.path));
        }
        // RFC 6749 section 3.3.
        let is_scope_char = |byte: u8| byte.is_ascii_graphic() && byte != b'"' && byte != b'\\';
        for scope in self.scopes.iter().filter(|scope| scope.is_empty() || !scope.bytes().all(is_scope_char)) {
            problems.push(format!("route `{name}`: scope `{scope}` is no scope"));
        }
        if self.methods.is_empty() {
            problems.push(format!("route `{name}`: methods is empty, so nothing could be called"));
        }
        for method in &self.methods {
            if method.is_empty() || !method.bytes().all(|byte| byte.is_ascii_uppercase()) {
                problems.push(format!("route `{name}`: method `{method}` is not written like GET or POST"));
            }
        }
    }
}
