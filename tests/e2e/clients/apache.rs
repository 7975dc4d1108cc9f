//! Debian's Apache with `mod_auth_openidc` before a folder that only administrators may read.

use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::json;

use super::{Kind, SECRET, finish, installation, python};
use crate::process::free_port;

const MODULES: &str = "/usr/lib/apache2/modules";

/// Apache, as a child that ends with the test.
struct Apache(Child);

impl Drop for Apache {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A browser goes to the folder, signs in on the way, reads it, and is kept out of what needs a role it has not.
pub(super) fn play(kind: Kind) {
    let port = free_port();
    let redirect_uri = format!("http://127.0.0.1:{port}/callback");
    let installation = installation(kind, &redirect_uri);
    let folder = tempfile::tempdir().unwrap();
    let config = configuration(folder.path(), port, installation.port);
    // Apache reads the discovery document at the first request: the broker may start after it.
    let _apache = start(folder.path(), &config, port);
    let more = json!({ "redirect_uri": redirect_uri, "behind": format!("http://127.0.0.1:{port}") });
    finish(python("apache_client.py"), &installation, more);
}

fn configuration(folder: &Path, port: u16, broker: u16) -> String {
    for part in ["admin", "vault"] {
        std::fs::create_dir_all(folder.join("htdocs").join(part)).unwrap();
        std::fs::write(folder.join("htdocs").join(part).join("index.html"), "what is behind\n").unwrap();
    }
    readable_by_all(folder);
    let at = folder.display();
    let modules = ["mpm_event", "authn_core", "authz_core", "authz_user", "dir", "headers", "auth_openidc"];
    let load = |name| format!("LoadModule {name}_module {MODULES}/mod_{name}.so\n");
    let modules = modules.map(load).concat();
    format!(
        "{modules}ServerRoot {at}\nServerName 127.0.0.1\nListen 127.0.0.1:{port}\nPidFile {at}/pid\n\
         ErrorLog {at}/error.log\nLogLevel warn auth_openidc:debug\nDocumentRoot {at}/htdocs\nDirectoryIndex index.html\n\
         <IfModule unixd_module>\nUser www-data\nGroup www-data\n</IfModule>\n\
         OIDCProviderMetadataURL http://127.0.0.1:{broker}/.well-known/openid-configuration\n\
         OIDCSSLValidateServer Off\nOIDCClientID rp\nOIDCClientSecret \"{SECRET}\"\n\
         OIDCProviderTokenEndpointAuth client_secret_basic\nOIDCPKCEMethod S256\n\
         OIDCRedirectURI http://127.0.0.1:{port}/callback\nOIDCCryptoPassphrase {}\n\
         OIDCScope \"openid profile roles\"\nOIDCRemoteUserClaim preferred_username\n\
         <Location /admin>\nAuthType openid-connect\nRequire claim roles:it-admin\n\
         Header set X-Person \"expr=%{{REMOTE_USER}}\"\n</Location>\n\
         <Location /vault>\nAuthType openid-connect\nRequire claim roles:treasurer\n</Location>\n\
         <Location /callback>\nAuthType openid-connect\nRequire valid-user\n</Location>\n",
        "p".repeat(32)
    )
}

/// Apache's workers are another user when the test runs as root.
fn readable_by_all(folder: &Path) {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::set_permissions(folder, std::fs::Permissions::from_mode(0o755)).unwrap();
}

/// One process (`-X`), so that nothing outlives it.
fn start(folder: &Path, config: &str, port: u16) -> Apache {
    let file = folder.join("apache.conf");
    std::fs::write(&file, config).unwrap();
    let child = Command::new("setpriv")
        .args(["--pdeathsig", "KILL", "apache2", "-X", "-f"])
        .arg(&file)
        .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
        .stdin(Stdio::null())
        .spawn()
        .unwrap_or_else(|error| panic!("setpriv: {error}: run `make setup`"));
    let mut apache = Apache(child);
    let begun = Instant::now();
    while TcpStream::connect(("127.0.0.1", port)).is_err() {
        if let Some(status) = apache.0.try_wait().unwrap() {
            let log = std::fs::read_to_string(folder.join("error.log")).unwrap_or_default();
            panic!("Apache ended with {status}: is mod_auth_openidc installed? run `make setup`\n{log}");
        }
        assert!(begun.elapsed() < Duration::from_secs(30), "Apache does not listen");
        std::thread::sleep(Duration::from_millis(20));
    }
    apache
}
