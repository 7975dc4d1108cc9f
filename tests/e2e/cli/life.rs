//! From the first start to the last request: keys of its own, a clean stop, a second start on the same folder.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt as _;
use std::time::Duration;

use crate::process::{Installation, get};

#[test]
fn the_first_start_makes_what_it_needs_and_the_second_finds_it() {
    let installation = Installation::new();
    let first = installation.start();
    let key = installation.path("data/master.key");
    assert_eq!(std::fs::metadata(&key).unwrap().permissions().mode() & 0o777, 0o600);
    let made = std::fs::read(&key).unwrap();
    first.terminate();
    assert_eq!(first.wait().code(), Some(0));
    assert!(!installation.path("data/yaopai.db-wal").exists(), "the write-ahead log was not folded into the file");

    let second = installation.start();
    assert_eq!(std::fs::read(&key).unwrap(), made);
    second.terminate();
    assert_eq!(second.wait().code(), Some(0));
}

/// A request whose body is still on its way when the stop is asked for.
#[test]
fn a_request_under_way_is_answered_before_the_stop() {
    let installation = Installation::new();
    let broker = installation.start();
    let body = "grant_type=client_credentials";
    let mut stream = TcpStream::connect(("127.0.0.1", installation.port)).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let head = "POST /oauth2/token HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\n";
    write!(stream, "{head}Content-Length: {}\r\n\r\n{}", body.len(), &body[..5]).unwrap();
    std::thread::sleep(Duration::from_millis(300));
    broker.terminate();
    std::thread::sleep(Duration::from_millis(300));
    assert!(get(installation.port, "/health").is_none(), "a new connection was taken while stopping");
    stream.write_all(&body.as_bytes()[5..]).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 4"), "{answer}");
    assert!(answer.contains("invalid_client"), "{answer}");
    assert_eq!(broker.wait().code(), Some(0));
}

#[test]
fn log_lines_are_json_when_asked_for() {
    let installation = Installation::new();
    let output =
        installation.command(&["serve", "--log-format", "json", "--log", "trace", "--config", "none"]).output();
    let text = String::from_utf8(output.unwrap().stderr).unwrap();
    let logged = text.lines().filter(|line| !line.starts_with("yaopai: "));
    assert!(logged.into_iter().all(|line| serde_json::from_str::<serde_json::Value>(line).is_ok()), "{text}");
}
