//! A sync of a company from a real slapd, next to a bare dump of the same server; beyond the size that a test server
//! holds, from its LDIF file, next to reading that file.

use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, ensure};
use tempfile::TempDir;
use yaopai::sample::Course;

use super::own_postgres::OwnPostgres;
use super::process::{Used, timed, yaopai};
use super::slapd::Slapd;
use super::stage;

/// People who get another number between two runs.
const CHANGES: usize = 100;
/// Members of the large group, where there are so many people.
const MEMBERS: usize = 60_000;
/// Larger companies are read from a file.
const MOST_IN_SLAPD: usize = 200_000;
/// Companies of at least that many people have departments worth moving, and a large group.
const LARGE: usize = 20_000;

/// Tables that an import fills, those that others refer to first.
const WRITTEN: [&str; 10] = [
    "plans",
    "plan_changes",
    "departments",
    "positions",
    "groups",
    "users",
    "links",
    "group_members",
    "role_grants",
    "change_log",
];

/// What was measured; of repeated runs the fastest, for both sides.
#[derive(Debug)]
pub struct Synced {
    /// `SQLite` or `PostgreSQL`, and where people come from.
    pub title: String,
    /// `ldapsearch` of everything, or reading the file.
    pub dump: Used,
    /// First import into an empty database.
    pub first: Used,
    /// The rows that it wrote, copied into empty tables by one bare statement a table.
    pub copy: Option<Used>,
    /// The same again, nothing changed.
    pub again: Used,
    /// What else was done, in order.
    pub more: Vec<(String, Used)>,
}

/// Where the broker keeps what it reads.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Database<'a> {
    /// A SQLite file.
    Sqlite,
    /// A PostgreSQL of its own, with its own settings but for the size of its cache: it syncs to the disk.
    Postgres,
    /// What the environment names.
    Named(&'a str),
}

impl Database<'_> {
    const fn name(self) -> &'static str {
        match self {
            Self::Sqlite => "SQLite",
            Self::Postgres => "PostgreSQL",
            Self::Named(_) => "BENCH_DATABASE",
        }
    }
}

/// A company with its source and a broker's folder.
struct Bench {
    folder: TempDir,
    course: Course,
    slapd: Option<Slapd>,
    postgres: Option<OwnPostgres>,
}

/// Generates, loads, imports, runs again, changes some, runs again.
pub fn measure(people: usize, database: Database<'_>) -> anyhow::Result<Synced> {
    let mut bench = Bench::build(people, database)?;
    let first = bench.run("users/created", people)?;
    let copy = bench.copy(database)?;
    // Turn by turn, so that what else the machine does meets both alike.
    let (mut dump, mut again) = (bench.dump()?, bench.run("users/unchanged", people)?);
    for _ in 0..if people > MOST_IN_SLAPD { 0 } else { 4 } {
        dump = faster(dump, bench.dump()?);
        again = faster(again, bench.run("users/unchanged", people)?);
    }
    let mut more = Vec::new();
    let slapd = bench.slapd.as_ref();
    if let Some(slapd) = slapd {
        slapd.change(CHANGES, 1)?;
        more.push((format!("{CHANGES} people have another number"), bench.run("users/changed", CHANGES)?));
        slapd.change(CHANGES, 2)?;
        let used = bench.run_with(&["--incremental"], "users/changed", CHANGES)?;
        more.push((format!("{CHANGES} people have another number, `--incremental`"), used));
    }
    if people >= LARGE && bench.slapd.is_some() {
        bench.large_group(people, &mut more)?;
        bench.moved_department(&mut more)?;
    }
    let from = if bench.slapd.is_some() { "slapd" } else { "an LDIF file" };
    let title = format!("{people} people from {from}, {}", database.name());
    Ok(Synced { title, dump, first, copy, again, more })
}

impl Bench {
    fn build(people: usize, database: Database<'_>) -> anyhow::Result<Self> {
        let folder = tempfile::Builder::new().prefix("yaopai-bench-").tempdir()?;
        let course = Course::new(people, 1);
        let ldif = folder.path().join("company.ldif");
        std::fs::write(&ldif, course.ldif())?;
        let slapd = (people <= MOST_IN_SLAPD).then(|| Slapd::start(&ldif)).transpose()?;
        if let Some(slapd) = &slapd {
            let entries = slapd.entries()?;
            ensure!(entries > people, "expected over {people} entries in the dump, got {entries}");
        }
        let postgres = (database == Database::Postgres).then(OwnPostgres::start);
        let url = match (database, &postgres) {
            (Database::Named(url), _) => url.to_owned(),
            (_, Some(server)) => server.url(),
            (_, None) => "sqlite://data/yaopai.db".to_owned(),
        };
        stage::write(folder.path(), &configuration(slapd.as_ref(), &url)?)?;
        Ok(Self { folder, course, slapd, postgres })
    }

    /// A full run, of which the report counts at least so many.
    fn run(&self, what: &str, at_least: usize) -> anyhow::Result<Used> {
        self.run_with(&[], what, at_least)
    }

    fn run_with(&self, options: &[&str], what: &str, at_least: usize) -> anyhow::Result<Used> {
        let arguments = ["sync", "run", "--source", "company", "--json"];
        let (output, used) = timed(yaopai(self.folder.path()).args(arguments).args(options))?;
        let report: serde_json::Value = serde_json::from_str(&output).with_context(|| format!("a report: {output}"))?;
        let counted = report.pointer(&format!("/{what}")).and_then(serde_json::Value::as_i64).unwrap_or_default();
        ensure!(counted >= i64::try_from(at_least)?, "expected at least {at_least} {what}: {report:#}");
        Ok(used)
    }

    fn dump(&self) -> anyhow::Result<Used> {
        if let Some(slapd) = &self.slapd {
            return slapd.dump();
        }
        let mut read = Command::new("sh");
        read.args(["-c", "exec cat company.ldif > /dev/null"]).current_dir(self.folder.path());
        Ok(timed(&mut read)?.1)
    }

    /// What no import can be faster than: the rows of the first one, copied by the database itself into the same tables
    /// with the same indexes. On PostgreSQL without the foreign keys, and its CPU seconds are another process's.
    fn copy(&self, database: Database<'_>) -> anyhow::Result<Option<Used>> {
        let folder = self.folder.path();
        match database {
            Database::Sqlite => {
                let file = folder.join("data/yaopai.db");
                let (schema, _) = timed(Command::new("sqlite3").arg(&file).arg(".schema --nosys"))?;
                let bare = folder.join("bare.db");
                let schema = format!("PRAGMA journal_mode=WAL;{schema}");
                timed(Command::new("sqlite3").arg(&bare).arg(schema))?;
                let mut text = format!(
                    "PRAGMA cache_size=-16000; PRAGMA synchronous=NORMAL; ATTACH '{}' AS filled; BEGIN;",
                    file.display()
                );
                let copy = |table| format!("INSERT INTO main.{table} SELECT * FROM filled.{table} ORDER BY rowid;");
                text += &WRITTEN.map(copy).concat();
                let (_, used) = timed(Command::new("sqlite3").arg(&bare).arg(text + "COMMIT;"))?;
                std::fs::remove_file(bare)?;
                Ok(Some(used))
            }
            Database::Postgres => {
                let url = self.postgres.as_ref().map(OwnPostgres::url).unwrap_or_default();
                let make = |table| {
                    format!("CREATE TABLE bare.{table} (LIKE public.{table} INCLUDING ALL EXCLUDING IDENTITY);")
                };
                let schema = format!("CREATE SCHEMA bare;{}", WRITTEN.map(make).concat());
                timed(Command::new("psql").args(["-q", &url, "-c", &schema]))?;
                let copies = WRITTEN.map(|table| format!("INSERT INTO bare.{table} SELECT * FROM public.{table};"));
                let (_, used) = timed(Command::new("psql").args(["-q", &url, "-c", &copies.concat()]))?;
                timed(Command::new("psql").args(["-q", &url, "-c", "DROP SCHEMA bare CASCADE"]))?;
                Ok(Some(used))
            }
            Database::Named(_) => Ok(None),
        }
    }

    /// A group of most of the company, which gains one.
    fn large_group(&self, people: usize, more: &mut Vec<(String, Used)>) -> anyhow::Result<()> {
        let Some(slapd) = &self.slapd else { return Ok(()) };
        let members = MEMBERS.min(people * 3 / 5);
        slapd.found_group("everybody", members)?;
        more.push((format!("a group of {members} members is new"), self.run("members/added", members)?));
        slapd.join_group("everybody", members)?;
        more.push((format!("the group of {members} members gains one"), self.run("members/added", 1)?));
        slapd.join_group("everybody", members + 1)?;
        let used = self.run_with(&["--incremental"], "members/added", 1)?;
        more.push((format!("the group of {} members gains one, `--incremental`", members + 1), used));
        Ok(())
    }

    /// The largest department that is not a company of its own goes below another region.
    fn moved_department(&mut self, more: &mut Vec<(String, Used)>) -> anyhow::Result<()> {
        let Some(slapd) = &self.slapd else { return Ok(()) };
        let (records, moved) = self.course.move_department("QY-HD-ENG", "QY-HB").context("no such department")?;
        slapd.modify(&records)?;
        more.push((format!("a department of {moved} people moves"), self.run("departments/moved", 1)?));
        Ok(())
    }
}

fn faster(one: Used, other: Used) -> Used {
    if other.wall < one.wall { other } else { one }
}

fn configuration(slapd: Option<&Slapd>, database: &str) -> anyhow::Result<String> {
    let mut source = stage::source()?;
    let entry = source.get_mut("source").and_then(|list| list.get_mut(0)).and_then(toml::Value::as_table_mut);
    let entry = entry.context("no source")?;
    // Entries that name others by code are left to a full run, whatever changed: an increment would be measured as one.
    entry.remove("assignments");
    entry.get_mut("departments").and_then(toml::Value::as_table_mut).map(|departments| departments.remove("head"));
    let file = toml::Table::from_iter([("file".to_owned(), "company.ldif".into())]);
    entry.insert("ldif".to_owned(), file.into());
    if let Some(slapd) = slapd {
        entry.remove("ldif");
        entry.insert("ldap".to_owned(), slapd.source()?.into());
    }
    let policies = Path::new(env!("CARGO_MANIFEST_DIR")).join("policies");
    Ok(format!(
        "[server]\npublic_url = 'http://127.0.0.1:8080'\n[database]\nurl = '{database}'\n\
         [policies]\nfolder = '{}'\n{}",
        policies.display(),
        toml::to_string(&source)?
    ))
}
