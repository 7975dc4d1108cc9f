//! The tables, in Markdown, so that what is printed can be kept as it is.

use super::calls::Line;
use super::crowd::{Crowd, Logins};
use super::many::Many;
use super::process::Used;
use super::sync::Synced;

/// An aim: what, how much, compared how.
fn aim(name: &str, value: f64, limit: f64, unit: &str, is_floor: bool) -> String {
    let met = if is_floor { value >= limit } else { value <= limit };
    let sign = if is_floor { "≥" } else { "≤" };
    format!("| {name} | {sign} {limit}{unit} | {value:.2}{unit} | {} |", if met { "met" } else { "**not met**" })
}

/// Prints the HTTP scenarios.
#[expect(clippy::print_stdout, reason = "the program's result")]
pub fn calls(lines: &[Line], [es256, rs256]: [f64; 2]) {
    let floor = micros(lines, "health").unwrap_or(1.0);
    println!("| scenario | requests/s | p99 ms | server CPU µs each | per CPU second | of the HTTP floor |");
    println!("| --- | ---: | ---: | ---: | ---: | ---: |");
    for Line { name, measured } in lines {
        println!(
            "| {name} | {:.0} | {:.1} | {:.0} | {:.0} | {:.0} % |",
            measured.per_second,
            measured.p99,
            measured.micros,
            1e6 / measured.micros,
            100.0 * floor / measured.micros
        );
    }
    println!(
        "\nOne core of this machine signs ES256 {es256:.0} times a second ({:.0} µs each) and RS256 {rs256:.0} times ({:.0} \
         µs each).\n",
        1e6 / es256,
        1e6 / rs256
    );
}

/// Prints the same scenarios at another provider, and how many times more we do with a CPU second.
#[expect(clippy::print_stdout, reason = "the program's result")]
pub fn rival(ours: &[Line], theirs: &[Line]) {
    println!("| scenario | ours per CPU second | oidc-provider per CPU second | ratio | aim |");
    println!("| --- | ---: | ---: | ---: | --- |");
    for Line { name, measured } in theirs {
        let Some(own) = micros(ours, name) else { continue };
        let ratio = measured.micros / own;
        let aim = if name.contains("RS256") { "" } else { "≥ 10 ×" };
        let met = if aim.is_empty() || ratio >= 10.0 { "" } else { " **not met**" };
        println!("| {name} | {:.0} | {:.0} | {ratio:.1} × | {aim}{met} |", 1e6 / own, 1e6 / measured.micros);
    }
    println!();
}

fn micros(lines: &[Line], name: &str) -> Option<f64> {
    lines.iter().find(|line| line.name.starts_with(name)).map(|line| line.measured.micros)
}

/// Prints the sync.
#[expect(clippy::print_stdout, reason = "the program's result")]
pub fn sync(synced: &Synced) {
    let Synced { title, dump, first, copy, again, more } = synced;
    println!("| {title} | wall seconds | CPU seconds | peak memory, MB | of the dump's wall time |");
    println!("| --- | ---: | ---: | ---: | ---: |");
    let bare = if title.contains("slapd") { "bare `ldapsearch` dump, paged" } else { "`cat` of the file" };
    let always = [(bare, dump), ("first import", first)].into_iter();
    let copied = copy.iter().map(|used| ("its rows, copied within the database", used));
    let always = always.chain(copied).chain([("the same again, nothing changed", again)]);
    for (name, used) in always.chain(more.iter().map(|(name, used)| (name.as_str(), used))) {
        let Used { wall, cpu, memory } = used;
        println!("| {name} | {wall:.2} | {cpu:.2} | {memory:.0} | {:.2} |", wall / dump.wall);
    }
    println!();
}

/// Prints sign-ins beside bare hashes.
#[expect(clippy::print_stdout, reason = "the program's result")]
pub fn crowd(crowd: &Crowd) {
    println!("| sign-ins with a password | a second | server CPU µs each | sent away a second | health p99 ms |");
    println!("| --- | ---: | ---: | ---: | ---: |");
    println!("| bare argon2id hashes, 2 threads | {:.1} | {:.0} | | |", crowd.hashes, crowd.hash_micros);
    for Logins { people, per_second, micros, sent_away, health_p99 } in [crowd.patient, crowd.impatient] {
        println!("| {people} people at once | {per_second:.1} | {micros:.0} | {sent_away:.1} | {health_p99:.1} |");
    }
    println!();
}

/// Prints what so many refresh tokens change.
#[expect(clippy::print_stdout, reason = "the program's result")]
pub fn many(many: &Many) {
    let Many { tokens, cleared, sign_in: [sign_in_before, sign_in_after], refresh } = many;
    println!("| {tokens} refresh tokens | server CPU µs each | p99 ms |\n| --- | ---: | ---: |");
    for (name, line) in ["before", "while a tenth of them is cleared away", "with what is left"].iter().zip(refresh) {
        println!("| refresh (ES256), {name} | {:.0} | {:.1} |", line.measured.micros, line.measured.p99);
    }
    println!("\nA tenth of them was cleared away in {cleared:.0} s. A sign-in takes {sign_in_after:.1} ms with them, ");
    println!("{sign_in_before:.1} ms before.\n");
}

/// What the aims are compared with.
#[derive(Debug)]
pub struct Aims<'a> {
    /// The calls.
    pub lines: &'a [Line],
    /// Signatures a second of one core, see [`super::signing`].
    pub signatures: [f64; 2],
    /// Whether the calls were made with PostgreSQL.
    pub is_postgres: bool,
    /// Resident memory at rest in MB.
    pub idle_memory: Option<f64>,
    /// Sign-ins.
    pub crowd: Option<Crowd>,
    /// The syncs.
    pub synced: &'a [Synced],
}

/// Prints the aims, met or not.
#[expect(clippy::print_stdout, reason = "the program's result")]
pub fn aims(aims: &Aims<'_>) {
    let Aims { lines, signatures: [es256, rs256], is_postgres, idle_memory, crowd, synced } = *aims;
    println!("| aim | limit | measured | |\n| --- | --- | ---: | --- |");
    let micros = |name: &str| micros(lines, name);
    let floor = micros("health").unwrap_or_default();
    if let Some(token) = micros("client_credentials (ES256)") {
        println!("{}", aim("client_credentials, of the HTTP floor", 100.0 * floor / token, 40.0, " %", true));
        let least = floor + 1e6 / es256;
        println!("{}", aim("client_credentials, of floor and signature", 100.0 * least / token, 40.0, " %", true));
        println!("{}", aim("client_credentials with ES256, per core", 1e6 / token, 10_000.0, "/s", true));
    }
    if let Some(token) = micros("client_credentials (RS256)") {
        let share = 100.0 * 1e6 / token / rs256;
        println!("{}", aim("client_credentials with RS256, of the machine's signing rate", share, 80.0, " %", true));
    }
    if let Some(introspection) = micros("introspection") {
        println!("{}", aim("introspection, of the HTTP floor", 100.0 * floor / introspection, 50.0, " %", true));
        if is_postgres {
            let name = "introspection with PostgreSQL, for 2 CPU seconds";
            println!("{}", aim(name, 2e6 / introspection, 10_000.0, "", true));
        }
    }
    if let Some(Crowd { hashes, hash_micros, patient, impatient }) = crowd {
        let name = "sign-ins, of the bare hash's rate on the clock";
        println!("{}", aim(name, 100.0 * patient.per_second / hashes, 95.0, " %", true));
        println!("{}", aim("the same, of its CPU time", 100.0 * hash_micros / patient.micros, 95.0, " %", true));
        println!("{}", aim("the same, with a crowd", 100.0 * hash_micros / impatient.micros, 95.0, " %", true));
    }
    for Synced { title: people, dump, first, again, .. } in synced {
        let name = format!("unchanged re-sync of {people}, of the dump");
        println!("{}", aim(&name, again.wall / dump.wall, 1.5, " ×", false));
        println!(
            "{}",
            aim(&format!("first import of {people}, of the dump"), first.wall / dump.wall, 2.5, " ×", false)
        );
        println!("{}", aim(&format!("peak memory of {people}"), first.memory.max(again.memory), 300.0, " MB", false));
    }
    if let Some(memory) = idle_memory {
        println!("{}", aim("idle memory", memory, 50.0, " MB", false));
    }
}
