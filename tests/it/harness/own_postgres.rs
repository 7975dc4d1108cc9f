//! A PostgreSQL of one's own, which a test may stop as a power cut would and start again. What it has committed is on
//! the disk: it runs with fsync, unlike the one that tests share.

use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::leftover;
use super::postgres::{binaries, command};

/// A running server; ended when dropped.
pub struct OwnPostgres {
    port: u16,
    bin: PathBuf,
    folder: tempfile::TempDir,
    running: Option<(mpsc::Sender<()>, JoinHandle<()>)>,
}

fn is_root() -> bool {
    Command::new("id").arg("-u").output().unwrap().stdout.trim_ascii() == b"0"
}

impl OwnPostgres {
    /// A server with an empty database `postgres`. Blocking, for a second or two.
    pub fn start() -> Self {
        let (bin, folder) = (binaries(), leftover::folder("own-postgres"));
        if is_root() {
            let owned = Command::new("chown").arg("postgres").arg(folder.path()).status().unwrap();
            assert!(owned.success(), "no user `postgres` to run the server as: run `make setup`");
        }
        let initdb = command(&bin.join("initdb"), is_root())
            .args(["-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync", "-D"])
            .arg(folder.path().join("data"))
            .output()
            .unwrap();
        assert!(initdb.status.success(), "initdb failed: {}", String::from_utf8_lossy(&initdb.stderr));
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let mut server = Self { port, bin, folder, running: None };
        server.start_again();
        server
    }

    /// URL of its database.
    pub fn url(&self) -> String {
        format!("postgres://postgres@127.0.0.1:{}/postgres", self.port)
    }

    /// Starts it and waits until it answers: after a power cut it reads its log first.
    pub fn start_again(&mut self) {
        let (stop, stopped) = mpsc::channel::<()>();
        let log = std::fs::File::create(self.folder.path().join("log")).unwrap();
        let mut server = command(&self.bin.join("postgres"), is_root());
        server.arg("-D").arg(self.folder.path().join("data"));
        server.args(["-p", &self.port.to_string(), "-c", "listen_addresses=127.0.0.1"]);
        server.args(["-c", "unix_socket_directories=", "-c", "shared_buffers=16MB"]);
        server.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
        // The parent-death signal follows the thread that started the child.
        let thread = std::thread::spawn(move || {
            let mut child = server.spawn().unwrap();
            let _ = stopped.recv();
            let _ = child.wait();
        });
        self.running = Some((stop, thread));
        let begun = Instant::now();
        loop {
            let mut asked = command(&self.bin.join("pg_isready"), is_root());
            asked.args(["-q", "-h", "127.0.0.1", "-p", &self.port.to_string()]);
            if asked.status().unwrap().success() {
                return;
            }
            assert!(begun.elapsed() < Duration::from_mins(1), "PostgreSQL did not start");
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// `pg_ctl stop -m immediate`: no goodbye, no checkpoint.
    pub fn stop_immediately(&mut self) {
        let Some((stop, thread)) = self.running.take() else { return };
        let mut ctl = command(&self.bin.join("pg_ctl"), is_root());
        ctl.args(["stop", "-m", "immediate", "-D"]).arg(self.folder.path().join("data")).stdout(Stdio::null());
        assert!(ctl.status().unwrap().success(), "pg_ctl stop");
        drop(stop);
        let _ = thread.join();
    }
}

impl Drop for OwnPostgres {
    fn drop(&mut self) {
        self.stop_immediately();
    }
}
