//! Other people's clients as relying parties: npm `openid-client` and Python Authlib, against the real binary.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::json;

use crate::browser::{LOGIN, PASSWORD, hire};
use crate::process::Installation;

const SECRET: &str = "a-secret-of-the-test-that-is-long-enough+%/";

fn here() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/e2e/clients")
}

/// An installation with one person, an application and a service.
fn installation() -> Installation {
    let installation = Installation::new();
    installation.configure(&format!(
        "{}\n[[application]]\nid = \"rp\"\nsecret = {{ value = \"{SECRET}\" }}\n\
         redirect_uris = [\"http://127.0.0.1:1/callback\"]\npost_logout_redirect_uris = [\"http://127.0.0.1:1/bye\"]\n\n\
         [[application]]\nid = \"service\"\nauth_method = \"client_secret_post\"\nsecret = {{ value = \"{SECRET}\" }}\n\
         grant_types = [\"client_credentials\"]\nscopes = [\"report:read\"]\n",
        installation.smallest()
    ));
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(hire(&installation.path("data/yaopai.db")));
    installation
}

/// Runs a client to its end and expects its last line.
fn play(mut command: Command) {
    let installation = installation();
    let running = installation.start();
    let settings = json!({
        "issuer": format!("http://127.0.0.1:{}", installation.port),
        "client_id": "rp",
        "client_secret": SECRET,
        "service_id": "service",
        "redirect_uri": "http://127.0.0.1:1/callback",
        "post_logout_redirect_uri": "http://127.0.0.1:1/bye",
        "login": LOGIN,
        "password": PASSWORD,
    });
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .current_dir(here())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(settings.to_string().as_bytes()).unwrap();
    let done = child.wait_with_output().unwrap();
    let (out, err) = (String::from_utf8_lossy(&done.stdout), String::from_utf8_lossy(&done.stderr));
    assert!(done.status.success() && out.ends_with("done\n"), "{out}\n{err}\nthe broker's log:\n{}", running.log());
}

/// OIDC-023, OIDC-040, OIDC-049, OIDC-053, OIDC-058, OIDC-079, OAUTH-028, OAUTH-042, OAUTH-129
#[test]
fn openid_client_is_served() {
    assert!(here().join("node_modules/openid-client").exists(), "openid-client is not installed: run `make setup`");
    let mut command = Command::new("node");
    command.arg("openid_client.mjs");
    play(command);
}

/// OIDC-023, OIDC-058, OIDC-079, OAUTH-014, OAUTH-129
#[test]
fn authlib_is_served() {
    let python = here().join(".venv/bin/python");
    assert!(python.exists(), "Authlib is not installed: run `make setup`");
    let mut command = Command::new(python);
    command.arg("authlib_client.py");
    play(command);
}
