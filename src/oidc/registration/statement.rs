//! Software statements (RFC 7591 section 2.3): members that a trusted party signed.

use serde_json::{Map, Value};

use super::super::Provider;
use super::super::client_keys::issuer_keys;
use super::document::RegistrationFault;
use crate::crypto::foreign::{Rules, read};
use crate::model::ProofAlgorithm;

/// Claims that are about the statement, not about the software.
const ABOUT_ITSELF: [&str; 7] = ["iss", "aud", "exp", "nbf", "iat", "jti", "sub"];

/// The members of a statement that is believed.
pub(super) async fn believed(provider: Provider<'_>, text: &str) -> Result<Map<String, Value>, RegistrationFault> {
    let rules = Rules { algorithms: ProofAlgorithm::ASYMMETRIC, types: &["", "JWT", "software-statement+jwt"] };
    let unverified = read(text, &rules).map_err(|_| RegistrationFault::Statement)?;
    let claimed = unverified.claims.get("iss").and_then(Value::as_str).unwrap_or_default();
    let issuers = &provider.broker.config.registration.software_issuers;
    let issuer = issuers.iter().find(|issuer| issuer.issuer == claimed);
    let issuer = issuer.ok_or(RegistrationFault::UnapprovedStatement)?;
    let keys =
        issuer_keys(provider, issuer.jwks.as_ref(), issuer.jwks_uri.as_ref(), |keys| unverified.fits_one_of(keys));
    let keys = keys.await.map_err(|error| {
        tracing::warn!(issuer = issuer.issuer, %error, "the keys of an issuer of software statements are not to be had");
        RegistrationFault::Statement
    })?;
    let claims = unverified.verify(keys.iter()).map_err(|_| RegistrationFault::Statement)?;
    let now = provider.broker.clock.now().timestamp();
    let is_over = claims.get("exp").is_some_and(|exp| exp.as_i64().is_none_or(|exp| exp <= now));
    if is_over {
        return Err(RegistrationFault::Statement);
    }
    // A statement cannot bring another statement, nor what only the server sets.
    let is_ours = |name: &str| {
        name.starts_with("client_id") || name.starts_with("client_secret") || name.starts_with("registration_")
    };
    let about_software = claims
        .into_iter()
        .filter(|(name, _)| !ABOUT_ITSELF.contains(&name.as_str()) && name != "software_statement" && !is_ours(name));
    Ok(about_software.collect())
}
