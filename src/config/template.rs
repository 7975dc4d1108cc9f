//! Mapped values: an attribute name (`mail`) or a small template (`{sn}{givenName}`, `{displayName|cn}`).
//!
//! Inside braces stands an attribute, or several with `|`: the first that has a value. Text outside of braces is kept
//! as it is. A template of which no attribute has a value gives nothing.

use unicode_normalization::{UnicodeNormalization as _, is_nfc};

use crate::text::is_settled;

/// A mapped value, parsed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Template(Vec<Piece>);

#[derive(Clone, PartialEq, Eq, Debug)]
enum Piece {
    Text(String),
    /// Attribute names in lower case, without options: the first with a value counts.
    Attribute(Vec<String>),
}

impl Template {
    /// Parses a mapped value.
    ///
    /// # Errors
    /// A sentence that says what is wrong and how to write it; the caller names the key.
    pub fn parse(text: &str) -> Result<Self, String> {
        if text.trim().is_empty() {
            return Err("is empty: write an attribute name or a template such as \"{displayName|cn}\"".to_owned());
        }
        if !text.contains(['{', '}']) {
            return Ok(Self(vec![Piece::Attribute(vec![attribute(text, text)?])]));
        }
        let mut pieces = Vec::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('{') {
            if before.contains('}') {
                return Err(format!("`{text}` closes a brace that it never opened"));
            }
            if !before.is_empty() {
                pieces.push(Piece::Text(before.to_owned()));
            }
            let Some((names, after)) = after.split_once('}') else {
                return Err(format!("`{text}` opens a brace that it never closes"));
            };
            pieces
                .push(Piece::Attribute(names.split('|').map(|name| attribute(name, text)).collect::<Result<_, _>>()?));
            rest = after;
        }
        if rest.contains('}') {
            return Err(format!("`{text}` closes a brace that it never opened"));
        }
        if !rest.is_empty() {
            pieces.push(Piece::Text(rest.to_owned()));
        }
        Ok(Self(pieces))
    }

    /// The value, in Unicode's composed form and without blanks around it; none when no attribute has one. `first`
    /// gives the first value of an attribute, named in lower case.
    pub fn render<'a>(&self, first: impl Fn(&str) -> Option<&'a str>) -> Option<String> {
        let value = |names: &[String]| names.iter().find_map(|name| first(name).filter(|v| !v.trim().is_empty()));
        if let [Piece::Attribute(names)] = self.0.as_slice() {
            return value(names).map(composed);
        }
        let mut text = String::new();
        let mut found = false;
        for piece in &self.0 {
            match piece {
                Piece::Text(fixed) => text.push_str(fixed),
                Piece::Attribute(names) => {
                    if let Some(value) = value(names) {
                        text.push_str(value);
                        found = true;
                    }
                }
            }
        }
        found.then(|| composed(&text)).filter(|text| !text.is_empty())
    }

    /// What the value is one of, where it is a single attribute with several values: sorted and composed. Empty where
    /// there is nothing to choose. `all` gives the values of an attribute, named in lower case.
    pub fn choices<'a, V>(&self, all: impl Fn(&str) -> V) -> Vec<String>
    where
        V: Iterator<Item = &'a str> + Clone,
    {
        let [Piece::Attribute(names)] = self.0.as_slice() else { return Vec::new() };
        let usable = |name: &String| {
            let values = all(name);
            values.clone().any(|value| !value.trim().is_empty()).then_some(values)
        };
        let Some(values) = names.iter().find_map(usable).filter(|values| values.clone().nth(1).is_some()) else {
            return Vec::new();
        };
        let mut values: Vec<String> = values.map(composed).collect();
        values.retain(|value| !value.is_empty());
        values.sort();
        values.dedup();
        if values.len() > 1 { values } else { Vec::new() }
    }
}

fn attribute(name: &str, whole: &str) -> Result<String, String> {
    let base = name.trim().split(';').next().unwrap_or_default();
    let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_');
    if base.is_empty() || !base.chars().all(is_name) {
        return Err(format!("`{whole}` names no attribute at `{name}`: write a name, or names in braces with `|`"));
    }
    Ok(base.to_ascii_lowercase())
}

fn composed(text: &str) -> String {
    let text = text.trim();
    if is_settled(text) || is_nfc(text) { text.to_owned() } else { text.nfc().collect() }
}

#[cfg(test)]
mod tests {
    use super::Template;

    fn render(template: &str) -> Option<String> {
        let entry = |name: &str| match name {
            "cn" => Some(" 王芳 "),
            "sn" => Some("王"),
            "givenname" => Some("芳"),
            "e" => Some("e\u{301}"),
            "blank" => Some("  "),
            _ => None,
        };
        Template::parse(template).unwrap().render(entry)
    }

    #[test]
    fn attributes_and_templates_are_rendered() {
        assert_eq!(render("cn").as_deref(), Some("王芳"));
        assert_eq!(render("{sn}{givenName}").as_deref(), Some("王芳"));
        assert_eq!(render("{displayName|blank|CN}").as_deref(), Some("王芳"));
        assert_eq!(render("{sn;lang-zh}-{nothing}").as_deref(), Some("王-"));
        assert_eq!(render("e").as_deref(), Some("é"));
        assert_eq!(render("{nothing}@example.com"), None);
        assert_eq!(render("blank"), None);
    }

    #[test]
    fn faults_say_where() {
        for bad in ["", "{", "a}b", "{cn", "{}", "{a|}", "a b", "{cn}}"] {
            let why = Template::parse(bad).unwrap_err();
            assert!(bad.is_empty() || why.contains(&format!("`{bad}`")), "{bad}: {why}");
        }
    }
}
