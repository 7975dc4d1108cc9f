//! BER as LDAP uses it (RFC 4511 section 5.1: definite lengths, one tag byte), read in place: nothing is copied, and no
//! bytes make it panic.

/// `SEQUENCE`.
pub(super) const SEQUENCE: u8 = 0x30;
/// `INTEGER`.
pub(super) const INTEGER: u8 = 0x02;
/// `OCTET STRING`.
pub(super) const OCTET_STRING: u8 = 0x04;
/// `ENUMERATED`.
pub(super) const ENUMERATED: u8 = 0x0a;
/// `BOOLEAN`.
pub(super) const BOOLEAN: u8 = 0x01;
/// `SET`.
pub(super) const SET: u8 = 0x31;

/// Bytes that are no BER, or not what the protocol has at this place.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Malformed;

/// One element: its tag byte and what it holds.
#[derive(Clone, Copy, Debug)]
pub(super) struct Element<'a> {
    pub tag: u8,
    pub content: &'a [u8],
}

/// Elements that follow each other.
#[derive(Clone, Copy, Debug)]
pub(super) struct Elements<'a>(pub &'a [u8]);

impl<'a> Elements<'a> {
    /// The next element; none at the end.
    pub fn next(&mut self) -> Result<Option<Element<'a>>, Malformed> {
        if self.0.is_empty() {
            return Ok(None);
        }
        let Some((tag, start, length)) = header(self.0)? else { return Err(Malformed) };
        let end = start.checked_add(length).ok_or(Malformed)?;
        let (content, rest) = (self.0.get(start..end).ok_or(Malformed)?, self.0.get(end..).ok_or(Malformed)?);
        self.0 = rest;
        Ok(Some(Element { tag, content }))
    }

    /// The content of the next element, which has this tag.
    pub fn take(&mut self, tag: u8) -> Result<&'a [u8], Malformed> {
        match self.next()? {
            Some(element) if element.tag == tag => Ok(element.content),
            _ => Err(Malformed),
        }
    }
}

/// Tag, length of the header and length of the content of the element at the start; none when more bytes are needed.
pub(super) fn header(bytes: &[u8]) -> Result<Option<(u8, usize, usize)>, Malformed> {
    let (Some(tag), Some(first)) = (bytes.first(), bytes.get(1)) else { return Ok(None) };
    if tag & 0x1f == 0x1f {
        return Err(Malformed);
    }
    if first & 0x80 == 0 {
        return Ok(Some((*tag, 2, usize::from(*first))));
    }
    let count = usize::from(first & 0x7f);
    if count == 0 || count > 8 {
        return Err(Malformed);
    }
    let Some(octets) = bytes.get(2..2 + count) else { return Ok(None) };
    let length = octets.iter().try_fold(0usize, |length, octet| {
        length.checked_mul(256).and_then(|length| length.checked_add(usize::from(*octet)))
    });
    Ok(Some((*tag, 2 + count, length.ok_or(Malformed)?)))
}

/// A number that is not negative.
pub(super) fn number(content: &[u8]) -> Result<u32, Malformed> {
    if content.is_empty() || content.len() > 5 || content.first().is_some_and(|octet| octet & 0x80 != 0) {
        return Err(Malformed);
    }
    let number = content.iter().fold(0u64, |number, octet| number * 256 + u64::from(*octet));
    u32::try_from(number).map_err(|_| Malformed)
}

/// An element with this content.
pub(super) fn element(tag: u8, content: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(content.len() + 6);
    bytes.push(tag);
    match u8::try_from(content.len()) {
        Ok(length) if length < 0x80 => bytes.push(length),
        _ => {
            let octets: Vec<u8> = content.len().to_be_bytes().into_iter().skip_while(|octet| *octet == 0).collect();
            // At most eight.
            bytes.push(0x80 | u8::try_from(octets.len()).unwrap_or(8));
            bytes.extend(octets);
        }
    }
    bytes.extend_from_slice(content);
    bytes
}

/// A number that is not negative, as the content of an element.
pub(super) fn of_number(number: u32) -> Vec<u8> {
    let mut octets: Vec<u8> = number.to_be_bytes().into_iter().skip_while(|octet| *octet == 0).collect();
    if octets.first().is_none_or(|octet| octet & 0x80 != 0) {
        octets.insert(0, 0);
    }
    octets
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Elements, Malformed, element, number, of_number};

    proptest! {
        #[test]
        fn what_is_written_is_read(tag in 0u8..0x1f, content in proptest::collection::vec(any::<u8>(), 0..70_000), n in any::<u32>()) {
            let bytes = element(tag, &content);
            let mut elements = Elements(&bytes);
            prop_assert_eq!(elements.take(tag), Ok(content.as_slice()));
            prop_assert!(elements.next().unwrap().is_none());
            prop_assert_eq!(number(&of_number(n)), Ok(n));
            // Cut anywhere, it is no element.
            prop_assert!(Elements(&bytes[..bytes.len() - 1]).take(tag).is_err());
        }

        #[test]
        fn hostile_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..60)) {
            let mut elements = Elements(&bytes);
            while let Ok(Some(found)) = elements.next() {
                let _ = number(found.content);
            }
        }
    }

    #[test]
    fn lengths_that_no_memory_holds_are_malformed() {
        for bytes in [&[0x30, 0x89, 1, 1, 1, 1, 1, 1, 1, 1, 1][..], &[0x30, 0x80, 0, 0], &[0x3f, 0x01, 0x00]] {
            assert_eq!(Elements(bytes).next().err(), Some(Malformed), "{bytes:?}");
        }
        assert!(Elements(&[0x30, 0x88, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]).next().is_err());
    }
}
