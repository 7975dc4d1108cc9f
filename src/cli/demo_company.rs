//! `yaopai demo-company`: an invented company as LDIF, the same for the same seed.

use std::io::Write as _;
use std::path::PathBuf;
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
}

pub(super) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let text = sample::ldif(args.people as usize, args.seed);
    match &args.output {
        None => std::io::stdout().write_all(text.as_bytes()).context("the company cannot be written")?,
        Some(file) => std::fs::write(file, text)
            .with_context(|| format!("the company cannot be written to `{}`", file.display()))?,
    }
    Ok(ExitCode::SUCCESS)
}
