//! Controls that tell what changed: content synchronisation (RFC 4533), DirSync and change notification ([MS-ADTS] section
//! 3.1.1.3.4.1). Read with our own BER, as the library's parsers panic on what they do not expect.

use ldap3::LdapResult;
use ldap3::asn1::{PL, StructureTag};
use ldap3::controls::{Control, RawControl};

use super::ber::{BOOLEAN, ENUMERATED, Elements, INTEGER, Malformed, OCTET_STRING, SEQUENCE, SET, element, number};

/// Sync Request (RFC 4533 section 2.2).
pub(super) const SYNC_REQUEST: &str = "1.3.6.1.4.1.4203.1.9.1.1";
/// Sync State (section 2.3).
const SYNC_STATE: &str = "1.3.6.1.4.1.4203.1.9.1.2";
/// Sync Done (section 2.4).
const SYNC_DONE: &str = "1.3.6.1.4.1.4203.1.9.1.3";
/// Sync Info message (section 2.5).
const SYNC_INFO: &[u8] = b"1.3.6.1.4.1.4203.1.9.1.4";
/// `LDAP_SERVER_DIRSYNC_OID`.
pub(super) const DIRSYNC: &str = "1.2.840.113556.1.4.841";
/// `LDAP_SERVER_NOTIFICATION_OID`.
pub(super) const NOTIFICATION: &str = "1.2.840.113556.1.4.528";

/// `LDAP_DIRSYNC_INCREMENTAL_VALUES` as the content of an INTEGER: only the values of links that changed.
const INCREMENTAL_VALUES: [u8; 4] = [0x80, 0, 0, 0];
/// What one answer to DirSync may hold, in bytes: 1 MiB.
const DIRSYNC_SIZE: [u8; 3] = [0x10, 0, 0];

/// What a server says about an entry.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum State {
    /// It is there, unchanged.
    Present,
    /// It is new or changed: the entry is whole.
    Changed,
    /// It is gone.
    Deleted,
}

/// One Sync Info message.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Info {
    /// Only a cookie.
    Cookie,
    /// What was listed as deleted is all that was.
    DeletesEnd,
    /// Who was listed as present is all who are.
    PresentEnd,
    /// Ids of entries that are gone, or of those that are there.
    Ids {
        /// They are gone.
        are_gone: bool,
        /// 16 bytes each.
        ids: Vec<[u8; 16]>,
    },
}

/// The critical control that asks for what changed since the cookie, and with `is_live` for what changes from now on.
pub(super) fn sync_request(is_live: bool, cookie: Option<&[u8]>) -> RawControl {
    let mut value = element(ENUMERATED, &[if is_live { 3 } else { 1 }]);
    if let Some(cookie) = cookie {
        value.extend(element(OCTET_STRING, cookie));
    }
    RawControl { ctype: SYNC_REQUEST.to_owned(), crit: true, val: Some(element(SEQUENCE, &value)) }
}

fn value<'a>(controls: &'a [Control], oid: &str) -> Option<&'a [u8]> {
    let control = controls.iter().find(|control| control.1.ctype == oid)?;
    Some(control.1.val.as_deref().unwrap_or_default())
}

fn id(bytes: &[u8]) -> Result<[u8; 16], Malformed> {
    bytes.try_into().map_err(|_| Malformed)
}

/// The Sync State control of an entry.
pub(super) fn sync_state(controls: &[Control]) -> Result<(State, [u8; 16]), Malformed> {
    let mut parts = Elements(Elements(value(controls, SYNC_STATE).ok_or(Malformed)?).take(SEQUENCE)?);
    let state = match number(parts.take(ENUMERATED)?)? {
        0 => State::Present,
        1 | 2 => State::Changed,
        3 => State::Deleted,
        _ => return Err(Malformed),
    };
    Ok((state, id(parts.take(OCTET_STRING)?)?))
}

/// The Sync Done control of a result: the cookie where there is one, and whether deletions were listed (and not those who
/// are there).
pub(super) fn sync_done(result: &LdapResult) -> Result<(Option<Vec<u8>>, bool), Malformed> {
    let mut parts = Elements(Elements(value(&result.ctrls, SYNC_DONE).ok_or(Malformed)?).take(SEQUENCE)?);
    let (mut cookie, mut lists_deletions) = (None, false);
    while let Some(part) = parts.next()? {
        match part.tag {
            OCTET_STRING => cookie = Some(part.content.to_vec()),
            BOOLEAN => lists_deletions = truth(part.content),
            _ => return Err(Malformed),
        }
    }
    Ok((cookie, lists_deletions))
}

fn truth(content: &[u8]) -> bool {
    content.iter().any(|octet| *octet != 0)
}

/// The Sync Info message in an intermediate response; none when it is something else.
pub(super) fn sync_info(response: &StructureTag) -> Result<Option<Info>, Malformed> {
    let PL::C(parts) = &response.payload else { return Err(Malformed) };
    let primitive = |id: u64| {
        let part = parts.iter().find(|part| part.id == id)?;
        if let PL::P(bytes) = &part.payload { Some(bytes.as_slice()) } else { None }
    };
    if primitive(0) != Some(SYNC_INFO) {
        return Ok(None);
    }
    info(primitive(1).ok_or(Malformed)?).map(Some)
}

fn info(value: &[u8]) -> Result<Info, Malformed> {
    let choice = Elements(value).next()?.ok_or(Malformed)?;
    Ok(match choice.tag {
        0x80 => Info::Cookie,
        0xa1 => Info::DeletesEnd,
        0xa2 => Info::PresentEnd,
        0xa3 => {
            let (mut parts, mut are_gone, mut ids) = (Elements(choice.content), false, None);
            while let Some(part) = parts.next()? {
                match part.tag {
                    OCTET_STRING => {}
                    BOOLEAN => are_gone = truth(part.content),
                    // 389 Directory Server writes a SEQUENCE.
                    SET | SEQUENCE => ids = Some(set(part.content)?),
                    _ => return Err(Malformed),
                }
            }
            Info::Ids { are_gone, ids: ids.ok_or(Malformed)? }
        }
        _ => return Err(Malformed),
    })
}

fn set(content: &[u8]) -> Result<Vec<[u8; 16]>, Malformed> {
    let (mut elements, mut ids) = (Elements(content), Vec::new());
    while let Some(found) = elements.next()? {
        ids.push(id(found.content)?);
    }
    Ok(ids)
}

/// The critical control that asks for what changed since the cookie; an empty one asks for everything.
pub(super) fn dirsync_request(cookie: &[u8]) -> RawControl {
    let parts = [element(INTEGER, &INCREMENTAL_VALUES), element(INTEGER, &DIRSYNC_SIZE), element(OCTET_STRING, cookie)];
    RawControl { ctype: DIRSYNC.to_owned(), crit: true, val: Some(element(SEQUENCE, &parts.concat())) }
}

/// The answer to DirSync: whether there is more, and where to go on from.
pub(super) fn dirsync_answer(result: &LdapResult) -> Result<(bool, Vec<u8>), Malformed> {
    let mut parts = Elements(Elements(value(&result.ctrls, DIRSYNC).ok_or(Malformed)?).take(SEQUENCE)?);
    let has_more = truth(parts.take(INTEGER)?);
    parts.take(INTEGER)?;
    let cookie = parts.take(OCTET_STRING)?;
    if cookie.is_empty() { Err(Malformed) } else { Ok((has_more, cookie.to_vec())) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Info, element, info};

    proptest! {
        #[test]
        fn hostile_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..60)) {
            let _ = info(&bytes);
        }
    }

    /// LDAP-085
    #[test]
    fn ids_that_are_gone_are_told_from_those_that_are_there() {
        let ids = element(0x31, &[element(0x04, &[7; 16]), element(0x04, &[8; 16])].concat());
        let of = |parts: &[Vec<u8>]| info(&element(0xa3, &parts.concat()));
        let both = vec![[7; 16], [8; 16]];
        assert_eq!(of(std::slice::from_ref(&ids)), Ok(Info::Ids { are_gone: false, ids: both.clone() }));
        let gone = [element(0x04, b"cookie"), element(0x01, &[0xff]), ids];
        assert_eq!(of(&gone), Ok(Info::Ids { are_gone: true, ids: both }));
        assert!(of(&[element(0x31, &element(0x04, &[7; 15]))]).is_err(), "an id has 16 bytes");
        assert!(of(&[]).is_err(), "a set without ids is no empty set");
    }
}
