//! What a finding says: a code and named arguments become sentences.

use std::collections::BTreeMap;

use serde::Serialize;

use super::messages::{Args, Language, message};

/// A finding in words.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct FindingWords {
    /// What kind it is.
    pub kind: String,
    /// What exactly is wrong.
    pub details: String,
    /// What to do about it.
    pub remedy: String,
}

/// What a finding says in a language: the messages `finding-type-CODE`, `finding-CODE` and `finding-next-CODE`, where a
/// colon of the code is written as `-`.
#[must_use]
pub fn finding_words(code: &str, arguments: &BTreeMap<String, String>, language: Language) -> FindingWords {
    let mut args = Args::new();
    for (name, value) in arguments {
        // Counts as numbers: the plural depends on them.
        match value.parse::<u32>() {
            Ok(number) if name == "count" => args.set(name.as_str(), number),
            _ => args.set(name.as_str(), value.as_str()),
        }
    }
    let code = code.replace(':', "-");
    FindingWords {
        kind: message(language, &format!("finding-type-{code}"), &args),
        details: message(language, &format!("finding-{code}"), &args),
        remedy: message(language, &format!("finding-next-{code}"), &args),
    }
}
