//! The grammar of RFC 4514 section 3, over bytes. Legacy forms of RFC 2253 (`;` between names, quoted values) are
//! refused, except for blanks around `=`, `,` and `+`, which servers accept.

use super::{Dn, Part, PartValue, Rdn};

/// A text that is no distinguished name.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("`{text}` is no distinguished name: {reason} at byte {at}")]
pub struct DnError {
    /// The text.
    pub text: String,
    /// What is wrong.
    pub reason: &'static str,
    /// Where, counted from 0.
    pub at: usize,
}

/// OIDs and long names of RFC 4514 section 3 and RFC 4519, by the short name that is printed.
const NAMES: &[(&str, &str)] = &[
    ("2.5.4.3", "cn"),
    ("commonname", "cn"),
    ("2.5.4.4", "sn"),
    ("surname", "sn"),
    ("2.5.4.6", "c"),
    ("countryname", "c"),
    ("2.5.4.7", "l"),
    ("localityname", "l"),
    ("2.5.4.8", "st"),
    ("stateorprovincename", "st"),
    ("2.5.4.9", "street"),
    ("streetaddress", "street"),
    ("2.5.4.10", "o"),
    ("organizationname", "o"),
    ("2.5.4.11", "ou"),
    ("organizationalunitname", "ou"),
    ("0.9.2342.19200300.100.1.25", "dc"),
    ("domaincomponent", "dc"),
    ("0.9.2342.19200300.100.1.1", "uid"),
    ("userid", "uid"),
];

struct Parser<'a> {
    bytes: &'a [u8],
    at: usize,
}

pub(super) fn parse(text: &str) -> Result<Dn, DnError> {
    let mut parser = Parser { bytes: text.as_bytes(), at: 0 };
    parser.name().map_err(|reason| DnError { text: text.to_owned(), reason, at: parser.at })
}

impl Parser<'_> {
    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn next(&mut self) -> Option<u8> {
        let byte = self.peek()?;
        self.at += 1;
        Some(byte)
    }

    fn blanks(&mut self) {
        while self.peek() == Some(b' ') {
            self.at += 1;
        }
    }

    fn name(&mut self) -> Result<Dn, &'static str> {
        let mut rdns = Vec::new();
        self.blanks();
        if self.peek().is_none() {
            return Ok(Dn(rdns));
        }
        let mut parts = Vec::new();
        loop {
            parts.push(self.part()?);
            match self.next() {
                Some(b'+') => {}
                Some(b',') => rdns.push(Rdn(std::mem::take(&mut parts))),
                None => break,
                Some(_) => return Err("a `,` or `+` is missing"),
            }
        }
        rdns.push(Rdn(parts));
        Ok(Dn(rdns))
    }

    fn part(&mut self) -> Result<Part, &'static str> {
        self.blanks();
        let mut kind = String::new();
        while let Some(byte) = self.peek().filter(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.')) {
            kind.push(char::from(byte.to_ascii_lowercase()));
            self.at += 1;
        }
        self.blanks();
        if self.next() != Some(b'=') {
            return Err("an attribute type and `=` are missing");
        }
        let kind = kind_name(kind)?;
        self.blanks();
        let value = if self.peek() == Some(b'#') { self.ber()? } else { PartValue::Text(self.text()?) };
        Ok(Part { kind, value })
    }

    /// `#` and pairs of hexadecimal digits: BER; the strings among it are text like any other.
    fn ber(&mut self) -> Result<PartValue, &'static str> {
        self.at += 1;
        let mut bytes = Vec::new();
        while let Some(high) = self.peek().and_then(hex) {
            self.at += 1;
            let low = self.next().and_then(hex).ok_or("a hexadecimal digit is missing")?;
            bytes.push(high * 16 + low);
        }
        self.blanks();
        match bytes.as_slice() {
            [] => Err("`#` is followed by no hexadecimal digits"),
            // UTF8String, PrintableString, IA5String with a length of one byte.
            [0x0c | 0x13 | 0x16, length, text @ ..] if *length < 128 && usize::from(*length) == text.len() => {
                Ok(String::from_utf8(text.to_vec()).map_or_else(|_| PartValue::Ber(bytes.clone()), PartValue::Text))
            }
            _ => Ok(PartValue::Ber(bytes)),
        }
    }

    fn text(&mut self) -> Result<String, &'static str> {
        let mut value = Vec::new();
        // Blanks at the end are not part of the value, unless escaped: `kept` is how much of it certainly is.
        let mut kept = 0;
        while let Some(byte) = self.peek() {
            match byte {
                b',' | b'+' => break,
                b'\\' => {
                    self.at += 1;
                    value.push(self.escaped()?);
                    kept = value.len();
                    continue;
                }
                b'"' | b';' | b'<' | b'>' | 0 => return Err("a special character is not escaped"),
                b' ' => value.push(b' '),
                other => {
                    value.push(other);
                    kept = value.len();
                }
            }
            self.at += 1;
        }
        value.truncate(kept);
        String::from_utf8(value).map_err(|_| "the value is not UTF-8")
    }

    fn escaped(&mut self) -> Result<u8, &'static str> {
        let first = self.next().ok_or("`\\` stands at the end")?;
        if matches!(first, b' ' | b'"' | b'#' | b'+' | b',' | b';' | b'<' | b'=' | b'>' | b'\\') {
            return Ok(first);
        }
        match (hex(first), self.next().and_then(hex)) {
            (Some(high), Some(low)) => Ok(high * 16 + low),
            _ => Err("`\\` is followed by no special character and no two hexadecimal digits"),
        }
    }
}

fn kind_name(kind: String) -> Result<String, &'static str> {
    let kind = match kind.strip_prefix("oid.") {
        Some(oid) => oid.to_owned(),
        None => kind,
    };
    let numeric = kind.starts_with(|c: char| c.is_ascii_digit());
    let is_valid = if numeric {
        kind.split('.').all(|arc| !arc.is_empty() && arc.bytes().all(|byte| byte.is_ascii_digit()))
    } else {
        kind.starts_with(|c: char| c.is_ascii_alphabetic()) && !kind.contains('.')
    };
    if !is_valid {
        return Err("the attribute type is neither a name nor an OID");
    }
    Ok(NAMES.iter().find(|(long, _)| *long == kind).map_or(kind, |(_, short)| (*short).to_owned()))
}

fn hex(byte: u8) -> Option<u8> {
    char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}
