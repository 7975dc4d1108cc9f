//! One fold for comparing names: NFKC, lower case, insignificant blanks (RFC 4518 sections 2.3 to 2.6, without locale).

use unicode_normalization::UnicodeNormalization as _;

/// Folds a login name, mail address or code for comparison: `" Ａlice  B"` → `"alice b"`.
///
/// The same function serves the store's `*_key` columns, the sign-in page and the throttle, so that no two of them
/// disagree. It never depends on a locale (`İ` folds as Unicode says, everywhere).
#[must_use]
pub fn fold(text: &str) -> String {
    if is_settled(text) {
        // The short way for most logins, codes and names of directories.
        let lower = text.to_ascii_lowercase();
        let is_spaced = |byte: u8| byte.is_ascii_whitespace() || byte == 0x0b;
        if lower.bytes().any(is_spaced) {
            return lower.split_whitespace().collect::<Vec<_>>().join(" ");
        }
        return lower;
    }
    let folded: String = text.nfkc().filter(|c| !is_invisible(*c)).flat_map(char::to_lowercase).collect();
    let folded: String = folded.nfkc().collect();
    folded.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Whether `text` is made of ASCII and the common Chinese characters alone: those are their own normal form in each of the
/// four, and only ASCII of them has small letters.
#[must_use]
pub fn is_settled(text: &str) -> bool {
    text.is_ascii() || text.chars().all(|c| c.is_ascii() || matches!(c, '\u{4E00}'..='\u{9FFF}'))
}

/// Whether every character of `text` can be seen as what it is: no controls, nothing that turns the direction or has
/// no width.
#[must_use]
pub fn is_plain(text: &str) -> bool {
    !text.chars().any(|c| c.is_control() || is_invisible(c) || matches!(c, '\u{061C}' | '\u{2028}' | '\u{2029}'))
}

/// Zero-width and bidirectional controls: they make two names look alike.
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{00AD}' | '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2060}'..='\u{2069}' | '\u{FEFF}')
}

#[cfg(test)]
mod tests {
    use super::fold;

    #[test]
    fn names_that_look_alike_fold_alike() {
        assert_eq!(fold(" Ａlice  B"), "alice b");
        assert_eq!(fold("JOHN"), fold("john"));
        assert_eq!(fold("e\u{301}"), fold("é"));
        assert_eq!(fold("a\u{200B}b"), "ab");
        assert_eq!(fold("\u{212A}"), "k");
        assert_eq!(fold("王\u{20BB7}"), "王\u{20BB7}");
    }
}
