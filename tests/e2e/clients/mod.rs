//! Other people's clients as relying parties against the real binary, on SQLite and PostgreSQL: npm `openid-client` and
//! `oauth4webapi`, Python Authlib and `idpyoidc`, Apache's `mod_auth_openidc`.

mod apache;
mod more;
mod proof;

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::browser::{LOGIN, PASSWORD, hire};
use crate::postgres;
use crate::process::Installation;

const SECRET: &str = "a-secret-of-the-test-that-is-long-enough+%/";

/// Which database the broker is on.
#[derive(Clone, Copy)]
enum Kind {
    Sqlite,
    Postgres,
}

/// A test for each database.
macro_rules! both {
    ($($(#[$doc:meta])* $name:ident => $play:expr;)*) => {
        mod sqlite {
            use super::*;
            $($(#[$doc])* #[test] fn $name() { ($play)(Kind::Sqlite); })*
        }
        mod postgres_too {
            use super::*;
            $(#[test] fn $name() { ($play)(Kind::Postgres); })*
        }
    };
}

both! {
    /// OIDC-023, OIDC-040, OIDC-049, OIDC-053, OIDC-058, OIDC-079, OAUTH-028, OAUTH-042, OAUTH-129
    openid_client_is_served => |kind| play(node("openid_client.mjs"), kind);
    /// OIDC-014, OIDC-023, OIDC-058, OAUTH-028, OAUTH-133, OAUTH-135
    oauth4webapi_is_served => |kind| play(node("oauth4webapi_client.mjs"), kind);
    /// OIDC-023, OIDC-058, OIDC-079, OAUTH-014, OAUTH-129
    authlib_is_served => |kind| play(python("authlib_client.py"), kind);
    /// OIDC-023, OIDC-058, OIDC-079
    idpyoidc_is_served => |kind| play(python("idpyoidc_client.py"), kind);
    /// OAUTH-067, OAUTH-070, OAUTH-072, OAUTH-074, OAUTH-075, OAUTH-079, OIDC-097, OIDC-114
    openid_client_is_served_with_keys_instead_of_secrets => proof::play;
    /// OIDC-088, OAUTH-104
    openid_client_is_served_beyond_the_code_flow => more::play;
    /// OIDC-023
    apache_is_served => apache::play;
}

fn here() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/e2e/clients")
}

fn node(script: &str) -> Command {
    assert!(here().join("node_modules/oauth4webapi").exists(), "the npm clients are not installed: run `make setup`");
    let mut command = Command::new("node");
    command.arg(script);
    command
}

fn python(script: &str) -> Command {
    let python = here().join(".venv/bin/python");
    assert!(python.exists(), "the Python clients are not installed: run `make setup`");
    let mut command = Command::new(python);
    command.arg(script);
    command
}

/// An installation with one person, an application that comes back to `redirect_uri`, and a service.
fn installation(kind: Kind, redirect_uri: &str) -> Installation {
    let installation = Installation::new();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let url = match kind {
        Kind::Sqlite => installation.sqlite(),
        Kind::Postgres => runtime.block_on(postgres::fresh_database()),
    };
    installation.configure(&format!(
        "{}\n[database]\nurl = \"{url}\"\n\n[[application]]\nid = \"rp\"\nsecret = {{ value = \"{SECRET}\" }}\n\
         redirect_uris = [\"{redirect_uri}\"]\npost_logout_redirect_uris = [\"http://127.0.0.1:1/bye\"]\n\n\
         [[application]]\nid = \"service\"\nauth_method = \"client_secret_post\"\nsecret = {{ value = \"{SECRET}\" }}\n\
         grant_types = [\"client_credentials\"]\nscopes = [\"report:read\"]\n",
        installation.smallest()
    ));
    runtime.block_on(hire(&url));
    installation
}

/// Runs a client to its end and expects its last line.
fn play(command: Command, kind: Kind) {
    let redirect_uri = "http://127.0.0.1:1/callback";
    let installation = installation(kind, redirect_uri);
    finish(command, &installation, json!({ "redirect_uri": redirect_uri }));
}

/// Starts the broker, gives the client its settings with `more`, and expects the client's last line.
fn finish(mut command: Command, installation: &Installation, more: Value) {
    let running = installation.start();
    let mut settings = json!({
        "issuer": format!("http://127.0.0.1:{}", installation.port),
        "client_id": "rp",
        "client_secret": SECRET,
        "service_id": "service",
        "post_logout_redirect_uri": "http://127.0.0.1:1/bye",
        "login": LOGIN,
        "password": PASSWORD,
    });
    if let (Value::Object(settings), Value::Object(more)) = (&mut settings, more) {
        settings.extend(more);
    }
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
