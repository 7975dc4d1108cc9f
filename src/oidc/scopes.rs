//! Scopes: what the provider knows, and what an application is given of what it asks for.

use crate::model::Application;

/// The scopes that speak about a person; every other scope belongs to an API.
pub const PERSONAL: [&str; 7] = ["openid", "profile", "email", "phone", "offline_access", "org", "roles"];

/// The scopes of `asked` that the application may have, in the order asked, each once. What it may not have, and what
/// nobody knows, is left out: the answer tells what was granted (RFC 6749 section 3.3).
pub(super) fn granted(app: &Application, asked: &str) -> Vec<String> {
    let mut granted: Vec<String> = Vec::new();
    for scope in asked.split(' ').filter(|scope| !scope.is_empty()) {
        if app.settings.scopes.iter().any(|own| own == scope) && !granted.iter().any(|have| have == scope) {
            granted.push(scope.to_owned());
        }
    }
    granted
}

/// Whether `scope` is written as RFC 6749 section 3.3 says.
#[must_use]
pub fn is_scope(scope: &str) -> bool {
    !scope.is_empty() && scope.bytes().all(|byte| matches!(byte, 0x21 | 0x23..=0x5B | 0x5D..=0x7E))
}

/// Whether `scope` is one of the space-separated `scopes`.
#[must_use]
pub fn has(scopes: &str, scope: &str) -> bool {
    scopes.split(' ').any(|one| one == scope)
}
