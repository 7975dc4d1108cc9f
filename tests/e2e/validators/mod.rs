//! `examples/validators`: each takes a good token, and refuses what is expired, meant for somebody else, of another
//! issuer, unsigned, signed with a foreign key, an ID token, or revoked. The time from revocation to refusal is printed.

mod servers;
mod tokens;

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::process::{Installation, Running};
use servers::{Server, status};
use tokens::{Forge, form};

const SECRET: &str = "a-secret-of-the-ledger+with%signs";
const AUDIENCE: &str = "https://expense.example/api";

fn examples() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/validators")
}

/// A broker with a service whose tokens have a place on a status list, and a validator that may follow the feed.
fn broker() -> (Installation, Running) {
    let installation = Installation::new();
    let trusting =
        installation.smallest().replace("\n\n[policies]", "\ntrusted_proxies = [\"127.0.0.1/32\"]\n\n[policies]");
    installation.configure(&format!(
        "{trusting}\n[[application]]\nid = \"ledger\"\nsecret = {{ value = \"{SECRET}\" }}\n\
         grant_types = [\"client_credentials\"]\nscopes = [\"expense:read\"]\naudience = [\"{AUDIENCE}\"]\n\
         logout = {{ status_list = true }}\n\n\
         [[application]]\nid = \"validator\"\nsecret = {{ value = \"{SECRET}\" }}\n\
         grant_types = [\"client_credentials\"]\nscopes = [\"revocations:read\"]\n\n\
         [[application]]\nid = \"expense-api\"\nsecret = {{ value = \"{SECRET}\" }}\n\
         auth_method = \"client_secret_post\"\ngrant_types = [\"client_credentials\"]\nscopes = [\"expense:read\"]\n\
         audience = [\"{AUDIENCE}\"]\n\n\
         [[route]]\nname = \"expense-api\"\npath = \"/expense\"\nmethods = [\"GET\"]\nscopes = [\"expense:read\"]\n\
         audience = \"{AUDIENCE}\"\n"
    ));
    let running = installation.start();
    (installation, running)
}

fn ledger_token(port: u16) -> String {
    let answer = form(port, ("ledger", SECRET), "/oauth2/token", "grant_type=client_credentials&scope=expense:read");
    let token = answer.split("\"access_token\":\"").nth(1).and_then(|rest| rest.split('"').next());
    token.unwrap_or_else(|| panic!("no token: {answer}")).to_owned()
}

/// Asks until the token is refused; how long after `since` it was last let in.
fn last_let_in(port: u16, token: &str, since: Instant) -> Duration {
    let mut last = Duration::ZERO;
    loop {
        let asked = since.elapsed();
        if status(port, token) != 200 {
            return last;
        }
        last = asked;
        assert!(asked < Duration::from_secs(30), "still let in after {asked:?}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Plays every token at a validator, and prints how soon a revoked one is refused.
fn plays(name: &str, broker: &Installation, server: &Server, promised: Duration) {
    let forge = Forge::of(broker);
    let good = ledger_token(broker.port);
    assert_eq!(status(server.port, &good), 200, "{name}: a good token\n{}", server.log());
    for (what, token) in forge.bad(&good) {
        let got = status(server.port, &token);
        assert!(matches!(got, 401 | 403), "{name}: {what}: {got}\n{}", server.log());
        assert_eq!(status(server.port, &good), 200, "{name}: a good token after {what}\n{}", server.log());
    }
    for _ in 0..3 {
        let token = ledger_token(broker.port);
        assert_eq!(status(server.port, &token), 200, "{name}: a token to revoke\n{}", server.log());
        let revoked = form(broker.port, ("ledger", SECRET), "/oauth2/revoke", &format!("token={token}"));
        assert!(revoked.starts_with("HTTP/1.1 200"), "{revoked}");
        let since = Instant::now();
        let last = last_let_in(server.port, &token, since);
        println!("{name}: a revoked token was last let in {last:?} after its revocation");
        assert!(last <= promised, "{name}: {last:?}");
    }
}

/// The gateway of the broker promises a second, and so does whoever follows the feed or keeps a list for its `ttl`.
const PROMISED: Duration = Duration::from_secs(1);

/// GW-037, GW-042, OAUTH-131, OAUTH-134
#[test]
fn rust_with_a_layer_of_axum() {
    let (broker, _running) = broker();
    let server = Server::rust(broker.port, None);
    plays("rust, by the status list", &broker, &server, PROMISED + Duration::from_millis(200));
    let server = Server::rust(broker.port, Some(("validator", SECRET)));
    // Once it follows, the feed alone tells.
    std::thread::sleep(Duration::from_secs(3));
    plays("rust, by the change feed", &broker, &server, PROMISED);
}

/// GW-029: the validator follows one node, the token is revoked at the other.
#[test]
fn rust_hears_within_a_second_of_what_another_node_revokes() {
    let (broker, _one) = broker();
    let there = crate::process::free_port();
    let _two = broker.start_at(there);
    let server = Server::rust(broker.port, Some(("validator", SECRET)));
    let warm = ledger_token(broker.port);
    assert_eq!(status(server.port, &warm), 200, "{}", server.log());
    std::thread::sleep(Duration::from_secs(3));
    for _ in 0..5 {
        let token = ledger_token(there);
        assert_eq!(status(server.port, &token), 200, "{}", server.log());
        let revoked = form(there, ("ledger", SECRET), "/oauth2/revoke", &format!("token={token}"));
        assert!(revoked.starts_with("HTTP/1.1 200"), "{revoked}");
        let last = last_let_in(server.port, &token, Instant::now());
        println!("two nodes: revoked at one, last let in by a follower of the other {last:?} after");
        assert!(last <= PROMISED, "{last:?}");
    }
}

/// GW-037, GW-042, OAUTH-134
#[test]
fn node_with_jose() {
    let (broker, _running) = broker();
    plays("node, jose", &broker, &Server::node(broker.port), PROMISED + Duration::from_millis(200));
}

/// GW-037, GW-042, OAUTH-134
#[test]
fn python_with_authlib() {
    let (broker, _running) = broker();
    plays("python, Authlib", &broker, &Server::python(broker.port), PROMISED + Duration::from_millis(200));
}

/// GW-037, GW-042, OAUTH-134
#[test]
fn nginx_with_auth_request() {
    let (broker, _running) = broker();
    plays("nginx, auth_request", &broker, &Server::nginx(broker.port), PROMISED);
}

/// GW-037, GW-042, OAUTH-134
#[test]
fn envoy_with_jwt_authn() {
    let (broker, _running) = broker();
    plays("envoy, jwt_authn", &broker, &Server::envoy(broker.port), PROMISED);
}

/// GW-037, GW-042, OAUTH-134
#[test]
fn go_with_its_standard_library() {
    let (broker, _running) = broker();
    plays("go, introspection", &broker, &Server::go(broker.port, ("expense-api", SECRET)), PROMISED);
}

/// Each is short: what people have to write, read and keep right.
#[test]
fn every_example_is_under_fifteen_lines() {
    for (file, from, to) in [
        ("rust/main.rs", "async fn guard", "#[tokio::main]"),
        ("node/validator.mjs", "", ""),
        ("python/validator.py", "", ""),
        ("go/validator.go", "", ""),
        ("java/SecurityConfiguration.java", "", ""),
        ("nginx/validator.conf", "", ""),
        ("envoy/validator.yaml", "", ""),
    ] {
        let text = std::fs::read_to_string(examples().join(file)).unwrap();
        let begin = text.find(from).unwrap_or_else(|| panic!("{file}: no `{from}`"));
        let end = if to.is_empty() { text.len() } else { text.find(to).unwrap() };
        let is_code = |line: &&str| {
            let line = line.trim();
            let is_said = line.is_empty()
                || ["//", "#", "\"\"\"", "import ", "from ", "package "].iter().any(|start| line.starts_with(start));
            !is_said || line.starts_with("#[")
        };
        let lines = text[begin..end].lines().filter(is_code).count();
        assert!(lines < 15, "{file}: {lines} lines");
    }
}
