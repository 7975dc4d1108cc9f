//! npm `oidc-provider` as a yardstick: on the same machine, in the same run, with the same clients and algorithms.
//!
//! Its storage is its own in-memory one: it writes nothing to a disk and keeps no audit log.

use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::ensure;
use serde_json::json;
use tempfile::TempDir;

use super::client::Connection;
use super::person::{SCOPE, authorize_query, cookies, location};
use super::process::Server;
use super::stage::{REDIRECT, SECRET, free_port};
use super::target::{Paths, Target};

const PATHS: Paths = Paths {
    jwks: "/jwks",
    token: "/token",
    introspect: "/token/introspection",
    userinfo: "/me",
    authorize: "/auth",
    // JWT access tokens it does not introspect.
    introspected: "ledger-opaque",
};

/// A running `oidc-provider`.
#[derive(Debug)]
pub struct Rival {
    _folder: TempDir,
    server: Server,
    address: String,
}

impl Rival {
    /// Starts it.
    pub fn start() -> anyhow::Result<Self> {
        let here = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/yaopai/rival");
        ensure!(here.join("node_modules/oidc-provider").exists(), "oidc-provider is not installed: run `make setup`");
        let folder = tempfile::Builder::new().prefix("yaopai-bench-").tempdir()?;
        let port = free_port()?;
        let settings = json!({ "port": port, "secret": SECRET, "redirect": REDIRECT });
        let mut command = Command::new("setpriv");
        command.args(["--pdeathsig", "KILL", "node", "server.mjs", &settings.to_string()]);
        command.current_dir(here).env("NODE_ENV", "production").stdin(Stdio::null());
        let address = format!("127.0.0.1:{port}");
        let server = Server::start(&mut command, &folder.path().join("log"), &address)?;
        Ok(Self { _folder: folder, server, address })
    }

    /// It, with somebody signed in.
    pub async fn target(&self) -> anyhow::Result<Target<'_>> {
        let cookie = sign_in(&self.address).await?;
        Ok(Target { server: &self.server, address: &self.address, paths: &PATHS, cookie })
    }
}

/// Follows the redirects of a first authorization request; the value of the `Cookie` header that carries the session.
async fn sign_in(address: &str) -> anyhow::Result<String> {
    let mut connection = Connection::open(address).await?;
    let mut path = format!("{}?{}", PATHS.authorize, authorize_query("oa-ES256", SCOPE));
    let mut jar: Vec<String> = Vec::new();
    for _ in 0..4 {
        let answer = connection.send("GET", &path, &[("cookie", &jar.join("; "))], "").await?;
        jar.extend(cookies(&answer));
        let to = location(&answer)?;
        if to.starts_with(REDIRECT) {
            jar.retain(|cookie| cookie.starts_with("_session"));
            return Ok(jar.join("; "));
        }
        to.strip_prefix(&format!("http://{address}")).unwrap_or(&to).clone_into(&mut path);
    }
    anyhow::bail!("oidc-provider does not come to an end")
}
