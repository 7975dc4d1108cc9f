//! The stage: a temporary folder with a configuration, secrets, policies and a directory of its own.
//!
//! The configuration is `deploy/demo/yaopai.toml` as an operator would read it, with the ports and folders of this run
//! put in; so what the demonstration runs on is what the repository shows.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, ensure};
use tempfile::TempDir;
use tokio::net::TcpListener;

/// Addresses as `deploy/demo/yaopai.toml` writes them, in the order of [`Ports`].
const WRITTEN: [&str; 5] = ["127.0.0.1:8080", "127.0.0.1:8081", "localhost:8082", "localhost:8083", "127.0.0.1:8084"];

/// Everything that one demonstration uses on this machine.
#[derive(Debug)]
pub struct Stage {
    /// The folder; removed at the end.
    pub folder: TempDir,
    /// Where the broker will be reached.
    pub broker: String,
    /// Where its gateway will be reached.
    pub gateway: String,
    /// Where OA will be reached.
    pub oa: String,
    /// Where the expense system will be reached.
    pub expense: String,
    /// Listeners, already bound.
    pub listeners: Listeners,
    /// Secrets of the two applications.
    pub secrets: [String; 2],
}

/// Listeners: none of a program once it serves.
#[derive(Debug, Default)]
pub struct Listeners {
    /// The broker's and its gateway's, only to keep the ports.
    pub kept: Vec<TcpListener>,
    /// OA.
    pub oa: Option<TcpListener>,
    /// The expense system.
    pub expense: Option<TcpListener>,
    /// The expense API.
    pub api: Option<TcpListener>,
}

impl Stage {
    /// Builds the stage.
    pub async fn build(repository: &Path) -> anyhow::Result<Self> {
        let folder = tempfile::Builder::new().prefix("yaopai-demo-").tempdir()?;
        // The broker's two ports stay bound until it starts, the others for good.
        let mut bound = Vec::new();
        for wish in 8080..8085 {
            bound.push(listen(wish).await?);
        }
        let addresses: Vec<String> = bound
            .iter()
            .zip(WRITTEN)
            .map(|(listener, written)| {
                let host = written.split(':').next().unwrap_or_default();
                Ok(format!("{host}:{}", listener.local_addr()?.port()))
            })
            .collect::<anyhow::Result<_>>()?;
        let kept = bound.drain(..2).collect();
        let mut bound = bound.into_iter();
        let listeners = Listeners { kept, oa: bound.next(), expense: bound.next(), api: bound.next() };
        let secrets = [secret(folder.path(), "oa")?, secret(folder.path(), "expense")?];
        write_configuration(repository, folder.path(), &addresses)?;
        let mut urls = addresses.into_iter().map(|address| format!("http://{address}"));
        let mut next = || urls.next().context("five addresses");
        Ok(Self { broker: next()?, gateway: next()?, oa: next()?, expense: next()?, folder, listeners, secrets })
    }

    /// A file of the stage.
    pub fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
}

/// The port people know from the file when it is free, else any.
async fn listen(wish: u16) -> anyhow::Result<TcpListener> {
    match TcpListener::bind(("127.0.0.1", wish)).await {
        Ok(listener) => Ok(listener),
        Err(_) => TcpListener::bind(("127.0.0.1", 0)).await.context("no free port on 127.0.0.1"),
    }
}

fn secret(folder: &Path, name: &str) -> anyhow::Result<String> {
    let secret = openidconnect::CsrfToken::new_random_len(32).into_secret();
    fs::create_dir_all(folder.join("secrets"))?;
    fs::write(folder.join("secrets").join(name), format!("{secret}\n"))?;
    Ok(secret)
}

fn write_configuration(repository: &Path, folder: &Path, addresses: &[String]) -> anyhow::Result<()> {
    let demo = repository.join("deploy/demo");
    let read = |path: PathBuf| fs::read_to_string(&path).with_context(|| format!("{} cannot be read", path.display()));
    let mut text = read(demo.join("yaopai.toml"))?;
    for (written, address) in WRITTEN.iter().zip(addresses) {
        ensure!(text.contains(written), "deploy/demo/yaopai.toml does not mention {written} any more");
        // Marked first, so that a port put in is never taken for one that is still to be replaced.
        text = text.replace(written, &format!("\u{1}{address}"));
    }
    text = text.replace('\u{1}', "").replace("../../policies", "policies");
    fs::write(folder.join("yaopai.toml"), text)?;
    fs::copy(demo.join("company.ldif"), folder.join("company.ldif")).context("deploy/demo/company.ldif")?;
    copy_folder(&repository.join("policies"), &folder.join("policies"))
}

fn copy_folder(from: &Path, to: &Path) -> anyhow::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from).with_context(|| format!("{} cannot be read", from.display()))? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy_folder(&entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}
