//! Which `acr` a request is answered with (OpenID Connect Core 1.0 section 5.5.1.1, RFC 9470).

use super::request::{Fault, Request};
use crate::model::{Acr, Session};

impl Fault {
    /// OpenID Connect Core Error Code `unmet_authentication_requirements` 1.0.
    const UNMET: Self = Self {
        error: "unmet_authentication_requirements",
        description: "nobody can prove themselves here in the way that is demanded",
    };
}

/// The `acr` of a grant: the first that was asked for and is held, else the strongest. An essential one that is not
/// held is an error, never a lower one (section 5.5.1.1): there is no stronger way to send the person to.
pub(super) fn choose(request: &Request, session: &Session) -> Result<Option<String>, Fault> {
    let held = Acr::held(&session.amr);
    let is_held = |value: &str| held.iter().find(|acr| acr.as_str() == value).map(ToString::to_string);
    if let Some(wanted) = request.claims.id_token.get("acr") {
        let listed = wanted.listed();
        if let Some(acr) = listed.iter().filter_map(|value| value.as_str()).find_map(is_held) {
            return Ok(Some(acr));
        }
        if wanted.essential && !listed.is_empty() {
            return Err(Fault::UNMET);
        }
    }
    Ok(preferred(request.acr_values.as_deref(), session))
}

/// The `acr` of a sign-in for which `acr_values` were asked: the first of them that is held, else the strongest. They are
/// a wish (OpenID Connect Core 1.0 section 3.1.2.1, CIBA Core 1.0 section 7.1): the ID token says what became of it.
pub(super) fn preferred(acr_values: Option<&str>, session: &Session) -> Option<String> {
    let held = Acr::held(&session.amr);
    let is_held = |value: &str| held.iter().find(|acr| acr.as_str() == value).map(ToString::to_string);
    let asked = acr_values.unwrap_or_default();
    asked.split(' ').find_map(is_held).or_else(|| held.first().map(ToString::to_string))
}
