//! A sync of 20,000 people from a real slapd, next to a bare dump of the same server.

use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, ensure};

use super::process::{Used, timed, yaopai};
use super::slapd::Slapd;
use super::stage;

/// People of the generated company.
pub const PEOPLE: &str = "20000";

/// What was measured; of repeated runs the fastest, for both sides.
#[derive(Debug)]
pub struct Synced {
    /// `ldapsearch` of everything.
    pub dump: Used,
    /// First import into an empty database.
    pub first: Used,
    /// The same again, nothing changed.
    pub again: Used,
}

/// Generates, loads, imports, runs again.
pub fn measure(database: &str) -> anyhow::Result<Synced> {
    let folder = tempfile::Builder::new().prefix("yaopai-bench-").tempdir()?;
    let ldif = folder.path().join("company.ldif");
    let mut generate = Command::new(super::process::YAOPAI);
    generate.args(["demo-company", "--people", PEOPLE]);
    std::fs::write(&ldif, timed(&mut generate)?.0)?;
    let slapd = Slapd::start(&ldif)?;
    stage::write(folder.path(), &configuration(&slapd, database)?)?;
    let entries = slapd.entries()?;
    ensure!(entries > 20_000, "expected over 20,000 entries in the dump, got {entries}");
    let dump = fastest(3, || slapd.dump())?;
    let run = |expected: &str| -> anyhow::Result<Used> {
        let (output, used) = timed(yaopai(folder.path()).args(["sync", "run", "--source", "company", "--json"]))?;
        let report: serde_json::Value = serde_json::from_str(&output).context("the report")?;
        ensure!(counted(&report, expected) >= 20_000, "expected 20,000 people {expected}: {report:#}");
        Ok(used)
    };
    let first = run("created")?;
    let again = fastest(3, || run("unchanged"))?;
    Ok(Synced { dump, first, again })
}

fn fastest(times: usize, mut once: impl FnMut() -> anyhow::Result<Used>) -> anyhow::Result<Used> {
    let mut best = once()?;
    for _ in 1..times {
        let used = once()?;
        if used.wall < best.wall {
            best = used;
        }
    }
    Ok(best)
}

/// The number of people that the report counts as `what`.
fn counted(report: &serde_json::Value, what: &str) -> i64 {
    report.pointer(&format!("/users/{what}")).and_then(serde_json::Value::as_i64).unwrap_or_default()
}

fn configuration(slapd: &Slapd, database: &str) -> anyhow::Result<String> {
    let mut source = stage::source()?;
    let entry = source.get_mut("source").and_then(|list| list.get_mut(0)).and_then(toml::Value::as_table_mut);
    let entry = entry.context("no source")?;
    entry.remove("ldif");
    entry.insert("ldap".to_owned(), slapd.source()?.into());
    let policies = Path::new(env!("CARGO_MANIFEST_DIR")).join("policies");
    Ok(format!(
        "[server]\npublic_url = 'http://127.0.0.1:8080'\n[database]\nurl = '{database}'\n\
         [policies]\nfolder = '{}'\n{}",
        policies.display(),
        toml::to_string(&source)?
    ))
}
