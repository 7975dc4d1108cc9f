//! Answers from bytes (RFC 4511 section 4): entries in place, results in the LDAP library's type.

use ldap3::LdapResult;

use super::super::ber::{ENUMERATED, Elements, INTEGER, Malformed, OCTET_STRING, SEQUENCE, SET, number};
use super::request::PAGED_RESULTS;
use crate::source::collect::Raw;

/// `BindResponse`.
pub(super) const BIND: u8 = 0x61;
/// `SearchResultEntry`.
pub(super) const ENTRY: u8 = 0x64;
/// `SearchResultDone`.
pub(super) const DONE: u8 = 0x65;
/// `SearchResultReference`.
pub(super) const REFERENCE: u8 = 0x73;
/// `ExtendedResponse`.
pub(super) const EXTENDED: u8 = 0x78;
/// `IntermediateResponse`.
pub(super) const INTERMEDIATE: u8 = 0x79;

/// One message, where it lies.
#[derive(Clone, Copy, Debug)]
pub(super) struct Message<'a> {
    /// Of the request; 0 when nobody asked (section 4.4).
    pub id: u32,
    /// Tag of the operation.
    pub tag: u8,
    /// What the operation holds.
    pub content: &'a [u8],
    controls: &'a [u8],
}

impl<'a> Message<'a> {
    /// Reads the content of an `LDAPMessage`.
    pub fn read(bytes: &'a [u8]) -> Result<Self, Malformed> {
        let mut parts = Elements(bytes);
        let id = number(parts.take(INTEGER)?)?;
        let operation = parts.next()?.ok_or(Malformed)?;
        let controls = parts.next()?.filter(|part| part.tag == 0xa0).map_or(&[][..], |part| part.content);
        Ok(Self { id, tag: operation.tag, content: operation.content, controls })
    }

    /// `LDAPResult` (section 4.1.9).
    pub fn result(&self) -> Result<LdapResult, Malformed> {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let mut parts = Elements(self.content);
        let rc = number(parts.take(ENUMERATED)?)?;
        let matched = text(parts.take(OCTET_STRING)?);
        let said = text(parts.take(OCTET_STRING)?);
        let mut refs = Vec::new();
        while let Some(part) = parts.next()? {
            if part.tag == 0xa3 {
                let mut urls = Elements(part.content);
                while let Some(url) = urls.next()? {
                    refs.push(text(url.content));
                }
            }
        }
        Ok(LdapResult { rc, matched, text: said, refs, ctrls: Vec::new() })
    }

    /// `BindResponse` (section 4.2.2): the result, and the server's SASL credentials.
    pub fn bind_result(&self) -> Result<(LdapResult, Vec<u8>), Malformed> {
        let mut parts = Elements(self.content);
        let mut credentials = Vec::new();
        while let Some(part) = parts.next()? {
            if part.tag == 0x87 {
                credentials = part.content.to_vec();
            }
        }
        Ok((self.result()?, credentials))
    }

    /// The cookie of the next page; empty when there is none, or when the server sent all without pages.
    pub fn cookie(&self) -> Result<Vec<u8>, Malformed> {
        let mut controls = Elements(self.controls);
        while let Some(control) = controls.next()? {
            let mut parts = Elements(control.content);
            if parts.take(OCTET_STRING)? != PAGED_RESULTS {
                continue;
            }
            while let Some(part) = parts.next()? {
                if part.tag == OCTET_STRING {
                    let mut value = Elements(Elements(part.content).take(SEQUENCE)?);
                    value.take(INTEGER)?;
                    return Ok(value.take(OCTET_STRING)?.to_vec());
                }
            }
            return Err(Malformed);
        }
        Ok(Vec::new())
    }

    /// The first URL of a `SearchResultReference`.
    pub fn reference(&self) -> String {
        let first = Elements(self.content).next().ok().flatten();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        first.map_or_else(|| "an unnamed server".to_owned(), |url| text(url.content))
    }
}

/// A raw entry from the content of a `SearchResultEntry` (section 4.5.2).
pub(super) fn entry(content: &[u8]) -> Result<Raw, Malformed> {
    let mut parts = Elements(content);
    let mut raw = Raw::new(parts.take(OCTET_STRING)?.to_vec());
    let mut attributes = Elements(parts.take(SEQUENCE)?);
    while let Some(attribute) = attributes.next()? {
        let mut pair = Elements(attribute.content);
        let name = std::str::from_utf8(pair.take(OCTET_STRING)?).map_err(|_| Malformed)?;
        let mut set = Elements(pair.take(SET)?);
        let mut values = Vec::new();
        while let Some(value) = set.next()? {
            values.push(value.content.to_vec());
        }
        raw.push(name, values);
    }
    raw.finish();
    Ok(raw)
}
