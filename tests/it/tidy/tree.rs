//! The repository as text: files with their comments and strings taken out where a rule looks at code only.

use std::path::{Path, PathBuf};

/// One file.
#[derive(Clone, Debug)]
pub struct File {
    /// Path from the root of the repository, with `/`.
    pub path: String,
    /// What stands in it.
    pub text: String,
}

/// Folders that hold nothing of ours.
const FOREIGN: &[&str] = &["target", ".git", "node_modules", ".venv", ".setup", "data"];

/// The root of the repository.
pub fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// Every text file below `folders` whose name ends in one of `endings` (all, when none is given).
pub fn files(folders: &[&str], endings: &[&str]) -> Vec<File> {
    let mut found = Vec::new();
    for folder in folders {
        walk(&root().join(folder), endings, &mut found);
    }
    found.sort_by(|a, b| a.path.cmp(&b.path));
    found
}

/// The Rust files of the library and the binary.
pub fn sources() -> Vec<File> {
    files(&["src"], &[".rs"])
}

/// The file at `path`, which must be there.
pub fn file(path: &str) -> File {
    let text = std::fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"));
    File { path: path.to_owned(), text }
}

fn walk(folder: &Path, endings: &[&str], found: &mut Vec<File>) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    for entry in entries {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if FOREIGN.contains(&name.as_str()) {
            continue;
        }
        if path.is_dir() {
            walk(&path, endings, found);
        } else if (endings.is_empty() || endings.iter().any(|ending| name.ends_with(ending)))
            && let Ok(text) = std::fs::read_to_string(&path)
        {
            let path = path.strip_prefix(root()).unwrap().to_string_lossy().into_owned();
            found.push(File { path, text });
        }
    }
}

impl File {
    /// A made-up file, to try a rule on.
    pub fn sample(path: &str, text: &str) -> Self {
        Self { path: path.to_owned(), text: text.to_owned() }
    }

    /// The text up to its unit tests.
    pub fn without_tests(&self) -> &str {
        self.text.split_once("\n#[cfg(test)]").map_or(self.text.as_str(), |(before, _)| before)
    }

    /// Code only, tests left out: comments and the insides of strings become spaces, lines stay where they are.
    pub fn code(&self) -> String {
        strip(self.without_tests()).0
    }

    /// The string literals outside of tests, with their line numbers.
    pub fn strings(&self) -> Vec<(usize, String)> {
        strip(self.without_tests()).1
    }
}

/// Takes comments and the insides of strings out of Rust text, and gives those strings with their lines.
fn strip(text: &str) -> (String, Vec<(usize, String)>) {
    let chars: Vec<char> = text.chars().collect();
    let (mut code, mut strings) = (String::with_capacity(text.len()), Vec::new());
    let (mut at, mut line) = (0, 1);
    while at < chars.len() {
        let end = match chars[at] {
            '/' if chars.get(at + 1) == Some(&'/') => (at..chars.len()).find(|&i| chars[i] == '\n'),
            '/' if chars.get(at + 1) == Some(&'*') => {
                (at + 2..chars.len()).find(|&i| chars[i] == '*' && chars.get(i + 1) == Some(&'/')).map(|i| i + 2)
            }
            '"' => {
                let end = string_end(&chars, at + 1);
                strings.push((line, chars[at + 1..end - 1].iter().collect()));
                Some(end)
            }
            'r' if !(at > 0 && is_word(chars[at - 1])) && raw_hashes(&chars, at + 1).is_some() => {
                let hashes = raw_hashes(&chars, at + 1).unwrap_or(0);
                let begin = at + 2 + hashes;
                let end = raw_end(&chars, begin, hashes);
                strings.push((line, chars[begin..end - 1 - hashes].iter().collect()));
                Some(end)
            }
            '\'' => char_end(&chars, at),
            _ => Some(at),
        };
        let end = end.unwrap_or(chars.len());
        if end == at {
            code.push(chars[at]);
            line += usize::from(chars[at] == '\n');
            at += 1;
            continue;
        }
        for &skipped in &chars[at..end] {
            code.push(if skipped == '\n' { '\n' } else { ' ' });
            line += usize::from(skipped == '\n');
        }
        at = end;
    }
    (code, strings)
}

/// Whether `c` may stand in an identifier.
pub fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

fn string_end(chars: &[char], from: usize) -> usize {
    let mut at = from;
    while at < chars.len() && chars[at] != '"' {
        at += if chars[at] == '\\' { 2 } else { 1 };
    }
    (at + 1).min(chars.len())
}

fn raw_hashes(chars: &[char], from: usize) -> Option<usize> {
    let hashes = chars[from..].iter().take_while(|&&c| c == '#').count();
    (chars.get(from + hashes) == Some(&'"')).then_some(hashes)
}

fn raw_end(chars: &[char], from: usize, hashes: usize) -> usize {
    (from..chars.len())
        .find(|&i| chars[i] == '"' && chars[i + 1..].iter().take(hashes).filter(|&&c| c == '#').count() == hashes)
        .map_or(chars.len(), |i| i + 1 + hashes)
}

/// The end of a character literal; `at` itself when it is a lifetime.
fn char_end(chars: &[char], at: usize) -> Option<usize> {
    match chars.get(at + 1) {
        Some('\\') => (at + 3..chars.len()).find(|&i| chars[i] == '\'').map(|i| i + 1),
        Some(_) if chars.get(at + 2) == Some(&'\'') => Some(at + 3),
        _ => Some(at),
    }
}

#[test]
fn comments_and_strings_are_taken_out_and_lines_stay() {
    let text =
        "// crate::http\nlet a = \"crate::\\\"http\"; /* x\n */ let b = 'x'; let c: &'a str = r#\"axum\"#;\n'\"'";
    let file = File::sample("src/a.rs", text);
    let code = file.code();
    assert_eq!(code.lines().count(), text.lines().count());
    assert!(!code.contains("http") && !code.contains("axum") && code.contains("let c: &'a str"), "{code}");
    let strings: Vec<String> = file.strings().into_iter().map(|(_, text)| text).collect();
    assert_eq!(strings, ["crate::\\\"http", "axum"]);
    assert_eq!(file.strings()[1].0, 3);
}
