//! `yaopai demo-company`: an invented company as LDIF, the same for the same seed; with `--changes`, what changes in it.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;

use crate::sample;

/// Arguments of `demo-company`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// How many people work there.
    #[arg(long, default_value_t = 1_200, value_parser = clap::value_parser!(u32).range(20..=1_000_000))]
    people: u32,
    /// The same seed gives the same company.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Form of the output.
    #[arg(long, default_value = "ldif", value_parser = ["ldif"])]
    format: String,
    /// File to write; the terminal when missing.
    #[arg(long, short)]
    output: Option<PathBuf>,
    /// Writes change records instead, for `ldapmodify -e relax`: so many things that happen (people join, leave, move,
    /// get other names; departments are renamed and moved; groups and heads change).
    #[arg(long)]
    changes: Option<usize>,
    /// Which batch of changes, each after the one before; the same number gives the same batch.
    #[arg(long, default_value_t = 1, requires = "changes", value_parser = clap::value_parser!(u32).range(1..))]
    batch: u32,
    /// File for the whole company as it is after that batch.
    #[arg(long, requires = "changes")]
    result: Option<PathBuf>,
}

pub(super) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let Some(changes) = args.changes else {
        let text = sample::ldif(args.people as usize, args.seed);
        return write(args.output.as_deref(), &text);
    };
    let mut course = sample::Course::new(args.people as usize, args.seed);
    let mut records = String::new();
    for _ in 0..args.batch {
        records = course.next_batch(changes);
    }
    if let Some(result) = &args.result {
        write(Some(result), &course.ldif())?;
    }
    write(args.output.as_deref(), &records)
}

fn write(file: Option<&Path>, text: &str) -> anyhow::Result<ExitCode> {
    match file {
        None => std::io::stdout().write_all(text.as_bytes()).context("the company cannot be written")?,
        Some(file) => std::fs::write(file, text)
            .with_context(|| format!("the company cannot be written to `{}`", file.display()))?,
    }
    Ok(ExitCode::SUCCESS)
}
