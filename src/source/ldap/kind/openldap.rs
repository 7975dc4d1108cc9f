//! OpenLDAP: the state that its password policy keeps (draft-behera-ldap-password-policy section 5.3).

use super::{first, note};
use crate::source::collect::Raw;
use crate::source::snapshot::Part;

/// Operational attributes, which come only when they are asked for.
pub(super) const OF_USERS: &[&str] = &["pwdAccountLockedTime", "pwdReset"];
/// Locked by an administrator, until an administrator unlocks it.
const FOR_GOOD: &str = "000001010000Z";

/// Brings an entry into the one form.
pub(super) fn shape(part: Part, raw: &mut Raw) {
    if part != Part::Users {
        return;
    }
    match first(raw, "pwdaccountlockedtime") {
        Some(FOR_GOOD) => note(raw, "disabled"),
        // After too many wrong passwords: it passes, and says nothing about the person.
        Some(_) => note(raw, "locked"),
        None => {}
    }
    if first(raw, "pwdreset").is_some_and(|value| value.eq_ignore_ascii_case("true")) {
        note(raw, "password-change");
    }
}
