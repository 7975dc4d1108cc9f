//! `yaopai policy roles`: who would gain or lose which role if the rules were others, before they are saved.

use std::fmt::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;
use serde_json::json;

use super::print;
use crate::access::{Conflict, Everybody, Held, RoleRules, Separation, Shift, shift};
use crate::broker::Broker;
use crate::time::date_in;

/// People that are named for each role and direction without `--json`.
const NAMED: usize = 20;

/// Arguments of `policy roles`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// A file as roles.toml or sod.toml would be; the one in force when missing.
    #[arg(long)]
    what_if: Option<PathBuf>,
    /// Only this role.
    #[arg(long)]
    role: Option<String>,
    /// As JSON, everybody named.
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(broker: &Broker, args: &Args) -> anyhow::Result<ExitCode> {
    let folder = broker.config.resolve(&broker.config.policies.folder);
    let in_force = RoleRules::load(&folder)?;
    let everybody = Everybody::load(&mut broker.db.read().await?).await?;
    if let Some(file) = &args.what_if {
        let text = std::fs::read_to_string(file).with_context(|| format!("`{}` cannot be read", file.display()))?;
        let path = file.display().to_string();
        // A file of pairs is told by what stands in it.
        if text.lines().any(|line| line.trim() == "[[pair]]") {
            let wanted = Separation::parse(&path, &text)?;
            return conflicts(broker, &everybody, &in_force.separation, &wanted, args.json);
        }
        let rules = RoleRules::parse(&path, &text)?;
        return roles(&everybody, &rules, args);
    }
    roles(&everybody, &in_force, args)
}

fn roles(everybody: &Everybody, rules: &RoleRules, args: &Args) -> anyhow::Result<ExitCode> {
    let mut shifts = shift(everybody, &rules.evaluate(&everybody.facts()));
    if let Some(role) = &args.role {
        shifts.retain(|name, _| name == role);
    }
    if args.json {
        print(&format!("{:#}\n", json!({ "people": everybody.users.len(), "roles": shifts })))?;
        return Ok(ExitCode::SUCCESS);
    }
    let mut text = String::new();
    for (role, shift) in &shifts {
        describe(role, shift, everybody, &mut text);
    }
    if shifts.is_empty() {
        text.push_str("nobody would gain or lose a role\n");
    }
    let _ = writeln!(text, "{} people looked at; nothing was written", everybody.users.len());
    print(&text)?;
    Ok(ExitCode::SUCCESS)
}

fn describe(role: &str, shift: &Shift, everybody: &Everybody, text: &mut String) {
    let _ = writeln!(text, "role {role}: {} would gain it, {} would lose it", shift.gain.len(), shift.lose.len());
    for (code, count) in &shift.departments {
        let name = everybody.departments.values().find(|row| row.code == *code).map_or("", |row| row.name.as_str());
        let code = if code.is_empty() { "(no department)" } else { code };
        let _ = writeln!(text, "  {code:<20} +{:<6} -{:<6} {name}", count.gain, count.lose);
    }
    for (sign, people) in [('+', &shift.gain), ('-', &shift.lose)] {
        for held in people.iter().take(NAMED) {
            let Held { department, login, name, scope, rule } = held;
            let within = if scope.is_empty() { String::new() } else { format!(" for {scope} and below") };
            let _ = writeln!(text, "  {sign} {login} {name} ({department}){within}, rule {rule}");
        }
        if people.len() > NAMED {
            let _ = writeln!(text, "  {sign} … and {} more: --json names everybody", people.len() - NAMED);
        }
    }
}

/// Which conflicts the pairs of another file would make and end, over what people hold now.
fn conflicts(
    broker: &Broker,
    everybody: &Everybody,
    in_force: &Separation,
    wanted: &Separation,
    is_json: bool,
) -> anyhow::Result<ExitCode> {
    let named = |separation: &Separation| named(broker, everybody, separation);
    let (before, after) = (named(in_force), named(wanted));
    let new: Vec<&(String, String)> = after.iter().filter(|of| !before.contains(of)).collect();
    let gone: Vec<&(String, String)> = before.iter().filter(|of| !after.contains(of)).collect();
    if is_json {
        let list = |all: &[&(String, String)]| -> Vec<serde_json::Value> {
            all.iter().map(|(pair, login)| json!({ "pair": pair, "login": login })).collect()
        };
        print(&format!("{:#}\n", json!({ "new": list(&new), "gone": list(&gone) })))?;
        return Ok(ExitCode::SUCCESS);
    }
    let mut text = format!("{} conflicts would be new, {} would be none any more\n", new.len(), gone.len());
    for (sign, all) in [('+', &new), ('-', &gone)] {
        for (pair, login) in all {
            let _ = writeln!(text, "  {sign} {login}: {pair}");
        }
    }
    print(&text)?;
    Ok(ExitCode::SUCCESS)
}

/// (pair, login) of everybody in conflict who is not exempt.
fn named(broker: &Broker, everybody: &Everybody, separation: &Separation) -> Vec<(String, String)> {
    let people = everybody.people();
    let found = separation.conflicts(&everybody.grants, &everybody.tree()).into_iter();
    let name = |Conflict { user_id, pair }| {
        let (user, pair) = (people.get(&user_id)?, separation.pairs().get(pair)?);
        let zone = broker.config.source(&user.source).map_or(chrono_tz::UTC, |source| source.time_zone);
        let is_exempt = pair.exemption(&user.login, date_in(broker.clock.now(), zone)).is_some();
        (!is_exempt).then(|| (pair.id.clone(), user.login.clone()))
    };
    found.filter_map(name).collect()
}
