//! 389 Directory Server and its relatives (Red Hat, Oracle, FreeIPA): accounts are locked by `nsAccountLock`, directly or
//! by a role; groups may list their members as `uniqueMember`; entries that two servers made at once are kept apart as
//! conflicts.

use super::{first, note};
use crate::source::collect::Raw;
use crate::source::snapshot::Part;

/// Operational attributes, which come only when they are asked for.
pub(super) const OF_USERS: &[&str] = &["nsAccountLock", "nsds5ReplConflict"];
/// The other spelling of membership, and conflicts.
pub(super) const OF_GROUPS: &[&str] = &["uniqueMember", "nsds5ReplConflict"];

/// Brings an entry into the one form.
pub(super) fn shape(part: Part, raw: &mut Raw) {
    raw.is_conflict = raw.values.contains_key("nsds5replconflict");
    match part {
        Part::Users if first(raw, "nsaccountlock").is_some_and(|value| value.eq_ignore_ascii_case("true")) => {
            note(raw, "disabled");
        }
        Part::Groups => {
            if let Some(members) = raw.values.remove("uniquemember") {
                raw.values.entry("member".to_owned()).or_default().extend(members);
            }
        }
        _ => {}
    }
}
