//! Resource indicators (RFC 8707): the APIs that tokens are for, named by the application, registered for it.

use url::Url;

use super::params::Params;
use super::request::Fault;
use super::token::GrantError;
use crate::model::Application;

const FOREIGN: &str = "a resource is not registered for this application";

/// The resources that an authorization request names: each registered for the application.
pub(super) fn asked(app: &Application, params: &Params) -> Result<Vec<String>, Fault> {
    own(app, params).map_err(|description| Fault { error: "invalid_target", description })
}

/// `aud` of tokens for a grant: what was granted, or the part of it that is asked for; none for the usual audience. What
/// was not agreed on at the authorization endpoint is not had later (RFC 8707 section 2.2).
pub(super) fn narrowed(granted: &[String], form: &Params) -> Result<Option<Vec<String>>, GrantError> {
    let mut asked: Vec<String> = form.all("resource").map(str::to_owned).collect();
    asked.dedup();
    if asked.iter().any(|one| !granted.contains(one)) {
        return Err(GrantError::InvalidTarget("a resource was not named in the authorization request"));
    }
    let audience = if asked.is_empty() { granted.to_vec() } else { asked };
    Ok(Some(audience).filter(|audience| !audience.is_empty()))
}

/// `aud` of an application's tokens in its own name; none for the usual audience.
pub(super) fn in_own_name(app: &Application, form: &Params) -> Result<Option<Vec<String>>, GrantError> {
    let audience = own(app, form).map_err(GrantError::InvalidTarget)?;
    Ok(Some(audience).filter(|audience| !audience.is_empty()))
}

fn own(app: &Application, params: &Params) -> Result<Vec<String>, &'static str> {
    let mut own: Vec<String> = Vec::new();
    for resource in params.all("resource") {
        if !is_resource(resource) {
            return Err("a resource is no absolute URI without a fragment");
        }
        if !app.settings.request.resources.iter().any(|known| known == resource) {
            return Err(FOREIGN);
        }
        if !own.iter().any(|one| one == resource) {
            own.push(resource.to_owned());
        }
    }
    Ok(own)
}

/// RFC 8707 section 2: an absolute URI without a fragment.
fn is_resource(text: &str) -> bool {
    !text.contains('#') && Url::parse(text).is_ok()
}
