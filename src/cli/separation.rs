//! `yaopai policy sod`: who holds roles that do not go together.

use std::fmt::Write as _;
use std::process::ExitCode;

use serde_json::{Value, json};

use super::print;
use crate::access::{Conflict, Everybody, Pair, RoleRules, Severity};
use crate::broker::Broker;
use crate::model::User;
use crate::text::{Language, Value as Named, say};
use crate::time::date_in;

/// Arguments of `policy sod`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// As JSON.
    #[arg(long)]
    json: bool,
}

/// A conflict, with everything that is said of it.
struct Found<'a> {
    pair: &'a Pair,
    user: &'a User,
    department: String,
    /// Scopes and rules by which each role is held.
    held: Vec<(String, String, String)>,
    exempt: bool,
}

/// Ends with 1 when somebody holds both roles of a pair that blocks and is not exempt.
pub(super) async fn run(broker: &Broker, args: &Args, language: Language) -> anyhow::Result<ExitCode> {
    let rules = RoleRules::load(&broker.config.resolve(&broker.config.policies.folder))?;
    let everybody = Everybody::load(&mut broker.db.read().await?).await?;
    let found = scan(broker, &rules, &everybody);
    let is_blocked = found.iter().any(|of| of.pair.severity == Severity::Block && !of.exempt);
    let text = if args.json {
        let all: Vec<Value> = found.iter().map(document).collect();
        let answer =
            json!({ "pairs": rules.separation.pairs().len(), "people": everybody.users.len(), "conflicts": all });
        format!("{answer:#}\n")
    } else {
        table(&found, rules.separation.pairs().len(), everybody.users.len(), language)
    };
    print(&text)?;
    Ok(if is_blocked { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

fn scan<'a>(broker: &Broker, rules: &'a RoleRules, everybody: &'a Everybody) -> Vec<Found<'a>> {
    let people = everybody.people();
    let conflicts = rules.separation.conflicts(&everybody.grants, &everybody.tree());
    let find = |Conflict { user_id, pair }| {
        let (user, pair) = (*people.get(&user_id)?, rules.separation.pairs().get(pair)?);
        let zone = broker.config.source(&user.source).map_or(chrono_tz::UTC, |source| source.time_zone);
        // Sorted by person: theirs stand together.
        let first = everybody.grants.partition_point(|grant| grant.user_id < user_id);
        let own = everybody.grants.iter().skip(first).take_while(|grant| grant.user_id == user_id);
        let held = own.filter(|grant| pair.roles.iter().any(|role| **role == *grant.role));
        let department = user.department_id.and_then(|id| everybody.departments.get(&id));
        Some(Found {
            pair,
            user,
            department: department.map(|row| row.code.clone()).unwrap_or_default(),
            held: held.map(|of| (of.role.to_string(), of.scope.to_string(), of.rule.to_string())).collect(),
            exempt: pair.exemption(&user.login, date_in(broker.clock.now(), zone)).is_some(),
        })
    };
    let mut found: Vec<Found<'_>> = conflicts.into_iter().filter_map(find).collect();
    found.sort_by(|a, b| {
        (a.pair.severity, &a.pair.id, &a.user.login).cmp(&(b.pair.severity, &b.pair.id, &b.user.login))
    });
    found
}

fn document(found: &Found<'_>) -> Value {
    let Found { pair, user, department, held, exempt } = found;
    let held: Vec<Value> =
        held.iter().map(|(role, scope, rule)| json!({ "role": role, "scope": scope, "rule": rule })).collect();
    json!({
        "pair": pair.id,
        "severity": pair.severity,
        "roles": pair.roles,
        "description": pair.description,
        "note": pair.note,
        "login": user.login,
        "name": user.display_name,
        "department": department,
        "held": held,
        "exempt": exempt,
    })
}

fn table(found: &[Found<'_>], pairs: usize, people: usize, language: Language) -> String {
    let say = |key: &str, named: &[(&str, Named<'_>)]| say(language, key, named);
    let mut text = String::new();
    for of in found {
        let state = if of.exempt { "sod-exempt".to_owned() } else { format!("sod-{}", of.pair.severity) };
        let person = format!("{} {} ({})", of.user.login, of.user.display_name, of.department);
        let named =
            [("pair", of.pair.id.as_str().into()), ("person", person.into()), ("state", say(&state, &[]).into())];
        let _ = writeln!(text, "{}", say("sod-conflict", &named));
        let _ = writeln!(text, "    {}", of.pair.description);
        for (role, scope, rule) in &of.held {
            let scope = if scope.is_empty() { say("sod-everywhere", &[]) } else { scope.clone() };
            let named = [("role", role.as_str().into()), ("scope", scope.into()), ("rule", rule.as_str().into())];
            let _ = writeln!(text, "    {}", say("sod-held", &named));
        }
        if let Some(note) = &of.pair.note {
            let _ = writeln!(text, "    {}", say("sod-note", &[("note", note.as_str().into())]));
        }
    }
    let counts = [("conflicts", found.len().into()), ("people", people.into()), ("pairs", pairs.into())];
    let _ = writeln!(text, "{}", say("sod-sum", &counts));
    text
}
