//! Finds, in the text of the tests, the assertions that each test cites in the comment above it.

use super::{Citations, SECTIONS};
use crate::tidy::tree::File;

/// What `files` cite: test names are paths as `cargo test` prints them, the test binary first (`it::http::health::…`).
pub fn collect(files: &[File]) -> Citations {
    let mut found = Citations::new();
    for file in files {
        let mut scan = Scan { modules: modules(&file.path), ..Scan::default() };
        for line in file.text.lines() {
            scan.line(line, &mut found);
        }
    }
    found
}

/// `tests/it/http/health.rs` → `it`, `http`, `health`; `src/crypto/mod.rs` → `lib`, `crypto`.
fn modules(path: &str) -> Vec<(usize, String)> {
    let path = path.trim_end_matches(".rs").trim_end_matches("/mod").trim_end_matches("/main").trim_end_matches("/lib");
    let path = path.strip_prefix("tests/").map_or_else(|| path.replacen("src", "lib", 1), str::to_owned);
    path.split('/').map(|part| (0, part.to_owned())).collect()
}

#[derive(Default)]
struct Scan {
    /// Modules around the line, with the indentation of their closing brace plus one (0: the file itself).
    modules: Vec<(usize, String)>,
    cited: Vec<String>,
    is_test: bool,
    in_macro: bool,
}

impl Scan {
    fn line(&mut self, line: &str, found: &mut Citations) {
        let indent = line.len() - line.trim_start().len();
        let text = line.trim();
        if text == "}" && self.modules.last().is_some_and(|(at, _)| *at == indent + 1) {
            self.modules.pop();
        } else if text.starts_with("//") {
            self.cited.extend(assertions(text));
        } else if text.starts_with("#[") {
            self.is_test |= text.starts_with("#[test]") || text.starts_with("#[tokio::test");
        } else if let Some(rest) = text.strip_prefix("both!(") {
            self.in_macro = true;
            self.in_both(rest, found);
        } else if self.in_macro {
            self.in_both(text, found);
        } else if let Some(name) = module(text) {
            self.modules.push((indent + 1, name));
            self.forget();
        } else {
            if let Some(name) = function(text).filter(|_| self.is_test) {
                self.record(&name, found);
            }
            self.forget();
        }
    }

    /// Inside `both!(`: comments come first, then the name of the test and a comma.
    fn in_both(&mut self, text: &str, found: &mut Citations) {
        let name: String = text.chars().take_while(|&c| c.is_alphanumeric() || c == '_').collect();
        if !name.is_empty() {
            self.record(&name, found);
            self.forget();
        }
    }

    fn record(&mut self, name: &str, found: &mut Citations) {
        let modules: Vec<&str> = self.modules.iter().map(|(_, name)| name.as_str()).collect();
        for assertion in std::mem::take(&mut self.cited) {
            found.entry(assertion).or_default().insert(format!("{}::{name}", modules.join("::")));
        }
    }

    fn forget(&mut self) {
        self.cited.clear();
        (self.is_test, self.in_macro) = (false, false);
    }
}

/// `mod tests {` → `tests`.
fn module(text: &str) -> Option<String> {
    let name = text.trim_start_matches("pub ").strip_prefix("mod ")?.strip_suffix('{')?;
    Some(name.trim().to_owned())
}

/// `async fn a_code_works_once() {` → `a_code_works_once`.
fn function(text: &str) -> Option<String> {
    let rest = text.trim_start_matches("pub ").trim_start_matches("async ").strip_prefix("fn ")?;
    Some(rest.chars().take_while(|&c| c.is_alphanumeric() || c == '_').collect())
}

/// `OAUTH-029` and its like in a comment; `SHA-256` is none.
fn assertions(text: &str) -> Vec<String> {
    let words = text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '-'));
    let known = words.filter(|word| {
        word.split_once('-').is_some_and(|(section, number)| {
            SECTIONS.iter().any(|(name, ..)| *name == section) && number.len() == 3 && number.parse::<u32>().is_ok()
        })
    });
    known.map(str::to_owned).collect()
}

#[test]
fn citations_are_read_from_the_comments_above_tests() {
    let text = "/// OAUTH-001 in passing\nfn helper() {}\n\n/// A code works once (OAUTH-029, OAUTH-031); SHA-256.\n\
                #[tokio::test(flavor = \"x\")]\nasync fn once() {\n    // GW-001 inside counts for nothing\n    a();\n}\n\n\
                both!(\n    /// OIDC-041\n    twice,\n    |kind| async move {}\n);\n\nmod inner {\n    // AUD-004\n    \
                #[test]\n    fn deep() {}\n}\n\n// LDAP-012\nboth!(short, |kind| async move {});\n";
    let found = collect(&[
        File::sample("tests/it/http/code.rs", text),
        File::sample("src/a/mod.rs", "mod tests {\n// CN-001\n#[test]\nfn x() {}\n}"),
    ]);
    let flat: Vec<String> = found.iter().map(|(key, names)| format!("{key} {names:?}")).collect();
    assert_eq!(
        flat,
        [
            "AUD-004 {\"it::http::code::inner::deep\"}",
            "CN-001 {\"lib::a::tests::x\"}",
            "LDAP-012 {\"it::http::code::short\"}",
            "OAUTH-029 {\"it::http::code::once\"}",
            "OAUTH-031 {\"it::http::code::once\"}",
            "OIDC-041 {\"it::http::code::twice\"}",
        ]
    );
}
