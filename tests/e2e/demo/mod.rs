//! The demonstration, as `make demo` runs it: once to its end in both languages, and once stopped by Ctrl-C.

use std::io::{BufRead as _, BufReader, Read as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How long the walk may take on a busy machine.
const PATIENCE: Duration = Duration::from_mins(3);

/// One at a time: each takes the well-known ports where they are free.
static STAGE: Mutex<()> = Mutex::new(());

/// The example, built beside the binary by `cargo test` (and by `make demo`).
fn demo(language: &str) -> Command {
    let program = Path::new(env!("CARGO_BIN_EXE_yaopai")).parent().unwrap().join("examples/demo");
    assert!(program.exists(), "the demonstration is not built: run `cargo build --example demo`, or `make test`");
    let mut command = Command::new(program);
    command.env("LC_ALL", language).env_remove("DEMO_ONCE").stdin(Stdio::null()).stdout(Stdio::piped());
    command
}

fn walk_once(language: &str, all_held: &str) {
    let _stage = STAGE.lock().unwrap_or_else(PoisonError::into_inner);
    let done = demo(language).env("DEMO_ONCE", "1").output().unwrap();
    let told = String::from_utf8(done.stdout).unwrap();
    assert!(done.status.success(), "{told}");
    assert!(told.contains(all_held), "{told}");
    assert!(!told.contains('✗'), "{told}");
    assert!(!folder_of(&told).exists(), "the folder of the demonstration is left behind");
}

/// The temporary folder that the demonstration names in its first line.
fn folder_of(told: &str) -> PathBuf {
    let first = told.lines().find(|line| line.contains("yaopai-demo-")).unwrap();
    PathBuf::from(first.split_whitespace().last().unwrap())
}

#[test]
fn every_step_holds_in_english() {
    walk_once("C.UTF-8", "Every step held.");
}

#[test]
fn every_step_holds_in_chinese() {
    walk_once("zh_CN.UTF-8", "每一步都成立。");
}

/// Kills the demonstration where a test fails half way.
struct Performing(Child);

impl Drop for Performing {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn ctrl_c_stops_it_and_leaves_nothing_behind() {
    let _stage = STAGE.lock().unwrap_or_else(PoisonError::into_inner);
    let mut performing = Performing(demo("C.UTF-8").spawn().unwrap());
    let mut output = BufReader::new(performing.0.stdout.take().unwrap());
    let (mut told, mut line) = (String::new(), String::new());
    while !line.contains("Ctrl-C") {
        line.clear();
        assert!(output.read_line(&mut line).unwrap() > 0, "it ended before it served: {told}");
        told.push_str(&line);
    }
    let folder = folder_of(&told);
    assert_eq!(processes_in(&folder).len(), 1, "the broker runs in the folder of the demonstration");
    let interrupted = Command::new("kill").args(["-INT", &performing.0.id().to_string()]).status().unwrap();
    assert!(interrupted.success());
    let begun = Instant::now();
    while performing.0.try_wait().unwrap().is_none() {
        assert!(begun.elapsed() < PATIENCE, "it does not stop");
        std::thread::sleep(Duration::from_millis(100));
    }
    output.read_to_string(&mut told).unwrap();
    assert_eq!(processes_in(&folder), [] as [PathBuf; 0], "the broker still runs");
    assert!(!folder.exists(), "the folder of the demonstration is left behind");
}

/// The processes that run in `folder`: their entries in `/proc`.
fn processes_in(folder: &Path) -> Vec<PathBuf> {
    let runs_there = |entry: &PathBuf| std::fs::read_link(entry.join("cwd")).is_ok_and(|cwd| cwd.starts_with(folder));
    let entries = std::fs::read_dir("/proc").unwrap().filter_map(|entry| Some(entry.ok()?.path()));
    entries.filter(runs_there).collect()
}
