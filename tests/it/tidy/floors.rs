//! The floors: a file imports from its own folder and from lower floors only.

use std::collections::BTreeMap;

use super::hold;
use super::tree::{self, File, is_word};

/// Folder → (floor, place on it), from the table in `src/lib.rs`. Folders side by side share a place; an arrow between
/// two (`a` → `b`) puts the later above the earlier.
fn table(map: &str) -> BTreeMap<String, (u32, usize)> {
    let mut floors = BTreeMap::new();
    for line in map.lines() {
        let cells: Vec<&str> = line.split('|').map(str::trim).collect();
        let ["//!", floor, folders, ..] = cells.as_slice() else { continue };
        let Ok(floor) = floor.parse() else { continue };
        for (place, part) in folders.split('→').enumerate() {
            let names = part.split('`').skip(1).step_by(2);
            floors.extend(names.map(|folder| (folder.to_owned(), (floor, place))));
        }
    }
    floors
}

/// The folder (or the file directly in `src`) that `path` belongs to.
fn folder(path: &str) -> &str {
    path.trim_start_matches("src/").split('/').next().unwrap_or_default().trim_end_matches(".rs")
}

/// What follows each `crate::` of `code`, with its line: the first segment, one by one where braces hold several.
fn imports(code: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for (at, _) in code.match_indices("crate::") {
        if code[..at].chars().next_back().is_some_and(is_word) {
            continue;
        }
        let line = code[..at].matches('\n').count() + 1;
        let rest = &code[at + "crate::".len()..];
        if let Some(group) = rest.strip_prefix('{') {
            found.extend(first_segments(group).into_iter().map(|name| (line, name)));
        } else {
            found.push((line, rest.chars().take_while(|&c| is_word(c)).collect()));
        }
    }
    found
}

/// The names at the outer level of `a::b, c::{d, e}, f}`.
fn first_segments(group: &str) -> Vec<String> {
    let (mut names, mut depth, mut name) = (Vec::new(), 0, String::new());
    for c in group.chars() {
        match c {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => names.push(std::mem::take(&mut name)),
            _ if depth == 0 => name.push(c),
            _ => {}
        }
    }
    names.push(name);
    let first = |name: &String| name.trim().chars().take_while(|&c| is_word(c)).collect::<String>();
    names.iter().map(first).filter(|name| !name.is_empty()).collect()
}

/// Exported macros live at the root of the crate: name → folder of the file that defines it.
fn macros(files: &[File]) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    for file in files {
        for (_, rest) in file.code().match_indices("macro_rules! ").map(|(at, text)| (at, at + text.len())) {
            let name: String = file.code()[rest..].chars().take_while(|&c| is_word(c)).collect();
            found.insert(name, folder(&file.path).to_owned());
        }
    }
    found
}

fn check(map: &str, files: &[File]) -> Vec<String> {
    let (floors, macros) = (table(map), macros(files));
    let mut problems = Vec::new();
    // Programs stand outside of the house.
    let programs = |path: &str| matches!(path, "src/lib.rs" | "src/main.rs") || path.starts_with("src/bin/");
    for file in files.iter().filter(|file| !programs(&file.path)) {
        let own = folder(&file.path);
        let Some(floor) = floors.get(own) else {
            problems.push(format!("{}: `{own}` has no floor; add it to the table in src/lib.rs", file.path));
            continue;
        };
        let code = file.code();
        for (line, name) in imports(&code) {
            let target = macros.get(&name).unwrap_or(&name);
            match floors.get(target) {
                _ if target == own => {}
                Some(lower) if lower < floor => {}
                Some(other) => problems.push(format!(
                    "{}:{line}: `{own}` (floor {}) imports `{target}` (floor {}); move the code down, or hand \
                     the value in from a higher floor",
                    file.path, floor.0, other.0
                )),
                None => problems.push(format!("{}:{line}: `crate::{name}` is on no floor of src/lib.rs", file.path)),
            }
        }
        problems.extend(over_the_folder(file, &code));
    }
    problems
}

/// `super::super::…` that climbs out of the folder hides an import.
fn over_the_folder(file: &File, code: &str) -> Option<String> {
    let depth = file.path.trim_start_matches("src/").trim_end_matches("/mod.rs").split('/').count();
    let climb = "super::".repeat(depth);
    let at = code.find(&climb)?;
    let line = code[..at].matches('\n').count() + 1;
    Some(format!("{}:{line}: `{climb}` leaves the folder; write crate::… so that the floors can be seen", file.path))
}

#[test]
fn every_import_goes_to_a_lower_floor() {
    hold("floors", &check(&tree::file("src/lib.rs").text, &tree::sources()));
}

#[test]
fn the_table_names_every_folder_once() {
    let map = tree::file("src/lib.rs").text;
    let floors = table(&map);
    assert!(floors.len() > 15 && floors.get("http") == Some(&(8, 0)) && floors["time"] < floors["model"], "{floors:?}");
    let ticks = map.lines().filter(|line| line.starts_with("//! | ")).filter(|line| line.contains('`'));
    assert_eq!(ticks.map(|line| line.split('|').nth(2).unwrap().matches('`').count() / 2).sum::<usize>(), floors.len());
}

#[test]
fn an_import_upwards_or_sideways_is_found() {
    let map = "//! | 0 | `time` → `model` | x |\n//! | 6 | `login` `oidc` | y |\n//! | 8 | `http` | z |\n";
    let found = |path: &str, text: &str| check(map, &[File::sample(path, text)]);
    assert!(found("src/http/a.rs", "use crate::{model::{X, login}, oidc};\nuse crate::login::Y;").is_empty());
    assert!(
        found("src/login/a.rs", "/// [`crate::http`]\nuse crate::login::b;\n#[cfg(test)]\nuse crate::http;").is_empty()
    );
    assert!(found("src/login/a.rs", "\nuse crate::oidc::Y;")[0].starts_with("src/login/a.rs:2: `login` (floor 6)"));
    assert_eq!(found("src/model/a.rs", "use crate::{oidc::{x}, http};").len(), 2);
    assert_eq!(found("src/model.rs", "fn f() { crate::http::g() }").len(), 1);
    assert!(found("src/other/a.rs", "")[0].contains("has no floor"));
    assert_eq!(found("src/http/mod.rs", "use super::login;").len(), 1);
    assert_eq!(found("src/http/oidc/a.rs", "use super::super::super::login;").len(), 1);
    assert!(found("src/http/oidc/a.rs", "use super::super::App;").is_empty());
    assert!(found("src/model.rs", "use crate::time;").is_empty(), "an arrow allows it");
    assert_eq!(found("src/time.rs", "use crate::model;").len(), 1);
    let macros = [
        File::sample("src/http/m.rs", "#[macro_export]\nmacro_rules! page { () => {} }"),
        File::sample("src/login/a.rs", "use crate::page;"),
    ];
    assert_eq!(check(map, &macros).len(), 1);
}
