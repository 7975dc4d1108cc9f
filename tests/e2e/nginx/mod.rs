//! A real nginx with `deploy/nginx/yaopai.conf` in front of a small system, asking a real broker.

mod behind;
mod certificates;

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::process::{Installation, Running, free_port};
use behind::Behind;

const SECRET: &str = "the-ledger-has-a-secret-of-its-own";

/// nginx, as a child that ends with the test.
struct Nginx {
    child: Child,
    port: u16,
    _folder: tempfile::TempDir,
}

impl Drop for Nginx {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Nginx {
    /// Starts nginx with the example, in which only addresses are replaced.
    fn start(broker: u16, behind: u16) -> Self {
        let (folder, port) = (tempfile::tempdir().unwrap(), free_port());
        let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy/nginx/yaopai.conf");
        let example = std::fs::read_to_string(example).unwrap();
        let ports = [("127.0.0.1:8080", broker), ("127.0.0.1:8084", behind), ("127.0.0.1:8443", port)];
        Self::of(folder, port, &example, &ports)
    }

    /// Starts nginx with an example, in which only these addresses are replaced; it listens on `port`.
    fn of(folder: tempfile::TempDir, port: u16, example: &str, ports: &[(&str, u16)]) -> Self {
        let mut example = example.to_owned();
        for (of, by) in ports {
            assert!(example.contains(of), "the example names {of}");
            example = example.replace(of, &format!("127.0.0.1:{by}"));
        }
        let at = folder.path().display();
        let temp =
            ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map(|kind| format!("{kind}_temp_path {at}/{kind};"));
        let whole = format!(
            "daemon off;\nmaster_process off;\nworker_processes 1;\npid {at}/pid;\nerror_log {at}/error.log;\n\
             events {{ worker_connections 64; }}\nhttp {{ access_log off; {}\n{example}\n}}\n",
            temp.join(" ")
        );
        let file = folder.path().join("nginx.conf");
        std::fs::write(&file, whole).unwrap();
        let child = Command::new("setpriv")
            .args(["--pdeathsig", "KILL", "nginx", "-e", "stderr", "-p"])
            .arg(folder.path())
            .arg("-c")
            .arg(&file)
            .stdin(Stdio::null())
            .spawn()
            .unwrap_or_else(|error| panic!("setpriv: {error}: run `make setup`"));
        let mut nginx = Self { child, port, _folder: folder };
        let begun = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            if let Some(status) = nginx.child.try_wait().unwrap() {
                panic!("nginx ended with {status}: is it installed? run `make setup`");
            }
            assert!(begun.elapsed() < Duration::from_secs(30), "nginx does not listen");
            std::thread::sleep(Duration::from_millis(20));
        }
        nginx
    }

    /// A call: request line and further header lines; the whole answer.
    fn call(&self, line: &str, headers: &[&str]) -> String {
        let lines = [headers, &[""]].concat().join("\r\n");
        send(self.port, &format!("{line} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n{lines}\r\n"))
    }
}

fn send(port: u16, request: &str) -> String {
    let mut stream = TcpStream::connect(SocketAddr::from(([127, 0, 0, 1], port))).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

fn status(answer: &str) -> u16 {
    answer.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or_else(|| panic!("no answer: {answer:?}"))
}

/// A broker that trusts nginx and knows the route and a service.
fn broker(sessions: bool) -> (Installation, Running) {
    let installation = Installation::new();
    let trusting =
        installation.smallest().replace("\n\n[policies]", "\ntrusted_proxies = [\"127.0.0.1/32\"]\n\n[policies]");
    let rest = format!(
        "\n[[application]]\nid = \"ledger\"\nsecret = {{ value = \"{SECRET}\" }}\n\
         grant_types = [\"client_credentials\"]\nscopes = [\"expense:read\"]\n\
         \n[[route]]\nname = \"expense-api\"\npath = \"/expense\"\nmethods = [\"GET\", \"POST\"]\n\
         scopes = [\"expense:read\"]\nsessions = {sessions}\n"
    );
    installation.configure(&(trusting + &rest));
    let running = installation.start();
    (installation, running)
}

/// An access token of the ledger.
fn token(broker: u16) -> String {
    let body = "grant_type=client_credentials&scope=expense:read";
    let basic = base64(&format!("ledger:{SECRET}"));
    let answer = send(
        broker,
        &format!(
            "POST /oauth2/token HTTP/1.1\r\nHost: 127.0.0.1:{broker}\r\nConnection: close\r\nAuthorization: Basic {basic}\r\n\
             Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        ),
    );
    let token = answer.split("\"access_token\":\"").nth(1).and_then(|rest| rest.split('"').next());
    format!("Authorization: Bearer {}", token.unwrap_or_else(|| panic!("no token: {answer}")))
}

fn base64(text: &str) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(text)
}

/// GW-001, GW-002, GW-004
#[test]
fn nginx_lets_through_what_the_broker_permits_and_says_who_it_is() {
    let (installation, _running) = broker(false);
    let behind = Behind::start();
    let nginx = Nginx::start(installation.port, behind.port);
    let bearer = token(installation.port);
    let forged = [
        bearer.as_str(),
        "X-Yaopai-User: admin",
        "X-Yaopai-Roles: it-admin",
        "X_Yaopai_User: admin",
        "Remote-User: admin",
        "X-Forwarded-User: admin",
        "X-Original-URI: /public",
        "X-Original-Method: DELETE",
        "X-Forwarded-Uri: /public",
        "X-Forwarded-Method: DELETE",
        "X-HTTP-Method-Override: DELETE",
        "Cookie: yaopai=abc",
    ];
    let answer = nginx.call("GET /expense/reports?month=11", &forged);
    assert_eq!(status(&answer), 200, "{answer}");
    let seen = behind.seen();
    let [request] = seen.as_slice() else { panic!("{seen:?}") };
    let lower = request.to_ascii_lowercase();
    assert!(request.starts_with("GET /expense/reports?month=11 HTTP/1."), "{request}");
    assert!(lower.contains("x-yaopai-client: ledger"), "{request}");
    for kept in ["admin", "authorization", "abc", "delete"] {
        assert!(!lower.contains(kept), "{kept} in {request}");
    }

    let listed = installation.run(&["audit", "list", "--action", "gateway_call"]);
    let listed = String::from_utf8_lossy(&listed.stdout).into_owned();
    assert!(listed.contains("app:ledger") && listed.contains("route:expense-api"), "{listed}");
    let verified = installation.run(&["audit", "verify"]);
    assert!(verified.status.success(), "{}", String::from_utf8_lossy(&verified.stdout));
}

/// GW-011: nginx would serve `/x/../expense` as `/expense`; what the caller wrote is judged.
#[test]
fn nginx_refuses_what_the_broker_refuses() {
    let (installation, _running) = broker(false);
    let behind = Behind::start();
    let nginx = Nginx::start(installation.port, behind.port);
    let bearer = token(installation.port);
    for (line, headers, expected, reason) in [
        ("GET /expense", vec![], 401, "unidentified"),
        ("GET /expense", vec!["Authorization: Bearer a.b.c"], 401, "invalid_token"),
        ("GET /expense", vec!["Cookie: yaopai=../../x"], 401, "unidentified"),
        ("POST /expense/approvals", vec![bearer.as_str()], 403, "not_permitted"),
        ("DELETE /expense", vec![bearer.as_str()], 403, "method_not_allowed"),
        ("GET /x/../expense", vec![bearer.as_str()], 403, "ambiguous_path"),
        ("GET /expense/%2e%2e/admin/../expense", vec![bearer.as_str()], 403, "ambiguous_path"),
        ("GET //expense", vec![bearer.as_str()], 403, "ambiguous_path"),
        ("GET /%65xpense%2fx", vec![bearer.as_str()], 403, "ambiguous_path"),
    ] {
        let answer = nginx.call(line, &headers);
        assert_eq!(status(&answer), expected, "{line}: {answer}");
        assert!(answer.to_ascii_lowercase().contains(&format!("x-yaopai-reason: {reason}")), "{line}: {answer}");
        assert_eq!(answer.to_ascii_lowercase().contains("www-authenticate: bearer"), expected == 401, "{answer}");
    }
    assert_eq!(behind.seen(), Vec::<String>::new());
}

/// GW-007: with the broker gone or refusing to talk, nobody gets in.
#[test]
fn nginx_denies_when_the_broker_is_down() {
    let (installation, running) = broker(false);
    let behind = Behind::start();
    let nginx = Nginx::start(installation.port, behind.port);
    let bearer = token(installation.port);
    assert_eq!(status(&nginx.call("GET /expense", &[&bearer])), 200);
    running.terminate();
    running.wait();
    assert_eq!(status(&nginx.call("GET /expense", &[&bearer])), 500);
    assert_eq!(behind.seen().len(), 1);
}

/// GW-033: a browser without a session is sent to sign in, and would come back to where it was.
#[test]
fn nginx_sends_a_browser_to_sign_in() {
    let (installation, _running) = broker(true);
    let behind = Behind::start();
    let nginx = Nginx::start(installation.port, behind.port);
    let answer = nginx.call("GET /expense/reports?month=11", &["Accept: text/html"]);
    assert_eq!(status(&answer), 303, "{answer}");
    let location = answer.lines().find_map(|line| line.strip_prefix("Location: ")).unwrap();
    let sign_in = format!("http://127.0.0.1:{}/login?return_to=%2Fgateway%2Freturn%3F", installation.port);
    assert!(location.starts_with(&sign_in), "{location}");
    assert_eq!(behind.seen(), Vec::<String>::new());
}
