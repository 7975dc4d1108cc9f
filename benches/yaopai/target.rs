//! An OpenID provider that is measured: ours or another one.

use super::process::Server;

/// Where a provider answers what.
#[derive(Clone, Copy, Debug)]
pub struct Paths {
    /// JWK Set.
    pub jwks: &'static str,
    /// Token endpoint.
    pub token: &'static str,
    /// Introspection endpoint.
    pub introspect: &'static str,
    /// `UserInfo` endpoint.
    pub userinfo: &'static str,
    /// Authorization endpoint.
    pub authorize: &'static str,
    /// The service whose access token is introspected.
    pub introspected: &'static str,
}

/// A running provider, with somebody signed in.
#[derive(Clone, Debug)]
pub struct Target<'a> {
    /// The process.
    pub server: &'a Server,
    /// `host:port`.
    pub address: &'a str,
    /// Where it answers.
    pub paths: &'static Paths,
    /// The session, as the value of the `Cookie` header.
    pub cookie: String,
}
