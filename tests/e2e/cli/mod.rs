//! The command line, as an operator and a service manager meet it.

mod app;
mod audit;
mod doctor;
mod explain;
mod faults;
mod key;
mod life;
#[expect(dead_code, reason = "the integration tests use the rest of it")]
#[path = "../../it/harness/browser.rs"]
pub mod pages;
mod policy;
mod recovery;

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::Output;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use crate::process::Installation;

/// The client of [`pages`]: it follows no redirect.
fn client(cookies: bool) -> reqwest::Client {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let builder = reqwest::Client::builder().cookie_store(cookies).redirect(reqwest::redirect::Policy::none());
    builder.no_proxy().build().unwrap()
}

/// What a command printed that has to succeed.
pub fn done(installation: &Installation, args: &[&str]) -> String {
    let output = installation.run(args);
    let (out, err) = (String::from_utf8(output.stdout).unwrap(), String::from_utf8_lossy(&output.stderr));
    assert_eq!(output.status.code(), Some(0), "yaopai {args:?}:\n{out}{err}");
    out
}

/// The same as a document.
fn document(installation: &Installation, args: &[&str]) -> Value {
    let text = done(installation, args);
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("yaopai {args:?}: {error}: {text}"))
}

/// Fails unless the command line itself was refused (exit code 2) with every one of `words`.
fn misused(output: &Output, words: &[&str]) {
    let text = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{text}");
    for word in words {
        assert!(text.contains(word), "`{word}` is not in: {text}");
    }
    assert!(output.stdout.is_empty());
}

/// The rest of the line that begins with `name`.
fn field<'a>(text: &'a str, name: &str) -> &'a str {
    let line = text.lines().find_map(|line| line.strip_prefix(name));
    line.unwrap_or_else(|| panic!("no `{name}` in: {text}")).trim()
}

/// Sends a form with HTTP Basic and gives status and document.
fn ask(port: u16, path: &str, (id, secret): (&str, &str), form: &str) -> (u16, Value) {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let basic = STANDARD.encode(format!("{id}:{secret}"));
    write!(
        stream,
        "POST {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\nAuthorization: Basic {basic}\r\n\
         Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{form}",
        form.len()
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let status = answer.split(' ').nth(1).and_then(|status| status.parse().ok());
    let body = answer.split_once("\r\n\r\n").map(|(_, body)| body).unwrap_or_default();
    (status.unwrap_or_else(|| panic!("{answer}")), serde_json::from_str(body).unwrap_or_else(|_| panic!("{answer}")))
}

/// Asks for a token in the application's own name.
fn token(port: u16, credentials: (&str, &str)) -> (u16, Value) {
    ask(port, "/oauth2/token", credentials, "grant_type=client_credentials")
}

/// Asks again until `is` holds: what another process changed is seen after a moment. Gives the answer.
fn soon<T: std::fmt::Debug>(mut asked: impl FnMut() -> T, is: impl Fn(&T) -> bool) -> T {
    let begun = Instant::now();
    loop {
        let answer = asked();
        if is(&answer) {
            return answer;
        }
        assert!(begun.elapsed() < Duration::from_secs(20), "still {answer:?}");
        // Not faster: twenty wrong secrets within a minute make an application wait.
        std::thread::sleep(Duration::from_millis(1_100));
    }
}

/// Fails when one of the secrets stands in a file of the folder, in clear text.
fn nowhere_in(folder: &Path, secrets: &[&str]) {
    let mut files = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let bytes = std::fs::read(&path).unwrap();
        files += 1;
        for secret in secrets {
            let found = bytes.windows(secret.len()).any(|window| window == secret.as_bytes());
            assert!(!found, "`{secret}` stands in {}", path.display());
        }
    }
    assert!(files > 0, "{} is empty", folder.display());
}
