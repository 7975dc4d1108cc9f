//! What went wrong, in both languages: a code and named arguments, of which one may be a fault again.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::messages::{Args, Language, message};

/// A fault: the message `fault-CODE` says it in words.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Fault {
    /// Which message.
    pub code: String,
    /// Its arguments.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub arguments: BTreeMap<String, String>,
    /// Arguments that are faults themselves; several are said one after the other.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub parts: BTreeMap<String, Vec<Fault>>,
}

impl Fault {
    /// The fault `code`.
    #[must_use]
    pub fn new(code: &str) -> Self {
        Self { code: code.to_owned(), arguments: BTreeMap::new(), parts: BTreeMap::new() }
    }

    /// With an argument.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl fmt::Display) -> Self {
        self.arguments.insert(name.to_owned(), value.to_string());
        self
    }

    /// With an argument that is a fault.
    #[must_use]
    pub fn because(mut self, name: &str, part: Self) -> Self {
        self.parts.entry(name.to_owned()).or_default().push(part);
        self
    }

    /// The sentence.
    #[must_use]
    pub fn words(&self, language: Language) -> String {
        let mut args = Args::new();
        for (name, value) in &self.arguments {
            args.set(name.as_str(), value.as_str());
        }
        let between = match language {
            Language::Zh => "；",
            Language::En => "; ",
        };
        for (name, parts) in &self.parts {
            let words: Vec<String> = parts.iter().map(|part| part.words(language)).collect();
            args.set(name.as_str(), words.join(between));
        }
        message(language, &format!("fault-{}", self.code), &args)
    }
}

/// In English, as the log and the audit log have it.
impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.words(Language::En))
    }
}
