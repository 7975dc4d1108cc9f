//! Parameters of a request, as RFC 6749 sections 3.1 and 3.2 want them: none twice, an empty one is absent, an unknown
//! one is ignored.

use percent_encoding::percent_decode_str;

/// The parameters of a query string or form body, decoded.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Params(Vec<(String, String)>);

/// What may be given several times: RFC 8707 section 2.
const REPEATABLE: [&str; 1] = ["resource"];

/// The text is no form encoding of UTF-8.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("the parameters are not form-encoded UTF-8")]
pub struct NotEncoded;

impl Params {
    /// Reads `application/x-www-form-urlencoded` text strictly: what is not UTF-8 is refused, never replaced.
    ///
    /// # Errors
    /// [`NotEncoded`].
    pub fn parse(text: &str) -> Result<Self, NotEncoded> {
        text.split('&')
            .filter(|pair| !pair.is_empty())
            .map(|pair| {
                let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
                Ok((decode(name)?, decode(value)?))
            })
            .collect::<Result<_, _>>()
            .map(Self)
    }

    /// The value of a parameter that is there and not empty; the first, when it is there twice.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str()).filter(|value| !value.is_empty())
    }

    /// The value of a parameter that is there once and not empty.
    #[must_use]
    pub fn once(&self, name: &str) -> Option<&str> {
        self.get(name).filter(|_| !self.is_repeated(name))
    }

    /// The names, in the order given.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(name, _)| name.as_str())
    }

    /// Whether `name` is given twice.
    #[must_use]
    pub fn is_repeated(&self, name: &str) -> bool {
        self.0.iter().filter(|(key, _)| key == name).count() > 1
    }

    /// Every value of a parameter that may be given several times, without empty ones.
    pub fn all(&self, name: &str) -> impl Iterator<Item = &str> {
        self.0.iter().filter(move |(key, value)| key == name && !value.is_empty()).map(|(_, value)| value.as_str())
    }

    /// Whether any parameter is given twice that may not be.
    #[must_use]
    pub fn has_repetition(&self) -> bool {
        let names = self.0.iter().map(|(name, _)| name.as_str());
        let mut names: Vec<&str> = names.filter(|name| !REPEATABLE.contains(name)).collect();
        names.sort_unstable();
        names.windows(2).any(|pair| matches!(pair, [a, b] if a == b))
    }

    /// The same parameters without `name`.
    #[must_use]
    pub fn without(&self, name: &str) -> Self {
        Self(self.0.iter().filter(|(key, _)| key != name).cloned().collect())
    }

    /// Those of the same parameters that have one of these names.
    #[must_use]
    pub fn only(&self, names: &[&str]) -> Self {
        Self(self.0.iter().filter(|(key, _)| names.contains(&key.as_str())).cloned().collect())
    }

    /// The same parameters and one more.
    #[must_use]
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.0.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Form-encoded again.
    #[must_use]
    pub fn encode(&self) -> String {
        url::form_urlencoded::Serializer::new(String::new()).extend_pairs(&self.0).finish()
    }
}

/// Decodes one form-encoded part.
///
/// # Errors
/// [`NotEncoded`].
pub(super) fn decode(text: &str) -> Result<String, NotEncoded> {
    if !text.bytes().any(|byte| matches!(byte, b'+' | b'%')) {
        return Ok(text.to_owned());
    }
    let text = text.replace('+', " ");
    percent_decode_str(&text).decode_utf8().map(std::borrow::Cow::into_owned).map_err(|_| NotEncoded)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::Params;

    /// OAUTH-010, OAUTH-011
    #[test]
    fn repetition_and_emptiness() {
        let params = Params::parse("scope=a&state=&scope=b&x").unwrap();
        assert!(params.has_repetition() && params.is_repeated("scope") && !params.is_repeated("state"));
        assert_eq!((params.get("scope"), params.get("state"), params.get("x")), (Some("a"), None, None));
        assert!(Params::parse("a=%FF").is_err());
        assert!(!Params::parse("").unwrap().has_repetition());
    }

    proptest! {
        /// OAUTH-013
        #[test]
        fn what_is_encoded_reads_back(value in "\\PC*") {
            let params = Params::default().with("state", &value);
            prop_assert_eq!(Params::parse(&params.encode()).unwrap(), params);
        }
    }
}
