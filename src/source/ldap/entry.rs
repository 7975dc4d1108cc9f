//! From the BER of a search answer to a raw entry, without the library's parser, which panics on what it does not expect
//! and copies every value.

use ldap3::asn1::{PL, StructureTag};

use crate::source::collect::Raw;

/// `SearchResultEntry` (RFC 4511 section 4.5.2); none when it is malformed.
pub(super) fn raw(entry: StructureTag) -> Option<Raw> {
    let mut parts = constructed(entry)?.into_iter();
    let mut raw = Raw::new(primitive(parts.next()?)?);
    for attribute in constructed(parts.next()?)? {
        let mut pair = constructed(attribute)?.into_iter();
        let name = String::from_utf8(primitive(pair.next()?)?).ok()?;
        let values: Option<Vec<Vec<u8>>> = constructed(pair.next()?)?.into_iter().map(primitive).collect();
        raw.push(&name, values?);
    }
    raw.finish();
    Some(raw)
}

/// `SearchResultReference`: the first URL.
pub(super) fn reference(tag: StructureTag) -> String {
    let first = constructed(tag).and_then(|urls| urls.into_iter().next()).and_then(primitive);
    first.map_or_else(|| "an unnamed server".to_owned(), |url| String::from_utf8_lossy(&url).into_owned())
}

fn constructed(tag: StructureTag) -> Option<Vec<StructureTag>> {
    match tag.payload {
        PL::C(parts) => Some(parts),
        PL::P(bytes) => bytes.is_empty().then(Vec::new),
    }
}

fn primitive(tag: StructureTag) -> Option<Vec<u8>> {
    match tag.payload {
        PL::P(bytes) => Some(bytes),
        PL::C(_) => None,
    }
}
