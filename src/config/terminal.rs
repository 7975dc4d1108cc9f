//! The language of the person at the terminal, as the system says it.

use crate::text::Language;

/// What says it, the first that is set and not empty (POSIX.1-2017, Base Definitions 8.2).
const VARIABLES: [&str; 3] = ["LC_ALL", "LC_MESSAGES", "LANG"];

/// The language of the terminal; English where the system names none that there are messages in.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "config/ is the only reader of the environment")]
pub fn terminal_language() -> Language {
    language_of(VARIABLES.map(|name| std::env::var(name).ok()))
}

fn language_of(values: [Option<String>; 3]) -> Language {
    let first = values.into_iter().flatten().find(|value| !value.is_empty());
    first.and_then(|locale| Language::of_locales(&locale)).unwrap_or(Language::En)
}

#[cfg(test)]
mod tests {
    use super::language_of;
    use crate::text::Language::{En, Zh};

    #[test]
    fn the_first_variable_that_says_something_counts() {
        let of = |values: [&str; 3]| language_of(values.map(|value| Some(value.to_owned())));
        assert_eq!(of(["", "", "zh_CN.UTF-8"]), Zh);
        assert_eq!(of(["en_GB.UTF-8", "", "zh_CN.UTF-8"]), En);
        assert_eq!(of(["C.UTF-8", "", "zh_CN.UTF-8"]), En);
        assert_eq!(of(["", "zh_TW", "de_DE"]), Zh);
        assert_eq!(language_of([None, None, None]), En);
    }
}
