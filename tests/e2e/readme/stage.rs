//! Where the commands of the README are run: an installation below a temporary folder, a real directory, our own ports.

use std::collections::BTreeSet;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use super::blocks::{self, Block};
use crate::process::{free_port, get};
use crate::slapd::{Options, READER_PASSWORD, Slapd};

pub struct Stage {
    folder: TempDir,
    directory: Slapd,
    port: u16,
    serving: Option<Child>,
    /// What has been run so far.
    pub played: BTreeSet<String>,
}

impl Stage {
    pub fn new() -> Self {
        let directory = Slapd::start(Options { people: 200, ..Options::default() });
        let folder = tempfile::tempdir().unwrap();
        Self { folder, directory, port: free_port(), serving: None, played: BTreeSet::new() }
    }

    /// Runs a block: lines of `make` and `yaopai` one by one, anything else as one script.
    pub fn play(&mut self, block: &Block) {
        if block.text.lines().any(|line| line.starts_with("curl ")) {
            return self.ask(block);
        }
        for line in block.text.lines() {
            match line {
                "make demo" => done(line, &make(&["demo"], &[("DEMO_ONCE", "1")])),
                // This very run: only that the target says what the README says.
                "make test" => {
                    let output = make(&["-n", "test"], &[]);
                    done(line, &output);
                    assert!(String::from_utf8_lossy(&output.stdout).contains("cargo test"));
                }
                "make install" => self.install(),
                "yaopai doctor" => {
                    let output = self.shell(line);
                    done(line, &output);
                    assert!(String::from_utf8_lossy(&output.stdout).contains("source company"));
                }
                "yaopai sync plan --source company" | "yaopai sync run --source company" => {
                    let output = self.shell(line);
                    done(line, &output);
                    assert!(String::from_utf8_lossy(&output.stdout).contains("200"), "{output:?}");
                }
                "yaopai serve" => self.serve(),
                _ => panic!("line {}: nothing runs `{line}`; teach tests/e2e/readme", block.line),
            }
            let words: Vec<&str> = line.split_whitespace().take_while(|word| !word.starts_with('-')).collect();
            self.played.insert(words.join(" "));
        }
    }

    /// A block of `curl`s, against the broker that serves by now.
    fn ask(&mut self, block: &Block) {
        let output = self.shell(&block.text);
        done(&block.text, &output);
        let answer = String::from_utf8_lossy(&output.stdout);
        if block.text.contains("/introspect") {
            assert!(answer.starts_with("{\"active\":true"), "{answer}");
            self.played.insert("curl introspect".to_owned());
        } else {
            assert!(answer.contains(&format!("\"issuer\":\"http://127.0.0.1:{}\"", self.port)), "{answer}");
            self.played.insert("curl configuration".to_owned());
        }
    }

    /// `make install` with the binary at hand, and the configuration of the README beside the policies.
    fn install(&self) {
        let destination = format!("DESTDIR={}", self.folder.path().display());
        done("make install", &make(&["install", &destination, "PROFILE=dev", "CARGO=:"], &[]));
        let blocks = blocks::of(super::README);
        let configuration: Vec<&str> =
            blocks.iter().filter(|block| block.language == "toml").map(|block| block.text.as_str()).collect();
        // The last block is the first one's [server] behind nginx.
        let text = self.adapted(&configuration[..configuration.len() - 1].join("\n"));
        std::fs::write(self.etc().join("yaopai.toml"), text).unwrap();
        for (name, secret) in [
            ("ldap-password", READER_PASSWORD),
            ("oa-secret", "kX3v9QpL7nB2sD8fG4hJ"),
            ("expense-api-secret", "zT8wR2mC5yE7uI1oP9aK"),
        ] {
            std::fs::write(self.etc().join(name), secret).unwrap();
            std::fs::set_permissions(self.etc().join(name), std::fs::Permissions::from_mode(0o600)).unwrap();
        }
    }

    /// The README's names with this stage's addresses in their place.
    fn adapted(&self, text: &str) -> String {
        let (url, ca) = (format!("http://127.0.0.1:{}", self.port), self.directory.ca_file());
        let directory = format!("ldaps://localhost:{}\"\nca_file = \"{}", self.directory.tls_port, ca.display());
        let listen = format!("[server]\nlisten = \"127.0.0.1:{}\"", self.port);
        text.replace("https://sso.example.com", &url)
            .replace("ldaps://ldap.example.com", &directory)
            .replace("[server]", &listen)
    }

    fn serve(&mut self) {
        let log = std::fs::File::create(self.folder.path().join("log")).unwrap();
        let mut command = self.command("exec setpriv --pdeathsig KILL yaopai serve");
        self.serving = Some(command.stdout(log.try_clone().unwrap()).stderr(log).spawn().unwrap());
        let begun = Instant::now();
        while !get(self.port, "/ready").is_some_and(|answer| answer.starts_with("HTTP/1.1 200")) {
            let log = std::fs::read_to_string(self.folder.path().join("log")).unwrap();
            assert!(begun.elapsed() < Duration::from_mins(1), "yaopai serve does not answer: {log}");
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    fn shell(&self, script: &str) -> Output {
        self.command(script).output().unwrap()
    }

    fn command(&self, script: &str) -> Command {
        let bin = self.folder.path().join("usr/local/bin");
        let mut command = Command::new("bash");
        command.args(["-euo", "pipefail", "-c", &self.adapted(script)]).current_dir(self.etc()).stdin(Stdio::null());
        command.env_clear().env("PATH", format!("{}:/usr/bin:/bin", bin.display())).env("NO_PROXY", "127.0.0.1");
        command
    }

    fn etc(&self) -> PathBuf {
        self.folder.path().join("etc/yaopai")
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        if let Some(serving) = &mut self.serving {
            let _ = serving.kill();
            let _ = serving.wait();
        }
    }
}

/// `make` in the repository.
fn make(args: &[&str], environment: &[(&str, &str)]) -> Output {
    let mut command = Command::new("make");
    command.arg("--no-print-directory").args(args).current_dir(Path::new(env!("CARGO_MANIFEST_DIR")));
    command.envs(environment.iter().copied()).stdin(Stdio::null()).env_remove("MAKEFLAGS").env_remove("MAKELEVEL");
    command.output().unwrap()
}

fn done(what: &str, output: &Output) {
    let said = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(output.status.success(), "`{what}`: {}\n{}{}", output.status, said(&output.stdout), said(&output.stderr));
}
