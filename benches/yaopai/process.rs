//! The server as a child process: the real binary, its CPU seconds and its memory as the kernel counts them.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail, ensure};

/// Clock ticks a second in `/proc/PID/stat`: fixed at 100 on Linux for user space.
const TICKS: f64 = 100.0;

/// The binary under test, built in the same profile as this program.
pub const YAOPAI: &str = env!("CARGO_BIN_EXE_yaopai");

/// A running server; ended when dropped.
#[derive(Debug)]
pub struct Server {
    child: Child,
    log: PathBuf,
}

/// The binary with the configuration in `folder`.
pub fn yaopai(folder: &Path) -> Command {
    let mut command = Command::new(YAOPAI);
    command.args(["--config", "yaopai.toml"]).current_dir(folder).stdin(Stdio::null());
    for variable in
        ["LISTEN", "PUBLIC_URL", "DATABASE_URL", "MASTER_KEY_FILE", "POLICIES", "CONFIG", "LOG", "LOG_FORMAT"]
    {
        command.env_remove(format!("YAOPAI_{variable}"));
    }
    command.env("YAOPAI_LOG", "warn");
    command
}

/// Runs a command to its end; its output, the wall seconds and the CPU seconds it used.
pub fn timed(command: &mut Command) -> anyhow::Result<(String, Used)> {
    let (cpu, begun) = (children_cpu()?, Instant::now());
    let child =
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().with_context(|| format!("{command:?}"))?;
    let (id, is_done) = (child.id(), AtomicBool::new(false));
    let (done, wall, memory) = std::thread::scope(|scope| {
        let watch = scope.spawn(|| peak(id, &is_done));
        let done = child.wait_with_output();
        let wall = begun.elapsed().as_secs_f64();
        is_done.store(true, Ordering::Relaxed);
        (done, wall, watch.join().unwrap_or_default())
    });
    let done = done?;
    let used = Used { wall, cpu: children_cpu()? - cpu, memory };
    let output = String::from_utf8_lossy(&done.stdout).into_owned();
    ensure!(
        done.status.success(),
        "{command:?} ended with {}: {}{output}",
        done.status,
        String::from_utf8_lossy(&done.stderr)
    );
    Ok((output, used))
}

/// The most memory that a process has had resident, in MB, looked at until it is done.
fn peak(id: u32, is_done: &AtomicBool) -> f64 {
    let mut peak = 0.0;
    while !is_done.load(Ordering::Relaxed) {
        // VmHWM is the kernel's own maximum: only what grows after the last look is missed.
        peak = resident(id, "VmHWM:").unwrap_or(peak);
        std::thread::sleep(Duration::from_millis(5));
    }
    peak
}

/// A line of `/proc/PID/status` in MB.
fn resident(id: u32, name: &str) -> anyhow::Result<f64> {
    let status = std::fs::read_to_string(format!("/proc/{id}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix(name)).with_context(|| name.to_owned())?;
    let kilobytes: f64 = line.trim().trim_end_matches("kB").trim().parse()?;
    Ok(kilobytes / 1024.0)
}

/// What something took.
#[derive(Clone, Copy, Debug)]
pub struct Used {
    /// Seconds on the wall clock.
    pub wall: f64,
    /// CPU seconds of the process.
    pub cpu: f64,
    /// The most memory that it had resident, in MB.
    pub memory: f64,
}

impl Server {
    /// Starts it, logging to a file, and waits until `address` accepts connections.
    pub fn start(command: &mut Command, log: &Path, address: &str) -> anyhow::Result<Self> {
        let file = std::fs::File::create(log)?;
        let child = command.stdout(file.try_clone()?).stderr(file).spawn().with_context(|| format!("{command:?}"))?;
        let mut server = Self { child, log: log.to_owned() };
        let begun = Instant::now();
        while begun.elapsed() < Duration::from_secs(30) {
            if let Some(status) = server.child.try_wait()? {
                bail!("{command:?} ended with {status}: {}", server.printed());
            }
            if std::net::TcpStream::connect(address).is_ok() {
                return Ok(server);
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        bail!("{command:?} does not listen on {address}: {}", server.printed())
    }

    /// What it printed so far.
    pub fn printed(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// CPU seconds it has used so far, user and system.
    pub fn cpu(&self) -> anyhow::Result<f64> {
        let fields = stat(&format!("/proc/{}/stat", self.child.id()))?;
        Ok((fields[0] + fields[1]) / TICKS)
    }

    /// Resident memory in MB.
    pub fn memory(&self) -> anyhow::Result<f64> {
        resident(self.child.id(), "VmRSS:")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status();
        let begun = Instant::now();
        while begun.elapsed() < Duration::from_secs(12) {
            if matches!(self.child.try_wait(), Ok(Some(_)) | Err(_)) {
                return;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// CPU seconds of our children that have ended.
fn children_cpu() -> anyhow::Result<f64> {
    let fields = stat("/proc/self/stat")?;
    Ok((fields[2] + fields[3]) / TICKS)
}

/// CPU seconds of this process.
pub fn own_cpu() -> anyhow::Result<f64> {
    let fields = stat("/proc/self/stat")?;
    Ok((fields[0] + fields[1]) / TICKS)
}

/// utime, stime, cutime, cstime (proc(5), fields 14 to 17).
fn stat(path: &str) -> anyhow::Result<[f64; 4]> {
    let text = std::fs::read_to_string(path).with_context(|| path.to_owned())?;
    let (_, fields) = text.rsplit_once(')').context("no process name")?;
    let mut numbers = fields.split_whitespace().skip(11).map(str::parse::<f64>);
    let mut next = || numbers.next().context("too few fields")?.context("not a number");
    Ok([next()?, next()?, next()?, next()?])
}
