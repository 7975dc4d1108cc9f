//! Request objects (RFC 9101): the authorization request as a JWT that the application signed.
//!
//! Only what the object holds counts; what stands beside it in the address is ignored. For old clients an application
//! can be switched to OpenID Connect's way (Core 1.0 section 6.1), where `response_type`, `client_id` and `scope` may
//! stand beside the object alone. Encrypted objects, unsigned ones and those behind a foreign address are refused.
//!
//! An object with a `jti` is good for one answer, on all nodes together: pushed, it is used up by the push; in an
//! address, by the answer, since a browser that signs in comes back with the same address.

use serde_json::{Map, Value};

use super::client_keys::verify_by_application;
use super::params::Params;
use super::request::Fault;
use super::{Provider, replay};
use crate::crypto::foreign::{Rules, read};
use crate::model::{Application, Profile, ProofAlgorithm};
use crate::store::StoreError;
use crate::time::Instant;

/// `typ` of a request object (RFC 9101 section 10.8); older clients say `JWT` or nothing.
pub(super) const TYPES: &[&str] = &["oauth-authz-req+jwt", "JWT", ""];
/// Claims about the object itself, which are no parameters.
const ABOUT: [&str; 7] = ["iss", "sub", "aud", "exp", "nbf", "iat", "jti"];
/// What may stand beside the object where the application is switched to it.
const BESIDE: [&str; 3] = ["response_type", "client_id", "scope"];
/// Seconds for which an object may hold.
const LIFE: i64 = 3_600;
/// Seconds by which the application's clock may be ahead.
const SKEW: i64 = 10;
/// Characters of a `jti` at the most.
const LONGEST_ID: usize = 256;

const fn invalid(description: &'static str) -> Fault {
    Fault { error: "invalid_request_object", description }
}

/// What an object holds.
pub(super) struct Opened {
    /// The parameters.
    pub params: Params,
    /// What makes it good for one answer only; none where the application has given it no id.
    pub once: Option<Once>,
}

/// The id of an object, until it would not be accepted any more anyway.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Once {
    id: String,
    until: Instant,
}

impl Once {
    /// What is said of an object that was used before.
    pub const USED: Fault = invalid("the request object was used before");

    /// Uses the object up; tells whether that was still to be done.
    pub async fn take(&self, provider: Provider<'_>, app: &Application) -> Result<bool, StoreError> {
        replay::is_first(provider.broker, "request-object", &app.id, &self.id, self.until).await
    }
}

/// Reads an object of `app`.
pub(super) async fn open(
    provider: Provider<'_>,
    app: &Application,
    object: &str,
    beside: &Params,
) -> Result<Opened, Fault> {
    let proof = &app.settings.proof;
    if proof.jwks.is_none() && proof.jwks_uri.is_none() {
        let description = "the application has registered no key that signs its requests";
        return Err(Fault { error: "request_not_supported", description });
    }
    let rules = Rules { algorithms: &algorithms(app), types: TYPES };
    let token = read(object, &rules)
        .map_err(|_| invalid("the request object is malformed, unsigned, or signed with another algorithm"))?;
    let claims = verify_by_application(provider, app, token).await.map_err(|error| {
        tracing::info!(application = app.id, %error, "a request object was refused");
        invalid("the request object is not signed by a key of the application")
    })?;
    let now = provider.broker.clock.now().timestamp();
    check_about(app, &provider.broker.config.server.issuer(), now, &claims)?;
    let once = once(&claims)?;
    Ok(Opened { params: params(app, claims, beside)?, once })
}

/// The id of an object that has one (RFC 7519 section 4.1.7); its `exp` was checked before.
pub(super) fn once(claims: &Map<String, Value>) -> Result<Option<Once>, Fault> {
    let Some(id) = claims.get("jti") else { return Ok(None) };
    let id = id.as_str().filter(|id| !id.is_empty() && id.len() <= LONGEST_ID);
    let until = claims.get("exp").and_then(Value::as_i64).and_then(|exp| Instant::from_timestamp(exp, 0));
    match (id, until) {
        (Some(id), Some(until)) => Ok(Some(Once { id: id.to_owned(), until })),
        _ => Err(invalid("jti of the request object is no text, or too long")),
    }
}

/// The algorithms that count: the registered one, or every one; under FAPI 2.0 its own only (section 5.4.1).
fn algorithms(app: &Application) -> Vec<ProofAlgorithm> {
    let all = match app.settings.profile {
        Profile::Fapi2 => ProofAlgorithm::FAPI2,
        Profile::Standard => ProofAlgorithm::ASYMMETRIC,
    };
    let registered = app.settings.request.request_object_signing_alg;
    all.iter().copied().filter(|algorithm| registered.is_none_or(|only| only == *algorithm)).collect()
}

/// Whether the object is from the application, for us, and of now.
pub(super) fn check_about(app: &Application, issuer: &str, now: i64, claims: &Map<String, Value>) -> Result<(), Fault> {
    let is_app = |name: &str| claims.get(name).and_then(Value::as_str) == Some(&app.id);
    if !is_app("iss") {
        return Err(invalid("iss of the request object is not the application"));
    }
    // A client assertion has it; a request object must not be usable as one (RFC 9101 section 10.8).
    if is_app("sub") {
        return Err(invalid("sub of the request object is the application, as in a client assertion"));
    }
    let is_for_us = match claims.get("aud") {
        Some(Value::String(one)) => one == issuer,
        Some(Value::Array(several)) => several.iter().any(|one| one.as_str() == Some(issuer)),
        _ => false,
    };
    if !is_for_us {
        return Err(invalid("aud of the request object does not name this issuer"));
    }
    let exp = claims.get("exp").and_then(Value::as_i64).ok_or(invalid("exp of the request object is missing"))?;
    let nbf = match claims.get("nbf") {
        None if app.settings.profile == Profile::Fapi2 => return Err(invalid("nbf of the request object is missing")),
        None => now,
        Some(nbf) => nbf.as_i64().ok_or(invalid("nbf of the request object is no number"))?,
    };
    if exp <= now || nbf > now.saturating_add(SKEW) {
        return Err(invalid("the request object has expired, or is not valid yet"));
    }
    if exp.saturating_sub(nbf) > LIFE || now.saturating_sub(nbf) > LIFE {
        return Err(invalid("the request object is valid for more than an hour"));
    }
    Ok(())
}

/// The claims as parameters.
pub(super) fn params(app: &Application, claims: Map<String, Value>, beside: &Params) -> Result<Params, Fault> {
    if claims.contains_key("request") || claims.contains_key("request_uri") {
        return Err(invalid("a request object holds no request and no request_uri"));
    }
    let mut params = Params::default();
    for (name, value) in claims.into_iter().filter(|(name, _)| !ABOUT.contains(&name.as_str())) {
        match value {
            Value::String(text) => params = params.with(&name, &text),
            Value::Array(list) if name == "resource" => {
                for entry in list {
                    let text = entry.as_str().ok_or(invalid("a resource in the request object is no text"))?;
                    params = params.with(&name, text);
                }
            }
            Value::Null => {}
            // Numbers (max_age) and documents (claims, authorization_details) are read as if they stood in the query.
            other => params = params.with(&name, &other.to_string()),
        }
    }
    if app.settings.request.merge_request_object {
        for name in BESIDE {
            if let (None, Some(value)) = (params.get(name), beside.get(name)) {
                params = params.without(name).with(name, value);
            }
        }
    }
    if params.get("client_id") != Some(&app.id) {
        return Err(invalid("client_id of the request object is not that of the request"));
    }
    Ok(params)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Map, Value, json};

    use super::{ABOUT, check_about, params};
    use crate::oidc::Params;
    use crate::oidc::request::tests::application;

    fn value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            prop::sample::select(vec!["a", "https://id.example", "openid"]).prop_map(Value::from),
            "\\PC{0,8}".prop_map(Value::from),
        ];
        leaf.prop_recursive(2, 8, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::btree_map("[a-z]{1,4}", inner, 0..4).prop_map(|map| json!(map)),
            ]
        })
    }

    fn claims() -> impl Strategy<Value = Map<String, Value>> {
        let name = prop::sample::select(vec![
            "iss",
            "sub",
            "aud",
            "exp",
            "nbf",
            "client_id",
            "scope",
            "resource",
            "request",
            "request_uri",
            "max_age",
        ]);
        prop::collection::vec((name, value()), 0..10)
            .prop_map(|pairs| pairs.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
    }

    proptest! {
        /// OAUTH-096, OAUTH-098, OAUTH-099
        #[test]
        fn any_claims_are_read_or_refused(claims in claims(), now in any::<i64>()) {
            if check_about(&application(), "https://id.example", now, &claims).is_ok() {
                prop_assert!(claims["exp"].as_i64().is_some_and(|exp| exp > now));
                prop_assert_eq!((&claims["iss"], claims.get("sub") == Some(&json!("a"))), (&json!("a"), false));
            }
            if let Ok(read) = params(&application(), claims.clone(), &Params::default()) {
                prop_assert_eq!(read.get("client_id"), Some("a"));
                prop_assert!(read.get("request").is_none() && read.get("request_uri").is_none());
                prop_assert!(ABOUT.iter().all(|name| read.get(name).is_none()));
            }
        }
    }
}
