//! The parsers of bytes from outside, a door each, for fuzzing: whatever comes in, nothing panics, and what is accepted
//! keeps the rules that stand here.
//!
//! Each function takes any bytes and tells which rule was broken. The targets in `fuzz/` run them without end, and a test runs
//! them over the corpus in `fuzz/corpus` and thousands of mutations of it. None of them touches database, clock or network.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::claims::ClaimsRequest;
use super::client::asserted_id;
use super::dpop::{self, Shown};
use super::params::Params;
use super::request::{Fault, Request};
use super::{authorize, dpop::is_thumbprint, request_object};
use crate::crypto::foreign::{Rules, read};
use crate::crypto::strict_json;
use crate::model::{
    Application, ApplicationSettings, AuthMethod, DetailType, GrantType, ProofAlgorithm, RedirectUri, ResponseType,
    check_redirect_uri,
};
use crate::store::Json;
use crate::time::Instant;

/// A rule that was broken, in words for whoever reads the crash.
pub type Broken = String;

/// One target: its name, which is that of its folder in `fuzz/corpus`, and what it does with bytes.
pub type Target = (&'static str, fn(&[u8]) -> Result<(), Broken>);

/// Every target.
pub const TARGETS: &[Target] = &[
    ("authorization_request", authorization_request),
    ("request_object", request_object),
    ("dpop_proof", dpop_proof),
    ("client_assertion", client_assertion),
    ("redirect_uri", redirect_uri),
    ("claims_parameter", claims_parameter),
];

/// Our issuer, and the address that proofs are for.
const ISSUER: &str = "https://id.example";
/// Seconds since 1970: when it is.
const NOW: i64 = 1_795_000_000;

fn hold(holds: bool, rule: &str) -> Result<(), Broken> {
    if holds { Ok(()) } else { Err(rule.to_owned()) }
}

/// The query of a request at the authorization endpoint.
///
/// # Errors
/// The rule that was broken.
pub fn authorization_request(bytes: &[u8]) -> Result<(), Broken> {
    let text = String::from_utf8_lossy(bytes);
    let Ok(params) = Params::parse(&text) else { return Ok(()) };
    hold(Params::parse(&params.encode()).as_ref() == Ok(&params), "parameters survive being written and read")?;
    let app = application();
    let Some(back) = authorize::back(&app, &params) else { return Ok(()) };
    let is_registered = app.settings.redirect_uris.iter().any(|own| RedirectUri(own).matches(&back.redirect_uri));
    hold(is_registered, "answers go to a registered redirect URI")?;
    accepted(&app, &params, &back.redirect_uri)
}

/// What a request that is accepted keeps, and what a refusal looks like.
fn accepted(app: &Application, params: &Params, redirect_uri: &str) -> Result<(), Broken> {
    match Request::parse(app, params, redirect_uri) {
        Ok(request) => {
            let settings = &app.settings;
            hold(!params.has_repetition(), "no parameter is given twice")?;
            hold(params.get("code_challenge_method") == Some("S256"), "PKCE is S256")?;
            hold(request.code_challenge.is_some_and(|one| one.len() == 43), "PKCE is a hash")?;
            let is_own = |scope: &str| settings.scopes.iter().any(|own| own == scope);
            hold(request.scope.split(' ').all(is_own), "scopes are the application's")?;
            let is_known = |one: &String| settings.request.resources.contains(one);
            hold(request.resources.iter().all(is_known), "resources are registered")?;
            let types = &settings.request.authorization_details;
            let is_typed =
                |one: &Value| one.get("type").and_then(Value::as_str).is_some_and(|name| types.contains_key(name));
            hold(request.details.iter().all(is_typed), "authorization details are of a registered type")?;
            hold(!request.response_type.has_id_token() || request.nonce.is_some(), "an ID token has a nonce")?;
            hold(request.dpop_jkt.as_deref().is_none_or(is_thumbprint), "dpop_jkt is a thumbprint")?;
            hold(!(request.is_silent && request.again), "prompt=none stands alone")
        }
        Err(fault) => told(fault),
    }
}

/// What is said of a fault holds nothing that came from outside (RFC 6749 section 4.1.2.1).
fn told(fault: Fault) -> Result<(), Broken> {
    let is_plain = |c: char| matches!(c, ' ' | '!' | '#'..='[' | ']'..='~');
    hold(!fault.error.is_empty() && fault.description.chars().all(is_plain), "a fault is plain text")
}

/// A request object: a JWT, or the claims of one whose signature held.
///
/// # Errors
/// The rule that was broken.
pub fn request_object(bytes: &[u8]) -> Result<(), Broken> {
    let app = application();
    let text = String::from_utf8_lossy(bytes);
    let rules = Rules { algorithms: ProofAlgorithm::ASYMMETRIC, types: request_object::TYPES };
    if let Ok(token) = read(text.trim(), &rules) {
        hold(token.algorithm != ProofAlgorithm::Hs256, "a shared secret signs no request")?;
        hold(!token.header.contains_key("jwk") && !token.header.contains_key("crit"), "a header widens no rule")?;
        holds_request(&app, token.claims)?;
    }
    match strict_json(bytes) {
        Ok(Value::Object(claims)) => holds_request(&app, claims),
        _ => Ok(()),
    }
}

fn holds_request(app: &Application, claims: Map<String, Value>) -> Result<(), Broken> {
    match request_object::check_about(app, ISSUER, NOW, &claims) {
        Ok(()) => {
            hold(claims.get("iss").and_then(Value::as_str) == Some(&app.id), "the application is the issuer")?;
            hold(claims.get("sub").and_then(Value::as_str) != Some(&app.id), "it is no client assertion")?;
            let ends = claims.get("exp").and_then(Value::as_i64);
            hold(
                ends.is_some_and(|exp| exp > NOW && exp <= NOW + 3_600 + 10),
                "it is of now, for an hour at the most",
            )?;
        }
        Err(fault) => told(fault)?,
    }
    let _ = request_object::once(&claims).map_err(told);
    match request_object::params(app, claims, &Params::default()) {
        Ok(params) => {
            hold(params.get("client_id") == Some(&app.id), "it is for its application")?;
            hold(params.get("request").is_none() && params.get("request_uri").is_none(), "it holds no other request")?;
            match authorize::back(app, &params) {
                Some(back) => accepted(app, &params, &back.redirect_uri),
                None => Ok(()),
            }
        }
        Err(fault) => told(fault),
    }
}

/// A `DPoP` header, or the claims of a proof whose signature held.
///
/// # Errors
/// The rule that was broken.
pub fn dpop_proof(bytes: &[u8]) -> Result<(), Broken> {
    let text = String::from_utf8_lossy(bytes);
    if let Ok((_, key)) = dpop::verified(text.trim()) {
        hold(is_thumbprint(key.thumbprint()), "a key has a thumbprint")?;
    }
    let Ok(Value::Object(claims)) = strict_json(bytes) else { return Ok(()) };
    let now = Instant::from_timestamp(NOW, 0).unwrap_or_default();
    let addresses = vec![format!("{ISSUER}/oauth2/token")];
    let shown = Shown { proofs: Vec::new(), method: "POST".to_owned(), addresses };
    let Ok((id, made)) = dpop::check_claims(&claims, &shown, Some("token"), now) else { return Ok(()) };
    hold(!id.is_empty() && id.len() <= 256, "an id is text of bounded length")?;
    hold((NOW - 60..=NOW + 30).contains(&made.timestamp()), "a proof is of now")?;
    hold(claims.get("htm").and_then(Value::as_str) == Some("POST"), "a proof is for one method")?;
    hold(claims.get("ath").is_some_and(Value::is_string), "a proof names its token")?;
    let htu = claims.get("htu").and_then(Value::as_str).and_then(|text| url::Url::parse(text).ok());
    let is_ours = htu.is_some_and(|url| url.host_str() == Some("id.example") && url.path() == "/oauth2/token");
    hold(is_ours, "a proof is for one address")
}

/// What an application shows at the token endpoint: `client_assertion` of a form, an `Authorization` header, or the claims
/// of an assertion whose signature held.
///
/// # Errors
/// The rule that was broken.
pub fn client_assertion(bytes: &[u8]) -> Result<(), Broken> {
    let text = String::from_utf8_lossy(bytes);
    if let Some((id, claims)) = asserted_id(&text) {
        hold(id.len() <= 255, "a client id is of bounded length")?;
        for name in ["iss", "sub"] {
            hold(claims.get(name).and_then(Value::as_str) == Some(&id), "iss and sub are the client id")?;
        }
    }
    let Ok(Value::Object(claims)) = strict_json(bytes) else { return Ok(()) };
    let now = Instant::from_timestamp(NOW, 0).unwrap_or_default();
    for is_wide in [false, true] {
        let Ok((id, until)) = super::client::check_assertion(&claims, ISSUER, is_wide, now) else { continue };
        hold(!id.is_empty(), "an assertion has an id")?;
        hold((NOW - 30..=NOW + 3_630).contains(&until.timestamp()), "an assertion ends within an hour")?;
        let aud = claims.get("aud").and_then(Value::as_str);
        hold(is_wide || aud == Some(ISSUER), "an assertion is for us alone")?;
    }
    Ok(())
}

/// A registered redirect URI, a line feed, and the one of a request.
///
/// # Errors
/// The rule that was broken.
pub fn redirect_uri(bytes: &[u8]) -> Result<(), Broken> {
    let text = String::from_utf8_lossy(bytes);
    let (registered, sent) = text.split_once('\n').unwrap_or((&text, &text));
    for is_public in [false, true] {
        if check_redirect_uri(registered, is_public).is_ok() {
            let url = url::Url::parse(registered).map_err(|_| "what is registered is a URI".to_owned())?;
            hold(url.fragment().is_none() && url.username().is_empty(), "no fragment and no user is registered")?;
            hold(
                !matches!(url.scheme(), "javascript" | "data" | "file" | "blob"),
                "no dangerous scheme is registered",
            )?;
            hold(RedirectUri(registered).matches(registered), "a URI is equal to itself")?;
        }
    }
    if check_redirect_uri(registered, true).is_err() || !RedirectUri(registered).matches(sent) || registered == sent {
        return Ok(());
    }
    let (own, other) = (url::Url::parse(registered), url::Url::parse(sent));
    let (Ok(own), Ok(mut other)) = (own, other) else { return Err("what matches is a URI".to_owned()) };
    let is_loopback = matches!(own.host_str(), Some("127.0.0.1" | "[::1]")) && own.scheme() == "http";
    hold(is_loopback, "only a loopback address matches with another port")?;
    hold(other.set_port(own.port()).is_ok() && other == own, "nothing but the port differs")
}

/// The `claims` parameter.
///
/// # Errors
/// The rule that was broken.
pub fn claims_parameter(bytes: &[u8]) -> Result<(), Broken> {
    let text = String::from_utf8_lossy(bytes);
    match ClaimsRequest::read(&text) {
        Ok(request) => {
            hold(request.id_token.len() <= 64 && request.userinfo.len() <= 64, "the claims are bounded")?;
            let again = ClaimsRequest::of(request.stored().as_ref());
            hold(again == request, "what is stored is what was asked for")?;
            for wanted in request.id_token.values().chain(request.userinfo.values()) {
                hold(wanted.listed().iter().all(|value| wanted.accepts(value)), "what is wanted is accepted")?;
            }
            Ok(())
        }
        Err(description) => told(Fault::invalid(description)),
    }
}

/// The application that all of this is about.
fn application() -> Application {
    let mut settings = ApplicationSettings {
        redirect_uris: vec!["https://a.example/cb".to_owned(), "http://127.0.0.1/cb".to_owned()],
        grant_types: vec![GrantType::AuthorizationCode],
        scopes: vec!["openid".to_owned(), "email".to_owned()],
        require_pkce: true,
        ..ApplicationSettings::default()
    };
    settings.request.response_types = vec![ResponseType::Code, ResponseType::CodeIdToken];
    settings.request.resources = vec!["https://api.example/".to_owned()];
    settings.request.authorization_details = BTreeMap::from([("payment".to_owned(), DetailType::default())]);
    let at = Instant::from_timestamp(NOW, 0).unwrap_or_default();
    Application {
        id: "a".to_owned(),
        name: "A".to_owned(),
        declared: true,
        enabled: true,
        auth_method: AuthMethod::None,
        secret_hash: None,
        old_secret_hash: None,
        old_secret_until: None,
        secret_since: None,
        settings: Json(settings),
        created_at: at,
        updated_at: at,
    }
}
