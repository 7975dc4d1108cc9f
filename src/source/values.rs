//! What an entry holds, in one text: a directory of a hundred thousand people has millions of values, and one allocation
//! for each of them is most of what a run would need.

use std::collections::BTreeMap;
use std::fmt;

/// Marks the end of a name among the ends of values.
const NAME: u32 = 1 << 31;

/// Attributes with their values, by name.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Values {
    /// Names and values, one behind the other.
    text: Box<str>,
    /// Where each ends.
    ends: Box<[u32]>,
}

/// Names of attributes only: their values are personal, and one may be a password hash.
impl fmt::Debug for Values {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.names()).finish()
    }
}

impl Values {
    /// The values of an attribute, named in lower case; none where the entry has none.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<Texts<'_>> {
        self.iter().find(|(own, _)| *own == name).map(|(_, texts)| texts)
    }

    /// The same, as an empty list where there are none.
    #[must_use]
    pub fn all(&self, name: &str) -> Texts<'_> {
        self.get(name).unwrap_or_default()
    }

    /// Whether there is such an attribute.
    #[must_use]
    pub fn contains(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    /// The names, in order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.iter().map(|(name, _)| name)
    }

    /// Every attribute with its values.
    pub fn iter(&self) -> impl Iterator<Item = (&str, Texts<'_>)> {
        let (mut rest, mut at) = (&*self.ends, 0);
        std::iter::from_fn(move || {
            let (first, more) = rest.split_first()?;
            let name_end = place(*first);
            let count = more.iter().position(|end| end & NAME != 0).unwrap_or(more.len());
            let (ends, next) = more.split_at_checked(count)?;
            let name = self.text.get(at..name_end)?;
            (rest, at) = (next, ends.last().map_or(name_end, |end| place(*end)));
            Some((name, Texts { text: &self.text, at: name_end, ends }))
        })
    }

    /// The same with a value of its own for each, to be changed.
    #[must_use]
    pub fn to_map(&self) -> BTreeMap<String, Vec<String>> {
        self.iter().map(|(name, texts)| (name.to_owned(), texts.map(str::to_owned).collect())).collect()
    }

    /// Of a map; none when it is larger than any entry may be.
    #[must_use]
    pub fn of(map: &BTreeMap<String, Vec<String>>) -> Option<Self> {
        let mut builder = Builder::default();
        for (name, texts) in map {
            builder.name(name);
            for text in texts {
                builder.value(text);
            }
        }
        builder.finish()
    }
}

fn place(end: u32) -> usize {
    usize::try_from(end & !NAME).unwrap_or(usize::MAX)
}

/// Values in the making; names come in order.
#[derive(Debug, Default)]
pub(super) struct Builder {
    text: String,
    ends: Vec<u32>,
    /// Whether it grew beyond what can be counted.
    is_over: bool,
}

impl Builder {
    /// Begins an attribute.
    pub fn name(&mut self, name: &str) {
        self.text.push_str(name);
        self.end(NAME);
    }

    /// Adds a value to it.
    pub fn value(&mut self, value: &str) {
        self.text.push_str(value);
        self.end(0);
    }

    fn end(&mut self, mark: u32) {
        match u32::try_from(self.text.len()) {
            Ok(end) if end < NAME => self.ends.push(end | mark),
            _ => self.is_over = true,
        }
    }

    /// The values; none when there is too much of them.
    pub fn finish(self) -> Option<Values> {
        let Self { text, ends, is_over } = self;
        (!is_over).then(|| Values { text: text.into_boxed_str(), ends: ends.into_boxed_slice() })
    }
}

/// Values of an attribute, one after the other.
#[derive(Clone, Default)]
pub struct Texts<'a> {
    text: &'a str,
    at: usize,
    ends: &'a [u32],
}

impl fmt::Debug for Texts<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Texts").field("values", &self.ends.len()).finish()
    }
}

impl<'a> Iterator for Texts<'a> {
    type Item = &'a str;

    fn next(&mut self) -> Option<&'a str> {
        let (end, rest) = self.ends.split_first()?;
        let text = self.text.get(self.at..place(*end))?;
        (self.at, self.ends) = (place(*end), rest);
        Some(text)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.ends.len(), Some(self.ends.len()))
    }
}

impl ExactSizeIterator for Texts<'_> {}

#[cfg(test)]
mod tests {
    use super::Values;

    #[test]
    fn what_goes_in_comes_out() {
        let map = [("cn", vec!["王芳", ""]), ("mail", vec![]), ("sn", vec!["王"])];
        let map = map.map(|(name, texts)| (name.to_owned(), texts.into_iter().map(str::to_owned).collect())).into();
        let values = Values::of(&map).unwrap();
        assert_eq!(values.to_map(), map);
        assert_eq!(values.names().collect::<Vec<_>>(), ["cn", "mail", "sn"]);
        assert_eq!(values.all("cn").len(), 2);
        assert_eq!(values.get("sn").unwrap().collect::<Vec<_>>(), ["王"]);
        assert!(values.contains("mail") && values.all("mail").next().is_none() && values.get("c").is_none());
        assert_eq!(format!("{values:?}"), r#"["cn", "mail", "sn"]"#);
    }
}
