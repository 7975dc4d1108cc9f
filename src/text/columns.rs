//! Text in columns of a terminal, where Chinese characters are two wide.

/// Columns that a text takes.
#[must_use]
pub fn width(text: &str) -> usize {
    text.chars().map(|c| if is_wide(c) { 2 } else { 1 }).sum()
}

/// East Asian Wide and Fullwidth (Unicode Standard Annex 11), in blocks: exact enough for names.
const fn is_wide(c: char) -> bool {
    matches!(c, '\u{1100}'..='\u{115f}' | '\u{2e80}'..='\u{a4cf}' | '\u{ac00}'..='\u{d7a3}' | '\u{f900}'..='\u{faff}'
        | '\u{fe30}'..='\u{fe6f}' | '\u{ff00}'..='\u{ff60}' | '\u{ffe0}'..='\u{ffe6}' | '\u{20000}'..='\u{3fffd}')
}

/// Text filled up with blanks to so many columns, and at least one.
#[must_use]
pub fn padded(text: &str, columns: usize) -> String {
    format!("{text}{}", " ".repeat(columns.saturating_sub(width(text)).max(1)))
}

#[cfg(test)]
mod tests {
    use super::{padded, width};

    #[test]
    fn chinese_takes_two_columns() {
        assert_eq!((width("人员 x"), width("𠮷野"), width("… · −")), (6, 4, 5));
        assert_eq!((padded("部门", 6), padded("too long", 3)), ("部门  ".to_owned(), "too long ".to_owned()));
    }
}
