//! `yaopai policy roles`: who would gain or lose which role if the rules were others, before they are saved.

use std::fmt::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;
use serde_json::json;

use super::print;
use crate::access::{Conflict, Everybody, Held, RoleRules, Separation, Shift, shift};
use crate::broker::Broker;
use crate::text::{Language, say};
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

pub(super) async fn run(broker: &Broker, args: &Args, language: Language) -> anyhow::Result<ExitCode> {
    let folder = broker.config.resolve(&broker.config.policies.folder);
    let in_force = RoleRules::load(&folder)?;
    let everybody = Everybody::load(&mut broker.db.read().await?).await?;
    if let Some(file) = &args.what_if {
        let text = std::fs::read_to_string(file)
            .with_context(|| say(language, "cli-unreadable", &[("file", file.display().to_string().into())]))?;
        let path = file.display().to_string();
        // A file of pairs is told by what stands in it.
        if text.lines().any(|line| line.trim() == "[[pair]]") {
            let wanted = Separation::parse(&path, &text)?;
            return conflicts(broker, &everybody, &in_force.separation, &wanted, (args.json, language));
        }
        let rules = RoleRules::parse(&path, &text)?;
        return roles(&everybody, &rules, args, language);
    }
    roles(&everybody, &in_force, args, language)
}

fn roles(everybody: &Everybody, rules: &RoleRules, args: &Args, language: Language) -> anyhow::Result<ExitCode> {
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
        describe((role, shift), everybody, language, &mut text);
    }
    if shifts.is_empty() {
        let _ = writeln!(text, "{}", say(language, "what-if-none", &[]));
    }
    let _ = writeln!(text, "{}", say(language, "what-if-looked", &[("people", everybody.users.len().into())]));
    print(&text)?;
    Ok(ExitCode::SUCCESS)
}

fn describe((role, shift): (&str, &Shift), everybody: &Everybody, language: Language, text: &mut String) {
    let counts = [("role", role.into()), ("gain", shift.gain.len().into()), ("lose", shift.lose.len().into())];
    let _ = writeln!(text, "{}", say(language, "what-if-role", &counts));
    for (code, count) in &shift.departments {
        let name = everybody.departments.values().find(|row| row.code == *code).map_or("", |row| row.name.as_str());
        let none = say(language, "sync-no-department", &[]);
        let code = if code.is_empty() { &none } else { code };
        let _ = writeln!(text, "  {code:<20} +{:<6} -{:<6} {name}", count.gain, count.lose);
    }
    for (sign, people) in [('+', &shift.gain), ('-', &shift.lose)] {
        for held in people.iter().take(NAMED) {
            let Held { department, login, name, scope, rule } = held;
            let within = match scope.as_str() {
                "" => say(language, "sod-everywhere", &[]),
                scope => say(language, "why-within", &[("scope", scope.into())]),
            };
            let by = say(language, "person-rule", &[("rule", rule.as_str().into())]);
            let _ = writeln!(text, "  {sign} {login} {name} ({department}) · {within} · {by}");
        }
        if people.len() > NAMED {
            let rest = [("count", people.len().saturating_sub(NAMED).into())];
            let _ = writeln!(text, "  {sign} {}", say(language, "what-if-more", &rest));
        }
    }
}

/// Which conflicts the pairs of another file would make and end, over what people hold now.
fn conflicts(
    broker: &Broker,
    everybody: &Everybody,
    in_force: &Separation,
    wanted: &Separation,
    (is_json, language): (bool, Language),
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
    let counts = [("new", new.len().into()), ("gone", gone.len().into())];
    let mut text = format!("{}\n", say(language, "what-if-conflicts", &counts));
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
