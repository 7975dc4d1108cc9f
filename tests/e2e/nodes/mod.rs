//! Two nodes on one database: what is taken away at one is refused by the other within the promised second.

mod keys;
mod logouts;

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::time::{Duration, Instant};

use crate::postgres;
use crate::process::{Installation, free_port};

const SECRET: &str = "the-ledger-has-a-secret-of-its-own";
/// `oidc::verify`: how long another node may still take a revoked token.
const PROMISED: Duration = Duration::from_secs(1);

/// Two nodes of one installation, whose policies are its own.
fn installation() -> Installation {
    let installation = Installation::new();
    let policies = Path::new(env!("CARGO_MANIFEST_DIR")).join("policies");
    std::fs::create_dir(installation.path("policies")).unwrap();
    for entry in std::fs::read_dir(&policies).unwrap() {
        let entry = entry.unwrap();
        std::fs::copy(entry.path(), installation.path("policies").join(entry.file_name())).unwrap();
    }
    let smallest = installation.smallest();
    let (server, _) = smallest.split_once("[policies]").unwrap();
    installation.configure(&format!(
        "{}trusted_proxies = [\"127.0.0.1/32\"]\n\n[[application]]\nid = \"ledger\"\nsecret = {{ value = \"{SECRET}\" }}\n\
         grant_types = [\"client_credentials\"]\nscopes = [\"expense:read\"]\n\
         \n[[route]]\nname = \"expense-api\"\npath = \"/expense\"\nmethods = [\"GET\"]\nscopes = [\"expense:read\"]\n",
        server.trim_end().to_owned() + "\n"
    ));
    installation
}

/// The same installation on a PostgreSQL database of its own.
struct OnPostgres<'a> {
    installation: &'a Installation,
    /// Its URL.
    database: String,
}

impl std::ops::Deref for OnPostgres<'_> {
    type Target = Installation;

    fn deref(&self) -> &Installation {
        self.installation
    }
}

fn on_postgres(installation: &Installation) -> OnPostgres<'_> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let database = runtime.block_on(postgres::fresh_database());
    let configuration = std::fs::read_to_string(installation.path("yaopai.toml")).unwrap();
    installation.configure(&format!("{configuration}\n[database]\nurl = \"{database}\"\n"));
    OnPostgres { installation, database }
}

fn send(port: u16, head: &str, body: &str) -> String {
    let mut stream = TcpStream::connect(SocketAddr::from(([127, 0, 0, 1], port))).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let length = body.len();
    let request =
        format!("{head}\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n{body}");
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

/// A form of the ledger to one of the OAuth endpoints.
fn form(port: u16, path: &str, body: &str) -> String {
    use base64::Engine as _;
    let basic = base64::engine::general_purpose::STANDARD.encode(format!("ledger:{SECRET}"));
    let head = format!(
        "POST {path} HTTP/1.1\r\nAuthorization: Basic {basic}\r\nContent-Type: application/x-www-form-urlencoded"
    );
    send(port, &head, body)
}

fn token(port: u16) -> String {
    let answer = form(port, "/oauth2/token", "grant_type=client_credentials&scope=expense:read");
    let token = answer.split("\"access_token\":\"").nth(1).and_then(|rest| rest.split('"').next());
    token.unwrap_or_else(|| panic!("no token: {answer}")).to_owned()
}

/// Whether the gateway of that node lets the token through.
fn is_allowed(port: u16, token: &str) -> bool {
    let head = format!(
        "GET /gateway/check HTTP/1.1\r\nAuthorization: Bearer {token}\r\nX-Original-Method: GET\r\nX-Original-URI: /expense\r\nX-Forwarded-Host: api.example"
    );
    send(port, &head, "").starts_with("HTTP/1.1 200")
}

/// Asks until the answer is no; when the last yes was asked for, counted from `since`.
fn last_allowed(port: u16, token: &str, since: Instant) -> Duration {
    let mut last = Duration::ZERO;
    loop {
        let asked = since.elapsed();
        if !is_allowed(port, token) {
            return last;
        }
        last = asked;
        assert!(asked < Duration::from_secs(30), "still allowed after {asked:?}");
    }
}

/// GW-029, OAUTH-131: asked without pause from before the revocation on, so that the other node's cache is warm.
#[test]
fn a_token_revoked_at_one_node_is_refused_by_the_other_within_a_second() {
    let installation = installation();
    let (here, there) = (installation.port, free_port());
    let _one = installation.start();
    let _two = installation.start_at(there);
    for _ in 0..3 {
        let token = token(here);
        assert!(is_allowed(here, &token) && is_allowed(there, &token), "both nodes take it");
        let revoked = form(here, "/oauth2/revoke", &format!("token={token}"));
        assert!(revoked.starts_with("HTTP/1.1 200"), "{revoked}");
        let since = Instant::now();
        assert!(!is_allowed(here, &token), "refused at once where it was revoked");
        let last = last_allowed(there, &token, since);
        assert!(last <= PROMISED, "the other node still took it {last:?} after");
    }
}

/// GW-029: a policy that is taken away is gone at every node, without a restart.
#[test]
fn a_policy_taken_away_is_gone_at_every_node() {
    let installation = installation();
    let (here, there) = (installation.port, free_port());
    let (_one, _two) = (installation.start(), installation.start_at(there));
    let token = token(here);
    assert!(is_allowed(here, &token) && is_allowed(there, &token));
    let file = installation.path("policies/routes.cedar");
    let text = std::fs::read_to_string(&file).unwrap();
    let (before, _) = text.split_once("// A service that calls in its own name").unwrap();
    std::fs::write(&file, before).unwrap();
    let since = Instant::now();
    for port in [here, there] {
        let last = last_allowed(port, &token, since);
        assert!(last <= Duration::from_secs(5), "the policy still counted {last:?} after");
    }
}
