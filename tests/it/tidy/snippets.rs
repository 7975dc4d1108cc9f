//! Configuration that documents show can be used: every fenced `toml` block is read as the broker reads it, with what it
//! leaves out filled in.

use std::path::Path;

use toml::{Table, Value};
use yaopai::access::{RoleRules, Separation};
use yaopai::config::Config;

use super::hold;
use super::tree::{self, File};

/// Line number and text of the fenced `toml` blocks.
fn blocks(document: &File) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    let mut open: Option<(usize, String)> = None;
    for (number, line) in document.text.lines().enumerate() {
        let bare = line.trim_start();
        match open.take() {
            Some(block) if bare.starts_with("```") => found.push(block),
            Some((at, text)) => open = Some((at, text + line + "\n")),
            None if bare.starts_with("```toml") => open = Some((number + 1, String::new())),
            None => {}
        }
    }
    found
}

/// What a fragment leaves out: the values that a complete file has before it.
const AROUND: &str = r#"
[server]
public_url = "https://id.example.com"
[[application]]
id = "app"
secret = { value = "a-secret-of-the-test-that-is-long-enough" }
redirect_uris = ["https://app.example.com/callback"]
[[source]]
name = "hr"
[source.ldap]
url = "ldaps://ldap.example.com"
bind_dn = "cn=reader,dc=example,dc=com"
bind_password = { value = "secret" }
base_dn = "dc=example,dc=com"
[source.users]
login = "uid"
[[route]]
name = "api"
path = "/api"
methods = ["GET"]
upstream = "http://127.0.0.1:9000"
"#;

/// Puts what is missing of `from` into `into`, table by table; of a list of tables each gets what the first of `from` has.
fn fill(into: &mut Table, from: &Table) {
    // A secret stands in one place.
    if ["value", "file", "env"].iter().any(|place| from.len() == 1 && into.contains_key(*place)) {
        return;
    }
    for (key, value) in from {
        match (into.get_mut(key), value) {
            (None, _) => drop(into.insert(key.clone(), value.clone())),
            (Some(Value::Table(own)), Value::Table(value)) => fill(own, value),
            (Some(Value::Array(all)), Value::Array(models)) => {
                let Some(Value::Table(model)) = models.first() else { continue };
                for own in all.iter_mut().filter_map(Value::as_table_mut) {
                    let mut model = model.clone();
                    // A source of another kind has no server; an application that proves itself otherwise has no secret.
                    if own.contains_key("csv") || own.contains_key("ldif") {
                        model.remove("ldap");
                    }
                    if own.get("ldap").is_some_and(|ldap| ldap.get("bind").is_some()) {
                        let ldap = model.get_mut("ldap").and_then(Value::as_table_mut).unwrap();
                        ldap.retain(|key, _| !key.starts_with("bind_"));
                    }
                    if own.contains_key("auth_method") || own.contains_key("preset") {
                        model.retain(|key, _| key == "id" || key == "secret" && own.contains_key("preset"));
                    }
                    fill(own, &model);
                }
            }
            _ => {}
        }
    }
}

fn problem(text: &str) -> Option<String> {
    let mut table: Table = match text.parse() {
        Ok(table) => table,
        Err(error) => return Some(error.to_string()),
    };
    if table.contains_key("rule") {
        return RoleRules::parse("roles.toml", text).err().map(|error| error.to_string());
    }
    if table.contains_key("pair") {
        return Separation::parse("sod.toml", text).err().map(|error| error.to_string());
    }
    for list in ["source", "application", "route", "report"] {
        if let Some(Value::Table(only)) = table.get(list).cloned() {
            table.insert(list.to_owned(), Value::Array(vec![Value::Table(only)]));
        }
    }
    fill(&mut table, &AROUND.parse().unwrap());
    let text = toml::to_string(&table).unwrap();
    Config::parse(Path::new("yaopai.toml"), &text, &[]).err().map(|error| error.to_string())
}

fn problems(document: &File) -> Vec<String> {
    let of = |(line, text): (usize, String)| Some(format!("{}:{line}: {}", document.path, problem(&text)?));
    blocks(document).into_iter().filter_map(of).collect()
}

#[test]
fn configuration_in_documents_can_be_used() {
    let mut documents = tree::files(&["docs"], &[".md"]);
    documents.extend(["README.md", "README.zh-CN.md"].map(tree::file));
    assert!(documents.iter().map(|document| blocks(document).len()).sum::<usize>() > 20);
    let problems: Vec<String> = documents.iter().flat_map(problems).collect();
    hold("configuration in documents", &problems);
}

#[test]
fn a_misspelt_key_in_a_document_is_found() {
    let sample = |text: &str| File::sample("a.md", &format!("```toml\n{text}\n```\n"));
    assert!(problems(&sample("[source.grace]\ndelete_after = \"90d\"")).is_empty());
    assert_eq!(problems(&sample("[source.grace]\ndelete_aftre = \"90d\"")).len(), 1);
    assert_eq!(problems(&sample("[source.ldap]\npassword_file = \"x\"")).len(), 1);
    assert_eq!(problems(&sample("[[rule]]\nid = \"x\"")).len(), 1);
    assert_eq!(problems(&sample("not toml")).len(), 1);
}
