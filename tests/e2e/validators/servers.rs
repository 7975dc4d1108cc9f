//! The examples as processes of their own, each on a port of loopback.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::{AUDIENCE, examples};
use crate::process::free_port;

/// A validator that runs; killed when dropped.
pub struct Server {
    child: Child,
    pub port: u16,
    folder: tempfile::TempDir,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Where the clients of the tests are installed.
fn clients() -> PathBuf {
    root().join("tests/e2e/clients")
}

impl Server {
    /// Starts `program ARGS` for the broker at `broker`.
    fn start(broker: u16, program: &Path, args: &[&Path], more: &[(&str, &str)], folder: tempfile::TempDir) -> Self {
        Self::start_on(free_port(), broker, program, args, more, folder)
    }

    fn start_on(
        port: u16,
        broker: u16,
        program: &Path,
        args: &[&Path],
        more: &[(&str, &str)],
        folder: tempfile::TempDir,
    ) -> Self {
        let log = std::fs::File::create(folder.path().join("log")).unwrap();
        let child = Command::new("setpriv")
            .args(["--pdeathsig", "KILL"])
            .arg(program)
            .args(args)
            .current_dir(folder.path())
            .env("ISSUER", format!("http://127.0.0.1:{broker}"))
            .env("AUDIENCE", AUDIENCE)
            .env("PORT", port.to_string())
            .envs(more.iter().copied())
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap_or_else(|error| panic!("setpriv: {error}: run `make setup`"));
        let mut server = Self { child, port, folder };
        let begun = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            if let Some(status) = server.child.try_wait().unwrap() {
                panic!("{} ended with {status}: run `make setup`\n{}", program.display(), server.log());
            }
            assert!(
                begun.elapsed() < Duration::from_mins(1),
                "{} does not listen\n{}",
                program.display(),
                server.log()
            );
            std::thread::sleep(Duration::from_millis(20));
        }
        server
    }

    /// What it wrote so far.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }

    /// The axum layer; with credentials it follows the change feed.
    pub fn rust(broker: u16, follows: Option<(&str, &str)>) -> Self {
        // Cargo builds examples with the tests, beside their folder.
        let own = std::env::current_exe().unwrap();
        let program = own.parent().unwrap().parent().unwrap().join("examples/validator");
        let more = follows.map(|(id, secret)| vec![("CLIENT_ID", id), ("CLIENT_SECRET", secret)]).unwrap_or_default();
        Self::start(broker, &program, &[], &more, tempfile::tempdir().unwrap())
    }

    /// jose, beside the modules that the tests install.
    pub fn node(broker: u16) -> Self {
        let modules = clients().join("node_modules");
        assert!(modules.join("jose").exists(), "jose is not installed: run `make setup`");
        let folder = tempfile::tempdir().unwrap();
        std::os::unix::fs::symlink(modules, folder.path().join("node_modules")).unwrap();
        std::fs::copy(examples().join("node/validator.mjs"), folder.path().join("validator.mjs")).unwrap();
        std::fs::copy(root().join("tests/e2e/validators/serve.mjs"), folder.path().join("serve.mjs")).unwrap();
        Self::start(broker, Path::new("node"), &[Path::new("serve.mjs")], &[], folder)
    }

    /// Authlib, in the environment that the tests install.
    pub fn python(broker: u16) -> Self {
        let python = clients().join(".venv/bin/python");
        assert!(python.exists(), "Authlib is not installed: run `make setup`");
        let script = root().join("tests/e2e/validators/serve.py");
        Self::start(broker, &python, &[&script, &examples().join("python")], &[], tempfile::tempdir().unwrap())
    }

    /// nginx around the example, with a service behind that takes everything.
    pub fn nginx(broker: u16) -> Self {
        let (folder, port, behind) = (tempfile::tempdir().unwrap(), free_port(), free_port());
        let example = std::fs::read_to_string(examples().join("nginx/validator.conf")).unwrap();
        let example = example
            .replace("127.0.0.1:8080", &format!("127.0.0.1:{broker}"))
            .replace("127.0.0.1:8084", &format!("127.0.0.1:{behind}"));
        let at = folder.path().display();
        let temp =
            ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map(|kind| format!("{kind}_temp_path {at}/{kind};"));
        let whole = format!(
            "daemon off;\nmaster_process off;\nworker_processes 1;\npid {at}/pid;\nerror_log stderr;\n\
             events {{ worker_connections 64; }}\nhttp {{ access_log off; {}\n\
             server {{ listen 127.0.0.1:{port}; {example} }}\n\
             server {{ listen 127.0.0.1:{behind}; return 200; }} }}\n",
            temp.join(" ")
        );
        let file = folder.path().join("nginx.conf");
        std::fs::write(&file, whole).unwrap();
        let (error, prefix, conf) = (Path::new("-e"), Path::new("-p"), Path::new("-c"));
        let own = folder.path().to_owned();
        let args: [&Path; 6] = [error, Path::new("stderr"), prefix, &own, conf, &file];
        Self::start_on(port, broker, Path::new("nginx"), &args, &[], folder)
    }
}

impl Server {
    /// The Go example with a program around it, built as Debian's Go does it: without modules, without the network.
    pub fn go(broker: u16, (id, secret): (&str, &str)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        for (from, to) in [
            (examples().join("go/validator.go"), "src/validator/validator.go"),
            (root().join("tests/e2e/validators/serve.go"), "src/serve/serve.go"),
        ] {
            let to = folder.path().join(to);
            std::fs::create_dir_all(to.parent().unwrap()).unwrap();
            std::fs::copy(from, to).unwrap();
        }
        let built = Command::new("go")
            .args(["build", "-o", "serve", "serve"])
            .current_dir(folder.path())
            .env("GO111MODULE", "off")
            .env("GOPATH", folder.path())
            .env("GOCACHE", folder.path().join("cache"))
            .output()
            .unwrap_or_else(|error| panic!("go: {error}: run `make setup`"));
        assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
        let more = [("CLIENT_ID", id), ("CLIENT_SECRET", secret)];
        let program = folder.path().join("serve");
        Self::start(broker, &program, &[], &more, folder)
    }

    /// Envoy around the example; what passes the filters is answered with 200.
    pub fn envoy(broker: u16) -> Self {
        let program = clients().join(".venv/bin/envoy");
        assert!(program.exists(), "Envoy is not installed: run `make setup`");
        let (folder, port) = (tempfile::tempdir().unwrap(), free_port());
        let example = std::fs::read_to_string(examples().join("envoy/validator.yaml")).unwrap();
        let example = example.replace("127.0.0.1:8080", &format!("127.0.0.1:{broker}")).replace('\n', "\n          ");
        let whole = format!(
            r#"static_resources:
  listeners:
  - address: {{socket_address: {{address: 127.0.0.1, port_value: {port}}}}}
    filter_chains:
    - filters:
      - name: envoy.filters.network.http_connection_manager
        typed_config:
          "@type": type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager
          stat_prefix: validator
          route_config: {{virtual_hosts: [{{name: all, domains: ["*"], routes: [{{match: {{prefix: /}}, direct_response: {{status: 200}}}}]}}]}}
          http_filters:
          {example}
  clusters:
  - name: yaopai
    type: STATIC
    load_assignment: {{cluster_name: yaopai, endpoints: [{{lb_endpoints: [{{endpoint: {{address: {{socket_address: {{address: 127.0.0.1, port_value: {broker}}}}}}}}}]}}]}}
"#
        );
        let file = folder.path().join("envoy.yaml");
        std::fs::write(&file, whole).unwrap();
        let args = ["--disable-hot-restart", "--concurrency", "1", "--log-level", "warn", "-c"].map(Path::new);
        Self::start_on(port, broker, &program, &[args.as_slice(), &[file.as_path()]].concat(), &[], folder)
    }
}

/// What a validator answers to `GET /expense` with this token.
pub fn status(port: u16, token: &str) -> u16 {
    let mut stream = TcpStream::connect(SocketAddr::from(([127, 0, 0, 1], port))).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let request = format!(
        "GET /expense HTTP/1.1\r\nHost: api.example\r\nConnection: close\r\nAuthorization: Bearer {token}\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or_else(|| panic!("no answer: {answer:?}"))
}
