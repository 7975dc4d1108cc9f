//! The real binary as a process: a folder with a configuration, started, asked, stopped.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// How long a start or a stop may take on a busy machine.
const PATIENCE: Duration = Duration::from_mins(1);

/// A folder with `yaopai.toml`.
pub struct Installation {
    pub folder: TempDir,
    pub port: u16,
}

/// A broker that runs; killed when dropped.
pub struct Running {
    child: Child,
    log: PathBuf,
}

impl Installation {
    /// The smallest configuration: an address, and the policies of the repository.
    pub fn new() -> Self {
        let (folder, port) = (tempfile::tempdir().unwrap(), free_port());
        let installation = Self { folder, port };
        installation.configure(&installation.smallest());
        installation
    }

    /// `[server]` and `[policies]`, to which a test adds what it is about.
    pub fn smallest(&self) -> String {
        let policies = Path::new(env!("CARGO_MANIFEST_DIR")).join("policies");
        format!(
            "[server]\npublic_url = \"http://127.0.0.1:{port}\"\nlisten = \"127.0.0.1:{port}\"\n\n[policies]\nfolder = \"{}\"\n",
            policies.display(),
            port = self.port
        )
    }

    /// Writes `yaopai.toml`.
    pub fn configure(&self, text: &str) {
        std::fs::write(self.path("yaopai.toml"), text).unwrap();
    }

    /// URL of the database, where the configuration names no other.
    pub fn sqlite(&self) -> String {
        format!("sqlite://{}", self.path("data/yaopai.db").display())
    }

    /// A path in the folder.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// `yaopai ARGS` in the folder, without the environment of the test. It ends when the calling thread does.
    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new("setpriv");
        command.args(["--pdeathsig", "KILL"]).arg(env!("CARGO_BIN_EXE_yaopai")).args(args);
        command.current_dir(self.folder.path()).env_clear().stdin(Stdio::null());
        command
    }

    /// Runs `yaopai ARGS` to its end.
    pub fn run(&self, args: &[&str]) -> Output {
        self.command(args).output().unwrap_or_else(|error| panic!("setpriv: {error}: run `make setup`"))
    }

    /// Starts `yaopai serve` and waits until it answers.
    pub fn start(&self) -> Running {
        self.start_at(self.port)
    }

    /// Starts `yaopai serve` as another node of the same installation, on a port of its own.
    pub fn start_at(&self, port: u16) -> Running {
        let log = self.path("log");
        let out = std::fs::OpenOptions::new().create(true).append(true).open(&log).unwrap();
        let listen = format!("127.0.0.1:{port}");
        let mut command = self.command(&["serve"]);
        if port != self.port {
            command.env("YAOPAI_LISTEN", listen);
        }
        let child = command.stdout(out.try_clone().unwrap()).stderr(out).spawn().unwrap();
        let mut running = Running { child, log };
        let begun = Instant::now();
        while !get(port, "/ready").is_some_and(|answer| answer.starts_with("HTTP/1.1 200")) {
            if let Some(status) = running.child.try_wait().unwrap() {
                panic!("yaopai serve ended with {status}:\n{}", running.log());
            }
            assert!(begun.elapsed() < PATIENCE, "yaopai serve does not answer:\n{}", running.log());
            std::thread::sleep(Duration::from_millis(50));
        }
        running
    }
}

impl Running {
    /// What it logged so far.
    pub fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// Asks it to stop (SIGTERM) and goes on at once.
    pub fn terminate(&self) {
        let kill = format!("kill -TERM {}", self.child.id());
        assert!(Command::new("sh").args(["-c", &kill]).status().unwrap().success());
    }

    /// Waits for its end.
    pub fn wait(mut self) -> ExitStatus {
        let begun = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            assert!(begun.elapsed() < PATIENCE, "yaopai serve does not stop:\n{}", self.log());
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A port that was free a moment ago.
pub fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// Sends `GET path` and gives the whole answer, head and body; nothing when nobody listens.
pub fn get(port: u16, path: &str) -> Option<String> {
    let address = SocketAddr::from(([127, 0, 0, 1], port));
    let mut stream = TcpStream::connect_timeout(&address, Duration::from_secs(5)).ok()?;
    stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    write!(stream, "GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\n\r\n").ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    Some(answer)
}
