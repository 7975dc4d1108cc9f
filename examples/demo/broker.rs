//! The real binary: its commands, and `yaopai serve` as a child that never outlives the demonstration.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail, ensure};
use tokio::process::{Child, Command};

/// The `yaopai` binary with its configuration.
#[derive(Clone, Debug)]
pub struct Yaopai {
    program: PathBuf,
    folder: PathBuf,
    language: &'static str,
}

/// What a command printed.
#[derive(Debug)]
pub struct Printed {
    /// The command as a person would type it.
    pub line: String,
    /// Its output.
    pub output: String,
    /// How long it took.
    pub took: Duration,
}

impl Yaopai {
    /// The binary that was built beside this example.
    pub fn beside_us(folder: &Path, language: &'static str) -> anyhow::Result<Self> {
        let us = std::env::current_exe()?;
        let program = us.parent().and_then(Path::parent).map(|target| target.join("yaopai")).context("no target")?;
        ensure!(program.exists(), "{} is not built: run `cargo build` first, or `make demo`", program.display());
        Ok(Self { program, folder: folder.to_owned(), language })
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        command.args(["--config", "yaopai.toml"]).args(arguments).current_dir(&self.folder).kill_on_drop(true);
        // The configuration is the file's: what this shell has set for another broker does not count.
        for variable in ["LISTEN", "PUBLIC_URL", "DATABASE_URL", "MASTER_KEY_FILE", "POLICIES", "CONFIG", "LOG_FORMAT"]
        {
            command.env_remove(format!("YAOPAI_{variable}"));
        }
        command.env("YAOPAI_LOG", "warn").stdin(Stdio::null());
        command
    }

    /// Runs a command to its end. An exit code other than 0 is an error with what was printed.
    pub async fn run(&self, arguments: &[&str]) -> anyhow::Result<Printed> {
        let quoted: Vec<String> = arguments.iter().map(|argument| quote(argument)).collect();
        let line = format!("yaopai {}", quoted.join(" "));
        let begun = Instant::now();
        let done = self.command(arguments).output().await.with_context(|| format!("`{line}`"))?;
        let took = begun.elapsed();
        let output = String::from_utf8_lossy(&done.stdout).into_owned();
        ensure!(
            done.status.success(),
            "`{line}` ended with {}: {}{output}",
            done.status,
            String::from_utf8_lossy(&done.stderr)
        );
        Ok(Printed { line, output, took })
    }

    /// Runs a report command in the language of the demonstration.
    pub async fn report(&self, arguments: &[&str]) -> anyhow::Result<Printed> {
        if self.language == "en" {
            return self.run(arguments).await;
        }
        let mut arguments = arguments.to_vec();
        arguments.extend(["--lang", self.language]);
        self.run(&arguments).await
    }

    /// Starts the broker and waits until it serves at `url`.
    pub async fn serve(&self, url: &str, http: &reqwest::Client) -> anyhow::Result<Serving> {
        let log = self.folder.join("yaopai.log");
        let file = std::fs::File::create(&log)?;
        let mut command = self.command(&["serve"]);
        command.env("YAOPAI_LOG", "info,sqlx=warn").stdout(file.try_clone()?).stderr(file);
        let mut serving = Serving { child: command.spawn().context("`yaopai serve`")?, log };
        let begun = Instant::now();
        while begun.elapsed() < Duration::from_secs(30) {
            if let Some(status) = serving.child.try_wait()? {
                bail!("`yaopai serve` ended with {status}: {}", serving.last_words());
            }
            if http.get(format!("{url}/ready")).send().await.is_ok_and(|answer| answer.status().is_success()) {
                return Ok(serving);
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        bail!("`yaopai serve` does not answer at {url}: {}", serving.last_words())
    }
}

/// An argument as a shell wants it written.
fn quote(argument: &str) -> String {
    let is_plain = argument.chars().all(|c| c.is_ascii_alphanumeric() || "-_./:=".contains(c));
    if is_plain { argument.to_owned() } else { format!("'{argument}'") }
}

/// The running broker.
#[derive(Debug)]
pub struct Serving {
    child: Child,
    /// Its log file.
    pub log: PathBuf,
}

impl Serving {
    fn printed(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// The last lines it printed.
    pub fn last_words(&self) -> String {
        let log = self.printed();
        let lines: Vec<&str> = log.lines().collect();
        lines.iter().skip(lines.len().saturating_sub(20)).copied().collect::<Vec<_>>().join("\n")
    }

    /// Whether it still runs.
    pub fn is_running(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// Asks it to stop, waits until it has drained, and only then insists.
    pub async fn stop(mut self) -> anyhow::Result<()> {
        if let Some(pid) = self.child.id() {
            Command::new("kill").args(["-TERM", &pid.to_string()]).status().await?;
            if tokio::time::timeout(Duration::from_secs(15), self.child.wait()).await.is_err() {
                self.child.kill().await?;
            }
        }
        Ok(())
    }
}
