//! Shared secrets, in the header or in the body (RFC 6749 section 2.3.1): hashed, compared in constant time.

use super::Why;
use super::offered::OfferedSecret;
use crate::crypto::constant_time_eq;
use crate::model::Application;
use crate::oidc::Provider;

/// Purpose under which client secrets are hashed.
pub(in crate::oidc) const PURPOSE: &str = "client-secret";

pub(super) fn check(provider: Provider<'_>, app: Option<&Application>, offered: &OfferedSecret) -> Result<(), Why> {
    // Hashed and compared whether or not there is such an application, so that the time does not tell.
    let stored = app.and_then(|app| app.secret_hash.as_deref()).unwrap_or("none");
    let before = app.and_then(|app| app.old_secret(provider.broker.clock.now())).unwrap_or("none");
    let is_stored = |secret: &str| {
        let hash = provider.broker.master.token_hash(PURPOSE, secret);
        constant_time_eq(hash.as_bytes(), stored.as_bytes()) | constant_time_eq(hash.as_bytes(), before.as_bytes())
    };
    let is_equal = is_stored(&offered.secret) | offered.undecoded.as_deref().is_some_and(is_stored);
    match app {
        None => Err(Why::Unknown),
        Some(app) if app.auth_method != offered.method => Err(Why::Method),
        Some(_) if is_equal => Ok(()),
        Some(_) => Err(Why::Secret),
    }
}
