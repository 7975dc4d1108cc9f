//! A sync of a company from a real slapd, next to a bare dump of the same server.

use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, ensure};

use super::process::{Used, timed, yaopai};
use super::slapd::Slapd;
use super::stage;

/// People who get another number between two runs.
const CHANGES: usize = 100;

/// What was measured; of repeated runs the fastest, for both sides.
#[derive(Debug)]
pub struct Synced {
    /// People of the company.
    pub people: usize,
    /// `ldapsearch` of everything.
    pub dump: Used,
    /// First import into an empty database.
    pub first: Used,
    /// The same again, nothing changed.
    pub again: Used,
    /// After a hundred people have got another mobile number.
    pub changed: Used,
}

/// Generates, loads, imports, runs again, changes some, runs again.
pub fn measure(people: usize, database: &str) -> anyhow::Result<Synced> {
    let folder = tempfile::Builder::new().prefix("yaopai-bench-").tempdir()?;
    let ldif = folder.path().join("company.ldif");
    let mut generate = Command::new(super::process::YAOPAI);
    generate.args(["demo-company", "--people", &people.to_string(), "--output"]).arg(&ldif);
    timed(&mut generate)?;
    let slapd = Slapd::start(&ldif)?;
    stage::write(folder.path(), &configuration(&slapd, database)?)?;
    let entries = slapd.entries()?;
    ensure!(entries > people, "expected over {people} entries in the dump, got {entries}");
    let run = |expected: &str, at_least: usize| -> anyhow::Result<Used> {
        let (output, used) = timed(yaopai(folder.path()).args(["sync", "run", "--source", "company", "--json"]))?;
        let report: serde_json::Value = serde_json::from_str(&output).context("the report")?;
        let counted = counted(&report, expected);
        ensure!(counted >= i64::try_from(at_least)?, "expected {at_least} people {expected}: {report:#}");
        Ok(used)
    };
    let first = run("created", people)?;
    // Turn by turn, so that what else the machine does meets both alike.
    let (mut dump, mut again) = (slapd.dump()?, run("unchanged", people)?);
    for _ in 0..4 {
        dump = faster(dump, slapd.dump()?);
        again = faster(again, run("unchanged", people)?);
    }
    slapd.change(CHANGES)?;
    let changed = run("changed", CHANGES)?;
    Ok(Synced { people, dump, first, again, changed })
}

fn faster(one: Used, other: Used) -> Used {
    if other.wall < one.wall { other } else { one }
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
