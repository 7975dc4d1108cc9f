//! The grammar of RFC 4515 section 3, over bytes; blanks between filters are allowed, as OpenLDAP's tools do.

use super::Filter;

/// A text that is no search filter.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("`{text}` is no search filter: {reason} at byte {at}")]
pub struct FilterError {
    /// The text.
    pub text: String,
    /// What is wrong.
    pub reason: &'static str,
    /// Where, counted from 0.
    pub at: usize,
}

/// Filters nested deeper than anyone writes are refused before they exhaust the stack.
const MAX_DEPTH: usize = 64;

struct Parser<'a> {
    bytes: &'a [u8],
    at: usize,
}

pub(super) fn parse(text: &str) -> Result<Filter, FilterError> {
    let mut parser = Parser { bytes: text.as_bytes(), at: 0 };
    parser.whole().map_err(|reason| FilterError { text: text.to_owned(), reason, at: parser.at })
}

impl Parser<'_> {
    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn blanks(&mut self) {
        while self.peek().is_some_and(|byte| byte.is_ascii_whitespace()) {
            self.at += 1;
        }
    }

    fn whole(&mut self) -> Result<Filter, &'static str> {
        self.blanks();
        let filter = if self.peek() == Some(b'(') { self.filter(0)? } else { self.item()? };
        self.blanks();
        if self.peek().is_some() { Err("something follows the filter") } else { Ok(filter) }
    }

    /// `(…)`.
    fn filter(&mut self, depth: usize) -> Result<Filter, &'static str> {
        if depth > MAX_DEPTH {
            return Err("filters are nested too deep");
        }
        self.expect(b'(', "`(` is missing")?;
        self.blanks();
        let filter = match self.peek() {
            Some(b'&') => Filter::And(self.list(depth)?),
            Some(b'|') => Filter::Or(self.list(depth)?),
            Some(b'!') => {
                self.at += 1;
                self.blanks();
                Filter::Not(Box::new(self.filter(depth + 1)?))
            }
            _ => self.item()?,
        };
        self.blanks();
        self.expect(b')', "`)` is missing")?;
        Ok(filter)
    }

    fn list(&mut self, depth: usize) -> Result<Vec<Filter>, &'static str> {
        self.at += 1;
        let mut filters = Vec::new();
        loop {
            self.blanks();
            if self.peek() != Some(b'(') {
                return Ok(filters);
            }
            filters.push(self.filter(depth + 1)?);
        }
    }

    fn item(&mut self) -> Result<Filter, &'static str> {
        let start = self.at;
        let attribute = self.attribute()?;
        let sign = self.peek();
        self.at += 1;
        match sign {
            Some(b'=') => {}
            Some(b'>' | b'<' | b'~') => self.expect(b'=', "`=` is missing")?,
            Some(b':') => return self.extensible(start),
            _ => return Err("`=` is missing"),
        }
        let mut pieces = self.value()?;
        match (sign, pieces.len()) {
            (Some(b'='), 0 | 1) => Ok(Filter::Equal(attribute, pieces.pop().unwrap_or_default())),
            (Some(b'='), _) => Ok(substrings(attribute, pieces)),
            (_, 2..) => Err("`*` may stand only after `=`"),
            (Some(b'>'), _) => Ok(Filter::AtLeast(attribute, pieces.pop().unwrap_or_default())),
            (Some(b'<'), _) => Ok(Filter::AtMost(attribute, pieces.pop().unwrap_or_default())),
            _ => Ok(Filter::Equal(attribute, pieces.pop().unwrap_or_default())),
        }
    }

    /// What follows the first `:` of `attribute:rule:=value` up to the end; kept as it is written.
    fn extensible(&mut self, start: usize) -> Result<Filter, &'static str> {
        while self.peek().is_some_and(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b':')) {
            self.at += 1;
        }
        self.expect(b'=', "`:=` is missing")?;
        self.value()?;
        let text = self.bytes.get(start..self.at).and_then(|bytes| std::str::from_utf8(bytes).ok());
        text.map(|text| Filter::Extensible(text.to_owned())).ok_or("the match is not UTF-8")
    }

    fn attribute(&mut self) -> Result<String, &'static str> {
        let mut name = String::new();
        while let Some(byte) =
            self.peek().filter(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b';'))
        {
            name.push(char::from(byte));
            self.at += 1;
        }
        if name.is_empty() || name.starts_with(';') {
            return Err("the attribute's name is missing");
        }
        Ok(name)
    }

    /// The pieces between the `*`; one piece when there is none.
    fn value(&mut self) -> Result<Vec<Vec<u8>>, &'static str> {
        let mut pieces = Vec::new();
        let mut piece = Vec::new();
        while let Some(byte) = self.peek().filter(|byte| *byte != b')') {
            self.at += 1;
            match byte {
                b'*' => pieces.push(std::mem::take(&mut piece)),
                b'\\' => piece.push(self.pair()?),
                b'(' | 0 => return Err("a special character is not escaped"),
                byte => piece.push(byte),
            }
        }
        pieces.push(piece);
        Ok(pieces)
    }

    fn pair(&mut self) -> Result<u8, &'static str> {
        let mut digit = || {
            let digit = self.peek().and_then(|byte| char::from(byte).to_digit(16));
            self.at += 1;
            digit.and_then(|digit| u8::try_from(digit).ok())
        };
        match (digit(), digit()) {
            (Some(high), Some(low)) => Ok(high * 16 + low),
            _ => Err("`\\` is not followed by two hexadecimal digits"),
        }
    }

    fn expect(&mut self, byte: u8, otherwise: &'static str) -> Result<(), &'static str> {
        if self.peek() == Some(byte) {
            self.at += 1;
            Ok(())
        } else {
            Err(otherwise)
        }
    }
}

fn substrings(attribute: String, pieces: Vec<Vec<u8>>) -> Filter {
    let count = pieces.len();
    let (mut initial, mut any, mut last) = (None, Vec::new(), None);
    for (n, piece) in pieces.into_iter().enumerate().filter(|(_, piece)| !piece.is_empty()) {
        match n {
            0 => initial = Some(piece),
            n if n + 1 == count => last = Some(piece),
            _ => any.push(piece),
        }
    }
    if initial.is_none() && any.is_empty() && last.is_none() {
        return Filter::Present(attribute);
    }
    Filter::Substrings { attribute, initial, any, last }
}
