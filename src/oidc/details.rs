//! Authorization details (RFC 9396): what an application asks to do, in detail; checked against the types registered
//! for it, and narrowed at the token endpoint.

use serde_json::Value;

use super::params::Params;
use super::request::Fault;
use super::token::GrantError;
use crate::crypto::strict_json;
use crate::model::Application;

/// Bytes of `authorization_details` at the most: access tokens repeat them.
const MAX: usize = 3_000;
/// The parameter.
const NAME: &str = "authorization_details";

const fn fault(description: &'static str) -> Fault {
    Fault { error: "invalid_authorization_details", description }
}

/// The details that `params` ask for; none when the parameter is absent.
pub(super) fn asked(app: &Application, params: &Params) -> Result<Vec<Value>, Fault> {
    params.get(NAME).map_or(Ok(Vec::new()), |text| read(app, text))
}

fn read(app: &Application, text: &str) -> Result<Vec<Value>, Fault> {
    if text.len() > MAX {
        return Err(fault("authorization_details is longer than 3000 bytes"));
    }
    let Ok(Value::Array(list)) = strict_json(text.as_bytes()) else {
        return Err(fault("authorization_details is no JSON array"));
    };
    if list.is_empty() {
        return Err(fault("authorization_details is empty"));
    }
    for detail in &list {
        let Some(object) = detail.as_object() else {
            return Err(fault("an authorization detail is no JSON object"));
        };
        let name = object.get("type").and_then(Value::as_str).ok_or(fault("an authorization detail has no type"))?;
        let known = app.settings.request.authorization_details.get(name);
        let known = known.ok_or(fault("a type of authorization details is not registered for this application"))?;
        if !known.accepts(object) {
            return Err(fault("an authorization detail holds what its type does not allow, or lacks what it demands"));
        }
    }
    Ok(list)
}

/// What a token request for a grant gets: what was granted, or the part of it that is asked for (RFC 9396 section 6).
pub(super) fn narrowed(app: &Application, granted: &[Value], form: &Params) -> Result<Vec<Value>, GrantError> {
    if form.get(NAME).is_none() {
        return Ok(granted.to_vec());
    }
    let asked = own(app, form)?;
    if asked.iter().all(|detail| granted.contains(detail)) {
        return Ok(asked);
    }
    Err(GrantError::InvalidDetails("more is asked for than was granted"))
}

/// What an application gets in its own name.
pub(super) fn own(app: &Application, form: &Params) -> Result<Vec<Value>, GrantError> {
    asked(app, form).map_err(|fault| GrantError::InvalidDetails(fault.description))
}
