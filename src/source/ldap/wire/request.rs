//! Requests as bytes (RFC 4511 section 4). Filters are written by the LDAP library.

use bytes::BytesMut;
use ldap3::asn1::{ASNTag as _, write};

use super::super::ber::{BOOLEAN, ENUMERATED, INTEGER, OCTET_STRING, SEQUENCE, element, of_number};

/// `BindRequest` with a password (section 4.2).
pub(super) fn bind(dn: &str, password: &str) -> Vec<u8> {
    let content =
        [element(INTEGER, &[3]), element(OCTET_STRING, dn.as_bytes()), element(0x80, password.as_bytes())].concat();
    element(0x60, &content)
}

/// `ExtendedRequest` for StartTLS (section 4.14).
pub(super) fn start_tls() -> Vec<u8> {
    element(0x77, &element(0x80, b"1.3.6.1.4.1.1466.20037"))
}

/// `UnbindRequest` (section 4.3).
pub(super) fn unbind() -> Vec<u8> {
    element(0x42, &[])
}

/// `SearchRequest` of a whole subtree (section 4.5.1); none when the library cannot read the filter.
pub(super) fn search(base: &str, filter: &str, attributes: &[String]) -> Option<Vec<u8>> {
    let mut encoded = BytesMut::new();
    write::encode_into(&mut encoded, ldap3::parse_filter(filter).ok()?.into_structure()).ok()?;
    let names: Vec<u8> = attributes.iter().flat_map(|name| element(OCTET_STRING, name.as_bytes())).collect();
    let content = [
        element(OCTET_STRING, base.as_bytes()),
        // Scope: the whole subtree. Aliases: never followed. No limits of our own; values, not only names.
        element(ENUMERATED, &[2]),
        element(ENUMERATED, &[0]),
        element(INTEGER, &[0]),
        element(INTEGER, &[0]),
        element(BOOLEAN, &[0]),
        encoded.to_vec(),
        element(SEQUENCE, &names),
    ];
    Some(element(0x63, &content.concat()))
}

/// OID of the paged results control (RFC 2696).
pub(super) const PAGED_RESULTS: &[u8] = b"1.2.840.113556.1.4.319";

/// The critical control that asks for a page.
pub(super) fn page(size: u32, cookie: &[u8]) -> Vec<u8> {
    let value = [element(INTEGER, &of_number(size)), element(OCTET_STRING, cookie)].concat();
    let control = [
        element(OCTET_STRING, PAGED_RESULTS),
        element(BOOLEAN, &[0xff]),
        element(OCTET_STRING, &element(SEQUENCE, &value)),
    ];
    element(SEQUENCE, &control.concat())
}

/// `LDAPMessage` (section 4.1.1).
pub(super) fn message(id: u32, operation: &[u8], control: Option<&[u8]>) -> Vec<u8> {
    let mut content = element(INTEGER, &of_number(id));
    content.extend_from_slice(operation);
    if let Some(control) = control {
        content.extend(element(0xa0, control));
    }
    element(SEQUENCE, &content)
}
