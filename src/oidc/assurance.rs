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
    let asked = request.acr_values.as_deref().unwrap_or_default();
    Ok(asked.split(' ').find_map(is_held).or_else(|| held.first().map(ToString::to_string)))
}
