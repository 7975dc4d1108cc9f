//! Faults of a TOML file in one line: where, what, and what was probably meant.

/// `3:5: unknown key `x` in [section], did you mean `y`?` for the file `text`; without a place where there is none.
#[must_use]
pub fn one_line(text: &str, error: &toml::de::Error) -> String {
    let what =
        error.message().split('\n').map(str::trim).filter(|line| !line.is_empty()).collect::<Vec<_>>().join("; ");
    let Some(before) = error.span().and_then(|span| text.get(..span.start)) else { return reworded(&what, None) };
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    format!("{line}:{column}: {}", reworded(&what, section(text, before.len())))
}

/// The `[section]` or `[[section]]` that the byte `at` lies in.
fn section(text: &str, at: usize) -> Option<&str> {
    let mut passed = 0;
    let mut current = None;
    for line in text.split_inclusive('\n') {
        if passed > at {
            break;
        }
        passed += line.len();
        let line = line.split('#').next().unwrap_or_default().trim();
        if line.starts_with('[') && line.ends_with(']') && !line.contains('=') {
            current = Some(line);
        }
    }
    current
}

fn reworded(what: &str, section: Option<&str>) -> String {
    let place = section.map_or_else(String::new, |section| format!(" in {section}"));
    if let Some(key) = quoted(what, "missing field `") {
        return format!("the key `{key}` is missing{place}");
    }
    let Some(key) = quoted(what, "unknown field `") else { return what.to_owned() };
    let known: Vec<&str> =
        what.split_once("expected").map_or("", |(_, known)| known).split('`').skip(1).step_by(2).collect();
    let near = known.iter().map(|name| (distance(key, name), *name)).min().filter(|(far, _)| *far <= key.len() / 3 + 1);
    match near {
        Some((_, name)) => format!("unknown key `{key}`{place}, did you mean `{name}`?"),
        None => format!("unknown key `{key}`{place}; there are {}", known.join(", ")),
    }
}

/// What stands between `prefix` at the beginning of `text` and the next backtick.
fn quoted<'a>(text: &'a str, prefix: &str) -> Option<&'a str> {
    text.strip_prefix(prefix)?.split('`').next()
}

/// Edits (one letter put in, left out, changed, or two swapped) that make `b` of `a`.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut before: Vec<usize> = Vec::new();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    let mut last = None;
    for (i, from) in a.chars().enumerate() {
        let mut next = vec![i + 1];
        for (j, to) in b.iter().enumerate() {
            let at = |row: &[usize], j: usize| row.get(j).copied().unwrap_or(usize::MAX / 2);
            let changed = at(&row, j) + usize::from(from != *to);
            let mut best = changed.min(at(&row, j + 1) + 1).min(at(&next, j) + 1);
            if j > 0 && last == Some(*to) && b.get(j - 1) == Some(&from) {
                best = best.min(at(&before, j - 1) + 1);
            }
            next.push(best);
        }
        before = std::mem::replace(&mut row, next);
        last = Some(from);
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::{distance, one_line};

    #[derive(Debug, serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    struct File {
        #[expect(dead_code, reason = "only read")]
        server: Option<Section>,
    }

    #[derive(Debug, serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only read")]
    struct Section {
        public_url: String,
        #[serde(default)]
        listen: u16,
    }

    fn fault(text: &str) -> String {
        one_line(text, &toml::from_str::<File>(text).unwrap_err())
    }

    #[test]
    fn every_fault_is_one_line_that_names_the_place() {
        let typo = fault("# a\n[server]\npublic_url = \"x\"\n  lisetn = 1\n");
        assert_eq!(typo, "4:3: unknown key `lisetn` in [server], did you mean `listen`?");
        let far = fault("[server]\npublic_url = \"x\"\ncolour = 1\n");
        assert_eq!(far, "3:1: unknown key `colour` in [server]; there are public_url, listen");
        assert_eq!(fault("[serve]\n"), "1:2: unknown key `serve` in [serve], did you mean `server`?");
        assert_eq!(fault("\n[server]\nlisten = 1\n"), "2:1: the key `public_url` is missing in [server]");
        assert!(fault("[server]\nlisten = \"x\"\n").starts_with("2:10: invalid type"));
        for broken in
            ["[server\n", "a = = 1", "[server]\npublic_url = \"\"\"x\n\n", "x = 'a\nb'", "[server]\n[server]\n"]
        {
            assert!(!fault(broken).contains('\n'), "{}", fault(broken));
        }
    }

    #[test]
    fn near_words_are_near() {
        assert_eq!(distance("lisetn", "listen"), 1);
        assert_eq!(distance("listen", "listen"), 0);
        assert_eq!(distance("", "abc"), 3);
        assert_eq!(distance("kitten", "sitting"), 3);
    }
}
