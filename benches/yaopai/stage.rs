//! A broker to measure: a folder with configuration, policies and the sample company, and an upstream for its gateway.

use std::net::TcpListener;
use std::path::Path;

use anyhow::Context as _;
use tempfile::TempDir;

use super::person::sign_in;
use super::process::{Server, timed, yaopai};
use super::target::{Paths, Target};

/// Secret of both clients: any will do on a throw-away broker, but it must not be a weak one.
pub const SECRET: &str = "bench-Zk3vQ9tWm7Rx2LpN8sHc4JyD";
/// Where codes are sent; nothing listens there.
pub const REDIRECT: &str = "http://127.0.0.1:9/callback";

/// Algorithms that are measured.
pub const ALGORITHMS: [&str; 3] = ["ES256", "EdDSA", "RS256"];

const PATHS: Paths = Paths {
    jwks: "/oauth2/jwks",
    token: "/oauth2/token",
    introspect: "/oauth2/introspect",
    userinfo: "/oauth2/userinfo",
    authorize: "/oauth2/authorize",
    introspected: "ledger-ES256",
};

/// A broker under test.
#[derive(Debug)]
pub struct Stage {
    folder: TempDir,
    database: String,
    /// `host:port` of the broker.
    pub broker: String,
    /// `host:port` of its gateway.
    pub gateway: String,
    /// The process.
    pub server: Option<Server>,
    /// Its resident memory when it had just started and nobody had asked anything, in MB.
    pub idle_memory: f64,
}

/// A port that was free a moment ago.
pub fn free_port() -> anyhow::Result<u16> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}

impl Stage {
    /// Configures, syncs and starts a broker on `database` (its URL).
    pub async fn build(database: &str) -> anyhow::Result<Self> {
        let folder = tempfile::Builder::new().prefix("yaopai-bench-").tempdir()?;
        let upstream = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
        let api = upstream.local_addr()?;
        let router = axum::Router::new().fallback(|| async { "{\"reports\":[]}\n" });
        tokio::spawn(async move { axum::serve(upstream, router).await });
        let broker = format!("127.0.0.1:{}", free_port()?);
        let gateway = format!("127.0.0.1:{}", free_port()?);
        write(folder.path(), &configuration(database, &broker, &gateway, &api.to_string())?)?;
        timed(yaopai(folder.path()).args(["sync", "run", "--source", "company"]))?;
        let database = database.to_owned();
        let mut stage = Self { folder, database, broker, gateway, server: None, idle_memory: 0.0 };
        stage.start()?;
        tokio::time::sleep(std::time::Duration::from_secs(5)).await;
        stage.idle_memory = stage.server()?.memory()?;
        Ok(stage)
    }

    /// Starts the broker, after [`Stage::stop`].
    pub fn start(&mut self) -> anyhow::Result<()> {
        let folder = self.folder.path();
        let log = folder.join("server.log");
        self.server = Some(Server::start(yaopai(folder).arg("serve"), &log, &self.broker)?);
        Ok(())
    }

    /// Ends the broker.
    pub fn stop(&mut self) {
        self.server = None;
    }

    /// The process.
    pub fn server(&self) -> anyhow::Result<&Server> {
        self.server.as_ref().context("the broker does not run")
    }

    /// URL of its database, from anywhere.
    pub fn database(&self) -> String {
        match self.database.strip_prefix("sqlite://") {
            Some(file) => format!("sqlite://{}", self.folder.path().join(file).display()),
            None => self.database.clone(),
        }
    }

    /// The broker, with somebody signed in.
    pub async fn target(&self) -> anyhow::Result<Target<'_>> {
        let cookie = sign_in(&self.broker).await?;
        Ok(Target { server: self.server()?, address: &self.broker, paths: &PATHS, cookie })
    }
}

/// Writes the configuration and its policies' place.
pub fn write(folder: &Path, configuration: &str) -> anyhow::Result<()> {
    std::fs::write(folder.join("yaopai.toml"), configuration).context("yaopai.toml")
}

/// The source of the demonstration, as `deploy/demo/yaopai.toml` declares it, with the LDIF file of the repository.
pub fn source() -> anyhow::Result<toml::Table> {
    let demo = Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy/demo");
    let mut table: toml::Table = std::fs::read_to_string(demo.join("yaopai.toml"))?.parse()?;
    let mut source = table.remove("source").context("deploy/demo/yaopai.toml has no source")?;
    let file = demo.join("company.ldif").display().to_string();
    let ldif = source.get_mut(0).and_then(|source| source.get_mut("ldif")).and_then(toml::Value::as_table_mut);
    ldif.context("the source of deploy/demo/yaopai.toml is no LDIF file")?.insert("file".to_owned(), file.into());
    Ok(toml::Table::from_iter([("source".to_owned(), source)]))
}

fn configuration(database: &str, broker: &str, gateway: &str, api: &str) -> anyhow::Result<String> {
    let policies = Path::new(env!("CARGO_MANIFEST_DIR")).join("policies");
    Ok(format!(
        r#"
[server]
listen = "{broker}"
public_url = "http://{broker}"
trusted_proxies = ["127.0.0.1/32"]
[database]
url = "{database}"
[policies]
folder = "{policies}"
[login]
failures_per_account = 1000
failures_per_address = 1000
[gateway]
listen = "{gateway}"
[[application]]
id = "ledger"
secret = {{ value = "{SECRET}" }}
grant_types = ["client_credentials"]
scopes = ["expense:read"]
{applications}
[[route]]
name = "expense-api"
path = "/expense"
methods = ["GET", "POST"]
upstream = "http://{api}"
scopes = ["expense:read"]
{source}
"#,
        policies = policies.display(),
        applications = ALGORITHMS.map(applications).concat(),
        source = toml::to_string(&source()?)?,
    ))
}

/// A service and a system that people sign in to, whose tokens are signed with `algorithm`.
fn applications(algorithm: &str) -> String {
    format!(
        r#"
[[application]]
id = "ledger-{algorithm}"
secret = {{ value = "{SECRET}" }}
signing_algorithm = "{algorithm}"
grant_types = ["client_credentials"]
scopes = ["expense:read"]
[[application]]
id = "oa-{algorithm}"
auth_method = "client_secret_post"
secret = {{ value = "{SECRET}" }}
signing_algorithm = "{algorithm}"
redirect_uris = ["{REDIRECT}"]
scopes = ["openid", "profile", "expense:read"]
"#
    )
}
