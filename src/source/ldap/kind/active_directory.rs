//! Active Directory ([MS-ADTS]): binary ids as text, the state of accounts, members by primary group.

use std::collections::{BTreeSet, HashMap};
use std::fmt::Write as _;

use chrono::DateTime;

use super::super::root::Root;
use super::{first, note};
use crate::source::collect::Raw;
use crate::source::generalized_time::instant;
use crate::source::snapshot::Part;
use crate::time::Instant;

/// The state of accounts, and what names the primary group.
pub(super) const OF_USERS: &[&str] =
    &["userAccountControl", "accountExpires", "pwdLastSet", "lockoutTime", "primaryGroupID", "objectSid"];
/// What a primary group is named by.
pub(super) const OF_GROUPS: &[&str] = &["objectSid"];

/// `userAccountControl`: ACCOUNTDISABLE.
const DISABLED: i64 = 0x2;
/// `accountExpires`: never, besides 0.
const NEVER: i64 = i64::MAX;
/// Seconds from 1601, where FILETIME begins, to 1970.
const FROM_1601: i64 = 11_644_473_600;

/// What is known about the domain, and who has which primary group: people are read before groups.
#[derive(Debug)]
pub(in crate::source::ldap) struct Domain {
    /// The server's clock: whether an account has expired is for the directory to say.
    now: Option<Instant>,
    /// SID of a group → names of those who belong to it without being listed.
    primary: HashMap<String, BTreeSet<Vec<u8>>>,
}

/// Naming contexts below a domain in which nobody lives: configuration, schema and the DNS zones. A search from the
/// domain's root refers to them.
pub(super) fn without_people(root: &Root) -> Vec<String> {
    let mut contexts: Vec<String> = ["configurationnamingcontext", "schemanamingcontext"]
        .into_iter()
        .filter_map(|name| root.first(name).map(str::to_owned))
        .collect();
    let domains = ["rootdomainnamingcontext", "defaultnamingcontext"];
    for domain in domains.into_iter().filter_map(|name| root.first(name)) {
        contexts.push(format!("DC=ForestDnsZones,{domain}"));
        contexts.push(format!("DC=DomainDnsZones,{domain}"));
    }
    contexts
}

impl Domain {
    pub fn new(root: &Root) -> Self {
        let now = root.first("currenttime").and_then(instant);
        Self { now, primary: HashMap::new() }
    }

    /// Brings an entry into the one form.
    pub fn shape(&mut self, part: Part, raw: &mut Raw) {
        // Of two entries made at once under one name on two servers, one is renamed to this; deleted ones to the other.
        raw.is_conflict = [r"\0ACNF:", r"\0ADEL:"].iter().any(|mark| contains(&raw.dn, mark.as_bytes()));
        in_place(raw, "objectguid", guid);
        in_place(raw, "objectsid", sid);
        match part {
            Part::Users => {
                self.state(raw);
                self.note_primary_group(raw);
            }
            Part::Groups => {
                let more = first(raw, "objectsid").and_then(|sid| self.primary.get(sid)).cloned();
                if let Some(more) = more {
                    raw.values.entry("member".to_owned()).or_default().extend(more);
                }
            }
            Part::Departments => {}
        }
    }

    /// Who has which primary group.
    pub fn primary_members(&self) -> Vec<(String, Vec<String>)> {
        let text = |dn: &Vec<u8>| String::from_utf8(dn.clone()).ok();
        self.primary.iter().map(|(sid, dns)| (sid.clone(), dns.iter().filter_map(text).collect())).collect()
    }

    fn state(&self, raw: &mut Raw) {
        let number = |raw: &Raw, name: &str| first(raw, name).and_then(|text| text.parse::<i64>().ok());
        if number(raw, "useraccountcontrol").is_some_and(|flags| flags & DISABLED != 0) {
            note(raw, "disabled");
        }
        let ends = number(raw, "accountexpires").filter(|ends| !matches!(*ends, 0 | NEVER)).and_then(file_time);
        if let (Some(ends), Some(now)) = (ends, self.now)
            && ends <= now
        {
            note(raw, "expired");
        }
        if number(raw, "lockouttime").is_some_and(|time| time > 0) {
            // It passes, and is done to people by others: no reason to take anything away.
            note(raw, "locked");
        }
        if number(raw, "pwdlastset") == Some(0) {
            note(raw, "password-change");
        }
        // Readable where the mapping asks for it, and nothing where it never ends.
        if let Some(values) = raw.values.get_mut("accountexpires") {
            *values = ends.map(|ends| ends.to_rfc3339().into_bytes()).into_iter().collect();
        }
    }

    fn note_primary_group(&mut self, raw: &Raw) {
        let (Some(sid), Some(group)) = (first(raw, "objectsid"), first(raw, "primarygroupid")) else { return };
        if let Some((domain, _)) = sid.rsplit_once('-') {
            self.primary.entry(format!("{domain}-{group}")).or_default().insert(raw.dn.clone());
        }
    }
}

fn contains(text: &[u8], part: &[u8]) -> bool {
    text.windows(part.len()).any(|window| window == part)
}

fn in_place(raw: &mut Raw, name: &str, convert: impl Fn(&[u8]) -> Option<String>) {
    for value in raw.values.get_mut(name).into_iter().flatten() {
        if let Some(text) = convert(value) {
            *value = text.into_bytes();
        }
    }
}

/// `objectGUID` as everybody writes it: the first three groups are little-endian in the bytes ([MS-DTYP] section 2.3.4).
pub(in crate::source) fn guid(bytes: &[u8]) -> Option<String> {
    let bytes: [u8; 16] = bytes.try_into().ok()?;
    Some(uuid::Uuid::from_bytes_le(bytes).to_string())
}

/// The bytes of such an id, as a filter compares them.
pub(in crate::source) fn guid_bytes(text: &str) -> Option<Vec<u8>> {
    Some(uuid::Uuid::parse_str(text).ok()?.to_bytes_le().to_vec())
}

/// `objectSid` as everybody writes it ([MS-DTYP] section 2.4.2): the authority is big-endian, the rest little-endian.
pub(in crate::source) fn sid(bytes: &[u8]) -> Option<String> {
    let [revision, count, authority @ ..] = bytes else { return None };
    let (authority, rest) = authority.split_at_checked(6)?;
    let (parts, []) = rest.as_chunks::<4>() else { return None };
    if parts.len() != usize::from(*count) {
        return None;
    }
    let authority = authority.iter().fold(0u64, |sum, byte| sum << 8 | u64::from(*byte));
    let mut text = format!("S-{revision}-{authority}");
    for part in parts {
        let _ = write!(text, "-{}", u32::from_le_bytes(*part));
    }
    Some(text)
}

/// A FILETIME: hundreds of nanoseconds since 1601.
fn file_time(value: i64) -> Option<Instant> {
    DateTime::from_timestamp(value / 10_000_000 - FROM_1601, 0)
}

#[cfg(test)]
mod tests {
    use super::{Domain, file_time, guid, sid};
    use crate::source::collect::Raw;
    use crate::source::generalized_time::instant;
    use crate::source::snapshot::{ACCOUNT_STATE, Part};

    /// LDAP-037
    #[test]
    fn a_guid_is_written_as_the_tools_of_windows_write_it() {
        let bytes = [0x78, 0x56, 0x34, 0x12, 0x34, 0x12, 0x78, 0x56, 0x12, 0x34, 0x56, 0x78, 0x12, 0x34, 0x56, 0x78];
        assert_eq!(guid(&bytes).as_deref(), Some("12345678-1234-5678-1234-567812345678"));
        assert_eq!(guid(&bytes[1..]), None);
    }

    /// LDAP-038
    #[test]
    fn a_sid_is_written_as_the_tools_of_windows_write_it() {
        let mut bytes = vec![1, 5, 0, 0, 0, 0, 0, 5];
        for part in [21u32, 3_999_108_203, 557_645_313, 4_186_173_871, 1_102] {
            bytes.extend(part.to_le_bytes());
        }
        assert_eq!(sid(&bytes).as_deref(), Some("S-1-5-21-3999108203-557645313-4186173871-1102"));
        assert_eq!(sid(&[1, 1, 1, 2, 3, 4, 5, 6, 0, 0, 0, 0]).as_deref(), Some("S-1-1108152157446-0"));
        assert_eq!(sid(&bytes[..27]), None);
        assert_eq!(sid(&[]), None);
    }

    /// LDAP-076
    #[test]
    fn disabled_expired_locked_and_must_change_are_told_apart() {
        let now = instant("20261122162837.0Z").unwrap();
        assert_eq!(now.to_rfc3339(), "2026-11-22T16:28:37+00:00");
        let ticks = |seconds: i64| ((now.timestamp() + seconds + super::FROM_1601) * 10_000_000).to_string();
        assert_eq!(file_time(ticks(0).parse().unwrap()), Some(now));
        let mut domain = Domain { now: Some(now), primary: std::collections::HashMap::new() };
        for (attribute, value, state) in [
            ("userAccountControl", "512", &[][..]),
            ("userAccountControl", "514", &["disabled"]),
            ("userAccountControl", "66050", &["disabled"]),
            ("accountExpires", "0", &[]),
            ("accountExpires", "9223372036854775807", &[]),
            ("accountExpires", &ticks(60), &[]),
            ("accountExpires", &ticks(0), &["expired"]),
            ("accountExpires", &ticks(-60), &["expired"]),
            ("lockoutTime", "0", &[]),
            ("lockoutTime", "133000000000000000", &["locked"]),
            ("pwdLastSet", "0", &["password-change"]),
            ("pwdLastSet", "133000000000000000", &[]),
        ] {
            let mut raw = Raw::new(b"CN=a,DC=x".to_vec());
            raw.push(attribute, [value.as_bytes().to_vec()]);
            domain.shape(Part::Users, &mut raw);
            let states = raw.values.remove(ACCOUNT_STATE).unwrap_or_default();
            let states: Vec<&str> = states.iter().map(|state| std::str::from_utf8(state).unwrap()).collect();
            assert_eq!(states, state, "{attribute} {value}");
        }
    }
}
