//! The grammar of RFC 2849: lines unfolded, records split, values decoded. Streaming: one record is held at a time.

use std::io::BufRead;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::source::collect::Raw;

/// One unfolded line longer than this is no data of a directory: bytes.
const MAX_LINE: usize = 64 << 20;

/// Why no record could be read.
#[derive(Debug)]
pub(super) enum LdifError {
    Io(std::io::Error),
    Syntax { line: u64, reason: String },
}

impl From<std::io::Error> for LdifError {
    fn from(error: std::io::Error) -> Self {
        Self::Io(error)
    }
}

/// Reads records one after the other.
pub(super) struct Reader<R> {
    from: R,
    /// Number of the last line read, from 1.
    line: u64,
    /// The line read ahead, to see whether it continues the one before.
    ahead: Option<Vec<u8>>,
    /// Whether anything but the version line and comments was seen.
    begun: bool,
}

/// One unfolded line and where it began.
struct Line {
    number: u64,
    text: Vec<u8>,
}

impl Line {
    fn fault(&self, reason: impl Into<String>) -> LdifError {
        LdifError::Syntax { line: self.number, reason: reason.into() }
    }
}

impl<R: BufRead> Reader<R> {
    pub fn new(from: R) -> Self {
        Self { from, line: 0, ahead: None, begun: false }
    }

    /// What was read from.
    pub fn into_inner(self) -> R {
        self.from
    }

    pub fn line(&self) -> u64 {
        self.line
    }

    /// The next record; none at the end of the file.
    pub fn record(&mut self) -> Result<Option<Raw>, LdifError> {
        let mut raw: Option<Raw> = None;
        while let Some(line) = self.unfolded()? {
            if line.text.is_empty() {
                match raw {
                    None => continue,
                    Some(_) => break,
                }
            }
            if line.text.starts_with(b"#") {
                continue;
            }
            let (name, value) = split(&line)?;
            let first = !std::mem::replace(&mut self.begun, true);
            match &mut raw {
                None if first && name.eq_ignore_ascii_case("version") => check_version(&line, &value)?,
                None if name.eq_ignore_ascii_case("dn") => raw = Some(Raw::new(value)),
                None => {
                    let reason = format!(
                        "a record begins with `{name}` and not with `dn`; write it with `ldapsearch -LLL` or `slapcat`"
                    );
                    return Err(line.fault(reason));
                }
                Some(raw) => {
                    refuse_changes(&line, &name)?;
                    raw.push(&name, [value]);
                }
            }
        }
        if let Some(raw) = &mut raw {
            raw.finish();
        }
        Ok(raw)
    }

    /// The next line with what is folded onto it; none at the end.
    fn unfolded(&mut self) -> Result<Option<Line>, LdifError> {
        let Some(text) = (match self.ahead.take() {
            Some(text) => Some(text),
            None => self.physical()?,
        }) else {
            return Ok(None);
        };
        let mut line = Line { number: self.line, text };
        if line.text.starts_with(b" ") {
            return Err(line.fault("a continued line follows nothing that it could continue"));
        }
        if line.text.is_empty() {
            return Ok(Some(line));
        }
        while let Some(next) = self.physical()? {
            let Some(more) = next.strip_prefix(b" ") else {
                self.ahead = Some(next);
                break;
            };
            line.text.extend_from_slice(more);
            if line.text.len() > MAX_LINE {
                return Err(line.fault(format!("the line is longer than {MAX_LINE} bytes")));
            }
        }
        Ok(Some(line))
    }

    /// One line without its end. A file whose last line has no end was probably cut.
    fn physical(&mut self) -> Result<Option<Vec<u8>>, LdifError> {
        let mut text = Vec::new();
        if self.from.read_until(b'\n', &mut text)? == 0 {
            return Ok(None);
        }
        self.line += 1;
        if text.pop() != Some(b'\n') {
            let reason =
                "the file ends in the middle of a line; was it written completely? If so, end it with an empty line";
            return Err(LdifError::Syntax { line: self.line, reason: reason.to_owned() });
        }
        if text.last() == Some(&b'\r') {
            text.pop();
        }
        if self.line == 1 && text.starts_with(b"\xef\xbb\xbf") {
            text.drain(..3);
        }
        Ok(Some(text))
    }
}

fn check_version(line: &Line, value: &[u8]) -> Result<(), LdifError> {
    if value == b"1" { Ok(()) } else { Err(line.fault("only `version: 1` is known (RFC 2849)")) }
}

fn refuse_changes(line: &Line, name: &str) -> Result<(), LdifError> {
    if name.eq_ignore_ascii_case("changetype") || name.eq_ignore_ascii_case("control") {
        return Err(line.fault("this is a change record; a source needs content records, as `slapcat` writes them"));
    }
    if name.eq_ignore_ascii_case("dn") {
        return Err(line.fault("a second `dn` stands in one record; an empty line is missing before it"));
    }
    Ok(())
}

/// `name: text`, `name:: base64`; `name:< url` is refused.
fn split(line: &Line) -> Result<(String, Vec<u8>), LdifError> {
    let colon = line.text.iter().position(|byte| *byte == b':');
    let (name, rest) = colon
        .and_then(|at| line.text.split_at_checked(at))
        .ok_or_else(|| line.fault("a `:` is missing after the attribute's name"))?;
    let is_name = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b';' | b'=' | b'*' | b'_');
    let name = match std::str::from_utf8(name) {
        Ok(text) if !text.is_empty() && name.iter().all(is_name) => text.to_owned(),
        _ => return Err(line.fault(format!("`{}` is no attribute's name", String::from_utf8_lossy(name)))),
    };
    let value = match rest {
        [b':', b':', base64 @ ..] => STANDARD
            .decode(base64.trim_ascii())
            .map_err(|error| line.fault(format!("the value of `{name}` is no base64: {error}")))?,
        [b':', b'<', ..] => {
            return Err(line.fault(format!(
                "the value of `{name}` is to be read from a URL, which is refused; put it into the file"
            )));
        }
        [b':', text @ ..] => {
            let start = text.iter().position(|byte| *byte != b' ').unwrap_or(text.len());
            text.get(start..).unwrap_or_default().to_vec()
        }
        _ => Vec::new(),
    };
    Ok((name, value))
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    use proptest::prelude::*;

    use super::{LdifError, Reader};
    use crate::source::collect::Raw;

    fn all(text: &[u8]) -> Result<Vec<Raw>, (u64, String)> {
        let mut reader = Reader::new(text);
        let mut records = Vec::new();
        loop {
            match reader.record() {
                Ok(Some(raw)) => records.push(raw),
                Ok(None) => return Ok(records),
                Err(LdifError::Syntax { line, reason }) => return Err((line, reason)),
                Err(LdifError::Io(error)) => panic!("{error}"),
            }
        }
    }

    fn values(raw: &Raw, name: &str) -> Vec<String> {
        raw.values[name].iter().map(|value| String::from_utf8(value.clone()).unwrap()).collect()
    }

    /// LDAP-067
    #[test]
    fn every_form_of_a_line_is_read() {
        let text = "\u{feff}version: 1\r\n# a comment\r\n  that goes on\r\n\r\ndn: uid=a,\r\n dc=x\r\nCN;lang-zh:: 5byg\r\ncn:  Zhang \r\ndescription:\r\nphoto;binary:: AAE=\r\n\r\n\r\ndn:: b3U95byg\r\nou:: 5byg\r\n";
        let records = all(text.as_bytes()).unwrap();
        assert_eq!(records.len(), 2);
        assert_eq!(records[0].dn, b"uid=a,dc=x");
        assert_eq!(values(&records[0], "cn"), ["Zhang ", "张"]);
        assert_eq!(values(&records[0], "description"), [""]);
        assert_eq!(records[0].values["photo"], [[0, 1]]);
        assert_eq!(records[1].dn, "ou=张".as_bytes());
    }

    #[test]
    fn a_fault_is_named_with_its_line() {
        for (text, line, words) in [
            ("dn: dc=x\nchangetype: add\n", 2, "change record"),
            ("dn: dc=x\njpegPhoto:< file:///etc/passwd\n", 2, "refused"),
            ("dn: dc=x\ncn:: ***\n", 2, "base64"),
            ("dn: dc=x\nno colon\n", 2, "`:` is missing"),
            ("dn: dc=x\n\nsearch: 2\n", 3, "ldapsearch -LLL"),
            ("version: 2\n", 1, "version"),
            (" dn: dc=x\n", 1, "continue"),
            ("dn: dc=x\ncn: a\n\n cn: b\n", 4, "continue"),
            ("dn: dc=x\ncn: cut in the mid", 2, "written completely"),
            ("dn: dc=x\ndn: dc=y\n", 2, "second `dn`"),
            ("dn: dc=x\nc n: a\n", 2, "no attribute"),
        ] {
            let (at, reason) = all(text.as_bytes()).unwrap_err();
            assert!(at == line && reason.contains(words), "{text:?}: {at} {reason}");
        }
    }

    proptest! {
        #[test]
        fn values_survive_folding_and_base64(value in proptest::collection::vec(any::<u8>(), 0..200), width in 20usize..76) {
            let line = format!("cn:: {}", STANDARD.encode(&value));
            let folded: Vec<String> = line.as_bytes().chunks(width).map(|part| String::from_utf8(part.to_vec()).unwrap()).collect();
            let text = format!("dn: dc=x\n{}\n", folded.join("\n "));
            prop_assert_eq!(&all(text.as_bytes()).unwrap()[0].values["cn"], &vec![value]);
        }

        #[test]
        fn hostile_bytes_never_panic(text in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = all(&text);
        }
    }
}
