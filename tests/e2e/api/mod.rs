//! Schemathesis against `/openapi.json`: requests of every shape at every operation, and no answer that the document
//! does not promise.

use std::path::Path;
use std::process::Command;

use crate::process::Installation;

const SECRET: &str = "a-secret-of-the-test-that-is-long-enough";

/// Seconds that it may go on inventing requests.
const SECONDS: &str = "20";

/// Runs Schemathesis with further arguments and expects it to find nothing.
fn judge(arguments: &[&str]) {
    let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/e2e/api/.venv/bin/st");
    assert!(program.exists(), "Schemathesis is not installed: run `make setup`");
    let installation = Installation::new();
    let smallest =
        installation.smallest().replace("\n[policies]", "trusted_proxies = [\"127.0.0.1/32\"]\n\n[policies]");
    installation.configure(&format!(
        "{smallest}\n[[application]]\nid = \"service\"\nsecret = {{ value = \"{SECRET}\" }}\n\
         redirect_uris = [\"https://service.example/callback\"]\n\
         grant_types = [\"client_credentials\", \"authorization_code\"]\nscopes = [\"openid\", \"report:read\"]\n\
         \n[registration]\nenabled = true\nhosts = [\"service.example\"]\n"
    ));
    let running = installation.start();
    let done = Command::new(program)
        .current_dir(installation.folder.path())
        .env_clear()
        .env("PATH", "/usr/bin:/bin")
        .env("HOME", installation.folder.path())
        .args(["run", &format!("http://127.0.0.1:{}/openapi.json", installation.port)])
        // What is well-formed can still be the wrong code, an unknown token, another's device.
        .args(["--exclude-checks", "positive_data_acceptance", "--warnings", "off"])
        .args(["--max-time", SECONDS, "--continue-on-failure", "--seed", "1", "--no-color"])
        .args(arguments)
        .output()
        .unwrap();
    let out = String::from_utf8_lossy(&done.stdout);
    assert!(done.status.success(), "{out}\nthe broker's log:\n{}", running.log());
    assert!(out.contains("No issues found") || out.contains("passed"), "{out}");
}

/// OAUTH-010, OAUTH-026, WEB-062
#[test]
fn an_application_that_proves_itself_meets_no_surprise() {
    judge(&["--auth", &format!("service:{SECRET}")]);
}

#[test]
fn nobody_meets_no_surprise() {
    judge(&[]);
}
