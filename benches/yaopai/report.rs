//! The tables, in Markdown, so that what is printed can be kept as it is.

use super::calls::Line;
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
pub fn calls(lines: &[Line], signatures: f64) {
    let floor = lines.first().map_or(1.0, |line| line.measured.micros);
    println!("| scenario | requests/s | server CPU µs each | per CPU second | of the HTTP floor |");
    println!("| --- | ---: | ---: | ---: | ---: |");
    for Line { name, measured } in lines {
        println!(
            "| {name} | {:.0} | {:.0} | {:.0} | {:.0} % |",
            measured.per_second,
            measured.micros,
            1e6 / measured.micros,
            100.0 * floor / measured.micros
        );
    }
    println!(
        "\nThis machine signs ES256 {signatures:.0} times a second on one core ({:.0} µs each).\n",
        1e6 / signatures
    );
}

/// Prints the sync.
#[expect(clippy::print_stdout, reason = "the program's result")]
pub fn sync(synced: &Synced) {
    let Synced { people, dump, first, again, changed } = synced;
    println!("| {people} people from slapd | wall seconds | CPU seconds | peak memory, MB | of the dump's wall time |");
    println!("| --- | ---: | ---: | ---: | ---: |");
    for (name, used) in [
        ("bare `ldapsearch` dump, paged", dump),
        ("first import", first),
        ("the same again, nothing changed", again),
        ("100 people have another number", changed),
    ] {
        let Used { wall, cpu, memory } = used;
        println!("| {name} | {wall:.2} | {cpu:.2} | {memory:.0} | {:.2} |", wall / dump.wall);
    }
    println!();
}

/// Prints the aims, met or not.
#[expect(clippy::print_stdout, reason = "the program's result")]
pub fn aims(lines: &[Line], idle_memory: Option<f64>, synced: &[Synced]) {
    println!("| aim | limit | measured | |\n| --- | --- | ---: | --- |");
    let micros = |name: &str| lines.iter().find(|line| line.name.starts_with(name)).map(|line| line.measured.micros);
    let floor = micros("health").unwrap_or_default();
    if let Some(token) = micros("client_credentials") {
        println!("{}", aim("client_credentials, of the HTTP floor", 100.0 * floor / token, 40.0, " %", true));
    }
    if let Some(introspection) = micros("introspection") {
        println!("{}", aim("introspection, of the HTTP floor", 100.0 * floor / introspection, 50.0, " %", true));
    }
    for Synced { people, dump, first, again, .. } in synced {
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
