//! The fenced blocks of a document.

use std::path::Path;

/// A fenced block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Block {
    /// Line of the opening fence.
    pub line: usize,
    /// What stands after the fence: `sh`, `toml`.
    pub language: String,
    /// The lines between the fences.
    pub text: String,
}

/// Every fenced block of a document of the repository, in order.
pub fn of(document: &str) -> Vec<Block> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(document);
    read(&std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{document}: {error}")))
}

fn read(text: &str) -> Vec<Block> {
    let mut blocks: Vec<Block> = Vec::new();
    let mut is_open = false;
    for (number, line) in text.lines().enumerate() {
        if let Some(language) = line.strip_prefix("```") {
            is_open = !is_open;
            if is_open {
                blocks.push(Block { line: number + 1, language: language.to_owned(), text: String::new() });
            }
        } else if let Some(block) = blocks.last_mut().filter(|_| is_open) {
            block.text += line;
            block.text.push('\n');
        }
    }
    assert!(!is_open, "a fence is not closed");
    blocks
}

impl Block {
    /// The text without comments, which differ between languages.
    pub fn without_comments(&self) -> String {
        let lines = self.text.lines().map(|line| line.split(" # ").next().unwrap_or_default().trim_end());
        lines.collect::<Vec<_>>().join("\n")
    }
}

#[test]
fn blocks_are_found_with_their_language() {
    let found = read("a\n```sh\nmake x # y\n```\n\n```toml\n[a]\nb = 1   # c\n```\n");
    assert_eq!(
        found.iter().map(|block| (block.line, block.language.as_str())).collect::<Vec<_>>(),
        [(2, "sh"), (6, "toml")]
    );
    assert_eq!(found.iter().map(Block::without_comments).collect::<Vec<_>>(), ["make x", "[a]\nb = 1"]);
}
