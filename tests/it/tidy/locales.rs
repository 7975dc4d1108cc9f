//! The two languages hold the same messages with the same arguments, and every message is used.

use std::collections::{BTreeMap, BTreeSet};

use super::hold;
use super::tree::{self, File};

/// Message → the `$arguments` it names.
type Messages = BTreeMap<String, BTreeSet<String>>;

fn messages(locale: &File) -> Messages {
    let mut found = Messages::new();
    let mut current = None;
    for line in locale.text.lines().filter(|line| !line.starts_with('#')) {
        if let Some((key, _)) = line.split_once('=').filter(|(key, _)| is_key(key.trim_end()) && !key.starts_with(' '))
        {
            current = Some(key.trim_end().to_owned());
        }
        if let Some(key) = &current {
            found.entry(key.clone()).or_default().extend(arguments(line));
        }
    }
    found
}

fn is_key(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_')
}

fn arguments(line: &str) -> Vec<String> {
    let names = line.split('$').skip(1);
    names.map(|rest| rest.chars().take_while(|c| c.is_ascii_alphanumeric() || "-_".contains(*c)).collect()).collect()
}

/// Lines that are neither comment, message, continuation nor blank: Fluent would drop them without a word.
fn junk(locale: &File) -> Vec<String> {
    let is_sound = |line: &str| {
        line.is_empty()
            || line.starts_with(['#', ' ', '}'])
            || line.split_once('=').is_some_and(|(key, _)| is_key(key.trim_end()))
    };
    let lines = locale.text.lines().enumerate().filter(|(_, line)| !is_sound(line));
    lines.map(|(number, line)| format!("{}:{}: `{line}` is no message", locale.path, number + 1)).collect()
}

fn unlike(one: (&File, &Messages), other: (&File, &Messages)) -> Vec<String> {
    let mut problems = Vec::new();
    for (key, arguments) in one.1 {
        match other.1.get(key) {
            None => problems.push(format!("{}: `{key}` is missing; {} has it", other.0.path, one.0.path)),
            Some(others) => problems.extend(
                arguments.difference(others).map(|name| format!("{}: `{key}` does not use ${name}", other.0.path)),
            ),
        }
    }
    problems
}

/// Messages whose key stands nowhere as a word of its own, nor begins with a `prefix-` that code completes.
fn unused(messages: &Messages, users: &[File]) -> Vec<String> {
    let mut words = BTreeSet::new();
    for file in users {
        words.extend(file.text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '-' || c == '_')));
    }
    // `format!("scope-{scope}")` leaves the word `scope-`.
    let is_completed = |key: &str| key.char_indices().any(|(at, c)| c == '-' && at > 0 && words.contains(&key[..=at]));
    let lonely = messages.keys().filter(|key| !words.contains(key.as_str()) && !is_completed(key));
    lonely.map(|key| format!("`{key}` is used nowhere; remove it from both locales")).collect()
}

fn locales() -> [File; 2] {
    [tree::file("src/text/locales/en.ftl"), tree::file("src/text/locales/zh-CN.ftl")]
}

#[test]
fn both_languages_say_the_same_things() {
    let [en, zh] = locales();
    let (in_en, in_zh) = (messages(&en), messages(&zh));
    let mut problems = [junk(&en), junk(&zh)].concat();
    problems.extend(unlike((&en, &in_en), (&zh, &in_zh)));
    problems.extend(unlike((&zh, &in_zh), (&en, &in_en)));
    hold("locales", &problems);
}

#[test]
fn every_message_is_used() {
    let mut users = tree::files(&["src"], &[".rs", ".html", ".txt"]);
    users.extend(locales().map(|mut file| {
        // A message may be used by another: `{ product }`. Its own definition is no use.
        let references = file.text.split('{').skip(1).filter_map(|rest| rest.split('}').next());
        file.text = references.collect::<Vec<_>>().join("\n");
        file
    }));
    hold("messages", &unused(&messages(&locales()[0]), &users));
}

#[test]
fn a_faulty_locale_is_found() {
    let en = File::sample("en", "# a\nhello = Hello { $name }\n    again { $day }\nonly = x\n");
    let zh = File::sample("zh", "hello = 你好 { $name }\nbroken line\n");
    let (in_en, in_zh) = (messages(&en), messages(&zh));
    assert_eq!(in_en["hello"].len(), 2);
    assert_eq!(junk(&zh).len(), 1);
    assert_eq!(unlike((&en, &in_en), (&zh, &in_zh)).len(), 2, "`only` is missing, $day is not used");
    let users = |text: &str| unused(&in_en, &[File::sample("a.rs", text)]);
    assert!(users("message(\"hello\") t('only')").is_empty());
    assert_eq!(users("hello-world only"), ["`hello` is used nowhere; remove it from both locales"]);
}
